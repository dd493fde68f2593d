//! Which processor cores run what.

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Where the real-time threads run. `None`: wherever the kernel puts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Core of the audio thread.
    pub audio: Option<usize>,
    /// Core of each slot's worker.
    pub slots: [Option<usize>; 2],
    /// Core of everything else.
    pub control: Option<usize>,
}

impl Placement {
    /// Four cores or more: one each, core 0 for the kernel and the control threads. With fewer cores a pinned
    /// thread would wait for its core while another is free, so nothing is pinned.
    pub fn for_cores(cores: usize) -> Self {
        if cores >= 4 {
            Self { audio: Some(1), slots: [Some(2), Some(3)], control: Some(0) }
        } else {
            Self { audio: None, slots: [None, None], control: None }
        }
    }
}

/// How many cores this process may run on.
pub fn available() -> usize {
    sched_getaffinity(Pid::from_raw(0))
        .map_or(1, |set| (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).count())
}

/// Pins the calling thread to `core`.
///
/// # Errors
/// `EINVAL` if there is no such core or this process may not run there.
pub fn pin(core: usize) -> Result<(), Errno> {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &set)
}
