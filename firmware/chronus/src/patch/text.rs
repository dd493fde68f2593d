//! The text of the file: TOML, a table for each module, names as in the addresses.

use std::fmt::Write;

use abi::{Operation, PARAMETERS, Parameter, Values};
use rosc::OscType;
use toml::{Table, Value};

use crate::input::set_named;

/// The form of the file. Another one would have another number.
const SCHEMA: i64 = 1;

/// Values left out that are named one by one: more than a line is read by nobody.
const NAMED: usize = 8;

/// What a sound file says.
#[derive(Debug)]
pub struct Contents {
    /// What is to be set, each checked and brought into its range.
    pub operations: Vec<Operation>,
    /// What is not, and why.
    pub left_out: Vec<String>,
}

/// What is wrong with a file that is none.
#[derive(Debug)]
pub struct Damage {
    /// Counted from 1.
    pub line: usize,
    /// In words.
    pub why: String,
}

/// The file with these values.
pub fn write(values: &Values) -> String {
    let mut text = format!(
        "# The values of all parameters as they were last played. Chronus writes this file, and reads it when it starts.\n\
         schema = {SCHEMA}\n"
    );
    let mut module = "";
    for parameter in in_modules() {
        if parameter.module != module {
            module = parameter.module;
            let _ = write!(text, "\n[{module}]\n");
        }
        let _ = write!(text, "{} = {}", parameter.name, word(parameter, values[parameter.id as usize]));
        let _ = if parameter.unit.is_empty() { writeln!(text) } else { writeln!(text, " # {}", parameter.unit) };
    }
    text
}

/// All parameters, those of a module together: TOML takes a table once.
fn in_modules() -> Vec<&'static Parameter> {
    let first = |parameter: &&Parameter| PARAMETERS.iter().position(|other| other.module == parameter.module);
    let mut parameters: Vec<_> = PARAMETERS.iter().collect();
    parameters.sort_by_key(first);
    parameters
}

/// A value as it stands in the file: the name of a choice, or the shortest number that is read as the same.
fn word(parameter: &Parameter, value: f64) -> String {
    match parameter.choices.get(value as usize) {
        Some(choice) => format!("\"{choice}\""),
        None => format!("{value:?}"),
    }
}

/// Reads a file, for a sample rate in Hz.
///
/// # Errors
/// If it is no TOML, or of another form.
pub fn read(bytes: &[u8], rate: u32) -> Result<Contents, Damage> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Damage { line: line_of(bytes, error.valid_up_to()), why: "no text in UTF-8".to_owned() })?;
    let mut table: Table = toml::from_str(text).map_err(|error| Damage {
        line: line_of(bytes, error.span().map_or(0, |span| span.start)),
        why: error.message().lines().next().unwrap_or_default().to_owned(),
    })?;
    match table.remove("schema") {
        Some(Value::Integer(SCHEMA)) => {}
        found => {
            let line = text.lines().position(|line| line.trim_start().starts_with("schema")).unwrap_or(0) + 1;
            let found = found.map_or("nothing".to_owned(), |value| shown(&value.to_string()));
            return Err(Damage { line, why: format!("`schema = {SCHEMA}` is needed, and there is {found}") });
        }
    }
    let mut contents = Contents { operations: Vec::new(), left_out: Vec::new() };
    for (module, values) in table {
        match values {
            Value::Table(values) => values.into_iter().for_each(|(name, value)| {
                let set =
                    argument(value).and_then(|value| set_named(&module, &name, value, rate).map_err(|(_, why)| why));
                match set {
                    Ok(operation) => contents.operations.push(operation),
                    Err(why) => contents.left_out.push(format!("{}: {why}", shown(&format!("{module}.{name}")))),
                }
            }),
            _ => contents.left_out.push(format!("{}: no table of a module", shown(&module))),
        }
    }
    let more = contents.left_out.len().saturating_sub(NAMED);
    contents.left_out.truncate(NAMED);
    if more > 0 {
        contents.left_out.push(format!("and {more} more"));
    }
    Ok(contents)
}

/// A value of the file as it would have been sent.
fn argument(value: Value) -> Result<OscType, String> {
    match value {
        Value::Float(value) => Ok(OscType::Double(value)),
        Value::Integer(value) => Ok(OscType::Long(value)),
        Value::String(name) => Ok(OscType::String(name)),
        other => Err(format!("got a {}; expected a number or a name", other.type_str())),
    }
}

/// Words of the file for a message: on one line, and not too long.
fn shown(words: &str) -> String {
    words.escape_debug().take(80).collect()
}

/// The line in which a byte stands, counted from 1.
fn line_of(bytes: &[u8], place: usize) -> usize {
    bytes.iter().take(place).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values_of(text: &str, rate: u32) -> Values {
        let contents = read(text.as_bytes(), rate).unwrap();
        assert_eq!((contents.left_out, contents.operations.len()), (vec![], PARAMETERS.len()), "{text}");
        let mut values = [f64::NAN; PARAMETERS.len()];
        for operation in contents.operations {
            let Operation::Set(id, value) = operation else { panic!("only values are kept") };
            values[id as usize] = value;
        }
        values
    }

    #[test]
    fn all_values_come_back_to_the_last_bit() {
        for rate in abi::RATES {
            let lowest = PARAMETERS.each_ref().map(|parameter| parameter.minimum);
            let highest = PARAMETERS.each_ref().map(|parameter| parameter.maximum_at(rate));
            let odd = |share: f64| {
                let between = |parameter: &Parameter| {
                    let (low, high) = (parameter.minimum, parameter.maximum_at(rate));
                    parameter.clamp(low + (high - low) * share, rate)
                };
                PARAMETERS.each_ref().map(between)
            };
            // The smallest that a clamped value can be, too.
            let tiny = PARAMETERS.each_ref().map(|parameter| parameter.clamp(f64::from(f32::MIN_POSITIVE), rate));
            let shares = (1..200).map(|step| odd(f64::from(step) / 199.3));
            for values in [lowest, highest, tiny].into_iter().chain(shares) {
                assert_eq!(values_of(&write(&values), rate), values);
            }
        }
    }

    #[test]
    fn a_person_can_read_and_write_it() {
        let text = write(&PARAMETERS.each_ref().map(|parameter| parameter.default));
        assert!(text.contains("\n[sine]\nfreq = 440.0 # Hz\ngain = 0.5\n"), "{text}");
        assert!(text.contains("\n[filter]\nmode = \"lowpass\"\n"), "{text}");
        let own = read(b"schema = 1\nfilter.mode = 2\n[sine]\nfreq = 99999999", 48_000).unwrap();
        let expected =
            [Operation::Set(abi::ParameterId::FilterMode, 2.0), Operation::Set(abi::ParameterId::SineFreq, 23_990.0)];
        assert!(expected.iter().all(|operation| own.operations.contains(operation)), "{own:?}");
    }

    #[test]
    fn what_is_unknown_or_no_value_is_left_out_by_name_and_the_rest_is_taken() {
        let text = "schema = 1\nextra = 5\n[sine]\nfreq = 220\ngian = 1\ngain = nan\n[filter]\nmode = \"brick\"\n\
                    q = [1]\n[\"*\"]\nfreq = 1\n[reverb]\nroom.size = 1\n\"a\\nb\" = 2\n";
        let contents = read(text.as_bytes(), 48_000).unwrap();
        assert_eq!(contents.operations, [Operation::Set(abi::ParameterId::SineFreq, 220.0)]);
        let left_out = contents.left_out.join("; ");
        for word in ["extra", "sine.gian", "/mod/sine/gain", "sine.gain: NaN", "filter.mode", "filter.q", "*.freq"] {
            assert!(left_out.contains(word), "{word} is not in {left_out}");
        }
        assert!(!left_out.contains('\n') && contents.left_out.len() == 8, "{left_out}");
        let many: String = (0..20).map(|number| format!("unknown{number} = 1\n")).collect();
        let contents = read(format!("schema = 1\n{many}").as_bytes(), 48_000).unwrap();
        assert_eq!((contents.left_out.len(), contents.left_out[NAMED].as_str()), (NAMED + 1, "and 12 more"));
    }
}
