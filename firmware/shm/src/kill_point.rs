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
    TapeOpened,
    TapeHalf,
    TapeStored,
    TapeSummed,
    TapeNumbered,
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

    /// Stands for whichever point is passed.
    pub const ANY_POINT: u32 = u32::MAX - 1;

    #[cfg(feature = "simulation")]
    pub fn arm_any(passes: Option<u32>) {
        PASSES.store(passes.unwrap_or(0), Ordering::Relaxed);
        POINT.store(if passes.is_some() { ANY_POINT } else { u32::MAX }, Ordering::Relaxed);
    }

    pub fn arm(point: KillPoint, passes: u32, fate: Fate) {
        PASSES.store(passes, Ordering::Relaxed);
        SPINS.store(fate == Fate::Spinning, Ordering::Relaxed);
        POINT.store(point as u32, Ordering::Relaxed);
    }

    pub fn kill_point(point: KillPoint) {
        let armed = POINT.load(Ordering::Relaxed);
        if armed != point as u32 && armed != ANY_POINT {
            return;
        }
        if PASSES.fetch_sub(1, Ordering::Relaxed) == 0 {
            #[cfg(feature = "simulation")]
            if super::DIES_BY_PANIC.get() {
                std::panic::resume_unwind(Box::new(super::Killed));
            }
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

/// What a simulated worker that is killed panics with.
#[cfg(feature = "simulation")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Killed;

#[cfg(feature = "simulation")]
thread_local! {
    static DIES_BY_PANIC: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// Makes the calling thread, a simulation, panic with [`Killed`] when it has passed so many kill points, whichever they
/// are; with `None` at none.
#[cfg(feature = "simulation")]
pub fn panic_after(passes: Option<u32>) {
    DIES_BY_PANIC.set(true);
    armed::arm_any(passes);
}

/// Passes `point`.
#[inline(always)]
pub fn kill_point(point: KillPoint) {
    #[cfg(feature = "faults")]
    armed::kill_point(point);
    #[cfg(not(feature = "faults"))]
    let _ = point;
}
