//! `reverb`: a room, from a network of eight delays.
//!
//! A feedback delay network (Jot and Chaigne, "Digital delay networks for designing artificial reverberators", 1991):
//! eight lines, the eight lanes, are mixed by a Householder matrix, which keeps their power, and fed back. Each loses so
//! much on its way that all fall by 60 dB in the same time, and the treble sooner, by a one-pole lowpass. Slow sweeps of
//! the lengths, each line at another moment, keep them from ringing. Lane 0 is left, lane 1 right, in and out.

use bytemuck::{Pod, Zeroable};

use super::delay::share_of_lowpass;
use super::polynomial::{power_of_two, sine_of_half_turns};
use super::sweep::{Line, UNITS_PER_TURN};
use super::tape::Tape;
use super::{LANES, Lanes, Parameter, Sweep, Words};

/// What can be set.
pub static PARAMETERS: [Parameter; 4] = [
    Parameter {
        unit: "s",
        minimum: 0.1,
        maximum: abi::Maximum::Value(30.0),
        default: 2.0,
        ..Parameter::plain("decay", "Time in which it falls by 60 dB.")
    },
    Parameter {
        minimum: 0.2,
        maximum: abi::Maximum::Value(1.5),
        default: 1.0,
        ramp_ms: 500.0,
        ..Parameter::plain("size", "Of the room; changes bend the pitch of what sounds in it.")
    },
    Parameter::frequency("damping", 200.0, 6000.0, "Above this frequency it dies sooner."),
    Parameter { default: 0.25, ..Parameter::plain("mix", "Share of the room in the output.") },
];

/// Milliseconds of the eight lines at a size of 1: no two of them, at 48 kHz, have a common factor.
const TIMES: Lanes = Lanes([29.73, 37.06, 41.15, 43.65, 53.27, 61.31, 71.86, 83.15]);

/// Milliseconds by which a line becomes longer and shorter, and how often in a second: 5 cents at most.
const SWAY_MS: f32 = 0.7;
const SWAY_HERTZ: f32 = 0.6;

/// Level of a channel in its lines: with it the room is about as loud as what sounds in it.
const INTO: f32 = 0.5;

/// Signs with which lines are heard, so that what all of them have alike is not: even ones left, odd ones right.
const HEARD: Lanes = Lanes([1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0]);

/// The state, beside the tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct ReverbState {
    /// Of the lowpass of each line.
    damped: Lanes,
    /// Of the sway: 2^32 units are a turn; all lanes alike.
    phase: Words,
}

/// The parameters during a stretch. Lane 0 counts.
#[derive(Clone, Copy, Debug)]
pub struct ReverbControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// Seconds, 0.1 to 60.
    pub decay: Sweep,
    /// 0.2 to 1.5. The tape holds 84 ms times that, or the lines are shorter.
    pub size: Sweep,
    /// Hz.
    pub damping: Sweep,
    /// 0 to 1.
    pub mix: Sweep,
}

/// Renders a stretch, and appends a frame to the tape for each of its own.
pub fn process(
    state: &mut ReverbState,
    control: &ReverbControl,
    tape: &mut impl Tape<LANES>,
    input: &[Lanes],
    output: &mut [Lanes],
) {
    let frames = output.len();
    let alike = |sweep: Sweep| sweep.map(|value| Lanes::splat(value.0[0]));
    let size = alike(control.size).within(0.2, 1.5);
    let decay = alike(control.decay).within(0.1, 60.0);
    // 60 dB are log2(1000) octaves.
    let loss = |size: Lanes, decay: Lanes| power_of_two(TIMES * size * (-9.965_784e-3) / decay);
    let mut gain = Sweep { from: loss(size.from, decay.from), to: loss(size.to, decay.to) }.line(frames);
    let mut share = alike(control.damping).turns(control.rate).map(share_of_lowpass).line(frames);
    let mut mix = alike(control.mix).within(0.0, 1.0).line(frames);
    let mut length = lengths(state, control, size, tape.length(), frames);
    let mut damped = state.damped.heal();
    for (output, input) in output.iter_mut().zip(input) {
        let late = read(tape, length.next()).heal();
        damped = (damped + (late - damped) * share.next()).flush();
        let rest = damped * gain.next();
        let [a, b, c, d, e, f, g, h] = rest.0;
        // Householder: what each line has, less a quarter of what all have together.
        let all = ((a + b) + (c + d)) + ((e + f) + (g + h));
        let input = input.heal();
        let into = Lanes(core::array::from_fn(|line| input.0[line % 2] * INTO));
        tape.append((into + rest - all * 0.25).heal().0);
        let heard = (rest * HEARD).0;
        let room = [(heard[0] + heard[2]) + (heard[4] + heard[6]), (heard[1] + heard[3]) + (heard[5] + heard[7])];
        let wet = mix.next().0[0];
        *output = Lanes::ZERO;
        for ((output, input), room) in output.0.iter_mut().zip(input.0).zip(room) {
            *output = input * (1.0 - wet) + room * wet;
        }
    }
    state.damped = damped;
}

/// The lengths of the lines in frames, on their way through a stretch, within what the tape holds; the sway goes on.
fn lengths(state: &mut ReverbState, control: &ReverbControl, size: Sweep, held: usize, frames: usize) -> Line {
    let advance = Lanes::splat(SWAY_HERTZ / control.rate * frames as f32 * UNITS_PER_TURN);
    let apart = Words(core::array::from_fn(|line| (line as u32) << 29));
    let sway = |phase: Words| sine_of_half_turns((phase + apart).signed() * (2.0 / UNITS_PER_TURN)) * SWAY_MS;
    let phase = state.phase;
    state.phase = phase + advance.within(0.0, UNITS_PER_TURN * 0.49).to_words();
    let per_ms = control.rate * 0.001;
    let at = |size: Lanes, phase| ((TIMES * size + sway(phase)) * per_ms).within(1.0, held.saturating_sub(2) as f32);
    Sweep { from: at(size.from, phase), to: at(size.to, state.phase) }.line(frames)
}

/// What was appended on each line as many frames ago as its length, between two frames in a straight line.
#[inline(always)]
fn read(tape: &impl Tape<LANES>, length: Lanes) -> Lanes {
    let mut late = Lanes::ZERO;
    for (line, (late, length)) in late.0.iter_mut().zip(length.0).enumerate() {
        let whole = length as usize;
        let part = length - whole as f32;
        let (here, before) = (tape.behind(line, whole), tape.behind(line, whole + 1));
        *late = here + (before - here) * part;
    }
    late
}
