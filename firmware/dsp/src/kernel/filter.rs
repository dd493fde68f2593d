//! `filter`: the responses of the audio EQ cookbook, to a hundredth of a decibel at any cutoff.
//!
//! The transfer functions are those of Robert Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter
//! coefficients" (bandpass: 0 dB at its peak; shelves by Q). The structure is the trapezoidal state-variable filter with
//! weighted outputs of Andrew Simper, "Solving the continuous SVF equations using trapezoidal integration and equivalent
//! currents" (Cytomic, 2013): the same functions, but its states are those of the circuit, so it neither clicks nor
//! grows when coefficients move. In f64, since f32 is not enough at 10 Hz. Its five numbers are exact at the ends of a
//! stretch and straight lines between; any g and k above 0 are stable.

use bytemuck::{Pod, Zeroable};

use super::polynomial::{precise_power_of_two, precise_tangent_of_half_turns};
use super::svf::FILTER_RAMP_MS;
use super::{LANES, Lanes, Parameter, Sweep};

/// What can be set.
pub static PARAMETERS: [Parameter; 4] = [
    Parameter {
        maximum: abi::Maximum::Value(6.0),
        ramp_ms: FILTER_RAMP_MS,
        choices: &["lowpass", "highpass", "bandpass", "notch", "peak", "lowshelf", "highshelf"],
        ..Parameter::plain("mode", "Response of the filter; modes are crossfaded. Bandpass has 0 dB at its peak.")
    },
    Parameter {
        ramp_ms: FILTER_RAMP_MS,
        ..Parameter::frequency("cutoff", 10.0, 1000.0, "Corner or centre frequency.")
    },
    Parameter {
        minimum: 0.1,
        maximum: abi::Maximum::Value(20.0),
        default: 0.707,
        ramp_ms: FILTER_RAMP_MS,
        by_ratio: true,
        ..Parameter::plain("q", "Quality factor: 0.707 is flat, higher resonates.")
    },
    Parameter {
        unit: "dB",
        minimum: -24.0,
        maximum: abi::Maximum::Value(24.0),
        ramp_ms: FILTER_RAMP_MS,
        ..Parameter::plain("gain", "Of the peak or the shelf; other modes have none.")
    },
];

/// A response, in the order of the choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the field")]
pub enum Mode {
    Lowpass,
    Highpass,
    Bandpass,
    Notch,
    Peak,
    LowShelf,
    HighShelf,
}

/// The state: Simper's ic1eq and ic2eq.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct FilterState {
    currents: [[f64; LANES]; 2],
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct FilterControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// The response, and another one from which it comes, the same for all lanes.
    pub modes: [Mode; 2],
    /// How much there is of that other one, at the start and at the end: 0 but for a crossfade.
    pub before: [f32; 2],
    /// Hz, to 0.4999 of the rate.
    pub cutoff: Sweep,
    /// Quality factor, 0.1 to 100.
    pub q: Sweep,
    /// Decibels, -60 to 60.
    pub gain: Sweep,
}

/// The largest of the crate's f32 kernels, in f64.
const LARGEST: f64 = super::LARGEST as f64;

/// g, k, and the weights of input, bandpass and lowpass, of one lane.
type Coefficients = [f64; 5];

/// log2(10) / 40: so many times the decibels are the octaves of the cookbook's A, half as many those of its root.
const OCTAVES_PER_DECIBEL: f64 = core::f64::consts::LOG2_10 / 40.0;

fn coefficients(mode: Mode, rate: f32, cutoff: f32, q: f32, gain: f32) -> Coefficients {
    let within = |value: f32, low: f32, high: f32| {
        let value = if value > low { value } else { low };
        f64::from(if value < high { value } else { high })
    };
    let tangent = precise_tangent_of_half_turns(f64::from(cutoff) / f64::from(rate));
    let k = 1.0 / within(q, 0.1, 100.0);
    let octaves = within(gain, -60.0, 60.0) * OCTAVES_PER_DECIBEL;
    let (a, root) = (precise_power_of_two(octaves), precise_power_of_two(octaves * 0.5));
    match mode {
        Mode::Lowpass => [tangent, k, 0.0, 0.0, 1.0],
        Mode::Highpass => [tangent, k, 1.0, -k, -1.0],
        Mode::Bandpass => [tangent, k, 0.0, k, 0.0],
        Mode::Notch => [tangent, k, 1.0, -k, 0.0],
        Mode::Peak => [tangent, k / a, 1.0, k / a * (a * a - 1.0), 0.0],
        Mode::LowShelf => [tangent / root, k, 1.0, k * (a - 1.0), a * a - 1.0],
        Mode::HighShelf => [tangent * root, k, a * a, k * (1.0 - a) * a, 1.0 - a * a],
    }
}

/// The coefficients of all lanes at one end of a stretch. Where a lane is like the one before, so are they: without voices
/// all lanes are alike, and what is worked out once costs an eighth.
fn all_lanes(control: &FilterControl, before: f32, end: fn(&Sweep) -> &Lanes) -> [Coefficients; LANES] {
    let [cutoffs, qs, gains] = [&control.cutoff, &control.q, &control.gain].map(|sweep| &end(sweep).0);
    let mut all = [[0.0; 5]; LANES];
    for lane in 0..LANES {
        let of = |lane: usize| [cutoffs[lane], qs[lane], gains[lane]].map(f32::to_bits);
        all[lane] = match lane.checked_sub(1) {
            Some(same) if of(same) == of(lane) => all[same],
            _ => {
                let [mode, other] =
                    control.modes.map(|mode| coefficients(mode, control.rate, cutoffs[lane], qs[lane], gains[lane]));
                // Both are worked out, so that a crossfade costs no more than what stays. A mixture of two stable ones is
                // stable, and where both have the same g and k it is the mixture of their sounds.
                core::array::from_fn(|place| mode[place] + (other[place] - mode[place]) * f64::from(before))
            }
        };
    }
    all
}

/// Renders a stretch.
pub fn process(state: &mut FilterState, control: &FilterControl, input: &[Lanes], output: &mut [Lanes]) {
    let part = 1.0 / output.len().max(1) as f64;
    for current in state.currents.iter_mut().flatten() {
        // What is louder can only be damage; not a number is within no range.
        *current = if (-LARGEST..=LARGEST).contains(current) { *current } else { 0.0 };
    }
    let [mut values, mut steps] = [[[0.0; LANES]; 5]; 2];
    let [from, to] = control.before;
    let (froms, tos) = (all_lanes(control, from, |sweep| &sweep.from), all_lanes(control, to, |sweep| &sweep.to));
    for (lane, (from, to)) in froms.into_iter().zip(tos).enumerate() {
        for place in 0..5 {
            values[place][lane] = from[place];
            steps[place][lane] = (to[place] - from[place]) * part;
        }
    }
    for (output, input) in output.iter_mut().zip(input) {
        frame(state, &values, &input.0, &mut output.0);
        for (value, step) in values.iter_mut().zip(&steps) {
            value.iter_mut().zip(step).for_each(|(value, step)| *value += step);
        }
    }
}

/// One frame of all lanes.
#[inline(always)]
fn frame(state: &mut FilterState, values: &[[f64; LANES]; 5], input: &[f32; LANES], output: &mut [f32; LANES]) {
    let [tangent, damping, input_weight, band_weight, low_weight] = values;
    let [first, second] = &mut state.currents;
    for lane in 0..LANES {
        let (g, k, input) = (tangent[lane], damping[lane], f64::from(input[lane]));
        let scale = 1.0 / (1.0 + g * (g + k));
        let band = (first[lane] + g * (input - second[lane])) * scale;
        let drop = g * band;
        let low = second[lane] + drop;
        first[lane] = crate::flush(band + band - first[lane]);
        second[lane] = crate::flush(low + drop);
        let sum = input * input_weight[lane] + band * band_weight[lane] + low * low_weight[lane];
        output[lane] = crate::flush(sum) as f32;
    }
}
