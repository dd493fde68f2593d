//! The arguments of the commands for the box.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser};

use super::options::{Wrong, unexpected};

/// `chronus check-config FILE` and `chronus apply-config FILE --into FOLDER`.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingsOptions {
    /// chronus.toml.
    pub file: PathBuf,
    /// Where what is made of it goes; `None` to check alone.
    pub into: Option<PathBuf>,
}

impl SettingsOptions {
    /// Reads the arguments after `command`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(command: &str, arguments: &[OsString]) -> Result<Self, Wrong> {
        let applies = command == "apply-config";
        let (mut parser, mut file, mut into) = (Parser::from_args(arguments), None, None);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("into") if applies => {
                    let folder = parser.value().map_err(|_| Wrong("--into needs a value: a folder".to_owned()))?;
                    into = Some(PathBuf::from(folder));
                }
                Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
                other => return Err(unexpected(other, command)),
            }
        }
        let file = file.ok_or_else(|| Wrong(format!("a file is needed: chronus {command} chronus.toml")))?;
        if applies && into.is_none() {
            return Err(Wrong(
                "a folder is needed: chronus apply-config chronus.toml --into FOLDER (check-config writes nothing)"
                    .to_owned(),
            ));
        }
        Ok(Self { file, into })
    }
}

/// `chronus keep-learned LEFT --file FILE --into FOLDER`.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedOptions {
    /// What the engine has left.
    pub left: PathBuf,
    /// chronus.toml, which is read.
    pub file: PathBuf,
    /// Where what is made of both goes.
    pub into: PathBuf,
}

impl LearnedOptions {
    /// Reads the arguments after `keep-learned`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Wrong> {
        let (mut parser, mut left, mut file, mut into) = (Parser::from_args(arguments), None, None, None);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("file") => file = Some(PathBuf::from(parser.value()?)),
                Arg::Long("into") => into = Some(PathBuf::from(parser.value()?)),
                Arg::Value(path) if left.is_none() => left = Some(PathBuf::from(path)),
                other => return Err(unexpected(other, "keep-learned")),
            }
        }
        let all = left.zip(file).zip(into).map(|((left, file), into)| Self { left, file, into });
        all.ok_or_else(|| Wrong("three are needed: chronus keep-learned LEFT --file FILE --into FOLDER".to_owned()))
    }
}

/// `chronus selftest [--json]`: whether JSON is wanted.
///
/// # Errors
/// What is wrong with the arguments.
pub fn selftest_as_json(arguments: &[OsString]) -> Result<bool, Wrong> {
    let (mut parser, mut json) = (Parser::from_args(arguments), false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("json") => json = true,
            other => return Err(unexpected(other, "selftest")),
        }
    }
    Ok(json)
}

/// A command that takes no arguments.
///
/// # Errors
/// If there are some.
pub fn no_arguments(command: &str, arguments: &[OsString]) -> Result<(), Wrong> {
    let mut parser = Parser::from_args(arguments);
    parser.next()?.map_or(Ok(()), |argument| Err(unexpected(argument, command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_the_file_and_where_to() {
        let parse =
            |text: &str| LearnedOptions::parse(&text.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        let options = parse("/run/l.toml --file /box/chronus.toml --into /run/chronus").unwrap();
        let [left, file, into] = ["/run/l.toml", "/box/chronus.toml", "/run/chronus"].map(PathBuf::from);
        assert_eq!(options, LearnedOptions { left, file, into });
        for text in ["", "x --file y", "x --into y", "--file y --into z"] {
            assert!(parse(text).unwrap_err().0.contains("three are needed"), "{text}");
        }
        assert!(parse("x y --file z --into z").unwrap_err().0.contains("keep-learned --help"));
    }

    #[test]
    fn a_file_and_where_to() {
        let parse = |command: &str, text: &str| {
            SettingsOptions::parse(command, &text.split_whitespace().map(OsString::from).collect::<Vec<_>>())
        };
        let options = parse("apply-config", "--into /run/chronus /box/chronus.toml").unwrap();
        assert_eq!((options.file, options.into), ("/box/chronus.toml".into(), Some("/run/chronus".into())));
        assert_eq!(parse("check-config", "x.toml").unwrap().into, None);
        for (command, text, hint) in [
            ("apply-config", "x.toml", "--into FOLDER"),
            ("apply-config", "x.toml --into", "a folder"),
            ("apply-config", "--into /tmp", "a file is needed"),
            ("check-config", "x.toml --into /tmp", "check-config --help"),
            ("check-config", "x.toml y.toml", "check-config --help"),
        ] {
            let wrong = parse(command, text).unwrap_err();
            assert!(wrong.0.contains(hint), "{text}: {wrong}");
        }
    }
}
