//! What the command line asks for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::hogs::Strength;

/// Hours without being told: a night.
const HOURS: f64 = 8.0;

/// The longest time that can be asked for, in hours: a year, which no one waits for by mistake.
const MOST_HOURS: f64 = 365.0 * 24.0;

/// Options of a soak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How long it plays.
    pub time: Duration,
    /// Of the music and of the order of faults.
    pub seed: u64,
    /// How busy the machine is kept.
    pub strength: Strength,
}

impl Options {
    /// Reads the words of the command line.
    ///
    /// # Errors
    /// In words, about the option that is wrong.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
        let mut options = Self { time: hours(HOURS)?, seed: now, strength: Strength::usual() };
        while let Some(option) = words.next() {
            let value = words.next().ok_or_else(|| format!("{option} needs a value, or is no option"))?;
            let whole = || value.parse::<u64>().map_err(|_| format!("{option} wants a whole number, not {value:?}"));
            let fraction = || value.parse::<f64>().map_err(|_| format!("{option} wants a number, not {value:?}"));
            match option.as_str() {
                "--hours" => options.time = hours(fraction()?)?,
                "--minutes" => options.time = hours(fraction()? / 60.0)?,
                "--seed" => options.seed = whole()?,
                "--busy-threads" => options.strength.threads = whole()?,
                "--disk-mib" => options.strength.disk_mib = whole()?,
                "--datagrams" => options.strength.datagrams = whole()?,
                _ => return Err(format!("there is no option {option}")),
            }
        }
        Ok(options)
    }
}

fn hours(hours: f64) -> Result<Duration, String> {
    // Less than ten seconds has no fault to report.
    let least = 10.0 / 3600.0;
    if !(least..=MOST_HOURS).contains(&hours) {
        return Err(format!("the time must be from 10 seconds to a year, not {hours} hours"));
    }
    Ok(Duration::from_secs_f64(hours * 3600.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn times_are_hours_or_minutes_and_eight_hours_without_a_word() {
        assert_eq!(read("").map(|options| options.time), Ok(Duration::from_secs(8 * 3600)));
        assert_eq!(read("--hours 0.5").map(|options| options.time), Ok(Duration::from_secs(1800)));
        assert_eq!(read("--minutes 2 --seed 9").map(|options| (options.time.as_secs(), options.seed)), Ok((120, 9)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, word) in [
            ("--hours", "--hours needs a value"),
            ("--hours no", "\"no\""),
            ("--hours 0", "10 seconds"),
            ("--seed 1.5", "whole number"),
            ("--loud 1", "no option --loud"),
        ] {
            let error = read(line).expect_err("it is wrong");
            assert!(error.contains(word), "{line}: {error}");
        }
    }
}
