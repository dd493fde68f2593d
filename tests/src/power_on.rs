//! The patch at power-on, as the tests play it: its modules by name, and the places of their parameters.

use abi::Place;
use dsp::MODULES;
use dsp::instrument::Kind;
use dsp::kernel::Parameter;

const fn place(row: u8, parameter: u8) -> Place {
    Place { row, parameter }
}

/// The row of the envelope.
pub const ADSR: u8 = 2;
/// Frequency of the sine.
pub const SINE_FREQ: Place = place(1, 0);
/// Level of the sine.
pub const SINE_GAIN: Place = place(1, 1);
/// Attack.
pub const ADSR_ATTACK: Place = place(ADSR, 0);
/// Decay.
pub const ADSR_DECAY: Place = place(ADSR, 1);
/// Sustain.
pub const ADSR_SUSTAIN: Place = place(ADSR, 2);
/// Release.
pub const ADSR_RELEASE: Place = place(ADSR, 3);
/// Response of the filter.
pub const FILTER_MODE: Place = place(3, 0);
/// Cutoff of the filter.
pub const FILTER_CUTOFF: Place = place(3, 1);
/// Quality of the filter.
pub const FILTER_Q: Place = place(3, 2);

/// All parameters: the module, the place, the row of the table.
pub fn parameters() -> Vec<(&'static str, Place, &'static Parameter)> {
    let of_module = |module: dsp::Module| {
        let kind = Kind::from_name(module.name()).expect("a type of that name");
        let places = (0u8..).zip(kind.row().parameters);
        places.map(move |(parameter, row)| (module.name(), place(module.row(), parameter), row))
    };
    MODULES.into_iter().flat_map(of_module).collect()
}

/// The addresses of all parameters.
pub fn addresses() -> Vec<String> {
    parameters().into_iter().map(|(module, _, parameter)| format!("/mod/{module}/{}", parameter.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_the_name_it_should() {
        let named = [
            (SINE_FREQ, "sine.freq"),
            (SINE_GAIN, "sine.gain"),
            (ADSR_ATTACK, "adsr.attack"),
            (ADSR_DECAY, "adsr.decay"),
            (ADSR_SUSTAIN, "adsr.sustain"),
            (ADSR_RELEASE, "adsr.release"),
            (FILTER_MODE, "filter.mode"),
            (FILTER_CUTOFF, "filter.cutoff"),
            (FILTER_Q, "filter.q"),
        ];
        for (place, name) in named {
            let found = parameters().into_iter().find(|(_, known, _)| *known == place);
            let (module, _, parameter) = found.expect("a parameter");
            assert_eq!(format!("{module}.{}", parameter.name), name);
        }
    }
}
