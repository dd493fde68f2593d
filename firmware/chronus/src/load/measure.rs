//! What a block costs: the modules one by one, all of it, and its commands.
//!
//! Measured in the supervisor's process, beside the music, on copies.

#[cfg(feature = "simulation")]
use crate::simulation::sound as dsp;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use abi::{Block, Command, FRAMES, GateId, Operation, PARAMETERS, Stamp};
use rt::clock::monotonic;
use shm::{CommandPlace, ScoreMemory};

use crate::worker::EngineState;

/// Times everything is done; the median is told. Other threads come in between, which is rarely the median: one run
/// takes microseconds, and a slice of time milliseconds.
const ROUNDS: usize = 9;

/// Commands in the block by which a command is measured: enough to cost more than the block.
const COMMANDS: usize = 1024;

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
    rate: u32,
    commands: ScoreMemory,
    none: ScoreMemory,
    /// Stands for the slot's note of what is being applied, which is part of what a command costs.
    note: AtomicU64,
}

impl Measurement {
    /// Prepares to measure at a sample rate in Hz.
    ///
    /// # Errors
    /// What the kernel says, usually that memory is used up.
    pub fn new(rate: u32) -> std::io::Result<Self> {
        let commands = ScoreMemory::create(&commands(rate))?;
        Ok(Self { rate, commands, none: ScoreMemory::create(&[])?, note: AtomicU64::new(0) })
    }

    /// What a block costs whose state is `state`.
    pub fn measure(&self, state: &EngineState) -> Costs {
        let mut out = Block::SILENCE;
        let block = median(|| {
            let mut sound = *state.sound();
            dsp::render(black_box(&mut sound), &mut std::iter::empty().peekable(), black_box(&mut out));
        });
        let modules =
            dsp::MODULES.map(|module| median(|| state.sound().exercise(black_box(module), black_box(&mut out))));
        let with = median(|| self.render_first(&self.commands, &mut out));
        let without = median(|| self.render_first(&self.none, &mut out));
        let thousand_commands = with.saturating_sub(without) * 1000 / COMMANDS as u64;
        Costs { block, modules, thousand_commands }
    }

    /// Renders the first block of a score, as a worker does.
    fn render_first(&self, score: &ScoreMemory, out: &mut Block) {
        let note = |place: CommandPlace| self.note.store(place.to_word(), Ordering::Relaxed);
        let mut state = EngineState::at_start(self.rate);
        // Without a log nothing can be lost.
        let _ = state.render_next(black_box(score), None, &note, black_box(out));
    }
}

/// Commands of all kinds, spread over the first block.
fn commands(rate: u32) -> Vec<Command> {
    let gates = [true, false].map(|on| Operation::Gate(GateId::Adsr, on));
    let sets = PARAMETERS.iter().flat_map(|parameter| {
        [parameter.minimum, parameter.maximum_at(rate)].map(|value| Operation::Set(parameter.id, value))
    });
    let operations: Vec<_> = sets.chain(gates).collect();
    let at = |place: usize| Stamp::from_frame((place * FRAMES / COMMANDS) as u64);
    operations
        .iter()
        .cycle()
        .take(COMMANDS)
        .enumerate()
        .map(|(place, &operation)| Command { stamp: at(place), operation })
        .collect()
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
        let measurement = Measurement::new(48_000).unwrap();
        let state = EngineState::at_start(48_000);
        let mut shares: Vec<f64> = (0..5)
            .map(|_| {
                let costs = measurement.measure(&state);
                println!("{costs:?}");
                assert!(costs.modules.iter().all(|time| *time > 0) && costs.thousand_commands > 0, "{costs:?}");
                costs.modules.iter().sum::<u64>() as f64 / costs.block as f64
            })
            .collect();
        shares.sort_by(f64::total_cmp);
        // As in the DSP's own test, with room for a build without optimisation.
        assert!((0.5..3.0).contains(&shares[2]), "{shares:?}");
        assert_eq!(state, EngineState::at_start(48_000), "measured on copies");
    }
}
