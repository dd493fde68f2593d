//! Real-time scheduling.

use nix::errno::Errno;

/// The audio thread: above the workers, for a runaway worker on its core must not silence it.
pub const AUDIO_PRIORITY: i32 = 80;
/// The thread that ends and replaces workers: above them, or a worker in an endless loop on the only free core
/// could never be ended; below the audio thread.
pub const SUPERVISE_PRIORITY: i32 = 78;
/// The thread that finds out which worker is wrong: above the workers, for a block waits for it; below the thread that
/// ends workers, or what it renders could keep that from its work.
pub const JUDGE_PRIORITY: i32 = 77;
/// A worker while it is started, which it inherits from the thread that starts it: above all that is not in real
/// time, so that a busy machine is redundant again soon; below the worker that is playing alone meanwhile.
pub const START_PRIORITY: i32 = 74;
/// The workers.
pub const WORKER_PRIORITY: i32 = 75;

/// Whether real-time rights are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealTime {
    /// A refusal is fatal: the appliance.
    Require,
    /// A refusal is said once and lived with: a desk machine.
    Auto,
    /// Not asked for.
    Off,
}

/// Puts the calling thread under SCHED_FIFO.
///
/// # Errors
/// `EPERM` when neither CAP_SYS_NICE nor the limit RLIMIT_RTPRIO allows it.
pub fn set_fifo(priority: i32) -> Result<(), Errno> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the structure lives on this stack and is only read; 0 is the calling thread.
    Errno::result(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &parameters) }).map(drop)
}
