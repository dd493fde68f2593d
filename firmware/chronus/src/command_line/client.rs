//! The arguments of the commands that talk to a running engine.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs};

use lexopt::{Arg, Parser, ValueExt};

use super::options::{Wrong, unexpected};

/// Where an engine is looked for if nothing else is said: this machine, the engine's own default port.
const DEFAULT_SERVER: &str = "127.0.0.1:5005";

/// `chronus status [--json] [ADDR:PORT]`.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusOptions {
    /// The engine to ask.
    pub server: SocketAddr,
    /// JSON instead of a table.
    pub json: bool,
}

impl StatusOptions {
    /// Reads the arguments after `status`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Wrong> {
        let mut parser = Parser::from_args(arguments);
        let (mut server, mut json) = (None, false);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("json") => json = true,
                Arg::Value(text) if server.is_none() => server = Some(server_address(&text.string()?)?),
                other => return Err(unexpected(other, "status")),
            }
        }
        Ok(Self { server: server.map_or_else(|| server_address(DEFAULT_SERVER), Ok)?, json })
    }
}

/// `chronus send [ADDR:PORT] ADDRESS ARG...`.
#[derive(Clone, Debug, PartialEq)]
pub struct SendOptions {
    /// The engine to send to.
    pub server: SocketAddr,
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
            (server_address(DEFAULT_SERVER)?, first)
        } else {
            (server_address(&first)?, words.next().ok_or_else(missing)?)
        };
        if !address.starts_with('/') {
            return Err(Wrong(format!("'{address}' is no OSC address: those begin with '/', such as /mod/sine/freq")));
        }
        Ok(Self { server, address, arguments: words.collect() })
    }
}

fn server_address(text: &str) -> Result<SocketAddr, Wrong> {
    let wrong = |reason: String| {
        Wrong(format!("'{text}' is no engine's address: {reason}; expected ADDR:PORT, such as 127.0.0.1:5005"))
    };
    text.to_socket_addrs()
        .map_err(|error| wrong(error.to_string()))?
        .next()
        .ok_or_else(|| wrong("it has no address".to_owned()))
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
        assert_eq!((options.server.port(), options.arguments), (5005, vec!["-1".to_owned()]));
        assert_eq!(SendOptions::parse(&words("127.0.0.1:6000 /status")).unwrap().server.port(), 6000);
        for wrong in ["", "127.0.0.1:6000", "sine 5", "127.0.0.1:6000 status"] {
            assert!(SendOptions::parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn status_takes_json_and_a_server() {
        assert!(StatusOptions::parse(&words("--json 127.0.0.1:6000")).unwrap().json);
        assert!(StatusOptions::parse(&words("--yaml")).is_err());
        assert!(StatusOptions::parse(&words("here")).is_err());
    }
}
