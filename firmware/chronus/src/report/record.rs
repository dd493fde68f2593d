//! What becomes of recordings.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rosc::OscType;

/// What is said of recordings, for those who tell of it. Written by the thread that records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// It is being written; else it is the last one.
    pub going_on: bool,
    /// Its file; `None` if there was none yet.
    pub file: Option<String>,
    /// Why it broke off, if it did.
    pub why: Option<String>,
    /// The file into which the past is being rendered.
    pub keeping: Option<String>,
}

/// All of it.
#[derive(Default)]
pub struct RecordCounters {
    newest: Mutex<Recorded>,
    /// Changes of it: who tells of them sees here that there is something new.
    changes: AtomicU64,
    /// The first block in the file.
    pub first: AtomicU64,
    /// Frames in the file.
    pub frames: AtomicU64,
    /// Frames of silence in it, where the disk was too slow.
    pub missing: AtomicU64,
    /// Frames that are kept of the past.
    pub past: AtomicU64,
}

impl RecordCounters {
    /// What is said of it now.
    pub fn get(&self) -> Recorded {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what is said of it.
    pub fn change(&self, change: impl FnOnce(&mut Recorded)) {
        change(&mut self.newest.lock().unwrap_or_else(PoisonError::into_inner));
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// How often it was changed.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// As key and value pairs, at a sample rate in Hz.
    pub fn pairs(&self, rate: u32) -> Vec<(&'static str, OscType)> {
        let Recorded { going_on, file, why, keeping } = self.get();
        let number = |counter: &AtomicU64| OscType::Long(counter.load(Ordering::Relaxed) as i64);
        let state = if going_on { "recording" } else { why.as_ref().map_or("off", |_| "failed") };
        let mut pairs = vec![("record.state", OscType::String(state.to_owned()))];
        if let Some(file) = file {
            pairs.push(("record.file", OscType::String(file)));
            pairs.push(("record.first_block", number(&self.first)));
            pairs.push(("record.frames", number(&self.frames)));
            pairs.push(("record.missing", number(&self.missing)));
        }
        pairs.extend(why.map(|why| ("record.why", OscType::String(why))));
        pairs.extend(keeping.map(|keeping| ("record.keeping", OscType::String(keeping))));
        let seconds = self.past.load(Ordering::Relaxed) / u64::from(rate);
        pairs.push(("record.past_s", OscType::Long(seconds as i64)));
        pairs
    }
}
