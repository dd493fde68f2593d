//! What a soak came to, and the verdict on it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::watch::Cause;

/// Faults of one kind.
#[derive(Clone, Debug, Default)]
pub struct OfKind {
    /// How many there were.
    pub count: u64,
    /// Workers that were lost meanwhile.
    pub lost: u64,
    /// From the fault to lockstep of both slots, in milliseconds, of those that cost a worker; of the main process, to
    /// the time at which the next block was due.
    pub recovery_ms: Vec<f64>,
}

/// Sums over all segments.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Time played.
    pub time: Duration,
    /// Engines that were started.
    pub segments: u64,
    /// Blocks compared.
    pub blocks: u64,
    /// Blocks that were played and lost on their way into the file when the main process was killed.
    pub unwritten: u64,
    /// Blocks that differ from the kept score.
    pub differing: u64,
    /// Of these, such that no late block explains.
    pub unexplained: u64,
    /// Late blocks by cause.
    pub late: BTreeMap<Cause, u64>,
    /// Faults by the name of their kind.
    pub faults: BTreeMap<String, OfKind>,
    /// Faults after which the engine was not well again within the time limit.
    pub unrecovered: u64,
    /// Poisons sent that must be taken out of the engine.
    pub poisons: u64,
    /// Of the engines' own counts, by the name the engine has for them.
    pub counts: BTreeMap<&'static str, u64>,
    /// Messages of music sent.
    pub messages: u64,
    /// Segments that were long enough for what grows to be found.
    pub searched: u64,
    /// What grew, in words.
    pub leaks: Vec<String>,
    /// Processes that outlived their engine.
    pub left_over: u64,
    /// What else went wrong: an engine that ended, a recording that broke off.
    pub failures: Vec<String>,
}

impl Tally {
    /// Adds what a segment came to.
    pub fn add(&mut self, other: Self) {
        self.time += other.time;
        for (sum, more) in [
            (&mut self.segments, other.segments),
            (&mut self.blocks, other.blocks),
            (&mut self.unwritten, other.unwritten),
            (&mut self.differing, other.differing),
            (&mut self.unexplained, other.unexplained),
            (&mut self.unrecovered, other.unrecovered),
            (&mut self.poisons, other.poisons),
            (&mut self.messages, other.messages),
            (&mut self.left_over, other.left_over),
            (&mut self.searched, other.searched),
        ] {
            *sum += more;
        }
        for (cause, count) in other.late {
            *self.late.entry(cause).or_default() += count;
        }
        for (name, count) in other.counts {
            self.count(name, count);
        }
        for (name, more) in other.faults {
            let of = self.of(&name);
            of.count += more.count;
            of.lost += more.lost;
            of.recovery_ms.extend(more.recovery_ms);
        }
        self.leaks.extend(other.leaks);
        self.failures.extend(other.failures);
    }

    /// Adds to one of the engines' own counts.
    pub fn count(&mut self, name: &'static str, more: u64) {
        *self.counts.entry(name).or_default() += more;
    }

    /// The faults of a kind.
    pub fn of(&mut self, name: &str) -> &mut OfKind {
        self.faults.entry(name.to_owned()).or_default()
    }

    /// One of the engines' own counts.
    pub fn counted(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// All late blocks.
    pub fn all_late(&self) -> u64 {
        self.late.values().sum()
    }

    /// All faults.
    pub fn all_faults(&self) -> u64 {
        self.faults.values().map(|of| of.count).sum()
    }

    /// What must be zero and is not; empty if the verdict is good.
    pub fn complaints(&self) -> Vec<String> {
        let mismatch = self.counted("quarantined").abs_diff(self.poisons);
        let played_nothing = u64::from(self.blocks == 0);
        let must_be_zero = [
            (self.unexplained, "differing blocks that no late block explains"),
            (self.late.get(&Cause::Ours).copied().unwrap_or(0), "late blocks that are ours"),
            (self.counted("wrongly named"), "workers wrongly named"),
            (mismatch, "quarantined commands more or fewer than poisons sent"),
            (self.unrecovered, "faults not recovered from"),
            (self.leaks.len() as u64, "leaks"),
            (self.left_over, "processes left over"),
            (self.failures.len() as u64, "failures of the soak or the engine"),
            (played_nothing, "soak that compared no block"),
        ];
        must_be_zero.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A soak with a little of everything that is allowed.
    fn good() -> Tally {
        let mut tally = Tally { blocks: 1000, differing: 4, poisons: 3, messages: 9, ..Tally::default() };
        tally.late.extend([(Cause::Scheduler, 1), (Cause::Fault("both workers killed".to_owned()), 1)]);
        tally.counts.extend([("quarantined", 3), ("rightly named", 5), ("undecided", 1)]);
        *tally.of("flood") = OfKind { count: 2, lost: 1, recovery_ms: vec![20.0] };
        tally
    }

    #[test]
    fn segments_add_up() {
        let mut sum = good();
        sum.add(good());
        assert_eq!((sum.blocks, sum.differing, sum.poisons, sum.messages), (2000, 8, 6, 18));
        assert_eq!((sum.all_late(), sum.counted("rightly named"), sum.all_faults()), (4, 10, 4));
        assert_eq!((sum.of("flood").lost, sum.of("flood").recovery_ms.len()), (2, 2));
        assert_eq!(sum.complaints(), [""; 0]);
        let spoiled = |spoil: fn(&mut Tally)| {
            let (mut sum, mut other) = (good(), good());
            spoil(&mut other);
            sum.add(other);
            sum.complaints().len()
        };
        assert_eq!(spoiled(|tally| tally.unexplained = 1), 1);
        assert_eq!(spoiled(|tally| tally.unrecovered = 1), 1);
        assert_eq!(spoiled(|tally| tally.left_over = 1), 1);
        assert_eq!(spoiled(|tally| tally.leaks.push("one more thread".to_owned())), 1);
        assert_eq!(spoiled(|tally| tally.failures.push("it ended".to_owned())), 1);
    }

    #[test]
    fn what_is_allowed_is_no_complaint() {
        assert_eq!(good().complaints(), [""; 0]);
    }

    #[test]
    fn each_thing_that_must_be_zero_alone_makes_it_bad() {
        type Spoil = fn(&mut Tally);
        let spoils: [(Spoil, &str); 10] = [
            (|tally| tally.unexplained = 1, "no late block explains"),
            (|tally| *tally.late.entry(Cause::Ours).or_default() = 1, "ours"),
            (|tally| *tally.counts.entry("wrongly named").or_default() = 1, "wrongly named"),
            (|tally| tally.poisons += 1, "quarantined"),
            (|tally| *tally.counts.entry("quarantined").or_default() = 4, "quarantined"),
            (|tally| tally.unrecovered = 1, "not recovered"),
            (|tally| tally.leaks.push("one more descriptor".to_owned()), "leaks"),
            (|tally| tally.left_over = 1, "left over"),
            (|tally| tally.failures.push("the engine ended".to_owned()), "failures"),
            (|tally| tally.blocks = 0, "compared no block"),
        ];
        for (spoil, word) in spoils {
            let mut tally = good();
            spoil(&mut tally);
            let complaints = tally.complaints();
            assert!(complaints.len() == 1 && complaints[0].contains(word), "{word}: {complaints:?}");
        }
    }
}
