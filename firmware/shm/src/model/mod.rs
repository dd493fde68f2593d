//! What the model checker's tests share: a bound, the death of a writer between two stores, and a futex.
//!
//! loom runs a model again and again, once for every order of its threads' accesses and for every value a load may
//! give under the memory model of C11, so also what ARM does and x86 hides. Two things it does not do: a load never
//! gives a value that is stored later in the order being run, and of each atomic the last seven stores are kept.
//!
//! Models build small memories: the sizes in shared memory are constants that are smaller under `cfg(loom)`.

mod mortal;
#[cfg(test)]
mod takeover;

use loom::model::Builder;
use loom::sync::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64 as Count, Ordering::Relaxed};

pub(crate) use mortal::killed_after;
pub use mortal::{AtomicU32, AtomicU64};

/// 64-bit words of a block in models: two are enough to tell a mixture.
pub const WORDS_PER_BLOCK: usize = 2;

/// A block in models.
pub struct Block(pub [u64; WORDS_PER_BLOCK]);

impl Block {
    /// As of the real block.
    pub fn words(&self) -> &[u64; WORDS_PER_BLOCK] {
        &self.0
    }
}

/// Checks `model` in every order with at most `preemptions` switches away from a thread that could go on (switches at
/// the end of a thread and where one waits are free), or in every order there is for `None`. What loads may give is
/// never bounded. The environment variable LOOM_MAX_PREEMPTIONS overrides the bound.
///
/// Says how many orders there were: a model that has but one has no concurrency, which is a mistake.
pub(crate) fn check(preemptions: impl Into<Option<usize>>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions.into());
    let runs = Arc::new(Count::new(0));
    let counted = runs.clone();
    builder.check(move || {
        counted.fetch_add(1, Relaxed);
        model();
    });
    println!("{} orders", runs.load(Relaxed));
    assert!(runs.load(Relaxed) > 1, "nothing happens at the same time");
}

/// The kernel's futex of one word: comparing and falling asleep is one step for whoever wakes. A thread that nobody
/// wakes is a deadlock, which loom reports.
pub(crate) struct Futex {
    bucket: Mutex<()>,
    woken: Condvar,
}

impl Futex {
    pub fn new() -> Self {
        Self { bucket: Mutex::new(()), woken: Condvar::new() }
    }

    /// Sleeps until woken, unless `now` (a look at the word) is no longer `seen`.
    pub fn wait(&self, now: impl Fn() -> u32, seen: u32) {
        let bucket = self.bucket.lock().unwrap();
        if now() == seen {
            drop(self.woken.wait(bucket).unwrap());
        }
    }

    /// Wakes all who sleep.
    pub fn wake(&self) {
        let _bucket = self.bucket.lock().unwrap();
        self.woken.notify_all();
    }
}
