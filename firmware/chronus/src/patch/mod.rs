//! The values of all parameters in a file, kept over power cuts.
//!
//! A thread of the supervisor's process, on the control core, at normal priority, does all that may block. It reads what
//! is played from the newest state there is: so what was refused, quarantined or still waits is not kept, and after an
//! adoption it is what the engine before this one played. What it has read from the file it offers to the control
//! thread, which stamps it as anything else, unless somebody has changed a value before.

mod changes;
mod file;
mod offer;
mod text;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use abi::{Operation, PARAMETERS, Values};
use rt::clock::{NANOSECONDS, monotonic};

use crate::audio::SharedMemory;
use crate::report::{Counters, PatchState};
use crate::worker::newest_state;
use changes::Changes;
use file::Found;
pub use offer::{Answer, Offers, PatchInput, exchange};

/// Time between two looks at what is played: a tenth of the second after which it is kept.
const INTERVAL: Duration = Duration::from_millis(100);

/// Time between two looks for a file that is not there yet.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How long a file that is not there is looked for: a large card that is checked at the start takes seconds.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// Time between two attempts to write, in nanoseconds. Each failed one may cost a write to a card that wears out.
const RETRY: u64 = 5 * NANOSECONDS;

/// What the thread works with.
pub struct PatchKeeper {
    /// The file.
    pub path: PathBuf,
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// Where the state of the file goes.
    pub counters: Arc<Counters>,
    /// Sample rate in Hz.
    pub rate: u32,
    /// The way to the control thread; `None` if the engine goes on with the state of another one.
    pub offers: Option<Offers>,
    /// Set when the engine stops; then the thread is unparked.
    pub stop: Arc<AtomicBool>,
}

impl PatchKeeper {
    /// Takes the values from the file if it may, then keeps them there until the engine stops.
    pub fn run(mut self) {
        let kept = match self.offers.take() {
            Some(offers) => self.load(&offers),
            None => None,
        };
        if !self.stopping() {
            self.keep(Changes::since(kept));
        }
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Looks for the file and has its values set. Gives what is played then and need not be written; `None` if that is
    /// not known.
    fn load(&self, offers: &Offers) -> Option<Values> {
        let (path, started) = (self.path.display(), Instant::now());
        loop {
            if offers.too_late() {
                log::warn!(
                    "patch {path}: values were changed before it was there, so it is not loaded any more; what is \
                     played is kept there from now on"
                );
                return None;
            }
            match file::read(&self.path, self.rate) {
                Found::Contents(contents) => {
                    if let Some(values) = self.set(offers, contents.operations) {
                        self.say_left_out(&contents.left_out);
                        return Some(values);
                    }
                }
                Found::Nothing => offers.say_nothing(),
                Found::Bad(why) => {
                    log::warn!("patch {path}{why}; the engine plays its defaults");
                    return Some(defaults());
                }
            }
            if self.stopping() || started.elapsed() >= LONGEST_LOOK {
                log::info!("patch {path}: nothing is kept there; it is written when a value is changed");
                return Some(defaults());
            }
            std::thread::park_timeout(LOOK_AGAIN);
        }
    }

    /// Has the control thread set these values; `None` if it did not.
    fn set(&self, offers: &Offers, operations: Vec<Operation>) -> Option<Values> {
        let mut values = defaults();
        for operation in &operations {
            if let Operation::Set(id, value) = *operation {
                values[id as usize] = value;
            }
        }
        let count = operations.len();
        if count == 0 {
            return Some(values);
        }
        match offers.offer(operations) {
            Answer::Set => {
                self.counters.patch.loaded.store(count as u64, Ordering::Relaxed);
                log::info!("patch {}: {count} values are set as they were", self.path.display());
                Some(values)
            }
            // The next look finds out that it is too late, or tries again.
            Answer::TooLate | Answer::NotNow => None,
        }
    }

    fn say_left_out(&self, left_out: &[String]) {
        if !left_out.is_empty() {
            log::warn!("patch {}: left out: {}; the rest is set", self.path.display(), left_out.join("; "));
        }
    }

    /// Writes what is played whenever it has changed, until the engine stops, and then once more if need be.
    fn keep(&self, mut changes: Changes) {
        let (mut failed, mut told) = (None, false);
        let mut started_over = 0;
        loop {
            let stopping = self.stopping();
            let (values, now) = (self.values(), monotonic());
            // A sound that began anew by itself is nobody's wish: the file keeps what was.
            let count = self.counters.started_over.load(Ordering::Relaxed);
            if count > started_over && values.is_some() {
                (changes, started_over) = (Changes::since(values), count);
            }
            if let Some(values) = values {
                let due = changes.look(values, now) || (stopping && changes.pending());
                let rested = failed.is_none_or(|then: u64| now >= then + RETRY);
                if due && (rested || stopping) {
                    failed = self.write(&values, &mut told).then_some(now);
                    if failed.is_none() {
                        changes.written(values);
                    }
                }
                self.counters.patch.set(match (changes.pending(), failed) {
                    (false, _) => PatchState::Kept,
                    (true, None) => PatchState::Changed,
                    (true, Some(_)) => PatchState::Failing,
                });
            }
            if stopping {
                return;
            }
            std::thread::park_timeout(INTERVAL);
        }
    }

    /// Writes the file; true if that failed, which is said once until it has succeeded again.
    fn write(&self, values: &Values, told: &mut bool) -> bool {
        let path = self.path.display();
        match file::replace(&self.path, &text::write(values)) {
            Ok(()) => {
                self.counters.patch.written.fetch_add(1, Ordering::Relaxed);
                if std::mem::take(told) {
                    log::info!("patch {path}: it is written again");
                }
                false
            }
            Err(error) => {
                if !std::mem::replace(told, true) {
                    log::warn!(
                        "patch {path} cannot be written: {error}; the music goes on, but what is changed is lost with \
                         the power. It is tried again every {} s",
                        RETRY / NANOSECONDS
                    );
                }
                true
            }
        }
    }

    /// What is played: of the newest whole state of both slots. `None` if there is none just now.
    fn values(&self) -> Option<Values> {
        let [first, second] = &self.memory.slots;
        newest_state([first, second], self.memory.log.sealed().blocks())?.values(self.rate)
    }
}

fn defaults() -> Values {
    PARAMETERS.each_ref().map(|parameter| parameter.default)
}
