//! The instants at which the test build `faults` ends a worker with SIGKILL, from inside, exactly there, or
//! lets it spin. In every other build these functions are empty.

macro_rules! kill_points {
    ($($name:ident),* $(,)?) => {
        /// An instant between two stores or reads of a worker.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is named after what has just been done")]
        #[repr(u32)]
        pub enum KillPoint { $($name),* }
        /// All of them, each at its own number.
        pub const KILL_POINTS: &[KillPoint] = &[$(KillPoint::$name),*];
    };
}

kill_points!(
    Started,
    JoinSnapshotFound,
    JoinSnapshotRead,
    JoinAnnounced,
    Woken,
    LogLengthRead,
    LogRecordRead,
    CommandNoted,
    Rendered,
    BlockOpened,
    BlockHalf,
    BlockStored,
    BlockSummed,
    BlockNumbered,
    PublishedStored,
    SnapshotOpened,
    SnapshotHalf,
    SnapshotStored,
    SnapshotSummed,
    SnapshotNumbered,
    ConsumedStored,
);

/// What happens at a kill point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// SIGKILL.
    Killed,
    /// An endless loop.
    Spinning,
}

#[cfg(feature = "faults")]
mod armed {
    use super::{Fate, KillPoint};
    use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    /// The point at which to die, and how often it is passed before.
    static POINT: AtomicU32 = AtomicU32::new(u32::MAX);
    static PASSES: AtomicU32 = AtomicU32::new(0);
    static SPINS: AtomicBool = AtomicBool::new(false);

    pub fn arm(point: KillPoint, passes: u32, fate: Fate) {
        PASSES.store(passes, Ordering::Relaxed);
        SPINS.store(fate == Fate::Spinning, Ordering::Relaxed);
        POINT.store(point as u32, Ordering::Relaxed);
    }

    pub fn kill_point(point: KillPoint) {
        if POINT.load(Ordering::Relaxed) != point as u32 {
            return;
        }
        if PASSES.fetch_sub(1, Ordering::Relaxed) == 0 {
            while SPINS.load(Ordering::Relaxed) {
                core::hint::spin_loop();
            }
            let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// Makes this process meet its fate at `point` after passing it `passes` times. Does nothing unless built with
/// the feature `faults`.
pub fn arm(point: KillPoint, passes: u32, fate: Fate) {
    #[cfg(feature = "faults")]
    armed::arm(point, passes, fate);
    #[cfg(not(feature = "faults"))]
    let _ = (point, passes, fate);
}

/// Passes `point`.
#[inline(always)]
pub fn kill_point(point: KillPoint) {
    #[cfg(feature = "faults")]
    armed::kill_point(point);
    #[cfg(not(feature = "faults"))]
    let _ = point;
}
