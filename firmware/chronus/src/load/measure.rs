//! What a block costs: the modules one by one, all of it, and its commands.
//!
//! Measured in the supervisor's process, beside the music, on copies.

#[cfg(feature = "simulation")]
use crate::simulation::sound as dsp;
use std::hint::black_box;

use abi::{Block, Command, FRAMES, Operation, Stamp};
use rt::clock::monotonic;

use crate::input::catalogue;
use crate::worker::{EngineState, Scratch};

/// Times everything is done; the median is told. Other threads come in between, which is rarely the median: one run
/// takes microseconds, and a slice of time milliseconds.
const ROUNDS: usize = 5;

/// Commands in the block by which a command is measured, each at a frame of its own, as most are: so many stretches more,
/// which cost several times what the block does. No more than that: all of a measurement is to be over before a sound card
/// could miss anything, on whatever core it runs.
const COMMANDS: usize = 32;

/// What a block costs, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs {
    /// A block without commands.
    pub block: u64,
    /// Each of [`dsp::MODULES`], in that order.
    pub modules: [u64; dsp::MODULES.len()],
    /// A thousand commands.
    pub thousand_commands: u64,
}

/// Measures. What it renders are commands of its own: those of others may be such that nobody survives them.
pub struct Measurement {
    commands: Vec<Command>,
    /// What is measured on, from one measurement to the next.
    state: Box<EngineState>,
    scratch: Box<Scratch>,
}

impl Measurement {
    /// Prepares to measure at a sample rate in Hz.
    pub fn new(rate: u32) -> Self {
        Self { commands: commands(rate), state: EngineState::room(), scratch: bytemuck::zeroed_box() }
    }

    /// What a block costs whose state is `state`.
    pub fn measure(&mut self, state: &EngineState) -> Costs {
        let (mut out, scratch) = (Block::SILENCE, &mut *self.scratch);
        // One copy, on which the music goes on from round to round: what a block costs does not depend on where it is.
        *self.state = *state;
        let sound = self.state.sound_mut();
        let mut render = |commands: &[Command]| {
            median(|| {
                let commands = &mut black_box(commands).iter().copied().peekable();
                dsp::render(black_box(sound), black_box(scratch), commands, black_box(&mut out));
            })
        };
        let (block, with) = (render(&[]), render(&self.commands));
        let modules = dsp::MODULES
            .map(|module| median(|| sound.exercise(black_box(scratch), black_box(module), black_box(&mut out))));
        let thousand_commands = with.saturating_sub(block) * 1000 / COMMANDS as u64;
        Costs { block, modules, thousand_commands }
    }
}

/// Commands of all kinds, spread over a block; between the places where a stretch ends anyway.
fn commands(rate: u32) -> Vec<Command> {
    let wiring = catalogue::power_on();
    let gates = catalogue::gates(wiring).flat_map(|(row, _)| [true, false].map(|on| Operation::Gate(row, on)));
    let sets = catalogue::parameters(wiring).flat_map(|(_, place, parameter)| {
        [parameter.minimum, parameter.maximum.at(rate)].map(|value| Operation::Set(place, value))
    });
    let operations: Vec<_> = sets.chain(gates).collect();
    let at = |place: usize| Stamp::from_frame((place * FRAMES / COMMANDS + 3) as u64);
    let all = operations.iter().cycle().take(COMMANDS).enumerate();
    all.map(|(place, &operation)| Command { stamp: at(place), operation }).collect()
}

/// The median time of doing `work`, in nanoseconds.
fn median(mut work: impl FnMut()) -> u64 {
    let mut times: [u64; ROUNDS] = std::array::from_fn(|_| {
        let started = monotonic();
        work();
        monotonic() - started
    });
    times.sort_unstable();
    times[ROUNDS / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_costs_something_and_the_modules_cost_what_the_block_does() {
        let mut measurement = Measurement::new(48_000);
        let state = EngineState::at_start(48_000);
        let mut dear = 0;
        let mut shares: Vec<f64> = (0..5)
            .map(|_| {
                let costs = measurement.measure(&state);
                println!("{costs:?}");
                assert!(costs.modules.iter().all(|time| *time > 0), "{costs:?}");
                dear += usize::from(costs.thousand_commands > 0);
                costs.modules.iter().sum::<u64>() as f64 / costs.block as f64
            })
            .collect();
        // Of a block that another thread came into, more is taken away than its commands cost.
        assert!(dear > 2, "commands cost something: {dear} of 5");
        shares.sort_by(f64::total_cmp);
        // As in the DSP's own test, with room for a build without optimisation.
        assert!((0.5..3.0).contains(&shares[2]), "{shares:?}");
        assert_eq!(state, EngineState::at_start(48_000), "measured on copies");
    }
}
