//! Clocks, in nanoseconds. Those that tell the time are read through the vDSO: no system call.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// Nanoseconds in a second.
pub const NANOSECONDS: u64 = 1_000_000_000;

fn read(clock: ClockId) -> u64 {
    // These clocks exist on every Linux, so the call cannot fail; 0 would only be a wrong time.
    clock_gettime(clock).map_or(0, |time| time.tv_sec() as u64 * NANOSECONDS + time.tv_nsec() as u64)
}

/// Now on CLOCK_MONOTONIC.
pub fn monotonic() -> u64 {
    #[cfg(feature = "simulation")]
    if let Some(machine) = crate::simulation::machine() {
        return machine.now();
    }
    read(ClockId::CLOCK_MONOTONIC)
}

/// Now on CLOCK_REALTIME, since 1970.
pub fn realtime() -> u64 {
    read(ClockId::CLOCK_REALTIME)
}

/// Processor time that the calling thread has used. One system call.
pub fn thread_time() -> u64 {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// Sleeps until CLOCK_MONOTONIC reaches `deadline`; returns at once if it has. One system call.
pub fn sleep_until(deadline: u64) {
    #[cfg(feature = "simulation")]
    if let Some(machine) = crate::simulation::machine() {
        return machine.sleep_until(deadline);
    }
    let time = TimeSpec::new((deadline / NANOSECONDS) as i64, (deadline % NANOSECONDS) as i64);
    while clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &time)
        == Err(nix::errno::Errno::EINTR)
    {}
}
