//! `sine`: a pure tone, and with a phase input the operator of frequency modulation.
//!
//! A 32-bit phase and a minimax polynomial of the ninth degree over a quarter turn (Hart et al., Computer
//! Approximations, 1968, is the classic on these; the coefficients are our own). Phase modulation as in Chowning, "The
//! Synthesis of Complex Audio Spectra by Means of Frequency Modulation" (1973).

use bytemuck::{Pod, Zeroable};

use super::polynomial::sine_of_half_turns;
use super::sweep::{UNITS_PER_TURN, WordLine};
use super::{Lanes, Parameter, Sweep, Words};

/// What can be set.
pub static PARAMETERS: [Parameter; 2] = [
    Parameter::frequency("freq", 0.1, 440.0, "Frequency of the oscillator; changes are phase-continuous."),
    Parameter { default: 0.5, ..Parameter::plain("gain", "Peak level of the oscillator.") },
];

/// The state: a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct SineState {
    /// 2^32 units are a turn.
    pub phase: Words,
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct SineControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// Hz, 0 to 0.49 of the rate.
    pub frequency: Sweep,
    /// Peak level.
    pub gain: Sweep,
}

/// Renders a stretch. `modulation` is added to the phase, in turns; beyond 1,000 turns it is cut. Silence there is a pure
/// tone.
pub fn process(state: &mut SineState, control: &SineControl, modulation: &[Lanes], output: &mut [Lanes]) {
    let frames = output.len();
    let mut increment = WordLine::of_hertz(control.frequency, control.rate, frames);
    let mut gain = control.gain.line(frames);
    for (output, turns) in output.iter_mut().zip(modulation) {
        let half_turns = state.phase.signed() * (2.0 / UNITS_PER_TURN) + turns.within(-1000.0, 1000.0) * 2.0;
        let turned = half_turns - (half_turns * 0.5).round() * 2.0;
        *output = sine_of_half_turns(turned) * gain.next();
        state.phase = state.phase + increment.next();
    }
}
