//! What Chronus asks of the kernel. Each module is one kind of request; all are Linux system calls that the
//! standard library does not offer, behind functions that cannot be misused from safe code.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

#[cfg(feature = "audit")]
pub mod audit;
pub mod clock;
pub mod cores;
pub mod file_system;
pub mod futex;
pub mod memory;
#[cfg(feature = "faults")]
pub mod poison;
pub mod process;
pub mod scheduling;
pub mod seccomp;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod socket_filter;

/// Says that this thread allocates nothing from here on. The test build `audit` aborts the process if it
/// does; every other build takes the word for it.
#[inline(always)]
pub fn forbid_allocation() {
    #[cfg(feature = "audit")]
    audit::forbid();
}

/// Says that this thread may allocate again, for its end.
#[inline(always)]
pub fn allow_allocation() {
    #[cfg(feature = "audit")]
    audit::allow();
}
