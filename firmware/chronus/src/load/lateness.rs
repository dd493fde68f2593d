//! Says that blocks were late: of all that happens it is what is heard.

use rt::clock::NANOSECONDS;

/// Between two messages: more often nobody reads them.
const INTERVAL: u64 = NANOSECONDS;

/// What was said of late blocks.
#[derive(Default)]
pub struct Lateness {
    /// Late blocks that are known.
    told: u64,
    /// When the next message may be, on CLOCK_MONOTONIC.
    not_before: u64,
}

impl Lateness {
    /// Looks at the count of late blocks at `now` on CLOCK_MONOTONIC, with a period of so many nanoseconds. Gives what is
    /// to be said. An overload has messages of its own.
    pub fn look(&mut self, now: u64, late: u64, overload: bool, period: u64) -> Option<String> {
        if overload {
            self.told = late;
        }
        let news = late.saturating_sub(self.told);
        if news == 0 || now < self.not_before {
            return None;
        }
        (self.told, self.not_before) = (late, now + INTERVAL);
        let (blocks, were) = if news == 1 { ("block", "was") } else { ("blocks", "were") };
        let milliseconds = (news * period) as f64 / 1e6;
        Some(format!(
            "{news} {blocks} ({milliseconds:.0} ms) {were} late: no worker had them in time, and that was heard as a gap. \
             The workers were dead, stopped, or kept from their cores by other programs"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_blocks_are_told_once_and_at_most_once_a_second() {
        let mut lateness = Lateness::default();
        let mut look = |tenths: u64, late, overload| {
            let text = lateness.look(1 + tenths * NANOSECONDS / 10, late, overload, 5_333_333)?;
            text.split_once(':').map(|(first, _)| first.to_owned())
        };
        assert_eq!(look(0, 0, false), None);
        assert_eq!(look(1, 1, false).as_deref(), Some("1 block (5 ms) was late"));
        assert_eq!(look(2, 12, false), None, "a tenth of a second later");
        assert_eq!(look(11, 12, false).as_deref(), Some("11 blocks (59 ms) were late"));
        assert_eq!(look(30, 12, false), None);
        assert_eq!(look(40, 300, true), None, "the overload says it");
        assert_eq!(look(60, 300, false), None);
    }
}
