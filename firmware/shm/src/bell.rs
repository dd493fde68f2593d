//! The bell by which a worker tells a waiting audio thread that something was published.

use crate::mapping::SharedLayout;
use crate::sync::{AtomicU32, Ordering, fence};

/// Counts rings, and says whether anyone waits, so that nobody makes a system call for no one.
#[repr(C, align(64))]
pub struct BellMemory {
    rings: AtomicU32,
    waiting: AtomicU32,
}

// SAFETY: repr(C), two atomics (and padding, which is never looked at); zero is "never rung, nobody waits".
unsafe impl SharedLayout for BellMemory {}

impl BellMemory {
    /// Rings. True if somebody may be waiting: the caller then wakes the futex of [`BellMemory::word`].
    #[must_use = "a waiting thread must be woken"]
    pub fn ring(&self) -> bool {
        self.rings.fetch_add(1, Ordering::Release);
        // SYNC: store-load order between "rung" here and "waiting" there; one of the two sees the other.
        fence(Ordering::SeqCst);
        self.waiting.load(Ordering::Relaxed) != 0
    }

    /// How often it was rung, modulo 2^32.
    pub fn rings(&self) -> u32 {
        self.rings.load(Ordering::Acquire)
    }

    /// Says that this thread is about to wait (or no longer does). After `true`, look again at what is waited
    /// for before really waiting.
    pub fn set_waiting(&self, waiting: bool) {
        self.waiting.store(u32::from(waiting), Ordering::Relaxed);
        // SYNC: the other half of the fence in `ring`.
        fence(Ordering::SeqCst);
    }

    /// The futex word.
    #[cfg(not(loom))]
    pub fn word(&self) -> &AtomicU32 {
        &self.rings
    }
}
