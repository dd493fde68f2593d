//! The filter that leaves a worker only what it needs.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// What a worker may ask of the kernel: wait for the next block, wake the audio thread, fetch its memory and lock it, and
/// end.
const WORKER: &[i64] = &[
    libc::SYS_futex,
    libc::SYS_mlock,
    libc::SYS_madvise,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigreturn,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What the test builds need on top, to end themselves and to say why.
#[cfg(any(feature = "audit", feature = "faults"))]
const TEST: &[i64] = &[libc::SYS_getpid, libc::SYS_gettid, libc::SYS_tgkill, libc::SYS_rt_sigprocmask, libc::SYS_write];
#[cfg(not(any(feature = "audit", feature = "faults")))]
const TEST: &[i64] = &[];

/// From here on any other system call ends this process (SIGSYS).
///
/// # Errors
/// What the kernel says, in words; an emulator has no such filter.
pub fn confine_worker() -> Result<(), String> {
    let rules: BTreeMap<_, _> = WORKER.iter().chain(TEST).map(|call| (*call, Vec::new())).collect();
    let architecture = std::env::consts::ARCH.try_into().map_err(|error| format!("{error}"))?;
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture)
        .map_err(|error| error.to_string())?;
    let program: BpfProgram = filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}
