//! From the arguments of a message to an operation: type, finiteness, range.

use abi::{Operation, Place};
use dsp::kernel::Parameter;
use rosc::OscType;

use super::refusal::Code;

/// Why arguments were refused: the code and the text of the reply.
pub type Fault = (Code, String);

/// The operation that sets the parameter at `place`, its value brought into range for sample rate `rate`.
pub fn set(place: Place, parameter: &Parameter, arguments: &[OscType], rate: u32) -> Result<Operation, Fault> {
    let expected = || expected_by(parameter);
    let argument = the_one_argument(arguments, &expected)?;
    let value = match (number(argument), argument) {
        (Some(value), _) => value,
        (None, OscType::String(name)) => match parameter.choices.iter().position(|choice| choice == name) {
            Some(place) => place as f64,
            None if parameter.choices.is_empty() => return Err(wrong_type(argument, &expected())),
            None => return Err((Code::WrongType, format!("no such choice; expected {}", expected()))),
        },
        (None, _) => return Err(wrong_type(argument, &expected())),
    };
    check_finite(value)?;
    Ok(Operation::Set(place, parameter.clamp(value, rate)))
}

/// The operation that opens or closes the gate of the module in `row`. The original took anything that Python finds true; what is
/// on here is `true`, a number above 0 and the string "on", so that "off" and "0" are off.
pub fn switch(row: u8, arguments: &[OscType]) -> Result<Operation, Fault> {
    is_on(arguments).map(|on| Operation::Gate(row, on))
}

/// The one address that a string names; `None` if it is empty.
pub fn address(arguments: &[OscType]) -> Result<Option<String>, Fault> {
    let expected = || "an address such as \"/mod/filter/q\", or \"\" to leave it at that".to_string();
    match the_one_argument(arguments, &expected)? {
        OscType::String(address) => Ok(Some(address.clone()).filter(|address| !address.is_empty())),
        other => Err(wrong_type(other, &expected())),
    }
}

/// Whether an argument says on.
pub fn is_on(arguments: &[OscType]) -> Result<bool, Fault> {
    let expected = || "a number (above 0 is on), true, false, \"on\" or \"off\"".to_string();
    let argument = the_one_argument(arguments, &expected)?;
    let on = match (number(argument), argument) {
        (Some(value), _) => {
            check_finite(value)?;
            value > 0.0
        }
        (None, OscType::Bool(on)) => *on,
        (None, OscType::Nil) => false,
        (None, OscType::String(word)) => word == "on",
        (None, _) => return Err(wrong_type(argument, &expected())),
    };
    Ok(on)
}

fn the_one_argument<'a>(arguments: &'a [OscType], expected: &dyn Fn() -> String) -> Result<&'a OscType, Fault> {
    match arguments {
        [] => Err((Code::NoArgument, format!("a value is missing; expected {}", expected()))),
        [argument] => Ok(argument),
        more => Err((Code::WrongType, format!("{} arguments; expected one: {}", more.len(), expected()))),
    }
}

/// Any numeric type as the number it is; OSC's "infinitum" is infinity.
pub fn number(argument: &OscType) -> Option<f64> {
    match *argument {
        OscType::Int(value) => Some(f64::from(value)),
        OscType::Float(value) => Some(f64::from(value)),
        OscType::Double(value) => Some(value),
        // Above 2^53 the nearest double: every range ends far below.
        OscType::Long(value) => Some(value as f64),
        OscType::Inf => Some(f64::INFINITY),
        _ => None,
    }
}

/// Refuses what is no number.
pub fn check_finite(value: f64) -> Result<(), Fault> {
    if value.is_finite() {
        return Ok(());
    }
    Err((Code::NotFinite, "NaN or infinity: the value was refused and nothing changed".to_string()))
}

pub(super) fn wrong_type(argument: &OscType, expected: &str) -> Fault {
    (Code::WrongType, format!("got {}; expected {expected}", type_name(argument)))
}

fn expected_by(parameter: &Parameter) -> String {
    if parameter.choices.is_empty() {
        return "a number (type i, f, h or d)".to_string();
    }
    let choices: Vec<_> = parameter.choices.iter().enumerate().map(|(n, name)| format!("{n} or \"{name}\"")).collect();
    choices.join(", ")
}

fn type_name(argument: &OscType) -> &'static str {
    match argument {
        OscType::Int(_) | OscType::Long(_) | OscType::Float(_) | OscType::Double(_) | OscType::Inf => "a number",
        OscType::String(_) => "a string",
        OscType::Blob(_) => "a blob",
        OscType::Time(_) => "a time tag",
        OscType::Char(_) => "a character",
        OscType::Color(_) => "a colour",
        OscType::Midi(_) => "a MIDI message",
        OscType::Bool(_) => "true or false",
        OscType::Array(_) => "an array",
        OscType::Nil => "nil",
    }
}

/// Test builds: the poison that a word names.
#[cfg(feature = "faults")]
pub fn poison(arguments: &[OscType]) -> Result<Operation, (Code, String)> {
    let named = |word: &str| abi::Poison::ALL.into_iter().find(|poison| poison.name() == word);
    let found = match arguments {
        [OscType::String(word)] => named(word),
        _ => None,
    };
    found.map(Operation::Poison).ok_or((Code::WrongType, "the poisons are the names in abi::Poison".to_owned()))
}

#[cfg(test)]
mod tests {
    use rosc::{OscArray, OscColor, OscMidiMessage, OscTime};

    use super::*;
    use crate::input::catalogue::{at, parameters, power_on};

    const RATE: u32 = 48_000;
    const SINE_FREQ: Place = Place { row: 1, parameter: 0 };
    const SINE_GAIN: Place = Place { row: 1, parameter: 1 };
    const FILTER_MODE: Place = Place { row: 3, parameter: 0 };

    fn set_at(place: Place, arguments: &[OscType]) -> Result<Operation, Fault> {
        set(place, at(power_on(), place).unwrap().1, arguments, RATE)
    }

    fn set_one(place: Place, argument: OscType) -> Result<Operation, Code> {
        set_at(place, &[argument]).map_err(|(code, _)| code)
    }

    fn gate_one(argument: OscType) -> Result<bool, Code> {
        match switch(2, &[argument]) {
            Ok(Operation::Gate(2, on)) => Ok(on),
            Ok(other) => panic!("{other:?}"),
            Err((code, _)) => Err(code),
        }
    }

    fn not_values() -> Vec<OscType> {
        vec![
            OscType::Blob(vec![1]),
            OscType::Time(OscTime { seconds: 0, fractional: 1 }),
            OscType::Char('a'),
            OscType::Color(OscColor { red: 1, green: 1, blue: 1, alpha: 1 }),
            OscType::Midi(OscMidiMessage { port: 0, status: 1, data1: 1, data2: 1 }),
            OscType::Array(OscArray { content: vec![OscType::Int(1)] }),
        ]
    }

    #[test]
    fn every_numeric_type_is_taken_and_clamped() {
        use OscType::{Double, Float, Int, Long};
        for number in [Int(880), Float(880.0), Long(880), Double(880.0)] {
            assert_eq!(set_one(SINE_FREQ, number), Ok(Operation::Set(SINE_FREQ, 880.0)));
        }
        for (sent, taken) in [(Double(1e300), 23_990.0), (Long(i64::MIN), 0.1), (Float(-1.0), 0.1)] {
            assert_eq!(set_one(SINE_FREQ, sent), Ok(Operation::Set(SINE_FREQ, taken)));
        }
    }

    #[test]
    fn a_choice_is_taken_by_name_and_by_number() {
        let mode = |value| Ok(Operation::Set(FILTER_MODE, value));
        assert_eq!(set_one(FILTER_MODE, OscType::from("highpass")), mode(1.0));
        assert_eq!(set_one(FILTER_MODE, OscType::Float(1.6)), mode(2.0));
        assert_eq!(set_one(FILTER_MODE, OscType::from("brick")), Err(Code::WrongType));
        assert_eq!(set_one(SINE_GAIN, OscType::from("0.5")), Err(Code::WrongType));
    }

    #[test]
    fn what_is_no_value_is_refused_with_what_is_expected() {
        for argument in not_values() {
            assert_eq!(set_one(SINE_GAIN, argument.clone()), Err(Code::WrongType), "{argument:?}");
            assert_eq!(gate_one(argument.clone()), Err(Code::WrongType), "{argument:?}");
        }
        for argument in [OscType::Bool(true), OscType::Nil] {
            assert_eq!(set_one(SINE_GAIN, argument), Err(Code::WrongType));
        }
        let (code, text) = set_at(FILTER_MODE, &[OscType::Nil]).unwrap_err();
        assert_eq!(code, Code::WrongType);
        assert!(text.contains("2 or \"bandpass\""), "{text}");
    }

    #[test]
    fn nan_and_infinity_are_refused_everywhere() {
        use OscType::{Double, Float, Inf};
        for bad in [Float(f32::NAN), Float(f32::INFINITY), Double(f64::NAN), Double(f64::NEG_INFINITY), Inf] {
            assert_eq!(gate_one(bad.clone()), Err(Code::NotFinite));
            for (_, place, _) in parameters(power_on()) {
                let refused = set_at(place, std::slice::from_ref(&bad)).unwrap_err();
                assert_eq!(refused.0, Code::NotFinite);
                assert!(refused.1.contains("nothing changed"));
            }
        }
    }

    #[test]
    fn no_argument_and_too_many_are_told_apart() {
        let two = [OscType::Int(1), OscType::Int(2)];
        assert_eq!(set_at(SINE_FREQ, &[]).unwrap_err().0, Code::NoArgument);
        assert_eq!(switch(2, &[]).unwrap_err().0, Code::NoArgument);
        assert_eq!(set_at(SINE_FREQ, &two).unwrap_err().0, Code::WrongType);
        assert!(switch(2, &two).unwrap_err().1.contains("2 arguments"));
    }

    #[test]
    fn a_gate_is_on_for_true_positive_numbers_and_on() {
        for on in [OscType::Bool(true), OscType::Int(1), OscType::Float(0.001), OscType::Long(9), OscType::from("on")] {
            assert_eq!(gate_one(on.clone()), Ok(true), "{on:?}");
        }
        let off = ["off", "0", "1", "", "ON"].map(OscType::from).into_iter();
        for off in off.chain([OscType::Bool(false), OscType::Nil, OscType::Int(0), OscType::Double(-1.0)]) {
            assert_eq!(gate_one(off.clone()), Ok(false), "{off:?}");
        }
    }
}
