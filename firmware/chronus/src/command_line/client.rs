//! The arguments of the commands that talk to a running engine.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt};
use rosc::OscType;

use super::options::{Wrong, unexpected};

/// Where an engine is looked for if nothing else is said: this machine, the engine's own default port.
const DEFAULT_SERVER: &str = "127.0.0.1:5005";

/// How the status is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StatusForm {
    /// A few lines, for a person.
    Summary,
    /// Every counter, a line or a group each.
    All,
    /// For programs.
    Json,
}

/// `chronus status [--all | --json] [ADDR:PORT]`, and `chronus controls` with `--json`.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusOptions {
    /// The engine to ask, as ADDR:PORT.
    pub server: String,
    /// How it is shown.
    pub form: StatusForm,
}

impl StatusOptions {
    /// Reads the arguments after `status`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Wrong> {
        Self::parse_for("status", arguments)
    }

    /// Reads the arguments after a command that takes the same.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse_for(command: &str, arguments: &[OsString]) -> Result<Self, Wrong> {
        let mut parser = Parser::from_args(arguments);
        let (mut server, mut form) = (None, StatusForm::Summary);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("json") => form = StatusForm::Json,
                Arg::Long("all") => form = StatusForm::All,
                Arg::Value(text) if server.is_none() => server = Some(server_address(text.string()?)?),
                other => return Err(unexpected(other, command)),
            }
        }
        Ok(Self { server: server.unwrap_or_else(|| DEFAULT_SERVER.to_owned()), form })
    }
}

/// `chronus send [ADDR:PORT] ADDRESS ARG...`.
#[derive(Clone, Debug, PartialEq)]
pub struct SendOptions {
    /// The engine to send to, as ADDR:PORT.
    pub server: String,
    /// The OSC address.
    pub address: String,
    /// Its arguments, as typed.
    pub arguments: Vec<String>,
}

impl SendOptions {
    /// Reads the arguments after `send`. Nothing after the OSC address is an option: it may be a negative number.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Wrong> {
        let words: Option<Vec<String>> = arguments.iter().map(|word| word.to_str().map(str::to_owned)).collect();
        let words = words.ok_or_else(|| Wrong("arguments must be UTF-8 text".to_owned()))?;
        let missing = || Wrong("an OSC address is needed, such as: chronus send /gate/adsr 1".to_owned());
        let mut words = words.into_iter();
        let first = words.next().ok_or_else(missing)?;
        let (server, address) = if first.starts_with('/') {
            (DEFAULT_SERVER.to_owned(), first)
        } else {
            (server_address(first)?, words.next().ok_or_else(missing)?)
        };
        if !address.starts_with('/') {
            return Err(Wrong(format!("'{address}' is no OSC address: those begin with '/', such as /mod/sine/freq")));
        }
        Ok(Self { server, address, arguments: words.collect() })
    }
}

/// `chronus record WORD...`.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordOptions {
    /// The engine to ask, as ADDR:PORT.
    pub server: String,
    /// The OSC address.
    pub address: &'static str,
    /// Its arguments.
    pub arguments: Vec<OscType>,
}

impl RecordOptions {
    /// Reads the arguments after `record`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Wrong> {
        let (mut parser, mut server, mut words) = (Parser::from_args(arguments), None, Vec::new());
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("server") => server = Some(server_address(parser.value()?.string()?)?),
                Arg::Value(word) if words.len() < 3 => words.push(word.string()?),
                other => return Err(unexpected(other, "record")),
            }
        }
        let server = server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let text = |word: &str| OscType::String(word.to_owned());
        let minutes = |word: &str| {
            let minutes = word.parse().map(OscType::Double);
            minutes.map_err(|_| Wrong(format!("'{word}' is no number of minutes; such as: chronus record keep 5")))
        };
        let (address, arguments) = match words[..] {
            ["start"] => ("/record/start", vec![]),
            ["start", name] => ("/record/start", vec![text(name)]),
            ["stop"] => ("/record/stop", vec![]),
            ["status"] => ("/record/status", vec![]),
            ["keep", length] => ("/record/keep", vec![minutes(length)?]),
            ["keep", length, name] => ("/record/keep", vec![minutes(length)?, text(name)]),
            _ => return Err(Wrong("there is record start [NAME], stop, status, keep MINUTES [NAME]".to_owned())),
        };
        Ok(Self { server, address, arguments })
    }
}

/// `chronus jig [ADDR:PORT]`: the engine to ask, as ADDR:PORT.
///
/// # Errors
/// What is wrong with the arguments.
pub fn jig_server(arguments: &[OsString]) -> Result<String, Wrong> {
    let (mut parser, mut server) = (Parser::from_args(arguments), None);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(text) if server.is_none() => server = Some(server_address(text.string()?)?),
            other => return Err(unexpected(other, "jig")),
        }
    }
    Ok(server.unwrap_or_else(|| DEFAULT_SERVER.to_owned()))
}

/// Checks the form alone. Whether there is a machine of that name is found out when it is asked.
fn server_address(text: String) -> Result<String, Wrong> {
    match text.rsplit_once(':') {
        Some((machine, port)) if !machine.is_empty() && port.parse::<u16>().is_ok() => Ok(text),
        _ => Err(Wrong(format!("'{text}' is no engine's address; expected ADDR:PORT, such as 127.0.0.1:5005"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn send_takes_a_server_or_not_and_negative_numbers() {
        let options = SendOptions::parse(&words("/mod/sine/gain -1")).unwrap();
        assert_eq!((options.server.as_str(), options.arguments), (DEFAULT_SERVER, vec!["-1".to_owned()]));
        assert_eq!(SendOptions::parse(&words("127.0.0.1:6000 /status")).unwrap().server, "127.0.0.1:6000");
        assert_eq!(SendOptions::parse(&words("desk.local:6000 /status")).unwrap().server, "desk.local:6000");
        for wrong in ["localhost:99999 /test", ":5005 /test", "", "127.0.0.1:6000", "sine 5", "127.0.0.1:6000 status"] {
            assert!(SendOptions::parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn record_takes_names_minutes_and_a_server() {
        let parse = |text| RecordOptions::parse(&words(text));
        let options = parse("keep 2.5 jam --server box.local:5005").unwrap();
        assert_eq!((options.server.as_str(), options.address), ("box.local:5005", "/record/keep"));
        assert_eq!(options.arguments, [OscType::Double(2.5), OscType::String("jam".to_owned())]);
        assert_eq!(parse("start").unwrap().arguments, []);
        for wrong in ["", "begin", "stop now", "keep", "keep long", "start a b", "status --json", "stop --server x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn status_takes_json_and_a_server() {
        assert!(StatusOptions::parse(&words("--json 127.0.0.1:6000")).unwrap().form == StatusForm::Json);
        assert!(StatusOptions::parse(&words("--yaml")).is_err());
        assert!(StatusOptions::parse(&words("here")).is_err());
        assert_eq!(jig_server(&words("box.local:5005")).unwrap(), "box.local:5005");
        assert!(jig_server(&words("box")).is_err() && jig_server(&words("--all")).is_err());
    }
}
