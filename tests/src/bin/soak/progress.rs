//! A live line for whoever watches a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time between two lines: it reads calmly.
const REFRESH: Duration = Duration::from_millis(500);

/// The line.
pub struct Progress {
    began: Instant,
    time: Duration,
    /// Blocks and late blocks of the segments before this one.
    blocks: AtomicU64,
    late: AtomicU64,
    /// Faults so far.
    pub faults: AtomicU64,
    shown: Mutex<Option<Instant>>,
    is_terminal: bool,
}

impl Progress {
    /// A line about a soak of this length, which begins now.
    pub fn new(time: Duration) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            began: Instant::now(),
            time,
            blocks: zero(),
            late: zero(),
            faults: zero(),
            shown: Mutex::new(None),
            is_terminal: stderr().is_terminal(),
        }
    }

    /// What all segments so far came to.
    pub fn set(&self, blocks: u64, late: u64) {
        self.blocks.store(blocks, Ordering::Relaxed);
        self.late.store(late, Ordering::Relaxed);
    }

    /// Shows how far it is: blocks and late blocks are those of this segment.
    pub fn show(&self, blocks: u64, late: u64) {
        let mut shown = self.shown.lock().expect("nobody failed with it");
        if shown.is_some_and(|shown| shown.elapsed() < REFRESH) {
            return;
        }
        *shown = Some(Instant::now());
        let [blocks, late] =
            [(&self.blocks, blocks), (&self.late, late)].map(|(all, now)| all.load(Ordering::Relaxed) + now);
        let (elapsed, faults) = (self.began.elapsed(), self.faults.load(Ordering::Relaxed));
        let [elapsed, remaining] = [elapsed, self.time.saturating_sub(elapsed)].map(clock);
        self.say(&format!("{elapsed} played, {remaining} to go  {blocks} blocks  {faults} faults  {late} late"));
    }

    /// Shows these words, on a terminal.
    pub fn say(&self, words: &str) {
        if self.is_terminal {
            let _ = write!(stderr(), "\r\x1b[K{words}");
        }
    }
}

/// Hours, minutes and seconds.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
