//! `lfo`: a slow wave that moves something else: sine, triangle, saw, square, sample and hold.
//!
//! A 32-bit phase, so it never drifts against the beat. Not band-limited, as what it moves is not heard itself; sample and
//! hold takes a new number at every turn, from a hash of the count of turns, so it too is the same in both workers.

use bytemuck::{Pod, Zeroable};

use super::hash::random;
use super::polynomial::sine_of_half_turns;
use super::sweep::{UNITS_PER_TURN, WordLine};
use super::{LANES, Lanes, Parameter, Sweep, Words};

/// What can be set.
pub static PARAMETERS: [Parameter; 4] = [
    Parameter {
        maximum: abi::Maximum::Value(4.0),
        ramp_ms: 0.0,
        choices: &["sine", "triangle", "saw", "square", "hold"],
        ..Parameter::plain("shape", "The wave. All but the saw and hold rise from 0.")
    },
    Parameter {
        unit: "Hz",
        minimum: 0.01,
        maximum: abi::Maximum::Value(100.0),
        default: 2.0,
        by_ratio: true,
        ..Parameter::plain("freq", "Turns in a second.")
    },
    Parameter { default: 1.0, ..Parameter::plain("depth", "Highest value; the lowest is as far below 0.") },
    Parameter {
        maximum: abi::Maximum::Value(LONGEST_BEATS),
        ramp_ms: 0.0,
        ..Parameter::plain(
            "beats",
            "Beats in a turn: it follows the tempo instead of freq, and while the clock runs it is where the beat is, notes or \
             not. 0 is free; less than 1/16 is 1/16.",
        )
    },
];

/// Most beats in a turn: sixteen bars.
const LONGEST_BEATS: f64 = 64.0;

/// Fewest beats in a turn: the shortest note that is written.
const SHORTEST_BEATS: f64 = 1.0 / 16.0;

/// Of [`PARAMETERS`]: beats in a turn.
pub const BEATS: usize = 3;

/// How many beats a turn takes, of what is set; `None` if it is free.
pub fn beats(set: f32) -> Option<f64> {
    (set > 0.0).then(|| f64::from(set).max(SHORTEST_BEATS))
}

impl LfoState {
    /// All lanes are in this turn, and so far in it: 0 to 1, without 1.
    pub fn lock(&mut self, turn: u64, part: f64) {
        self.turns = Words::splat(turn as u32);
        // A cast saturates, and 2^32 is one more than the most that there is.
        self.phase = Words::splat((part * 4_294_967_296.0) as u32);
    }
}

/// A wave, in the order of the choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Rises from 0.
    Sine,
    /// Rises from 0 to 1 in a quarter turn.
    Triangle,
    /// Rises from -1 to 1 in a turn.
    Saw,
    /// 1 for half a turn, then -1.
    Square,
    /// A new value at every turn.
    Hold,
}

/// The state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct LfoState {
    /// 2^32 units are a turn.
    pub phase: Words,
    /// Turns begun, resets among them.
    turns: Words,
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct LfoControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// The same in all lanes for the whole stretch.
    pub shape: Shape,
    /// Hz, 0 to 0.49 of the rate.
    pub frequency: Sweep,
    /// Highest value.
    pub depth: Sweep,
    /// Frame of the stretch at which each lane begins a new turn, as by a gate; [`super::adsr::NEVER`].
    pub reset: Words,
    /// What the held values of sample and hold come from; each lane has its own.
    pub seed: u32,
}

/// Renders a stretch: -1 to 1, times the depth.
pub fn process(state: &mut LfoState, control: &LfoControl, output: &mut [Lanes]) {
    let lanes: [u32; LANES] = core::array::from_fn(|lane| lane as u32);
    let seed = Words(lanes.map(|lane| control.seed.wrapping_mul(LANES as u32).wrapping_add(lane)));
    match control.shape {
        Shape::Sine => wave(state, control, output, |phase, _| sine_of_half_turns(half_turns(phase))),
        Shape::Triangle => wave(state, control, output, |phase, _| {
            // A quarter turn on, the distance from the far side.
            let phase = half_turns(phase - Words::splat(1 << 30));
            -(phase.abs() * 2.0) + 1.0
        }),
        Shape::Saw => wave(state, control, output, |phase, _| half_turns(phase - Words::splat(1 << 31))),
        Shape::Square => wave(state, control, output, |phase, _| Lanes::splat(1.0).signed_as(phase.signed())),
        Shape::Hold => wave(state, control, output, |_, turns| random(turns, seed)),
    }
}

/// -1 to 1 half turns, from the phase with its sign.
#[inline(always)]
fn half_turns(phase: Words) -> Lanes {
    phase.signed() * (2.0 / UNITS_PER_TURN)
}

#[inline(always)]
fn wave(state: &mut LfoState, control: &LfoControl, output: &mut [Lanes], shape: impl Fn(Words, Words) -> Lanes) {
    let mut increment = WordLine::of_turns(control.frequency.turns(control.rate), output.len());
    let mut depth = control.depth.line(output.len());
    let LfoState { mut phase, mut turns } = *state;
    for (frame, output) in (0u32..).zip(output) {
        let reset = control.reset.equals(Words::splat(frame));
        phase = phase & !reset;
        turns = turns - reset;
        *output = shape(phase, turns) * depth.next();
        let next = phase + increment.next();
        // A turn is over where the highest bit falls: an increment is less than half a turn. A mask is -1.
        turns = turns + (phase & !next).map(|bits| bits >> 31);
        phase = next;
    }
    *state = LfoState { phase, turns };
}
