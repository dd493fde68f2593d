//! The one table of parameters: OSC addresses, `--help`, PROTOCOL.md and range checks all come from it.

/// Names a parameter; its number is its place in [`PARAMETERS`] and in log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
#[allow(missing_docs, reason = "each is described by its row in PARAMETERS")]
pub enum ParameterId {
    SineFreq,
    SineGain,
    AdsrAttack,
    AdsrDecay,
    AdsrSustain,
    AdsrRelease,
    FilterMode,
    FilterCutoff,
    FilterQ,
}

/// Names a gate; its number is its place in [`GATES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum GateId {
    /// The envelope.
    Adsr,
}

/// A gate: address `/gate/<module>`.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Its name in the code.
    pub id: GateId,
    /// The module it opens.
    pub module: &'static str,
    /// What opening and closing does.
    pub description: &'static str,
}

/// The highest value a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Maximum {
    /// A fixed value.
    Value(f64),
    /// Half the sample rate less 10 Hz: a sine or a filter at the Nyquist frequency itself is degenerate.
    BelowNyquist,
}

/// One parameter: address `/mod/<module>/<name>`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in the code.
    pub id: ParameterId,
    /// The module it belongs to.
    pub module: &'static str,
    /// Its name within the module.
    pub name: &'static str,
    /// Its unit, "" for a plain number.
    pub unit: &'static str,
    /// Lowest value.
    pub minimum: f64,
    /// Highest value.
    pub maximum: Maximum,
    /// Value at engine start.
    pub default: f64,
    /// Milliseconds over which a change is spread; 0 where the value is only read at an event.
    pub ramp_ms: f64,
    /// For a parameter that chooses: the names of 0, 1, 2 and so on. Values are rounded to whole numbers.
    pub choices: &'static [&'static str],
    /// What it does, for help and PROTOCOL.md.
    pub description: &'static str,
}

impl Parameter {
    /// Highest value at a sample rate in Hz.
    pub const fn maximum_at(&self, rate: u32) -> f64 {
        match self.maximum {
            Maximum::Value(value) => value,
            Maximum::BelowNyquist => rate as f64 / 2.0 - 10.0,
        }
    }

    /// `value` brought into this parameter's range at `rate`; whole where the parameter chooses.
    /// The caller has checked that it is finite.
    pub fn clamp(&self, value: f64, rate: u32) -> f64 {
        let value = value.clamp(self.minimum, self.maximum_at(rate));
        if !self.choices.is_empty() {
            // `f64::round` is not in core; the range is small and positive.
            return f64::from((value + 0.5) as u32);
        }
        // A subnormal gain would make every product subnormal, and those are slow on many processors.
        if value.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { value }
    }
}

/// Ramp of a pitch or level: 5 ms is short enough to feel immediate and long enough not to click.
const RAMP_MS: f64 = 5.0;
/// Ramp of a filter parameter: twice that, because a resonant filter rings on what a ramp excites.
const FILTER_RAMP_MS: f64 = 10.0;
/// Longest envelope segment; the original's range.
const ENVELOPE_MAXIMUM: Maximum = Maximum::Value(10_000.0);

const fn parameter(id: ParameterId, module: &'static str, name: &'static str, unit: &'static str) -> Parameter {
    Parameter {
        id,
        module,
        name,
        unit,
        minimum: 0.0,
        maximum: Maximum::Value(1.0),
        default: 0.0,
        ramp_ms: 0.0,
        choices: &[],
        description: "",
    }
}

/// All parameters, each at the place its [`ParameterId`] names.
pub static PARAMETERS: [Parameter; 9] = [
    Parameter {
        minimum: 0.1,
        maximum: Maximum::BelowNyquist,
        default: 440.0,
        ramp_ms: RAMP_MS,
        description: "Frequency of the oscillator; changes are phase-continuous.",
        ..parameter(ParameterId::SineFreq, "sine", "freq", "Hz")
    },
    Parameter {
        default: 0.5,
        ramp_ms: RAMP_MS,
        description: "Peak level of the oscillator.",
        ..parameter(ParameterId::SineGain, "sine", "gain", "")
    },
    Parameter {
        minimum: 0.1,
        maximum: ENVELOPE_MAXIMUM,
        default: 10.0,
        description: "Time from silence to full level after the gate opens.",
        ..parameter(ParameterId::AdsrAttack, "adsr", "attack", "ms")
    },
    Parameter {
        minimum: 0.1,
        maximum: ENVELOPE_MAXIMUM,
        default: 100.0,
        description: "Time from full level to the sustain level.",
        ..parameter(ParameterId::AdsrDecay, "adsr", "decay", "ms")
    },
    Parameter {
        default: 0.7,
        ramp_ms: RAMP_MS,
        description: "Level held while the gate stays open.",
        ..parameter(ParameterId::AdsrSustain, "adsr", "sustain", "")
    },
    Parameter {
        minimum: 0.1,
        maximum: ENVELOPE_MAXIMUM,
        default: 200.0,
        description: "Time from the level at which the gate closes to silence.",
        ..parameter(ParameterId::AdsrRelease, "adsr", "release", "ms")
    },
    Parameter {
        maximum: Maximum::Value(2.0),
        ramp_ms: FILTER_RAMP_MS,
        choices: &["lowpass", "highpass", "bandpass"],
        description: "Response of the filter; modes are crossfaded. Bandpass has 0 dB at its peak.",
        ..parameter(ParameterId::FilterMode, "filter", "mode", "")
    },
    Parameter {
        minimum: 10.0,
        maximum: Maximum::BelowNyquist,
        default: 1000.0,
        ramp_ms: FILTER_RAMP_MS,
        description: "Corner or centre frequency.",
        ..parameter(ParameterId::FilterCutoff, "filter", "cutoff", "Hz")
    },
    Parameter {
        minimum: 0.1,
        maximum: Maximum::Value(20.0),
        default: 0.707,
        ramp_ms: FILTER_RAMP_MS,
        description: "Quality factor: 0.707 is flat, higher resonates.",
        ..parameter(ParameterId::FilterQ, "filter", "q", "")
    },
];

/// A value for each parameter, at the place its [`ParameterId`] names, in its own unit.
pub type Values = [f64; PARAMETERS.len()];

/// All gates, each at the place its [`GateId`] names.
pub static GATES: [Gate; 1] = [Gate {
    id: GateId::Adsr,
    module: "adsr",
    description: "Open starts the attack from the current level, close starts the release from it.",
}];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_number_and_its_default_is_in_range() {
        for (place, parameter) in PARAMETERS.iter().enumerate() {
            assert_eq!(parameter.id as usize, place);
            for rate in crate::RATES {
                assert_eq!(parameter.clamp(parameter.default, rate), parameter.default, "{}", parameter.name);
                assert!(parameter.minimum < parameter.maximum_at(rate));
            }
        }
        for (place, gate) in GATES.iter().enumerate() {
            assert_eq!(gate.id as usize, place);
        }
    }

    #[test]
    fn clamp_bounds_rounds_choices_and_flushes_subnormals() {
        let cutoff = &PARAMETERS[ParameterId::FilterCutoff as usize];
        assert_eq!(cutoff.clamp(1e9, 48_000), 23_990.0);
        assert_eq!(cutoff.clamp(-1.0, 48_000), 10.0);
        let mode = &PARAMETERS[ParameterId::FilterMode as usize];
        assert_eq!((mode.clamp(0.4, 48_000), mode.clamp(1.5, 48_000), mode.clamp(7.0, 48_000)), (0.0, 2.0, 2.0));
        assert_eq!(PARAMETERS[ParameterId::SineGain as usize].clamp(1e-300, 48_000), 0.0);
    }
}
