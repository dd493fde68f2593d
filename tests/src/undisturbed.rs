//! Tests in real time on a machine that others use: a run in which something was late is made again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use rt::clock::monotonic;
use rt::cores::{allowed, pin};
use rt::scheduling::set_fifo;

/// Runs in which something was late, and every core was there: so many are one too many. A look that was missed, or a
/// wait for a lock of the kernel's, may make one of them.
pub const ATTEMPTS: u32 = 3;

/// Runs in all: a machine that is never there for so long cannot show that nothing is late on it.
const RUNS: u32 = 10;

/// Half a period at 48 kHz. A core that was away for so long can be what made a block late.
const HALF_A_PERIOD: Duration = Duration::from_nanos(256 * rt::clock::NANOSECONDS / 48_000 / 2);

/// Time between two looks of a witness: a fifth of what it has to notice.
const STEP: u64 = 500_000;

/// SCHED_FIFO's highest: no thread of the engine, and none of an interrupt, keeps a witness from its core. Who may have real
/// time up to a limit only takes that, which is above the engine too where the engine's advice was followed (95).
const PRIORITY: i32 = 99;

/// Runs `test` until nothing was late, which on a shared machine another program or the machine below may cause. Three
/// runs it may take, not counting those in which a core was away, and ten in all. `test` gives how many blocks (or notes)
/// were late. Gives how many of the runs were calm, and yet something was late.
///
/// # Panics
/// If something was late in every run.
pub fn undisturbed(mut test: impl FnMut() -> u64) -> u32 {
    undisturbed_before(|_| test())
}

/// The same for a test that asks the witnesses whether what it saw can be their doing.
///
/// # Panics
/// If something was late in every run.
pub fn undisturbed_before(test: impl FnMut(&Witnesses) -> u64) -> u32 {
    match run_until_nothing_is_late(test) {
        Ok(calm) => calm,
        Err(reason) => panic!("{reason}"),
    }
}

fn run_until_nothing_is_late(mut test: impl FnMut(&Witnesses) -> u64) -> Result<u32, String> {
    let mut calm = 0;
    for run in 1..=RUNS {
        let witnesses = Witnesses::start();
        let late = test(&witnesses);
        let away = witnesses.longest();
        if late == 0 {
            return Ok(calm);
        }
        calm += u32::from(away < HALF_A_PERIOD);
        println!("run {run}: {late} late; a core was away for {} us at most", away.as_micros());
        if calm == ATTEMPTS {
            return Err(format!("something was late in {calm} runs in which every core was there, of {run}"));
        }
    }
    Err("something was late in every run, and this machine's cores were away in nearly all: try again when it is quieter"
        .to_owned())
}

/// A thread on each core that wants it again and again for nearly nothing, before all others.
pub struct Witnesses {
    seen: Arc<Seen>,
    threads: Vec<JoinHandle<()>>,
}

/// What they share.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    /// The longest that a core let a thread wait that was to run, in nanoseconds.
    longest: AtomicU64,
}

impl Witnesses {
    fn start() -> Self {
        let seen = Arc::new(Seen::default());
        let witness = |core| {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || watch(core, &seen))
        };
        Self { threads: allowed().into_iter().map(witness).collect(), seen }
    }

    /// Whether every core was there all the time, up to now.
    pub fn calm(&self) -> bool {
        Duration::from_nanos(self.seen.longest.load(Ordering::Relaxed)) < HALF_A_PERIOD
    }

    /// 1, as for something late, if it took a worker more than the four blocks that are promised to be declared hung or to
    /// be back: one that was kept from its core is later, and while neither slot is well the watch is more patient (see
    /// audio/watch.rs).
    ///
    /// # Panics
    /// If it took more, and every core was there.
    pub fn slow_return(&self, blocks: u64) -> u64 {
        assert!(blocks <= 4 || !self.calm(), "{blocks} blocks, and every core was there");
        u64::from(blocks > 4)
    }

    /// The longest time for which one of the cores was away.
    fn longest(mut self) -> Duration {
        self.seen.over.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.threads).into_iter().for_each(|thread| thread.join().expect("a witness ends"));
        Duration::from_nanos(self.seen.longest.load(Ordering::Relaxed))
    }
}

impl Drop for Witnesses {
    fn drop(&mut self) {
        // Also where the test has failed.
        self.seen.over.store(true, Ordering::Relaxed);
    }
}

/// Looks again and again whether this core lets a thread run that is to run.
fn watch(core: usize, seen: &Seen) {
    pin(core).expect("the core may be used");
    // Without any right it sees more: also what keeps the engine from its cores, which has no right either.
    let _ = take_precedence();
    while !seen.over.load(Ordering::Relaxed) {
        let due = monotonic() + STEP;
        rt::clock::sleep_until(due);
        seen.longest.fetch_max(monotonic().saturating_sub(due), Ordering::Relaxed);
    }
}

/// Gives the calling thread the highest priority in real time that it may have.
fn take_precedence() -> Result<(), Errno> {
    let limit = getrlimit(Resource::RLIMIT_RTPRIO).map_or(0, |(soft, _)| soft.min(PRIORITY as u64) as i32);
    set_fifo(PRIORITY).or_else(|_| set_fifo(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_never_late_is_run_once_and_one_that_always_is_fails() {
        let mut runs = 0;
        undisturbed(|| {
            runs += 1;
            0
        });
        assert_eq!(runs, 1);
        assert!(run_until_nothing_is_late(|_| 1).is_err());
    }

    #[test]
    fn a_core_that_is_away_is_noticed() {
        let witnesses = Witnesses::start();
        // As another thread of the highest priority on this core, which nothing interrupts.
        let hog = std::thread::spawn(|| {
            pin(allowed()[0]).expect("the core may be used");
            let begun = monotonic();
            let right = take_precedence();
            let end = begun + 20 * HALF_A_PERIOD.as_nanos() as u64;
            while monotonic() < end {}
            right
        });
        let right = hog.join().expect("it ends");
        let away = witnesses.longest();
        match right {
            Ok(()) => assert!(away > HALF_A_PERIOD, "{away:?}"),
            Err(_) => println!("SKIPPED witnesses: no real time here; as root, or with a limit for rtprio"),
        }
    }
}
