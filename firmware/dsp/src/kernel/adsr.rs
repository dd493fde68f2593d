//! `adsr`: the envelope, exact to the frame, with segments from straight to exponential.
//!
//! A segment goes from where it begins to its target in a number of frames that is counted down, so none is a frame too
//! long however many there are; the level is worked out from the count alone. With u the part that is left, the distance
//! from the target is u where the curve is 0, and (e^(5 u) - 1) / (e^5 - 1) where it is 1: what a capacitor does that
//! reaches its target within five time constants (the analogue envelope; the normalisation as in Redmon, "Envelope
//! generators", 2013). The exponential is the eighth power of a Taylor polynomial.
//!
//! A gate that opens again begins its attack at the present level, and takes its whole time: no click. The velocity is
//! that of the moment the gate opens and scales peak and sustain level.

use bytemuck::{Pod, Zeroable};

use super::{Lanes, Parameter, Sweep, Words};

/// What can be set.
pub static PARAMETERS: [Parameter; 5] = [
    Parameter {
        default: 10.0,
        ..Parameter::time("attack", "Time from the present level to full level after the gate opens.")
    },
    Parameter { default: 100.0, ..Parameter::time("decay", "Time from full level to the sustain level.") },
    Parameter { default: 0.7, ..Parameter::plain("sustain", "Level held while the gate stays open.") },
    Parameter {
        default: 200.0,
        ..Parameter::time("release", "Time from the level at which the gate closes to silence.")
    },
    Parameter {
        ramp_ms: 0.0,
        ..Parameter::plain("curve", "0 for straight segments, 1 for exponential ones, anything between.")
    },
];

/// In [`AdsrControl`]: no such event in this stretch.
pub const NEVER: u32 = u32::MAX;

/// The state. All zeros is a closed gate and silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct AdsrState {
    /// Level of the last frame, 0 to 1.
    pub level: Lanes,
    /// Frames until the segment is at its target; 0 at rest.
    left: Lanes,
    /// The part of the segment that a frame is: what was asked for when it began.
    part: Lanes,
    /// Level at which the segment began.
    start: Lanes,
    /// Velocity of the note, 0 to 1: what the attack rises to.
    peak: Lanes,
    /// Mask of the lanes that are in their attack.
    attacking: Words,
    /// Mask of the lanes whose gate is open.
    open: Words,
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct AdsrControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// Milliseconds, 0.1 to 20,000, read when the attack begins.
    pub attack: Lanes,
    /// Milliseconds, 0.1 to 20,000, read when the decay begins.
    pub decay: Lanes,
    /// Level, 0 to 1.
    pub sustain: Sweep,
    /// Milliseconds, 0.1 to 20,000, read when the release begins.
    pub release: Lanes,
    /// 0 straight, 1 exponential.
    pub curve: Sweep,
    /// Frame of the stretch at which the gate of each lane opens, or opens again; [`NEVER`].
    pub on: Words,
    /// Frame at which it closes. Where both fall on the same frame it closes first: one note ends, another begins.
    pub off: Words,
    /// Level of the note that begins, 0 to 1.
    pub velocity: Lanes,
}

/// The time constants in a segment whose curve is 1.
const CURVE: f32 = 5.0;
/// 1 / (e^5 - 1), with the polynomial's own e^5, so that a segment begins exactly at its start.
const CURVE_SCALE: f32 = {
    let eighth = exponential_of_an_eighth(CURVE / 8.0);
    let fourth = eighth * eighth;
    let half = fourth * fourth;
    1.0 / (half * half - 1.0)
};

/// e^x to the fifth power of x, for x from 0 to 0.625: within 2e-4, and exactly 1 at 0. Not a bit of it is heard: the
/// curve bends by 0.1 % of its height at most.
const fn exponential_of_an_eighth(x: f32) -> f32 {
    ((((x / 5.0 + 1.0) * (x / 4.0) + 1.0) * (x / 3.0) + 1.0) * (x / 2.0) + 1.0) * x + 1.0
}

/// Renders a stretch: levels from 0 to 1.
pub fn process(state: &mut AdsrState, control: &AdsrControl, output: &mut [Lanes]) {
    let frames = output.len();
    let mut sustain = control.sustain.within(0.0, 1.0).line(frames);
    let mut curve = control.curve.within(0.0, 1.0).line(frames);
    let velocity = control.velocity.within(0.0, 1.0);
    let [attack, decay, release] =
        [control.attack, control.decay, control.release].map(|time| frames_in(time, control));
    let AdsrState { mut level, mut left, mut part, mut start, mut peak, mut attacking, mut open } = healed(*state);
    for (frame, output) in (0u32..).zip(output) {
        let on = control.on.equals(Words::splat(frame));
        let off = control.off.equals(Words::splat(frame)) & open;
        let risen = attacking & left.at_most_mask(Lanes::ZERO) & !on;
        let begins = on | off | risen;
        attacking = (attacking & !(risen | off)) | on;
        open = (open & !off) | on;
        peak = on.select(velocity, peak);
        start = begins.select(level, start);
        let segment = attacking.select(attack.0, open.select(decay.0, release.0));
        let segment_part = attacking.select(attack.1, open.select(decay.1, release.1));
        left = begins.select(segment, left);
        part = begins.select(segment_part, part);

        left = (left - 1.0).at_least(0.0);
        let rest = left * part;
        let target = open.keep(peak) * attacking.select(Lanes::splat(1.0), sustain.next());
        level = target + (start - target) * bent(rest, curve.next());
        *output = level;
    }
    *state = AdsrState { level, left, part, start, peak, attacking, open };
}

/// Whole frames of a time, at least 1, and their reciprocal.
#[inline(always)]
fn frames_in(milliseconds: Lanes, control: &AdsrControl) -> (Lanes, Lanes) {
    let frames = (milliseconds.within(0.1, LONGEST_MS) * (control.rate * 0.001)).round().within(1.0, MOST_FRAMES);
    (frames, Lanes::splat(1.0) / frames)
}

/// Longest segment: twice the original's range.
pub(super) const LONGEST_MS: f32 = 20_000.0;
/// Frames of the longest segment at 192 kHz; an f32 counts to four times that.
const MOST_FRAMES: f32 = 3_840_000.0;

/// The part of the way that is left, bent by a curve from 0 to 1.
#[inline(always)]
fn bent(rest: Lanes, curve: Lanes) -> Lanes {
    let x = rest * (CURVE / 8.0);
    let eighth = x.map(exponential_of_an_eighth);
    let fourth = eighth * eighth;
    let half = fourth * fourth;
    let exponential = (half * half - 1.0) * CURVE_SCALE;
    rest + (exponential - rest) * curve
}

/// A state in which all levels are levels and all masks masks.
#[inline(always)]
fn healed(state: AdsrState) -> AdsrState {
    let mask = |words: Words| words.map(|bits| if bits >> 31 == 1 { u32::MAX } else { 0 });
    let level = |value: Lanes| value.within(0.0, 1.0).flush();
    let open = mask(state.open);
    AdsrState {
        level: level(state.level),
        left: state.left.within(0.0, MOST_FRAMES).round(),
        part: state.part.within(1.0 / MOST_FRAMES, 1.0),
        start: level(state.start),
        peak: level(state.peak),
        attacking: mask(state.attacking) & open,
        open,
    }
}
