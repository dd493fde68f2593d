//! The bell that is rung when something was published: a waiting audio thread hears it, and a worker that waits for
//! the other one to go first.

use crate::mapping::SharedLayout;
use crate::sync::{AtomicU32, Ordering, fence};

/// Who may wait for the bell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiter {
    /// The audio thread.
    Audio,
    /// The worker of this slot, 0 or 1.
    Slot(usize),
}

impl Waiter {
    fn place(self) -> usize {
        match self {
            Self::Audio => 0,
            Self::Slot(slot) => 1 + slot % 2,
        }
    }
}

/// Counts rings, and says who waits, so that nobody makes a system call for no one.
#[repr(C, align(64))]
pub struct BellMemory {
    rings: AtomicU32,
    waiting: [AtomicU32; 3],
}

// SAFETY: repr(C), atomics (and padding, which is never looked at); zero is "never rung, nobody waits".
unsafe impl SharedLayout for BellMemory {}

impl BellMemory {
    /// Rings. True if somebody may be waiting: the caller then wakes all at the futex of [`BellMemory::word`].
    #[must_use = "whoever waits must be woken"]
    pub fn ring(&self) -> bool {
        self.rings.fetch_add(1, Ordering::Release);
        // SYNC: store-load order between "rung" here and "waiting" there; one of the two sees the other.
        fence(Ordering::SeqCst);
        self.waiting.iter().any(|waiting| waiting.load(Ordering::Relaxed) != 0)
    }

    /// How often it was rung, modulo 2^32.
    pub fn rings(&self) -> u32 {
        self.rings.load(Ordering::Acquire)
    }

    /// Says that this waiter is about to wait (or no longer does). After `true`, read [`BellMemory::rings`], then look
    /// again at what is waited for, before really waiting.
    pub fn set_waiting(&self, waiter: Waiter, waiting: bool) {
        self.waiting[waiter.place()].store(u32::from(waiting), Ordering::Relaxed);
        // SYNC: the other half of the fence in `ring`.
        fence(Ordering::SeqCst);
    }

    /// Whether this waiter has said that it waits.
    pub fn is_waiting(&self, waiter: Waiter) -> bool {
        self.waiting[waiter.place()].load(Ordering::Relaxed) != 0
    }

    /// The futex word.
    pub fn word(&self) -> &AtomicU32 {
        &self.rings
    }
}

#[cfg(all(test, loom))]
mod model;

#[cfg(all(test, loom))]
impl BellMemory {
    /// As shared memory is at first: all zero.
    pub(crate) fn fresh() -> Self {
        Self { rings: AtomicU32::new(0), waiting: core::array::from_fn(|_| AtomicU32::new(0)) }
    }
}
