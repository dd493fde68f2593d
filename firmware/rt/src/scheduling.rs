//! Real-time scheduling.

use nix::errno::Errno;

/// Threads of the interrupts of sound cards and USB: above the audio thread, which waits for what they bring.
pub const INTERRUPT_PRIORITY: i32 = 85;
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
    // 0 is the calling thread.
    set_fifo_of(0, priority)
}

/// Lets the calling thread have only the time that no other thread wants. Whoever is so must hold nothing that others wait
/// for.
///
/// # Errors
/// What the kernel says; any thread may do so.
pub fn set_idle() -> Result<(), Errno> {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: the structure lives on this stack and is only read; 0 is the calling thread, of which only the policy is
    // changed.
    Errno::result(unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &parameters) }).map(drop)
}

/// Puts another thread under SCHED_FIFO, by its id; a thread of the kernel's, say.
///
/// # Errors
/// `EPERM` without CAP_SYS_NICE, `ESRCH` if there is no such thread (any more).
pub fn set_fifo_of(thread: u32, priority: i32) -> Result<(), Errno> {
    let parameters = libc::sched_param { sched_priority: priority };
    let thread = i32::try_from(thread).map_err(|_| Errno::ESRCH)?;
    // SAFETY: the structure lives on this stack and is only read; of the thread only the policy is changed.
    Errno::result(unsafe { libc::sched_setscheduler(thread, libc::SCHED_FIFO, &parameters) }).map(drop)
}
