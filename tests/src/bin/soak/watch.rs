//! Late blocks and why they were late: the engine is looked at twenty times a second.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chronus_tests::engine::{Engine, number};
use chronus_tests::process::{thread_named, waiting_time};

use crate::kind::Kind;

/// Time between two looks: ten blocks or so, short enough to tell what a late block came with.
pub const INTERVAL: Duration = Duration::from_millis(50);

/// Half a period at 48 kHz, in nanoseconds. Who was kept from the processor for so long can be what made a block late.
const HALF_A_PERIOD: u64 = 256 * 1_000_000_000 / 48_000 / 2;

/// How long after its end a fault explains late blocks: the ring may still be empty when the workers are back.
const AFTERMATH: Duration = Duration::from_millis(200);

/// Why blocks were late.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A real-time thread was ready and did not get a processor.
    Scheduler,
    /// A fault that may cost blocks, by its name.
    Fault(String),
    /// Neither: the engine's own doing.
    Ours,
}

/// A fault, from its beginning to its end.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What it is.
    pub kind: Kind,
    /// When it began.
    pub began: Instant,
    /// When the engine was well again, if it is.
    pub ended: Option<Instant>,
}

/// The last fault.
pub type LastFault = Mutex<Option<Fault>>;

/// What was seen at one look.
#[derive(Clone, Debug)]
pub struct Look {
    at: Instant,
    /// Blocks played.
    pub block: u64,
    /// Of these, late ones.
    pub late: u64,
    /// For how long each real-time thread has waited for a processor, in nanoseconds: the audio thread as 0, workers by
    /// their process.
    waited: BTreeMap<u32, u64>,
    /// Ticks for which the machine below had no processor for this one.
    stolen: u64,
}

impl Look {
    /// What an engine shows before it has played a block.
    pub fn before_all() -> Self {
        Self { at: Instant::now(), block: 0, late: 0, waited: BTreeMap::from([(0, 0)]), stolen: stolen() }
    }

    /// What the engine shows that goes on with this block, before it has played it; this look was the last at the one
    /// before it.
    pub fn of_the_next(&self, began: u64) -> Self {
        Self { at: self.at, block: began, stolen: self.stolen, ..Self::before_all() }
    }

    /// Looks.
    pub fn at(engine: &Engine) -> Self {
        let status = engine.status();
        let audio = thread_named(engine.id(), "audio").map(|thread| (0, waiting_time(engine.id(), Some(thread))));
        let workers = engine.workers().into_iter().map(|worker| (worker, waiting_time(worker, None)));
        Self {
            at: Instant::now(),
            block: number(&status, "block"),
            late: number(&status, "late_blocks"),
            waited: audio.into_iter().chain(workers).collect(),
            stolen: stolen(),
        }
    }

    /// The processes of the workers.
    pub fn workers(&self) -> impl Iterator<Item = u32> {
        self.waited.keys().copied().filter(|process| *process != 0)
    }

    /// The longest that one of the threads that were there before has waited since. A worker that has only just been
    /// started counts only where no other was left: while one plays, the next may wait.
    fn waited_since(&self, before: &Self) -> u64 {
        let since = |(thread, waited): (&u32, &u64)| Some(waited.saturating_sub(*before.waited.get(thread)?));
        let had_worker = self.workers().any(|worker| before.waited.contains_key(&worker));
        let new = self.waited.iter().filter(|(thread, _)| !had_worker && !before.waited.contains_key(thread));
        self.waited.iter().filter_map(since).chain(new.map(|(_, waited)| *waited)).max().unwrap_or(0)
    }
}

/// Time that the machine below took from this one, in ticks, as the kernel counts it.
fn stolen() -> u64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    // Field 8 of the first line of proc_stat(5).
    stat.lines().next().and_then(|line| line.split_whitespace().nth(8)?.parse().ok()).unwrap_or(0)
}

/// Blocks that were late between two looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// Blocks played at the first look, and at the second.
    pub blocks: (u64, u64),
    /// How many were late.
    pub count: u64,
    /// Why.
    pub cause: Cause,
    /// What else is known, for whoever looks for the reason.
    pub circumstances: String,
}

/// Why blocks were late between `before` and `seen`. A wait is counted when it is over, so that of a worker may only
/// show `after` the late block it made.
pub fn judge(before: &Look, seen: &Look, after: &Look, fault: Option<Fault>) -> Option<Late> {
    let count = seen.late.saturating_sub(before.late);
    let waited = seen.waited_since(before).max(after.waited_since(seen));
    let explains = |fault: &Fault| {
        let over = fault.ended.is_some_and(|ended| ended + AFTERMATH < before.at);
        fault.kind.may_cost_blocks() && fault.began <= seen.at && !over
    };
    let cause = match fault.filter(explains) {
        _ if waited >= HALF_A_PERIOD || after.stolen > before.stolen => Cause::Scheduler,
        Some(fault) => Cause::Fault(fault.kind.name()),
        None => Cause::Ours,
    };
    let since = |fault: Fault| {
        format!("{} ms after '{}' began, ", seen.at.duration_since(fault.began).as_millis(), fault.kind.name())
    };
    let circumstances = format!(
        "{}real-time threads waited for a processor for {} us at most",
        fault.map(since).unwrap_or_default(),
        waited / 1000
    );
    (count > 0).then_some(Late { blocks: (before.block, seen.block), count, cause, circumstances })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A look so many milliseconds after the first, with so many late blocks and these waits.
    pub fn look(milliseconds: u64, late: u64, waited: &[(u32, u64)]) -> Look {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let at = *START.get_or_init(Instant::now) + Duration::from_millis(milliseconds);
        Look { at, block: milliseconds / 5, late, waited: waited.iter().copied().collect(), stolen: 0 }
    }

    fn cause(looks: [&Look; 3], fault: Option<Fault>) -> Option<Cause> {
        judge(looks[0], looks[1], looks[2], fault).map(|late| late.cause)
    }

    #[test]
    fn a_late_block_is_ours_unless_a_thread_waited_or_time_was_stolen() {
        let waits = |time| [(0, 0), (7, time)];
        let (before, seen) = (look(0, 0, &waits(0)), look(50, 2, &waits(1000)));
        let short = look(100, 2, &waits(1000 + HALF_A_PERIOD - 1));
        assert_eq!(cause([&before, &seen, &short], None), Some(Cause::Ours));
        let long = look(100, 2, &waits(1000 + HALF_A_PERIOD));
        assert_eq!(cause([&before, &seen, &long], None), Some(Cause::Scheduler));
        let robbed = Look { stolen: 1, ..short.clone() };
        assert_eq!(cause([&before, &seen, &robbed], None), Some(Cause::Scheduler));
        assert_eq!(cause([&before, &look(50, 0, &waits(0)), &long], None), None, "none was late");
    }

    #[test]
    fn a_new_worker_may_wait_while_another_plays() {
        let (before, seen) = (look(0, 0, &[(0, 0), (7, 0)]), look(50, 1, &[(0, 0), (7, 0), (8, HALF_A_PERIOD)]));
        assert_eq!(cause([&before, &seen, &seen], None), Some(Cause::Ours));
        let alone = look(50, 1, &[(0, 0), (8, HALF_A_PERIOD)]);
        assert_eq!(cause([&before, &alone, &alone], None), Some(Cause::Scheduler));
    }

    #[test]
    fn counts_begin_anew_with_the_next_engine() {
        let next = look(0, 5, &[(0, HALF_A_PERIOD), (7, 0)]).of_the_next(12);
        let seen = |waited| look(100, 1, &[(0, 0), (8, waited)]);
        let judged = [0, HALF_A_PERIOD].map(|waited| judge(&next, &seen(waited), &seen(waited), None));
        let judged = judged.map(|late| late.map(|late| (late.count, late.blocks, late.cause)));
        assert_eq!(judged, [Cause::Ours, Cause::Scheduler].map(|cause| Some((1, (12, 20), cause))));
    }

    #[test]
    fn a_costly_fault_explains_what_comes_with_it_and_right_after_it() {
        let looks = [look(1000, 0, &[]), look(1050, 1, &[]), look(1100, 1, &[])];
        let fault = |began: u64, ended: Option<u64>| {
            let at = |time| look(time, 0, &[]).at;
            Some(Fault { kind: Kind::KillBoth, began: at(began), ended: ended.map(at) })
        };
        let [before, seen, after] = &looks;
        let explained = Some(Cause::Fault("both workers killed".to_owned()));
        assert_eq!(cause([before, seen, after], fault(1040, None)), explained);
        assert_eq!(cause([before, seen, after], fault(100, Some(850))), explained);
        assert_eq!(cause([before, seen, after], fault(100, Some(700))), Some(Cause::Ours));
        assert_eq!(cause([before, seen, after], fault(1060, None)), Some(Cause::Ours), "it came later");
    }
}
