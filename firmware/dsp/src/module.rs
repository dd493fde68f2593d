//! The modules of the patch one by one, for whoever wants to know what each of them costs.
//!
//! The DSP knows no clock. It can only be asked to do the work of one module alone; who has a clock takes the time.

use abi::{Block, CHANNELS};

use crate::State;

/// A module of the patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// The sine oscillator.
    Sine,
    /// The envelope.
    Adsr,
    /// The filter.
    Filter,
}

/// All modules, in the order in which the sound passes through them.
pub const MODULES: [Module; 3] = [Module::Sine, Module::Adsr, Module::Filter];

impl Module {
    /// Its name in the parameter table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sine => "sine",
            Self::Adsr => "adsr",
            Self::Filter => "filter",
        }
    }
}

impl State {
    /// Renders one block of one module alone, from this state and without commands, on a copy: nothing but `block`
    /// changes. What it holds is the input of a module that has one, the left channel of it; afterwards it holds the
    /// output, on all channels, which is nothing to listen to. It costs what the module costs within [`crate::render`].
    pub fn exercise(&self, module: Module, block: &mut Block) {
        let clock = self.clock();
        // All of the state is named here: a field that is added and is no module yet does not compile.
        let Self { rate: _, mut sine, mut envelope, mut filter, fade: _ } = *self;
        // The choice stands outside the loops: within them it would be paid for at every frame.
        match module {
            Module::Sine => each_frame(block, |_| sine.frame(&clock)),
            Module::Adsr => each_frame(block, |_| envelope.frame(clock.rate)),
            Module::Filter => each_frame(block, |input| filter.frame(input, &clock)),
        }
    }
}

/// Puts what `output` makes of each frame's left sample in the frame's place.
fn each_frame(block: &mut Block, mut output: impl FnMut(f64) -> f64) {
    for frame in block.samples.chunks_exact_mut(CHANNELS) {
        let input = frame.first().map_or(0.0, |sample| f64::from(*sample));
        frame.fill(output(input) as f32);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use abi::{Command, GateId, Operation, PARAMETERS, Stamp};
    use std::hint::black_box;
    use std::time::{Duration, Instant};
    use std::vec::Vec;

    /// In the middle of a note.
    fn sounding() -> State {
        let (mut state, mut block) = (State::new(48_000), Block::SILENCE);
        let open = Command { stamp: Stamp::start_of(0), operation: Operation::Gate(GateId::Adsr, true) };
        crate::render(&mut state, &mut [open].into_iter().peekable(), &mut block);
        state
    }

    fn render_quietly(state: &mut State, block: &mut Block) {
        crate::render(state, &mut core::iter::empty().peekable(), block);
    }

    #[test]
    fn the_modules_are_those_of_the_parameter_table() {
        for parameter in &PARAMETERS {
            assert!(MODULES.iter().any(|module| module.name() == parameter.module), "{} is missing", parameter.module);
        }
        for module in MODULES {
            assert!(PARAMETERS.iter().any(|parameter| parameter.module == module.name()), "{}", module.name());
        }
    }

    #[test]
    fn exercised_one_after_the_other_they_are_the_patch() {
        let state = sounding();
        let [mut sine, mut level, mut rendered] = [Block::SILENCE; 3];
        state.exercise(Module::Sine, &mut sine);
        state.exercise(Module::Adsr, &mut level);
        let mut output = sine;
        for (sample, level) in output.samples.iter_mut().zip(level.samples) {
            *sample *= level;
        }
        state.exercise(Module::Filter, &mut output);
        assert_eq!(state, sounding(), "the state is as it was");
        render_quietly(&mut state.clone(), &mut rendered);
        assert!(rendered.samples.iter().any(|sample| sample.abs() > 0.01));
        for (sample, expected) in output.samples.iter().zip(rendered.samples) {
            // Between the modules f32 stands here where the patch has f64.
            assert!((sample - expected).abs() < 1e-5, "{sample} {expected}");
        }
    }

    /// The median time of 31 rounds of eight blocks each: long against what reading the clock takes.
    fn median(mut work: impl FnMut()) -> Duration {
        let mut times: Vec<_> = (0..31)
            .map(|_| {
                let started = Instant::now();
                (0..8).for_each(|_| work());
                started.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// The time of all modules together as a share of that of a block.
    fn share_of_the_modules() -> f64 {
        let (mut state, mut block) = (sounding(), Block::SILENCE);
        let whole = median(|| render_quietly(black_box(&mut state), black_box(&mut block)));
        let modules = MODULES.map(|module| median(|| black_box(&state).exercise(module, black_box(&mut block))));
        modules.iter().sum::<Duration>().as_secs_f64() / whole.as_secs_f64()
    }

    #[test]
    fn together_they_cost_what_a_block_costs() {
        let mut shares: Vec<_> = (0..5).map(|_| share_of_the_modules()).collect();
        shares.sort_by(f64::total_cmp);
        std::println!("all modules cost {:.2} of a block (five times: {shares:.2?})", shares[2]);
        // Alone they cannot overlap as they do in a frame, and each pays for its own loop; a module that is left out
        // of the list, or does not do its work, is missed all the same.
        assert!((0.7..2.5).contains(&shares[2]), "{shares:?}");
    }
}
