//! `vca`: a level, moved by a signal. A multiplication (ring modulation, where the signal goes below 0).

use super::{Lanes, Parameter, Sweep};

/// What can be set.
pub static PARAMETERS: [Parameter; 1] = [Parameter {
    maximum: abi::Maximum::Value(4.0),
    default: 1.0,
    ..Parameter::plain("gain", "Level at full modulation.")
}];

/// Renders a stretch: `input` times `level` times `gain`. There is no state.
pub fn process(gain: &Sweep, input: &[Lanes], level: &[Lanes], output: &mut [Lanes]) {
    let mut gain = gain.line(output.len());
    for (output, (input, level)) in output.iter_mut().zip(input.iter().zip(level)) {
        *output = *input * (*level * gain.next());
    }
}
