//! `noise`: white and pink, from a seed, so it is the same in both workers.
//!
//! White is a hash of a count ([`super::hash`]), evenly spread. Pink is white through Paul Kellet's refined filter of seven
//! poles (posted to music-dsp, 1999): -3 dB per octave within 0.1 dB from 10 Hz to 15 kHz, at 44.1 kHz; at other rates as
//! much higher or lower.

use bytemuck::{Pod, Zeroable};

use super::hash::random;
use super::{LANES, Lanes, Parameter, Sweep, Words};

/// What can be set.
pub static PARAMETERS: [Parameter; 2] = [
    Parameter {
        maximum: abi::Maximum::Value(1.0),
        choices: &["white", "pink"],
        ..Parameter::plain("color", "White: the same power at every frequency. Pink: the same in every octave.")
    },
    Parameter { default: 0.5, ..Parameter::plain("gain", "Level.") },
];

/// The state: a count and the filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct NoiseState {
    /// Frames since the start; wraps after a day.
    count: Words,
    /// Kellet's b0 to b6.
    poles: [Lanes; 7],
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct NoiseControl {
    /// Each lane has noise of its own, and each seed eight others.
    pub seed: u32,
    /// 0 white, 1 pink, between them a mixture.
    pub color: Sweep,
    /// Level.
    pub gain: Sweep,
}

/// Kellet's poles b0 to b5 and what each adds.
const POLES: [(f32, f32); 6] = [
    (0.998_86, 0.055_517_9),
    (0.993_32, 0.075_075_9),
    (0.969_00, 0.153_852),
    (0.866_50, 0.310_485_6),
    (0.550_00, 0.532_952_2),
    (-0.761_6, -0.016_898),
];
/// What b6, the frame before, adds, and the frame itself.
const BEFORE: f32 = 0.115_926;
const DIRECT: f32 = 0.536_2;
/// Brings the power of pink near that of white: the peaks of both stay below 1.
const PINK_GAIN: f32 = 0.1;

/// Renders a stretch.
pub fn process(state: &mut NoiseState, control: &NoiseControl, output: &mut [Lanes]) {
    let lanes: [u32; LANES] = core::array::from_fn(|lane| lane as u32);
    let seed = Words(lanes.map(|lane| control.seed.wrapping_mul(LANES as u32).wrapping_add(lane)));
    let mut gain = control.gain.line(output.len());
    let mut color = control.color.within(0.0, 1.0).line(output.len());
    let mut count = state.count;
    // Its fastest pole is 0.55: within a stretch nothing healthy falls by more than 10^8.
    let mut poles = state.poles.map(Lanes::heal);
    for output in output {
        let white = random(count, seed);
        count = count + Words::splat(1);
        let mut sum = white * DIRECT + poles[6];
        for (pole, (radius, share)) in poles.iter_mut().zip(POLES) {
            *pole = *pole * radius + white * share;
            sum = sum + *pole;
        }
        poles[6] = white * BEFORE;
        *output = (white + (sum * PINK_GAIN - white) * color.next()) * gain.next();
    }
    *state = NoiseState { count, poles };
}
