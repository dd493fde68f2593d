//! The kernels as the tests of all of them see them: states, controls made at random, and bounds.
extern crate std;
use std::vec::Vec;

use super::ask_tests::Ask;
use super::{
    LANES, Lanes, Ring, Sweep, adsr, delay, distortion, filter, ladder, lfo, noise, osc, osc_sync, reverb, sine, svf,
    vca,
};
use bytemuck::{Pod, Zeroable};

/// A kernel that can be asked what all of them promise.
pub(crate) trait Kernel {
    type State: Pod + Default + PartialEq + core::fmt::Debug;
    type Control;
    const NAME: &'static str;
    /// Highest output there may be for input from -1 to 1.
    const BOUND: f32;
    /// By how much a split may change it: nothing, unless it is healed within a stretch.
    const SPLIT: f32 = 0.0;
    /// Whether it sounds without input.
    const SOUNDS_BY_ITSELF: bool = false;
    fn control(ask: &mut Ask) -> Self::Control;
    fn process(state: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]);
    /// What recirculates: without other word, all of the state as f32.
    fn floats(state: &Self::State) -> Vec<f32> {
        bytemuck::cast_slice(core::slice::from_ref(state)).to_vec()
    }
}

macro_rules! kernel {
    ($name:ident $module:ident $state:ident $control:ident, $bound:expr, $split:expr, $ask:ident => $make:expr) => {
        pub(crate) struct $name;
        impl Kernel for $name {
            type State = $module::$state;
            type Control = $module::$control;
            const NAME: &'static str = stringify!($module);
            const BOUND: f32 = $bound;
            const SPLIT: f32 = $split;
            fn control($ask: &mut Ask) -> Self::Control {
                $make
            }
            fn process(state: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]) {
                $module::process(state, control, input, output);
            }
        }
    };
    // Without input, and with words in its state that are no floats at its beginning.
    (source $name:ident $module:ident $state:ident $control:ident, $bound:expr, $words:expr, $ask:ident => $make:expr) => {
        pub(crate) struct $name;
        impl Kernel for $name {
            type State = $module::$state;
            type Control = $module::$control;
            const NAME: &'static str = stringify!($module);
            const BOUND: f32 = $bound;
            const SOUNDS_BY_ITSELF: bool = true;
            fn control($ask: &mut Ask) -> Self::Control {
                $make
            }
            fn process(state: &mut Self::State, control: &Self::Control, _: &[Lanes], output: &mut [Lanes]) {
                $module::process(state, control, output);
            }
            fn floats(state: &Self::State) -> Vec<f32> {
                bytemuck::cast_slice::<_, f32>(core::slice::from_ref(state)).iter().skip($words).copied().collect()
            }
        }
    };
}

/// Modulated by its input.
pub(crate) struct Sine;
impl Kernel for Sine {
    type State = sine::SineState;
    type Control = sine::SineControl;
    const NAME: &'static str = "sine";
    const BOUND: f32 = 1.000_001;
    const SOUNDS_BY_ITSELF: bool = true;
    fn control(ask: &mut Ask) -> Self::Control {
        sine::SineControl { rate: ask.rate, frequency: ask.hertz(0.0), gain: ask.sweep(0.0, 1.0) }
    }
    fn process(state: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]) {
        sine::process(state, control, input, output);
    }
    fn floats(_: &Self::State) -> Vec<f32> {
        Vec::new()
    }
}

/// Synced by its input.
pub(crate) struct OscSync;
impl Kernel for OscSync {
    type State = osc_sync::OscSyncState;
    type Control = osc::OscControl;
    const NAME: &'static str = "osc_sync";
    // A step may be three times as high as a saw's where a second one falls into its frame.
    const BOUND: f32 = 8.0;
    const SOUNDS_BY_ITSELF: bool = true;
    fn control(ask: &mut Ask) -> Self::Control {
        Osc::control(ask)
    }
    fn process(state: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]) {
        osc_sync::process(state, control, input, output);
    }
    fn floats(state: &Self::State) -> Vec<f32> {
        bytemuck::cast_slice::<_, f32>(core::slice::from_ref(state)).iter().skip(LANES).copied().collect()
    }
}

/// Multiplied by its own input.
pub(crate) struct Vca;
impl Kernel for Vca {
    type State = u64;
    type Control = Sweep;
    const NAME: &'static str = "vca";
    const BOUND: f32 = 4.0;
    fn control(ask: &mut Ask) -> Self::Control {
        ask.sweep(0.0, 4.0)
    }
    fn process(_: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]) {
        vca::process(control, input, input, output);
    }
}

const WAVES: [osc::Shape; 3] = [osc::Shape::Saw, osc::Shape::Square, osc::Shape::Triangle];
// A step overshoots by the ringing of the filter behind the splines, and twice where a narrow pulse has two.
kernel!(source Osc osc OscState OscControl, 4.0, LANES, ask => osc::OscControl {
    rate: ask.rate,
    shape: ask.choices(&WAVES),
    frequency: ask.hertz(0.0),
    detune: ask.sweep(-1200.0, 1200.0),
    width: ask.sweep(0.0, 1.0),
});
// A resonance of 40, and sweeps that add to what rings.
kernel!(Svf svf SvfState SvfControl, 200.0, 0.0, ask => svf::SvfControl {
    rate: ask.rate,
    mode: ask.sweep(0.0, 3.0),
    cutoff: ask.hertz(10.0),
    q: ask.sweep(0.1, 40.0),
});
kernel!(source Adsr adsr AdsrState AdsrControl, 1.000_05, 0, ask => adsr::AdsrControl {
    rate: ask.rate,
    attack: ask.sweep(0.1, 30.0).from,
    decay: ask.sweep(0.1, 30.0).from,
    sustain: ask.sweep(0.0, 1.0),
    release: ask.sweep(0.1, 30.0).from,
    curve: ask.sweep(0.0, 1.0),
    on: ask.events(),
    off: ask.events(),
    velocity: ask.sweep(0.0, 1.0).from,
});
const MODES: [filter::Mode; 7] = [
    filter::Mode::Lowpass,
    filter::Mode::Highpass,
    filter::Mode::Bandpass,
    filter::Mode::Notch,
    filter::Mode::Peak,
    filter::Mode::LowShelf,
    filter::Mode::HighShelf,
];
pub(crate) struct Filter;
impl Kernel for Filter {
    type State = filter::FilterState;
    type Control = filter::FilterControl;
    const NAME: &'static str = "filter";
    // A shelf of 24 dB, 16, with a resonance of 20 at its corner, and sweeps that add to what rings; twice that on the way
    // from one response to another, where with a share l of one and the damping l k + (1 - l) k' each of the two is at most
    // as loud as alone.
    const BOUND: f32 = 2.0 * 2.0 * 16.0 * 20.0;
    fn control(ask: &mut Ask) -> Self::Control {
        filter::FilterControl {
            rate: ask.rate,
            modes: ask.choices(&MODES),
            before: [[0.0; 2], [1.0, 0.5]][ask.below(2)],
            cutoff: ask.hertz(10.0),
            q: ask.sweep(0.1, 20.0),
            gain: ask.sweep(-24.0, 24.0),
        }
    }
    fn process(state: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]) {
        filter::process(state, control, input, output);
    }
    fn floats(state: &Self::State) -> Vec<f32> {
        // A subnormal f64 is told apart by its exponent; as an f32 it would be 0.
        let values: &[f64] = bytemuck::cast_slice(core::slice::from_ref(state));
        values.iter().map(|value| if value.is_subnormal() { 1e-40 } else { 1.0 }).collect()
    }
}
const LFO_SHAPES: [lfo::Shape; 5] =
    [lfo::Shape::Sine, lfo::Shape::Triangle, lfo::Shape::Saw, lfo::Shape::Square, lfo::Shape::Hold];
kernel!(source Lfo lfo LfoState LfoControl, 1.000_001, 2 * LANES, ask => lfo::LfoControl {
    rate: ask.rate,
    shape: ask.choice(&LFO_SHAPES),
    frequency: ask.sweep(0.0, 100.0),
    depth: ask.sweep(0.0, 1.0),
    reset: ask.events(),
    seed: 9,
});
kernel!(source Noise noise NoiseState NoiseControl, 1.0, LANES, ask => noise::NoiseControl {
    seed: 4,
    color: ask.sweep(0.0, 1.0),
    gain: ask.sweep(0.0, 1.0),
});
// Saturated at 3, and the sizes of the half-band's response add up to 3.23.
kernel!(Ladder ladder LadderState LadderControl, 3.0 * 3.23, 1e-12, ask => ladder::LadderControl {
    rate: ask.rate,
    cutoff: ask.hertz(10.0),
    resonance: ask.sweep(0.0, 1.0),
    drive: ask.sweep(-12.0, 36.0),
});
const DISTORTIONS: [distortion::Shape; 4] =
    [distortion::Shape::Soft, distortion::Shape::Hard, distortion::Shape::Fold, distortion::Shape::Crush];
pub(crate) struct Distortion;
impl Kernel for Distortion {
    type State = distortion::DistortionState;
    type Control = distortion::DistortionControl;
    const NAME: &'static str = "distortion";
    const BOUND: f32 = 3.23 * 3.23;
    const SPLIT: f32 = 1e-12;
    fn control(ask: &mut Ask) -> Self::Control {
        distortion::DistortionControl {
            rate: ask.rate,
            shape: ask.choice(&DISTORTIONS),
            drive: ask.sweep(0.0, 48.0),
            mix: ask.sweep(0.0, 1.0),
            gain: ask.sweep(0.0, 1.0),
            bits: ask.sweep(1.0, 16.0),
            hold: ask.hertz(100.0),
        }
    }
    fn process(state: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]) {
        distortion::process(state, control, input, output);
    }
    fn floats(state: &Self::State) -> Vec<f32> {
        // The phase of the crusher stands at the end.
        let values: &[f32] = bytemuck::cast_slice(core::slice::from_ref(state));
        values[..values.len() - LANES].to_vec()
    }
}

/// A state with its tape, so that it is asked what all others are.
macro_rules! taped {
    ($name:ident $whole:ident $module:ident $state:ident $control:ident, $lines:expr, $length:expr, $bound:expr, $split:expr, $ask:ident => $make:expr) => {
        #[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
        #[repr(C)]
        pub(crate) struct $whole {
            next: u64,
            state: $module::$state,
            memory: [[f32; $lines]; $length],
        }

        impl Default for $whole {
            fn default() -> Self {
                Self::zeroed()
            }
        }

        pub(crate) struct $name;
        impl Kernel for $name {
            type State = $whole;
            type Control = $module::$control;
            const NAME: &'static str = stringify!($module);
            const BOUND: f32 = $bound;
            const SPLIT: f32 = $split;
            fn control($ask: &mut Ask) -> Self::Control {
                $make
            }
            fn process(whole: &mut Self::State, control: &Self::Control, input: &[Lanes], output: &mut [Lanes]) {
                let mut tape = Ring::at(&mut whole.memory, whole.next);
                $module::process(&mut whole.state, control, &mut tape, input, output);
                whole.next = whole.next.wrapping_add(output.len() as u64);
            }
            fn floats(whole: &Self::State) -> Vec<f32> {
                whole.memory.iter().flatten().copied().collect()
            }
        }
    };
}

// 1 / (1 - 0.98) for what is fed back, and what the polynomial between frames overshoots while the time moves.
taped!(Delay WholeDelay delay DelayState DelayControl, delay::CHANNELS, 1024, 100.0, 0.0, ask => delay::DelayControl {
    rate: ask.rate,
    time: ask.sweep(0.0, 10.0),
    feedback: ask.sweep(0.0, 0.98),
    damping: ask.hertz(100.0),
    mix: ask.sweep(0.0, 1.0),
});
// A line of 30 ms that falls by 60 dB in 30 s keeps 0.993 of what is in it: of a tone 0.5 / (1 - 0.993), four times.
// Within a stretch its lengths are straight lines, so a split moves them by a hundred-thousandth of a frame.
taped!(Reverb WholeReverb reverb ReverbState ReverbControl, LANES, 4096, 290.0, 1e-3, ask => reverb::ReverbControl {
    rate: ask.rate,
    decay: if ask.is_calm() { ask.sweep(0.1, 0.5) } else { ask.sweep(0.1, 30.0) },
    size: ask.sweep(0.2, 1.5),
    damping: ask.hertz(200.0),
    mix: ask.sweep(0.0, 1.0),
});
