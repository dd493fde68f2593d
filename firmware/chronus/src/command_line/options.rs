//! What all commands share: reading arguments, and saying what is wrong with them.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lexopt::{Arg, Parser, ValueExt};

/// What is wrong with a command line or a configuration, in words. Ends in exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl Display for Wrong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<lexopt::Error> for Wrong {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

/// Reads a value of `option`; a bad one is refused with what would be right.
pub fn value_of<T: FromStr>(parser: &mut Parser, option: &str, expected: &str) -> Result<T, Wrong> {
    let value = parser.value().map_err(|_| Wrong(format!("{option} needs a value: {expected}")))?;
    let text = value.string().map_err(|_| Wrong(format!("{option} needs {expected}")))?;
    text.parse().map_err(|_| Wrong(format!("{option} {text}: needs {expected}")))
}

/// Refuses an argument nobody knows.
pub fn unexpected(argument: Arg<'_>, command: &str) -> Wrong {
    Wrong(format!("{}; `chronus {command} --help` shows what there is", argument.unexpected()))
}

/// Blocks of so many seconds, rounded up to whole blocks.
fn blocks_of_seconds(seconds: f64, rate: u32) -> Result<u64, Wrong> {
    if !(seconds.is_finite() && seconds >= 0.0) {
        return Err(Wrong(format!("--seconds {seconds}: needs a number of seconds, 0 or more, such as 10 or 2.5")));
    }
    Ok((seconds * f64::from(rate) / abi::FRAMES as f64).ceil() as u64)
}

/// How long it is to be: in blocks or in seconds, not both; `None` if nothing is said.
pub fn length(blocks: Option<u64>, seconds: Option<f64>, rate: u32) -> Result<Option<u64>, Wrong> {
    match (blocks, seconds) {
        (Some(_), Some(_)) => Err(Wrong("--blocks and --seconds both say how long: leave one of them out".to_owned())),
        (blocks, None) => Ok(blocks),
        (None, Some(seconds)) => blocks_of_seconds(seconds, rate).map(Some),
    }
}

/// Refuses a file that is named for two purposes: one would destroy the other. What is no ordinary file
/// (`/dev/null`) may be named as often as one likes.
pub fn distinct(files: &[&Path]) -> Result<(), Wrong> {
    let identity =
        |path: &Path| std::fs::metadata(path).ok().filter(Metadata::is_file).map(|file| (file.dev(), file.ino()));
    for (place, file) in files.iter().enumerate() {
        for other in &files[..place] {
            let same = identity(file).map_or(!file.exists() && file == other, |own| identity(other) == Some(own));
            if same {
                return Err(Wrong(format!(
                    "{} is named twice: reading and writing it at once would destroy it",
                    file.display()
                )));
            }
        }
    }
    Ok(())
}

/// Checks a sample rate.
pub fn checked_rate(rate: u32) -> Result<u32, Wrong> {
    if abi::RATES.contains(&rate) {
        return Ok(rate);
    }
    let rates = abi::RATES.map(|rate| rate.to_string()).join(", ");
    Err(Wrong(format!("--rate {rate}: the engine runs at {rates} Hz")))
}

/// `chronus render SCORE OUT.wav [--blocks N | --seconds S] [--rate HZ]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderOptions {
    /// The score file.
    pub score: PathBuf,
    /// The WAV file to write.
    pub output: PathBuf,
    /// Blocks to render; `None` for as long as the score is.
    pub blocks: Option<u64>,
    /// Sample rate in Hz.
    pub rate: u32,
}

impl RenderOptions {
    /// Reads the arguments after `render`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Wrong> {
        let mut parser = Parser::from_args(arguments);
        let (mut files, mut blocks, mut seconds, mut rate) = (Vec::new(), None, None, 48_000);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Value(file) if files.len() < 2 => files.push(PathBuf::from(file)),
                Arg::Long("blocks") => blocks = Some(value_of(&mut parser, "--blocks", "a whole number of blocks")?),
                Arg::Long("seconds") => {
                    seconds = Some(value_of::<f64>(&mut parser, "--seconds", "a number of seconds")?)
                }
                Arg::Long("rate") => rate = checked_rate(value_of(&mut parser, "--rate", "a sample rate in Hz")?)?,
                other => return Err(unexpected(other, "render")),
            }
        }
        let [score, output] = <[PathBuf; 2]>::try_from(files)
            .map_err(|_| Wrong("two files are needed: chronus render SCORE OUT.wav".to_owned()))?;
        distinct(&[&score, &output])?;
        Ok(Self { score, output, blocks: length(blocks, seconds, rate)?, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_under_two_names_is_found_out() {
        let folder = std::env::temp_dir().join(format!("chronus-distinct-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("a"), folder.join("b"));
        std::fs::write(&file, b"score").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(distinct(&[&file, &link]).is_err());
        assert!(distinct(&[&file, &folder.join("c")]).is_ok());
        assert!(distinct(&[Path::new("/dev/null"), Path::new("/dev/null")]).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn render_takes_two_files_and_one_length() {
        let parse = |text: &str| RenderOptions::parse(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        let options = parse("a.osc --seconds 1 b.wav --rate 96000").unwrap();
        assert_eq!((options.blocks, options.rate, options.output), (Some(375), 96_000, "b.wav".into()));
        assert!(parse("a.osc b.wav --blocks 3 --seconds 1").unwrap_err().0.contains("leave one of them out"));
        assert!(parse("a.osc").unwrap_err().0.contains("two files"));
        assert!(parse("a.osc a.osc").unwrap_err().0.contains("named twice"));
    }
}
