//! Stands in for the DSP in a simulation: as deterministic, and a thousand times cheaper. A command changes everything
//! that follows it, so whatever is applied twice, not at all or in another order is heard for ever.

use ::dsp::instrument::{Strip, Wiring};
use abi::{Block, Operation};
use bytemuck::{Pod, Zeroable};
pub use dsp::{Commands, MODULES, Module};

/// Odd, so that no state is lost by multiplying; the 64-bit golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// All that the next block depends on.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Instrument {
    mixed: u64,
    operations: u64,
    /// Wide enough that most flipped bits are in what is not heard at once.
    quiet: [u64; 6],
}

/// It works in nothing.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Scratch {}

impl Instrument {
    /// The state at the start.
    pub fn power_on(&mut self, rate: u32) {
        *self = Self { mixed: u64::from(rate), operations: 0, quiet: [1; 6] };
    }

    /// All of it is always in use.
    pub fn used_bytes(&self) -> usize {
        size_of::<Self>()
    }

    /// It has no patch: whatever is set is only mixed in, so all stays as it is at power-on.
    pub fn wiring(&self) -> &Wiring {
        crate::input::catalogue::power_on()
    }

    /// It has no tapes.
    pub fn strips(&self) -> impl Iterator<Item = Strip> + use<> {
        std::iter::empty()
    }

    /// Nothing is written to them.
    pub fn written<'a>(&self, _: &'a mut Scratch, _: usize, _: u64) -> Option<&'a mut [u64]> {
        None
    }

    /// What it costs is of no interest here.
    pub fn exercise(&mut self, _: &mut Scratch, _: Module, _: &mut Block) {}

    fn mix(&mut self, word: u64) {
        self.mixed = (self.mixed ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    }

    fn apply(&mut self, operation: Operation) {
        self.operations += 1;
        match operation {
            Operation::Set(place, value) => {
                self.mix(value.to_bits() ^ u64::from(place.row) ^ u64::from(place.parameter))
            }
            Operation::Gate(row, on) => self.mix(u64::from(on) ^ ((u64::from(row) + 1) << 32)),
            Operation::Note(row, note, velocity) => {
                self.mix(u64::from(velocity.to_bits()) ^ (u64::from(row) << 32) ^ (u64::from(note) << 48));
            }
            Operation::Silence => self.mix(1 << 41),
            Operation::Edit(_) => self.mix(1 << 42),
            Operation::Transport(_) => self.mix(1 << 43),
            Operation::Track(..) => self.mix(1 << 44),
            Operation::Poison(poison) => self.mix(poison as u64 + (1 << 40)),
        }
    }
}

/// Renders one block: the same sample all over it, another one in each block.
pub fn render(state: &mut Instrument, _: &mut Scratch, commands: &mut impl Commands, out: &mut Block) {
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
