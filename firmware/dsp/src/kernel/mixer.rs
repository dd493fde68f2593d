//! `mixer`: the sum of up to eight inputs, each at its level.

use super::{Lanes, Parameter, Sweep};

/// Inputs of a mixer: as many as a hand has faders for.
pub const INPUTS: usize = 8;

const fn level(name: &'static str) -> Parameter {
    Parameter {
        maximum: abi::Maximum::Value(2.0),
        default: 1.0,
        ..Parameter::plain(name, "Level of the input of that number.")
    }
}

/// What can be set.
pub static PARAMETERS: [Parameter; INPUTS + 1] = [
    level("level1"),
    level("level2"),
    level("level3"),
    level("level4"),
    level("level5"),
    level("level6"),
    level("level7"),
    level("level8"),
    Parameter { maximum: abi::Maximum::Value(2.0), default: 1.0, ..Parameter::plain("gain", "Level of all together.") },
];

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct MixerControl {
    /// Level of each input.
    pub levels: [Sweep; INPUTS],
    /// Level of the sum.
    pub gain: Sweep,
}

/// Renders a stretch. Inputs are added in their order, which is what makes the sum the same everywhere; those beyond the
/// eighth are not heard. There is no state.
pub fn process(control: &MixerControl, inputs: &[&[Lanes]], output: &mut [Lanes]) {
    output.fill(Lanes::ZERO);
    for (input, level) in inputs.iter().zip(&control.levels) {
        let mut level = level.line(output.len());
        for (output, input) in output.iter_mut().zip(*input) {
            *output = *output + *input * level.next();
        }
    }
    let mut gain = control.gain.line(output.len());
    output.iter_mut().for_each(|output| *output = *output * gain.next());
}
