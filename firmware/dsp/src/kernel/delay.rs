//! `delay`: up to two seconds, stereo, with feedback and damping.
//!
//! A tape read between its frames by Lagrange's polynomial of the third degree (Laakso et al., "Splitting the unit delay",
//! 1996), so that the time can glide; gliding, it bends the pitch as a tape does. What is fed back passes a one-pole
//! lowpass. Lane 0 is left, lane 1 right; the other lanes are silent.

use bytemuck::{Pod, Zeroable};

use super::polynomial::power_of_two;
use super::tape::{Tape, healed};
use super::{CONTROL_FRAMES, LANES, Lanes, Parameter, Sweep};

/// Left and right.
pub const CHANNELS: usize = 2;

/// Least frames by which it is late: nothing of a stretch is heard in it, so what goes into the tape need not be known when
/// the stretch is rendered. With what a value between frames is read from.
const SHORTEST: f32 = CONTROL_FRAMES as f32 + 2.0;

/// What can be set.
pub static PARAMETERS: [Parameter; 4] = [
    Parameter {
        unit: "ms",
        minimum: 1.0,
        maximum: abi::Maximum::Value(2000.0),
        default: 375.0,
        ramp_ms: 100.0,
        ..Parameter::plain("time", "Time until an echo; changes bend its pitch.")
    },
    Parameter {
        maximum: abi::Maximum::Value(0.98),
        default: 0.4,
        ..Parameter::plain("feedback", "Level of an echo against the one before.")
    },
    Parameter::frequency("damping", 100.0, 8000.0, "Above this frequency echoes become duller one by one."),
    Parameter { default: 0.3, ..Parameter::plain("mix", "Share of the echoes in the output.") },
];

/// The state, beside the tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct DelayState {
    /// Of the lowpass in the feedback; those behind the channels are not used.
    damped: [f32; LANES],
}

/// The parameters during a stretch. Lanes 0 and 1 count.
#[derive(Clone, Copy, Debug)]
pub struct DelayControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// Milliseconds, [`SHORTEST`] to the length of the tape less 3.
    pub time: Sweep,
    /// 0 to 0.98.
    pub feedback: Sweep,
    /// Hz.
    pub damping: Sweep,
    /// 0 to 1.
    pub mix: Sweep,
}

/// Renders a stretch, and appends a frame to the tape for each of its own.
pub fn process(
    state: &mut DelayState,
    control: &DelayControl,
    tape: &mut impl Tape<CHANNELS>,
    input: &[Lanes],
    output: &mut [Lanes],
) {
    let mut written = [[0.0; CHANNELS]; CONTROL_FRAMES];
    render(state, control, tape, input, output, &mut written);
    written.iter().take(output.len()).for_each(|frame| tape.append(*frame));
}

/// Renders a stretch of at most [`CONTROL_FRAMES`], and gives what is to be appended to the tape for it.
pub fn render(
    state: &mut DelayState,
    control: &DelayControl,
    tape: &impl Tape<CHANNELS>,
    input: &[Lanes],
    output: &mut [Lanes],
    written: &mut [[f32; CHANNELS]; CONTROL_FRAMES],
) {
    let longest = tape.length().saturating_sub(3) as f32;
    let mut time =
        control.time.map(|time| (time * (control.rate * 0.001)).within(SHORTEST, longest)).line(output.len());
    let mut feedback = control.feedback.within(0.0, 0.98).line(output.len());
    let mut share = control.damping.turns(control.rate).map(share_of_lowpass).line(output.len());
    let mut mix = control.mix.within(0.0, 1.0).line(output.len());
    state.damped = state.damped.map(healed);
    for (frame, ((output, input), written)) in output.iter_mut().zip(input).zip(written).enumerate() {
        let (time, feedback, share, mix) = (time.next(), feedback.next(), share.next(), mix.next());
        let input = input.heal();
        let mut echo = Lanes::ZERO;
        for (channel, (written, damped)) in written.iter_mut().zip(&mut state.damped).enumerate() {
            // The frames of this stretch are not on the tape yet.
            let late = read(tape, channel, time.0[channel] - frame as f32);
            *damped = healed(*damped + (late - *damped) * share.0[channel]);
            *written = healed(input.0[channel] + *damped * feedback.0[channel]);
            echo.0[channel] = late;
        }
        *output = input * (-mix + 1.0) + echo * mix;
        output.0[CHANNELS..].fill(0.0);
    }
}

/// The share of its input in a one-pole lowpass with a corner at so many turns a frame: 1 - e^(-2 pi turns).
pub(super) fn share_of_lowpass(turns: Lanes) -> Lanes {
    -power_of_two(turns * (-core::f32::consts::TAU * core::f32::consts::LOG2_E)) + 1.0
}

/// What was appended `time` frames ago, at least 2 if the tape is as long as it should be.
fn read(tape: &impl Tape<CHANNELS>, channel: usize, time: f32) -> f32 {
    let whole = time as usize;
    let part = time - whole as f32;
    let [after, here, before, first] =
        [whole.saturating_sub(1), whole, whole + 1, whole + 2].map(|frames| healed(tape.behind(channel, frames)));
    // Lagrange's polynomial through the four, at -1, 0, 1 and 2.
    let (down, up) = (part - 1.0, part + 1.0);
    let far = part - 2.0;
    let outer = part * down * (1.0 / 6.0);
    let inner = up * far * 0.5;
    (first * up - after * far) * outer + (here * down - before * part) * inner
}
