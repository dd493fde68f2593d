//! `adsr`: the envelope, exact to the frame, with segments from straight to exponential.
//!
//! A segment goes from where it begins to its target in a number of frames that is counted down, so none is a frame too
//! long however many there are; the level is worked out from the count alone. With u the part that is left, the distance
//! from the target is u where the curve is 0, and (e^(5 u) - 1) / (e^5 - 1) where it is 1: what a capacitor does that
//! reaches its target within five time constants (the analogue envelope; the normalisation as in Redmon, "Envelope
//! generators", 2013). The exponential is the eighth power of a minimax polynomial.
//!
//! A gate that opens again begins its attack at the present level, and takes its whole time: no click. The velocity is
//! that of the moment the gate opens and scales peak and sustain level.

use bytemuck::{Pod, Zeroable};

use super::sweep::Line;
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

/// The eighth root of e^(5 u) / (e^5 - 1) for u from 0 to 1, highest power first: minimax, within 2e-6 of its size. So
/// its eighth power is within 2e-5 of the exponential.
const EIGHTH_ROOT: [f32; 5] = [0.004_636_511_7, 0.020_702_48, 0.105_014_25, 0.334_775_87, 0.535_714_8];

/// 1 / (e^5 - 1) as that polynomial has it, so that every segment ends exactly at its target.
const FLOOR: f32 = {
    let fourth = EIGHTH_ROOT[4] * EIGHTH_ROOT[4];
    let half = fourth * fourth;
    half * half
};

/// Renders a stretch: levels from 0 to 1.
///
/// It is rendered in runs, from one event to the next one of any lane: a command costs one run more, some nanoseconds,
/// and a frame without one nothing.
pub fn process(state: &mut AdsrState, control: &AdsrControl, output: &mut [Lanes]) {
    let frames = output.len();
    let mut sustain = control.sustain.within(0.0, 1.0).line(frames);
    let mut curve = control.curve.within(0.0, 1.0).line(frames);
    let times = Times::of(control);
    *state = healed(*state);
    let mut rest = output;
    let mut frame = 0u32;
    while !rest.is_empty() {
        state.begin(control, &times, frame);
        let (run, later) = rest.split_at_mut(state.quiet(control, frame).min(rest.len()));
        frame = frame.wrapping_add(run.len() as u32);
        state.render(run, &mut sustain, &mut curve);
        rest = later;
    }
}

/// The bits of the frames of each segment, and of the reciprocals of their numbers.
struct Times {
    attack: (Words, Words),
    decay: (Words, Words),
    release: (Words, Words),
    velocity: Lanes,
}

impl Times {
    fn of(control: &AdsrControl) -> Self {
        Self {
            attack: frames_in(control.attack, control.rate),
            decay: frames_in(control.decay, control.rate),
            release: frames_in(control.release, control.rate),
            velocity: control.velocity.within(0.0, 1.0),
        }
    }
}

impl AdsrState {
    /// Ends what is in its release, or in a lane of the mask `closing`, at once.
    pub(crate) fn cut(&mut self, closing: Words) {
        let stays = self.open & !closing;
        let level = |value| stays.keep(value);
        *self = Self {
            level: level(self.level),
            left: level(self.left),
            part: level(self.part),
            start: level(self.start),
            peak: level(self.peak),
            attacking: self.attacking & stays,
            open: stays,
        };
    }

    /// Begins the segments that begin at this frame, by a gate or because the attack is over.
    #[inline(always)]
    fn begin(&mut self, control: &AdsrControl, times: &Times, frame: u32) {
        let on = control.on.equals(Words::splat(frame));
        let off = control.off.equals(Words::splat(frame)) & self.open & !on;
        let risen = self.attacking & self.left.at_most_mask(Lanes::ZERO) & !(on | off);
        let stays = !(on | off | risen);
        self.attacking = (self.attacking & stays) | on;
        self.open = (self.open & !off) | on;
        // At most one of the four masks is set in a lane.
        let begin = |attack, decay, release, stay| (on & attack) | (risen & decay) | (off & release) | (stays & stay);
        self.peak = on.select(times.velocity, self.peak);
        self.start = stays.select(self.start, self.level);
        self.left = begin(times.attack.0, times.decay.0, times.release.0, self.left.to_bits()).floats();
        self.part = begin(times.attack.1, times.decay.1, times.release.1, self.part.to_bits()).floats();
    }

    /// Frames until the next event of any lane, at least 1; this frame's are done.
    #[inline(always)]
    fn quiet(&self, control: &AdsrControl, frame: u32) -> usize {
        let gate =
            |events: Words| events.0.iter().map(|event| event.wrapping_sub(frame)).filter(|wait| *wait > 0).min();
        let gates = gate(control.on).unwrap_or(NEVER).min(gate(control.off).unwrap_or(NEVER));
        let rises = self.left.0.iter().zip(self.attacking.0).filter(|(_, attacking)| *attacking != 0);
        rises.fold(gates, |least, (left, _)| least.min(*left as u32)).max(1) as usize
    }

    /// Renders frames without any event.
    #[inline(always)]
    fn render(&mut self, run: &mut [Lanes], sustain: &mut Line, curve: &mut Line) {
        let (mut left, mut level) = (self.left, self.level);
        let peak = self.open.keep(self.peak);
        for output in run {
            left = (left - 1.0).at_least(0.0);
            let target = self.attacking.select(peak, peak * sustain.next());
            level = target + (self.start - target) * bent(left * self.part, curve.next());
            *output = level;
        }
        (self.left, self.level) = (left, level);
    }
}

/// The bits of the whole frames of a time, at least 1, and of their reciprocal.
#[inline(always)]
fn frames_in(milliseconds: Lanes, rate: f32) -> (Words, Words) {
    let frames = (milliseconds.within(0.1, LONGEST_MS) * (rate * 0.001)).round().within(1.0, MOST_FRAMES);
    (frames.to_bits(), (Lanes::splat(1.0) / frames).to_bits())
}

/// Longest segment: twice the original's range.
pub(super) const LONGEST_MS: f32 = 20_000.0;
/// Frames of the longest segment at 192 kHz; an f32 counts to four times that.
const MOST_FRAMES: f32 = 3_840_000.0;

/// The part of the way that is left, bent by a curve from 0 to 1.
#[inline(always)]
fn bent(rest: Lanes, curve: Lanes) -> Lanes {
    let [fourth, third, second, first, constant] = EIGHTH_ROOT;
    let eighth = (((rest * fourth + third) * rest + second) * rest + first) * rest + constant;
    let fourth = eighth * eighth;
    let half = fourth * fourth;
    let exponential = half * half - FLOOR;
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
