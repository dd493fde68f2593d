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
    /// Four cores or more: one each, the first for the kernel and the control threads; isolated ones are preferred
    /// for the real-time threads. With fewer cores a pinned thread would wait for its core while another is free,
    /// so nothing is pinned. `allowed` are the cores this process may use, `isolated` those the kernel keeps free.
    pub fn choose(allowed: &[usize], isolated: &[usize]) -> Self {
        let ordinary: Vec<usize> = allowed.iter().copied().filter(|core| !isolated.contains(core)).collect();
        let control = ordinary.first().or(allowed.first()).copied();
        let rest = isolated.iter().chain(&ordinary).copied().filter(|core| Some(*core) != control);
        match rest.collect::<Vec<_>>()[..] {
            [audio, first, second, ..] => Self { audio: Some(audio), slots: [Some(first), Some(second)], control },
            _ => Self { audio: None, slots: [None, None], control: None },
        }
    }

    /// The choice for this process on this machine.
    pub fn here() -> Self {
        let isolated = std::fs::read_to_string("/sys/devices/system/cpu/isolated").unwrap_or_default();
        Self::choose(&allowed(), &cores_of_list(&isolated))
    }
}

/// The cores of a list such as `1-3,6`; what is no list has none.
pub fn cores_of_list(list: &str) -> Vec<usize> {
    let ranges = list.trim().split(',').filter_map(|part| {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        Some(low.parse::<usize>().ok()?..=high.parse().ok()?)
    });
    ranges.flatten().collect()
}

/// The cores this process may run on.
pub fn allowed() -> Vec<usize> {
    sched_getaffinity(Pid::from_raw(0))
        .map(|set| (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect())
        .unwrap_or_default()
}

/// How many cores this process may run on.
pub fn available() -> usize {
    allowed().len().max(1)
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

/// Whether there are cores without a scheduler tick (`nohz_full`), on which the kernel does not count processor time.
pub fn without_tick() -> bool {
    #[cfg(feature = "simulation")]
    if crate::simulation::machine().is_some() {
        return false;
    }
    let cores = std::fs::read_to_string("/sys/devices/system/cpu/nohz_full").unwrap_or_default();
    cores.starts_with(|character: char| character.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_a_large_machine_a_part_of_one_and_a_small_one() {
        let pinned = |control, audio, slots: [usize; 2]| Placement {
            audio: Some(audio),
            slots: slots.map(Some),
            control: Some(control),
        };
        // Isolated cores are not among those a process starts on.
        assert_eq!(Placement::choose(&[0], &cores_of_list("1-3\n")), pinned(0, 1, [2, 3]));
        assert_eq!(Placement::choose(&[0, 1, 2, 3, 4, 5], &[]), pinned(0, 1, [2, 3]));
        assert_eq!(Placement::choose(&[4, 5, 6, 7], &[]), pinned(4, 5, [6, 7]));
        let free = Placement { audio: None, slots: [None, None], control: None };
        assert_eq!(Placement::choose(&[0, 1, 2], &cores_of_list("\n")), free);
    }
}
