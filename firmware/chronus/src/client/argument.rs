//! OSC arguments as a person types and reads them.

use rosc::{OscMessage, OscType};

use crate::report::printable::one_line;

/// The argument that `word` means: by its prefix (`i: f: h: d: s:`), else by its look.
pub fn parse(word: &str) -> Result<OscType, String> {
    let bad = |what: &str| format!("{word} is not {what}; leave the prefix out, or use s: for a string");
    match word.split_once(':') {
        Some(("s", text)) => Ok(OscType::String(text.to_string())),
        Some(("i", text)) => text.parse().map(OscType::Int).map_err(|_| bad("a 32-bit integer")),
        Some(("h", text)) => text.parse().map(OscType::Long).map_err(|_| bad("a 64-bit integer")),
        Some(("f", text)) => text.parse().map(OscType::Float).map_err(|_| bad("a number")),
        Some(("d", text)) => text.parse().map(OscType::Double).map_err(|_| bad("a number")),
        _ => Ok(parse_by_look(word)),
    }
}

fn parse_by_look(word: &str) -> OscType {
    if let "true" | "false" = word {
        return OscType::Bool(word == "true");
    }
    let integer = || word.parse().map(OscType::Int).or_else(|_| word.parse().map(OscType::Long));
    // "nan" and "inf" are floats too, so that a user can see them refused.
    let float = || word.parse().map(OscType::Float);
    integer().or_else(|_| float()).unwrap_or_else(|_| OscType::String(word.to_string()))
}

/// A message on one line: `ADDRESS ARG ARG`. What comes from the network must not steer the
/// terminal, and is escaped. (rosc's own Display panics on time tags before 1970.)
pub fn line(message: &OscMessage) -> String {
    let arguments = message.args.iter().map(text);
    let words: Vec<_> = std::iter::once(one_line(&message.addr)).chain(arguments).collect();
    words.join(" ")
}

/// One argument as text.
pub fn text(argument: &OscType) -> String {
    match argument {
        OscType::Int(value) => value.to_string(),
        OscType::Long(value) => value.to_string(),
        OscType::Float(value) => value.to_string(),
        OscType::Double(value) => value.to_string(),
        OscType::String(text) => one_line(text),
        OscType::Char(character) => one_line(&character.to_string()),
        OscType::Bool(value) => value.to_string(),
        OscType::Nil => "nil".to_string(),
        OscType::Inf => "inf".to_string(),
        OscType::Blob(bytes) => format!("<{} bytes>", bytes.len()),
        OscType::Time(time) => format!("<time {}+{}/2^32>", time.seconds, time.fractional),
        OscType::Color(colour) => {
            format!("#{:02x}{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue, colour.alpha)
        }
        OscType::Midi(midi) => {
            format!("<midi {} {:02x} {:02x} {:02x}>", midi.port, midi.status, midi.data1, midi.data2)
        }
        OscType::Array(array) => format!("[{}]", array.content.iter().map(text).collect::<Vec<_>>().join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_typed_by_look_or_prefix() {
        for (word, expected) in [
            ("5", OscType::Int(5)),
            ("-5", OscType::Int(-5)),
            ("3000000000", OscType::Long(3_000_000_000)),
            ("99999999999999999999", OscType::Float(1e20)),
            ("0.5", OscType::Float(0.5)),
            ("1e3", OscType::Float(1000.0)),
            ("inf", OscType::Float(f32::INFINITY)),
            ("true", OscType::Bool(true)),
            ("false", OscType::Bool(false)),
            ("on", OscType::from("on")),
            ("x:5", OscType::from("x:5")),
            ("", OscType::from("")),
            ("s:5", OscType::from("5")),
            ("i:5", OscType::Int(5)),
            ("h:5", OscType::Long(5)),
            ("f:5", OscType::Float(5.0)),
            ("d:5", OscType::Double(5.0)),
        ] {
            assert_eq!(parse(word), Ok(expected), "{word}");
        }
        assert!(matches!(parse("nan"), Ok(OscType::Float(value)) if value.is_nan()));
        for word in ["i:5.5", "i:3000000000", "h:x", "f:", "d:on"] {
            assert!(parse(word).unwrap_err().contains("s: for a string"), "{word}");
        }
    }

    #[test]
    fn every_argument_prints_and_none_steers_the_terminal() {
        let args = vec![
            OscType::Int(1),
            OscType::Float(0.5),
            OscType::from("a\x1b[2J\nb"),
            OscType::Time((0, 1).into()),
            OscType::Blob(vec![0; 3]),
            OscType::Array([OscType::Nil, OscType::Bool(true)].into_iter().collect()),
        ];
        let message = OscMessage { addr: "/x\r".to_string(), args };
        assert_eq!(line(&message), r"/x\r 1 0.5 a\u{1b}[2J\nb <time 0+1/2^32> <3 bytes> [nil true]");
    }
}
