//! `ladder`: the four-pole lowpass with feedback and drive, at twice the rate.
//!
//! Moog's ladder as a topology-preserving transform without a delay in its loop (Zavalishin, "The Art of VA Filter
//! Design", chapter 5): the loop is solved as if it were linear, then what enters the first stage is saturated. So it is
//! in tune up to the highest cutoffs, oscillates by itself from a resonance of 0.9 on, and nothing can become louder than
//! the saturation lets in.

use bytemuck::{Pod, Zeroable};

use super::oversample::{Oversampler, saturate};
use super::polynomial::{power_of_two, tangent_of_half_turns};
use super::svf::FILTER_RAMP_MS;
use super::sweep::Line;
use super::{Lanes, Parameter, Sweep};

/// What can be set.
pub static PARAMETERS: [Parameter; 3] = [
    Parameter { ramp_ms: FILTER_RAMP_MS, ..Parameter::frequency("cutoff", 10.0, 1000.0, "Corner frequency.") },
    Parameter {
        ramp_ms: FILTER_RAMP_MS,
        ..Parameter::plain("resonance", "Feedback: from 0.9 on it oscillates by itself.")
    },
    Parameter {
        unit: "dB",
        minimum: -12.0,
        maximum: abi::Maximum::Value(36.0),
        ..Parameter::plain("drive", "Level into the saturation.")
    },
];

/// Feedback at a resonance of 1. At 4 a linear ladder oscillates; a little more keeps it going against the saturation.
const FEEDBACK: f32 = 4.5;

/// What saturates is this much lower than what is heard: at a drive of 0 dB a full saw leaves the resonance room to ring.
const HEADROOM: f32 = 1.0 / 3.0;

/// Octaves of gain in a decibel: log2(10) / 20.
pub(super) const OCTAVES_PER_DECIBEL: f32 = core::f32::consts::LOG2_10 / 20.0;

/// Frames that share their coefficients. A stage falls by 10^15 at most in eight steps of four frames, so they are also
/// the frames after which the state is healed.
const SHARED: usize = 4;

/// The state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct LadderState {
    /// Of the four integrators.
    stages: [Lanes; 4],
    oversampler: Oversampler,
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct LadderControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// Hz, 0 to 0.49 of the rate.
    pub cutoff: Sweep,
    /// 0 to 1.
    pub resonance: Sweep,
    /// Decibels, -60 to 60.
    pub drive: Sweep,
}

/// Renders a stretch.
pub fn process(state: &mut LadderState, control: &LadderControl, input: &[Lanes], output: &mut [Lanes]) {
    let groups = output.len().div_ceil(SHARED);
    let turns = control.cutoff.turns(control.rate);
    let share = |turns: Lanes| {
        let g = tangent_of_half_turns(turns * 0.5);
        g / (g + 1.0)
    };
    let mut share: Line = turns.map(share).line(groups);
    let mut feedback = control.resonance.within(0.0, 1.0).map(|resonance| resonance * FEEDBACK).line(groups);
    let gain = control.drive.within(-60.0, 60.0).map(|drive| power_of_two(drive * OCTAVES_PER_DECIBEL) * HEADROOM);
    let mut gain = gain.line(output.len());
    let LadderState { mut stages, mut oversampler } = *state;
    for (output, input) in output.chunks_mut(SHARED).zip(input.chunks(SHARED)) {
        stages = stages.map(Lanes::heal);
        oversampler.heal();
        let coefficients = Coefficients::of(share.next(), feedback.next());
        for (output, input) in output.iter_mut().zip(input) {
            let level = input.heal() * gain.next();
            *output = oversampler.frame(level, |input| coefficients.step(&mut stages, input)) * (1.0 / HEADROOM);
        }
    }
    *state = LadderState { stages, oversampler };
}

/// What a group of frames shares.
struct Coefficients {
    /// g / (1 + g): the share of its input in the output of a stage.
    share: Lanes,
    /// What its own state adds.
    rest: Lanes,
    /// Feedback.
    feedback: Lanes,
    /// What the loop is divided by: 1 + k G^4.
    solved: Lanes,
}

impl Coefficients {
    #[inline(always)]
    fn of(share: Lanes, feedback: Lanes) -> Self {
        let square = share * share;
        let solved = Lanes::splat(1.0) / (feedback * square * square + 1.0);
        Self { share, rest: -share + 1.0, feedback, solved }
    }

    /// One step at twice the rate.
    #[inline(always)]
    fn step(&self, stages: &mut [Lanes; 4], input: Lanes) -> Lanes {
        let [first, second, third, fourth] = *stages;
        let held = (((first * self.share + second) * self.share + third) * self.share + fourth) * self.rest;
        // Half of what resonance takes from the low frequencies is given back.
        let wanted = input * (self.feedback * 0.5 + 1.0) - self.feedback * held;
        let mut signal = saturate(wanted * self.solved);
        for stage in stages {
            let change = (signal - *stage) * self.share;
            signal = *stage + change;
            *stage = signal + change;
        }
        signal
    }
}
