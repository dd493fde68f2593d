//! Memory that is there when it is touched.

use nix::errno::Errno;
use nix::sys::mman::{MlockAllFlags, mlockall};

/// Stack touched beforehand by a real-time thread. The deepest call chain of audio and worker needs some tens of
/// kilobytes; this is far beyond it and far below the 512 KiB its thread has.
const STACK_BYTES: usize = 128 * 1024;

/// Keeps all memory of this process, present and future, from being paged out.
///
/// # Errors
/// `EPERM` or `ENOMEM` when the limit RLIMIT_MEMLOCK forbids it.
pub fn lock_all() -> Result<(), Errno> {
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE)
}

/// Keeps what this process has touched, and will touch, from being paged out, and has nothing touched beforehand.
///
/// For a worker: what it shares is locked by the process that started it, so a page it touches for the first time costs a
/// microsecond and never a disk. To have all of it mapped first, 17 MB, took longer than all else until it was in lockstep.
///
/// # Errors
/// `EPERM` or `ENOMEM` when the limit RLIMIT_MEMLOCK forbids it; `EINVAL` before Linux 4.4.
pub fn lock_what_is_touched() -> Result<(), Errno> {
    let on_fault = MlockAllFlags::from_bits_retain(nix::libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)
}

/// Touches the stack of the calling thread, so that it does not page fault later.
#[inline(never)]
pub fn prefault_stack() {
    let mut stack = [0u8; STACK_BYTES];
    // One write a page; black_box so that the array is really there.
    for page in stack.chunks_mut(4096) {
        page[0] = 1;
    }
    std::hint::black_box(&mut stack);
}
