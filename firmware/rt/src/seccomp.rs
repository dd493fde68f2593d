//! The filter that leaves a worker only what it needs.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// What a worker may ask of the kernel: wait for the next block, wake the audio thread, and end.
const WORKER: &[i64] = &[
    libc::SYS_futex as i64,
    libc::SYS_restart_syscall as i64,
    libc::SYS_rt_sigreturn as i64,
    libc::SYS_exit as i64,
    libc::SYS_exit_group as i64,
];

/// What the test builds need on top, to end themselves and to say why.
#[cfg(any(feature = "audit", feature = "kill-points"))]
const TEST: &[i64] = &[
    libc::SYS_getpid as i64,
    libc::SYS_gettid as i64,
    libc::SYS_tgkill as i64,
    libc::SYS_rt_sigprocmask as i64,
    libc::SYS_write as i64,
];
#[cfg(not(any(feature = "audit", feature = "kill-points")))]
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
