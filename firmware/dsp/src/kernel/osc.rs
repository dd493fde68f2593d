//! `osc`: saw, square with pulse width and triangle, band-limited.
//!
//! Each step of the wave is replaced by the integral of a B-spline of the sixth order, six frames long, and each corner
//! of the triangle by its second integral: polynomial BLEP and BLAMP (Valimaki and Huovilainen, "Antialiasing
//! Oscillators in Subtractive Synthesis", 2007; for splines of higher order Valimaki, Pekonen and Nam, "Perceptually
//! informed synthesis of bandlimited classical waveforms using integrated polynomial interpolation", 2012). A spline in
//! truncated powers costs three sixth powers, whatever the distance. It also dulls the treble, by 11 dB at 14 kHz of
//! 48: a resonant second-order filter raises that again and falls steeply above, where what is left of the aliases lies.
//! The wave is flat within 0.6 dB up to 0.29 of the rate (14 kHz), 8.5 dB down at 16 kHz, 27 at 20 kHz.
//!
//! The aliases of a saw of up to rate / 24 (2 kHz at 48 kHz) lie 60 dB below its fundamental, up to half the rate. Above
//! a sixth of the rate splines overlap, and steps of up to a thirtieth are left.
//!
//! For hard sync see [`super::osc_sync`].

use bytemuck::{Pod, Zeroable};

use super::sweep::{Line, UNITS_PER_TURN, WordLine};
use super::{Lanes, Parameter, Sweep, Words};

/// What can be set.
pub static PARAMETERS: [Parameter; 4] = [
    Parameter {
        maximum: abi::Maximum::Value(2.0),
        choices: &["saw", "square", "triangle"],
        ..Parameter::plain("shape", "Wave of the oscillator; changes are crossfaded.")
    },
    Parameter::frequency("freq", 0.1, 440.0, "Frequency of the oscillator; changes are phase-continuous."),
    Parameter {
        unit: "cent",
        minimum: -1200.0,
        maximum: abi::Maximum::Value(1200.0),
        ..Parameter::plain("detune", "Added to the pitch, in hundredths of a semitone.")
    },
    Parameter {
        minimum: 0.02,
        maximum: abi::Maximum::Value(0.98),
        default: 0.5,
        ..Parameter::plain("width", "Part of a turn for which the square is high.")
    },
];

/// A wave. All have a peak level of 1 and no direct current at a width of 0.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Falls by one step at phase 0, and rises to it.
    Saw,
    /// 1 from phase 0 to the width, -1 from there.
    Square,
    /// 1 at phase 0, -1 half a turn later.
    Triangle,
}

/// The state: a phase and a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct OscState {
    /// 2^32 units are a turn.
    pub phase: Words,
    /// Of the filter that makes good for the splines.
    tilt: Tilt,
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct OscControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// At the start and at the end, the same for all lanes. Where they differ the stretch is a crossfade and costs
    /// both.
    pub shape: [Shape; 2],
    /// Hz, 0 to 0.49 of the rate.
    pub frequency: Sweep,
    /// Cents.
    pub detune: Sweep,
    /// Part of a turn, 0.02 to 0.98.
    pub width: Sweep,
}

/// What a stretch needs to know of the frequencies, worked out at its ends.
#[derive(Clone, Copy)]
pub(super) struct Pitch {
    /// Units a frame advances.
    pub(super) increment: WordLine,
    /// Frames in a unit: the reciprocal of that at both ends of the stretch, and a straight line between them. In a
    /// sweep of a semitone it is a thousandth off in the middle.
    pub(super) frames: Line,
    /// Units of pulse width.
    pub(super) width: WordLine,
}

impl Pitch {
    pub(super) fn of(control: &OscControl, frames: usize) -> Self {
        let turns = control.frequency.detuned(control.detune).turns(control.rate);
        let width = control.width.within(0.02, 0.98);
        Self {
            increment: WordLine::of_turns(turns, frames),
            frames: turns.map(|turns| Lanes::splat(1.0 / UNITS_PER_TURN) / turns).line(frames),
            // Of half the width, because a whole one does not fit into 31 bits.
            width: WordLine::of_turns(width.map(|width| width * 0.5), frames),
        }
    }
}

/// Renders a stretch.
pub fn process(state: &mut OscState, control: &OscControl, output: &mut [Lanes]) {
    let pitch = Pitch::of(control, output.len());
    state.tilt.heal();
    let [from, to] = control.shape;
    if from == to {
        dispatch(state, pitch, from, output);
        return;
    }
    let mut other = *state;
    let mut faded = [Lanes::ZERO; super::CONTROL_FRAMES];
    dispatch(&mut other, pitch, from, output);
    dispatch(state, pitch, to, &mut faded[..output.len().min(super::CONTROL_FRAMES)]);
    let mut level = Sweep { from: Lanes::ZERO, to: Lanes::splat(1.0) }.line(output.len());
    for (output, faded) in output.iter_mut().zip(faded) {
        *output = *output + (faded - *output) * level.next();
    }
}

/// The choice stands outside the loop: within it it would be paid for at every frame.
fn dispatch(state: &mut OscState, pitch: Pitch, shape: Shape, output: &mut [Lanes]) {
    match shape {
        Shape::Saw => wave(state, pitch, output, |phase, frames, _| saw(phase, frames)),
        Shape::Square => wave(state, pitch, output, |phase, frames, width| {
            // The difference of two saws is a pulse, less its direct current.
            let direct = width.signed() * (4.0 / UNITS_PER_TURN) - 1.0;
            saw(phase - width - width, frames) - saw(phase, frames) + direct * TILT_GAIN
        }),
        Shape::Triangle => wave(state, pitch, output, |phase, frames, _| triangle(phase, frames)),
    }
}

#[inline(always)]
fn wave(state: &mut OscState, mut pitch: Pitch, output: &mut [Lanes], shape: impl Fn(Words, Lanes, Words) -> Lanes) {
    let (mut phase, mut tilt) = (state.phase, state.tilt);
    for output in output {
        *output = tilt.frame(shape(phase, pitch.frames.next(), pitch.width.next()));
        phase = phase + pitch.increment.next();
    }
    (state.phase, state.tilt) = (phase, tilt);
}

/// A saw of level `TILT_GAIN` whose step is at phase 0, where the signed phase is exact.
#[inline(always)]
fn saw(phase: Words, frames: Lanes) -> Lanes {
    let phase = phase.signed();
    let distance = phase.abs() * frames;
    phase * (2.0 * TILT_GAIN / UNITS_PER_TURN) - step(distance).signed_as(phase)
}

/// `TILT_GAIN` where a step is three frames away, 0 where it is: half the step of a saw, integrated over a spline.
#[inline(always)]
fn step(distance: Lanes) -> Lanes {
    const SCALE: f32 = 2.0 * TILT_GAIN / 720.0;
    let [third, second, first] = knots(distance).map(|rest| {
        let square = rest * rest;
        square * square * square
    });
    third * -SCALE + second * (6.0 * SCALE) + (first * (-15.0 * SCALE) + TILT_GAIN)
}

/// How far inside the knots of the spline, at 3, 2 and 1 frames, a distance is; 0 outside.
///
/// The B-spline of the sixth order in truncated powers is the sum of (-1)^k * binomial(6, k) * (3 - k - distance)^5 / 5!.
/// Each integral raises the power by one and divides by it.
#[inline(always)]
fn knots(distance: Lanes) -> [Lanes; 3] {
    [3.0, 2.0, 1.0].map(|knot| (Lanes::splat(knot) - distance).at_least(0.0))
}

/// A triangle of level `TILT_GAIN`.
#[inline(always)]
fn triangle(phase: Words, frames: Lanes) -> Lanes {
    let size = phase.signed().abs();
    // Its slope turns by 8 / turn at both corners.
    let scale = Lanes::splat(8.0 * TILT_GAIN / UNITS_PER_TURN) / frames;
    let round = corner((-size + UNITS_PER_TURN / 2.0) * frames) - corner(size * frames);
    size * (-4.0 * TILT_GAIN / UNITS_PER_TURN) + TILT_GAIN + round * scale
}

/// What the second integral of a spline adds to a corner at which the slope turns by 1 a frame.
#[inline(always)]
fn corner(distance: Lanes) -> Lanes {
    const SCALE: f32 = 1.0 / 5040.0;
    let [third, second, first] = knots(distance).map(|rest| {
        let square = rest * rest;
        square * square * square * rest
    });
    third * SCALE - second * (6.0 * SCALE) + first * (15.0 * SCALE)
}

/// The filter behind the splines: gain, a double zero beyond half the rate, a pair of poles.
///
/// Found by a search (differential evolution) for the flattest response up to 14 kHz of 48 whose aliases stay 62 dB
/// below the fundamental of any saw of up to 2 kHz, over the whole band.
pub(super) const TILT_GAIN: f32 = 0.836_599_2;
const TILT_ZEROS: [f32; 2] = [1.089_024_1, 0.296_493_35];
const TILT_POLES: [f32; 2] = [0.391_765_9, 0.603_956];

/// The states of that filter, direct form II transposed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Tilt([Lanes; 2]);

impl Tilt {
    /// What is damaged begins anew. Its poles have a radius of 0.78: within a stretch it falls by 3,000 at most.
    #[inline(always)]
    pub(super) fn heal(&mut self) {
        self.0 = self.0.map(Lanes::heal);
    }

    /// One frame, but for the gain, which the wave has already.
    #[inline(always)]
    pub(super) fn frame(&mut self, input: Lanes) -> Lanes {
        let [first, second] = self.0;
        let output = input + first;
        self.0 =
            [input * TILT_ZEROS[0] - output * TILT_POLES[0] + second, input * TILT_ZEROS[1] - output * TILT_POLES[1]];
        output
    }
}
