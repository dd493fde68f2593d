//! `distortion`: soft, hard, fold and bitcrush.
//!
//! Soft saturates (a Pade approximant of the hyperbolic tangent), hard clips at full level, fold turns the wave back (a
//! sine of it, as Buchla's folder nearly does); these at twice the rate ([`super::oversample`]; for what it leaves of
//! aliases see Esqueda, Valimaki and Bilbao, "Rounding corners with BLAMP", 2016). Bitcrush rounds to fewer bits and holds
//! each value for a while, at the rate itself, because its aliases are what it is for.

use bytemuck::{Pod, Zeroable};

use super::ladder::OCTAVES_PER_DECIBEL;
use super::oversample::{HEAL_FRAMES, Oversampler, saturate};
use super::polynomial::{power_of_two, sine_of_half_turns};
use super::sweep::WordLine;
use super::{Lanes, Parameter, Sweep, Words};

/// What can be set.
pub static PARAMETERS: [Parameter; 6] = [
    Parameter {
        maximum: abi::Maximum::Value(3.0),
        choices: &["soft", "hard", "fold", "crush"],
        ..Parameter::plain("shape", "What becomes of the wave.")
    },
    Parameter {
        unit: "dB",
        maximum: abi::Maximum::Value(48.0),
        ..Parameter::plain("drive", "Level into the distortion.")
    },
    Parameter { default: 1.0, ..Parameter::plain("mix", "Share of the distorted sound.") },
    Parameter { default: 1.0, ..Parameter::plain("gain", "Level of both together.") },
    Parameter {
        unit: "bit",
        minimum: 1.0,
        maximum: abi::Maximum::Value(16.0),
        default: 8.0,
        ..Parameter::plain("bits", "Of the crushed sound.")
    },
    Parameter::frequency("hold", 100.0, 8000.0, "How often the crushed sound takes a new value."),
];

/// What becomes of the wave, in the order of the choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the field")]
pub enum Shape {
    Soft,
    Hard,
    Fold,
    Crush,
}

/// The state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct DistortionState {
    oversampler: Oversampler,
    /// Value held by the crusher.
    held: Lanes,
    /// Until it takes a new one: 2^32 units.
    phase: Words,
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct DistortionControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// The same in all lanes for the whole stretch.
    pub shape: Shape,
    /// Decibels, -60 to 60.
    pub drive: Sweep,
    /// Share of the distorted sound, 0 to 1.
    pub mix: Sweep,
    /// Level.
    pub gain: Sweep,
    /// 1 to 16.
    pub bits: Sweep,
    /// Hz, to 0.49 of the rate.
    pub hold: Sweep,
}

/// Renders a stretch.
pub fn process(state: &mut DistortionState, control: &DistortionControl, input: &[Lanes], output: &mut [Lanes]) {
    match control.shape {
        Shape::Soft => bend(state, control, input, output, saturate),
        Shape::Hard => bend(state, control, input, output, |x| x.within(-1.0, 1.0)),
        Shape::Fold => bend(state, control, input, output, |x| {
            let half_turns = x * 0.5;
            sine_of_half_turns(half_turns - (half_turns * 0.5).round() * 2.0).flush()
        }),
        Shape::Crush => crush(state, control, input, output),
    }
}

/// The gain of the drive.
fn drive(control: &DistortionControl) -> Sweep {
    control.drive.within(-60.0, 60.0).map(|drive| power_of_two(drive * OCTAVES_PER_DECIBEL))
}

#[inline(always)]
fn bend(
    state: &mut DistortionState,
    control: &DistortionControl,
    input: &[Lanes],
    output: &mut [Lanes],
    shape: impl Fn(Lanes) -> Lanes,
) {
    let mut drive = drive(control).line(output.len());
    let mut mix = control.mix.within(0.0, 1.0).line(output.len());
    let mut gain = control.gain.line(output.len());
    let mut oversampler = state.oversampler;
    for (output, input) in output.chunks_mut(HEAL_FRAMES).zip(input.chunks(HEAL_FRAMES)) {
        oversampler.heal();
        for (output, input) in output.iter_mut().zip(input) {
            let (drive, mix) = (drive.next(), mix.next());
            // The dry sound passes both filters too: beside them it would be out of phase.
            let bent = oversampler.frame(input.heal(), |x| x + (shape(x * drive) - x) * mix);
            *output = bent * gain.next();
        }
    }
    state.oversampler = oversampler;
}

fn crush(state: &mut DistortionState, control: &DistortionControl, input: &[Lanes], output: &mut [Lanes]) {
    let mut drive = drive(control).line(output.len());
    let mut mix = control.mix.within(0.0, 1.0).line(output.len());
    let mut gain = control.gain.line(output.len());
    let mut increment = WordLine::of_turns(control.hold.turns(control.rate), output.len());
    // Of `bits` bits one is the sign.
    let steps = control.bits.within(1.0, 16.0).map(|bits| power_of_two(bits - 1.0));
    let mut steps = steps.line(output.len());
    let (mut held, mut phase) = (state.held.heal(), state.phase);
    for (output, input) in output.iter_mut().zip(input) {
        let input = input.heal();
        let next = phase + increment.next();
        // A turn is over where the highest bit falls.
        let takes = (phase & !next).map(|bits| if bits >> 31 == 1 { u32::MAX } else { 0 });
        phase = next;
        let steps = steps.next();
        let rounded = ((input * drive.next()).within(-1.0, 1.0) * steps).round() / steps;
        held = takes.select(rounded, held);
        // So that nothing of the input is left where the mix is 1.
        let mix = mix.next();
        *output = (input * (-mix + 1.0) + held * mix) * gain.next();
    }
    (state.held, state.phase) = (held, phase);
}
