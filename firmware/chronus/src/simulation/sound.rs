//! Stands in for the DSP in a simulation: as deterministic, and a thousand times cheaper. A command changes everything
//! that follows it, so whatever is applied twice, not at all or in another order is heard for ever.

use abi::{Block, Operation, PARAMETERS, ParameterId};
use bytemuck::{Pod, Zeroable};
pub use dsp::{Commands, MODULES, Module};

/// Odd, so that no state is lost by multiplying; the 64-bit golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// All that the next block depends on.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct State {
    mixed: u64,
    operations: u64,
    /// Wide enough that most flipped bits are in what is not heard at once.
    quiet: [u64; 6],
}

impl State {
    /// The state at the start.
    pub fn new(rate: u32) -> Self {
        Self { mixed: u64::from(rate), operations: 0, quiet: [1; 6] }
    }

    /// It has no parameters: whatever is set is only mixed in, so all of them stay at their defaults.
    pub fn value(&self, id: ParameterId) -> f64 {
        PARAMETERS[id as usize].default
    }

    /// What it costs is of no interest here.
    pub fn exercise(&self, _: Module, _: &mut Block) {}

    fn mix(&mut self, word: u64) {
        self.mixed = (self.mixed ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    }

    fn apply(&mut self, operation: Operation) {
        self.operations += 1;
        match operation {
            Operation::Set(id, value) => self.mix(value.to_bits() ^ id as u64),
            Operation::Gate(id, on) => self.mix(u64::from(on) ^ ((id as u64 + 1) << 32)),
            Operation::Silence => self.mix(1 << 41),
            Operation::Poison(poison) => self.mix(poison as u64 + (1 << 40)),
        }
    }
}

/// Renders one block: the same sample all over it, another one in each block.
pub fn render(state: &mut State, commands: &mut impl Commands, out: &mut Block) {
    while let Some(operation) = commands.due(u32::MAX) {
        state.apply(operation);
    }
    // What is quiet comes into the sound after 64 blocks, as a slow envelope would.
    let last = state.quiet[5];
    state.mix(last);
    let turned = state.quiet[0].rotate_left(1);
    state.quiet.copy_within(0..5, 1);
    state.quiet[0] = turned;
    out.samples.fill((state.mixed >> 40) as f32 / (1 << 24) as f32);
}
