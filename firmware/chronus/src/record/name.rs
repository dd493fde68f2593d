//! Names of recordings: never a path, never hidden, and one nobody has yet.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Characters a name may have without its ending: more fills a line of any display.
const LONGEST: usize = 64;

/// The ending of a recording.
pub const ENDING: &str = ".wav";

/// Seconds from 1970 to 2025, before which no box was built: an earlier clock was never set.
const CLOCK_IS_SET: u64 = 1_735_689_600;

/// The file that a name stands for.
///
/// # Errors
/// What is wrong with the name, and what would be right.
pub fn file_of(name: &str) -> Result<String, String> {
    let cut = name.len().saturating_sub(ENDING.len());
    let has_ending = name.get(cut..).is_some_and(|end| end.eq_ignore_ascii_case(ENDING));
    let stem = if has_ending { &name[..cut] } else { name };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || " -_.".contains(letter);
    let begins = stem.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if stem.len() > LONGEST || !begins || stem.ends_with([' ', '.']) || !stem.chars().all(fits) {
        return Err(format!(
            "a name has 1 to {LONGEST} letters (a to z), digits, spaces and - _ . and begins with a letter or a digit; it is \
             no path, all recordings are in one folder"
        ));
    }
    Ok(format!("{stem}{ENDING}"))
}

/// What names begin with that nobody gave: the day, or where the clock was never set a word.
pub fn beginning(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    if seconds < CLOCK_IS_SET {
        return "take".to_owned();
    }
    let (year, month, day) = date(seconds / (24 * 60 * 60));
    format!("{year}-{month:02}-{day:02}")
}

/// The files that nobody's name is wanted for, from the first behind all there are: `BEGINNING-001.wav` and so on.
pub fn numbered(folder: &Path, beginning: String) -> impl Iterator<Item = String> {
    let number_of = |name: &str| -> Option<u64> {
        name.strip_prefix(beginning.as_str())?.strip_prefix('-')?.strip_suffix(ENDING)?.parse().ok()
    };
    let there = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let newest = there.filter_map(|entry| number_of(entry.file_name().to_str()?)).max().unwrap_or(0);
    (newest + 1..).map(move |number| format!("{beginning}-{number:03}{ENDING}"))
}

/// The files in which a recording goes on that was cut off: `NAME.2.wav` and so on.
pub fn continued(file: &str) -> impl Iterator<Item = String> {
    let stem = file.strip_suffix(ENDING).unwrap_or(file);
    // The second part has a number already, and the third is no part of the second.
    let (stem, first) = match stem.rsplit_once('.') {
        Some((stem, number)) if number.parse::<u32>().is_ok() => (stem, number.parse().unwrap_or(1)),
        _ => (stem, 1),
    };
    let stem = stem.to_owned();
    (first + 1..).map(move |number: u32| format!("{stem}.{number}{ENDING}"))
}

/// Year, month and day of the day so many days after 1 January 1970, in the Gregorian calendar (after Howard Hinnant's
/// "chrono-compatible low-level date algorithms": years begin in March, eras have 400 of them).
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_name_is_no_path_not_hidden_and_not_long() {
        for (name, file) in [
            ("take 3", "take 3.wav"),
            ("A", "A.wav"),
            ("x.WAV", "x.wav"),
            ("2026-01-01.b_c", "2026-01-01.b_c.wav"),
            ("w.wav.wav", "w.wav.wav"),
        ] {
            assert_eq!(file_of(name), Ok(file.to_owned()));
        }
        let long = "x".repeat(LONGEST + 1);
        for wrong in [
            "",
            ".wav",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc/passwd",
            ".hidden",
            "-x",
            " x",
            "x ",
            "x.",
            "x\0",
            "x\ny",
            "ü",
            "x\\y",
            "a:b",
            "*",
            long.as_str(),
            "日本語.wav",
        ] {
            assert!(file_of(wrong).is_err(), "{wrong:?}");
        }
        assert!(file_of(&long[1..]).is_ok());
    }

    #[test]
    fn the_day_is_the_calendars() {
        for (seconds, day) in [
            (CLOCK_IS_SET - 1, "take"),
            (CLOCK_IS_SET, "2025-01-01"),
            (1_835_395_199, "2028-02-28"),
            (1_835_395_200, "2028-02-29"),
            (1_835_481_600, "2028-03-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(beginning(UNIX_EPOCH + Duration::from_secs(seconds)), day, "{seconds}");
        }
    }

    #[test]
    fn numbers_go_on_behind_what_is_there() {
        let folder = std::env::temp_dir().join(format!("chronus-names-{}", std::process::id()));
        assert_eq!(numbered(&folder, "take".to_owned()).next().unwrap(), "take-001.wav", "no folder yet");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["take-003.wav", "take-1000.wav", "other-2000.wav", "take-x.wav", "take-4000"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(numbered(&folder, "take".to_owned()).next().unwrap(), "take-1001.wav");
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(continued("a.wav").take(2).collect::<Vec<_>>(), ["a.2.wav", "a.3.wav"]);
        assert_eq!(continued("a.2.wav").next().unwrap(), "a.3.wav");
        assert_eq!(continued("v.x.wav").next().unwrap(), "v.x.2.wav");
    }
}
