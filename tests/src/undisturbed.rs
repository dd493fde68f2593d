//! Tests in real time on a machine that others use: a run in which something was late is made again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rt::clock::monotonic;
use rt::cores::{allowed, pin};

/// Runs in which something was late, and every core was there: so many are one too many. A look that was missed, or a
/// wait for a lock of the kernel's, may make one of them.
const ATTEMPTS: u32 = 3;

/// Runs in all: a machine that is never there for so long cannot show that nothing is late on it.
const RUNS: u32 = 10;

/// Half a period at 48 kHz. A core that was away for so long can be what made a block late.
const HALF_A_PERIOD: Duration = Duration::from_nanos(256 * rt::clock::NANOSECONDS / 48_000 / 2);

/// Time between two looks of a witness: a fifth of what it has to notice.
const STEP: u64 = 500_000;

/// SCHED_FIFO's highest: no thread of the engine, and none of an interrupt, keeps a witness from its core.
const PRIORITY: i32 = 99;

/// Runs `test` until nothing was late, which on a shared machine another program or the machine below may cause. Three
/// runs it may take, and those beside in which a core was away. `test` gives how many blocks (or notes) were late.
///
/// # Panics
/// If something was late in every run.
pub fn undisturbed(test: impl FnMut() -> u64) {
    if let Err(reason) = run_until_nothing_is_late(test) {
        panic!("{reason}");
    }
}

fn run_until_nothing_is_late(mut test: impl FnMut() -> u64) -> Result<(), String> {
    let mut calm = 0;
    for run in 1..=RUNS {
        let witnesses = Witnesses::start();
        let late = test();
        let away = witnesses.longest();
        if late == 0 {
            return Ok(());
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
struct Witnesses {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<u64>>,
}

impl Witnesses {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let witness = |core| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || watch(core, &over))
        };
        Self { threads: allowed().into_iter().map(witness).collect(), over }
    }

    /// The longest time for which one of the cores was away.
    fn longest(mut self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut self.threads);
        let away = threads.into_iter().map(|thread| thread.join().expect("a witness ends"));
        Duration::from_nanos(away.max().unwrap_or(0))
    }
}

impl Drop for Witnesses {
    fn drop(&mut self) {
        // Also where the test has failed.
        self.over.store(true, Ordering::Relaxed);
    }
}

/// The longest that this core let a thread wait that was to run, in nanoseconds.
fn watch(core: usize, over: &AtomicBool) -> u64 {
    pin(core).expect("the core may be used");
    // Without the right it sees more: also what keeps the engine from its cores, which has no such right either.
    let _ = rt::scheduling::set_fifo(PRIORITY);
    let mut longest = 0;
    while !over.load(Ordering::Relaxed) {
        let due = monotonic() + STEP;
        rt::clock::sleep_until(due);
        longest = longest.max(monotonic().saturating_sub(due));
    }
    longest
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
        assert!(run_until_nothing_is_late(|| 1).is_err());
    }

    #[test]
    fn a_core_that_is_away_is_noticed() {
        let witnesses = Witnesses::start();
        // As another thread of the highest priority on this core, which nothing interrupts.
        let hog = std::thread::spawn(|| {
            pin(allowed()[0]).expect("the core may be used");
            let begun = monotonic();
            let right = rt::scheduling::set_fifo(PRIORITY);
            let end = begun + 20 * HALF_A_PERIOD.as_nanos() as u64;
            while monotonic() < end {}
            right
        });
        let right = hog.join().expect("it ends");
        let away = witnesses.longest();
        assert!(right.is_err() || away > HALF_A_PERIOD, "{away:?}");
    }
}
