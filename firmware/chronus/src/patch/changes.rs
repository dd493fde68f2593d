//! When what is played is to be written: a second after it was last changed.

use rt::clock::NANOSECONDS;

/// How long nothing must have changed, in nanoseconds: who turns a knob causes one write, not a hundred.
const REST: u64 = NANOSECONDS;

/// How long a change that is followed by others may stay unwritten, in nanoseconds: a sequencer that changes a value for
/// hours must not keep all others from the file, and a card bears a write in ten seconds for years.
const LONGEST: u64 = 10 * NANOSECONDS;

/// What is in the file, and what was seen of late: as texts.
pub struct Changes {
    kept: Option<String>,
    seen: Option<String>,
    /// When `seen` was first seen, and when it first was other than `kept`: nanoseconds of CLOCK_MONOTONIC.
    last: u64,
    first: Option<u64>,
}

impl Changes {
    /// Changes from what is in the file; `None` if that is not known, and is to be written in any case.
    pub fn since(kept: Option<String>) -> Self {
        Self { kept, seen: None, last: 0, first: None }
    }

    /// Takes notice of what is played at a time of CLOCK_MONOTONIC, in nanoseconds; true if it is to be written now.
    pub fn look(&mut self, text: String, now: u64) -> bool {
        if self.seen.as_ref() != Some(&text) {
            (self.seen, self.last) = (Some(text), now);
        }
        if !self.pending() {
            self.first = None;
            return false;
        }
        let first = *self.first.get_or_insert(now);
        now >= self.last + REST || now >= first + LONGEST
    }

    /// Whether what was seen last is not in the file.
    pub fn pending(&self) -> bool {
        self.seen.is_some() && self.seen != self.kept
    }

    /// This is in the file now.
    pub fn written(&mut self, text: String) {
        (self.kept, self.first) = (Some(text), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: u64 = NANOSECONDS / 10;

    fn values(first: f64) -> String {
        first.to_string()
    }

    /// Looks every tenth of a second at what `play` says is played; the tenths at which it was written.
    fn written(kept: Option<String>, tenths: u64, play: impl Fn(u64) -> f64) -> Vec<u64> {
        let mut changes = Changes::since(kept);
        let looks = (0..tenths).filter(|tenth| {
            let due = changes.look(values(play(*tenth)), 5 + tenth * TENTH);
            if due {
                changes.written(values(play(*tenth)));
            }
            due
        });
        looks.collect()
    }

    #[test]
    fn it_is_written_once_a_second_after_the_last_change() {
        assert_eq!(written(Some(values(1.0)), 100, |_| 1.0), [0; 0], "nothing has changed");
        assert_eq!(written(Some(values(1.0)), 100, |tenth| tenth.min(7) as f64), [17]);
        assert_eq!(written(None, 100, |_| 1.0), [10], "what is in the file is not known");
    }

    #[test]
    fn changes_without_end_are_written_now_and_then() {
        assert_eq!(written(Some(values(-1.0)), 350, |tenth| tenth as f64), [100, 201, 302]);
    }

    #[test]
    fn what_is_seen_for_a_moment_is_not_written() {
        assert_eq!(written(Some(values(1.0)), 400, |tenth| if tenth % 9 == 0 { 7.0 } else { 1.0 }), [0; 0]);
    }

    #[test]
    fn what_could_not_be_written_stays_due() {
        let mut changes = Changes::since(Some(values(1.0)));
        assert!(
            !changes.look(values(2.0), 0) && changes.look(values(2.0), REST) && changes.look(values(2.0), 2 * REST)
        );
        changes.written(values(2.0));
        assert!(!changes.pending() && !changes.look(values(2.0), 20 * LONGEST));
    }
}
