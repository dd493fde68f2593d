//! Memory that is there when it is touched.

use std::ffi::c_void;
use std::ops::Range;
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::sys::mman::{MlockAllFlags, MmapAdvise, madvise, mlock, mlockall, munlock};
use nix::sys::resource::{Resource, setrlimit};

/// Stack touched beforehand by a real-time thread. The deepest call chain of audio and worker needs some tens of
/// kilobytes; this is far beyond it and far below the 512 KiB its thread has.
const STACK_BYTES: usize = 128 * 1024;

/// The stack a worker may use, as much as every thread of the supervisor has. It may use no more because it is fetched
/// page by page: to run through the usual 8 MiB takes longer than the other worker can wait for it to die.
const STACK_LIMIT: u64 = 512 * 1024;

/// Memory fetched at a time: a tenth of a millisecond where it has to be cleared first, of a period of 5.3; all of a
/// worker's 8 MB is there after eight periods.
const PART_BYTES: usize = 1024 * 1024;

/// Keeps all memory of this process, present and future, from being paged out.
///
/// # Errors
/// `EPERM` or `ENOMEM` when the limit RLIMIT_MEMLOCK forbids it.
pub fn lock_all() -> Result<(), Errno> {
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE)
}

/// Keeps what this process has touched, and will touch, from being paged out, and has nothing touched beforehand.
///
/// For a worker: to have all of it mapped first took longer than all else until it was in lockstep. What it needs all the
/// time is fetched by [`Remainder`] while it waits.
///
/// # Errors
/// `EPERM` or `ENOMEM` when the limit RLIMIT_MEMLOCK forbids it; `EINVAL` before Linux 4.4.
pub fn lock_what_is_touched() -> Result<(), Errno> {
    let on_fault = MlockAllFlags::from_bits_retain(nix::libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)
}

/// Lets the stack of this process's first thread grow so far and no further.
pub fn limit_stack() {
    // Without the limit it takes longer until a stack that overflows ends the process, that is all.
    let _ = setrlimit(Resource::RLIMIT_STACK, STACK_LIMIT, STACK_LIMIT);
}

/// Memory of this process that it may not have touched yet, to be fetched part by part.
///
/// What it shares is not locked by it: whoever it shares it with has locked it, and a process has gone only when each of its
/// pages is let go, half a microsecond each. For the same reason only what is needed all the time is fetched.
#[derive(Debug, Default)]
pub struct Remainder {
    /// What is left of each area.
    areas: Vec<Area>,
    /// How many of them are done.
    fetched: usize,
}

/// Memory that can be read.
#[derive(Clone, Debug, PartialEq)]
struct Area {
    addresses: Range<usize>,
    is_shared: bool,
}

impl Remainder {
    /// The files of these names that this process has mapped now. Nothing where there is no /proc to ask. From here on
    /// nothing that is shared is locked.
    pub fn of_files(names: &[&str]) -> Self {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let areas = || maps.lines().filter_map(|line| Some((line, area(line)?)));
        for (_, area) in areas().filter(|(_, area)| area.is_shared) {
            if let Some(address) = place(area.addresses.start) {
                // SAFETY: as for locking.
                let _ = unsafe { munlock(address, area.addresses.len()) };
            }
        }
        let wanted = areas().filter(|(line, _)| names.iter().any(|name| line.contains(name)));
        Self { areas: wanted.map(|(_, area)| area).collect(), fetched: 0 }
    }

    /// Fetches the next part, and locks what is this process's own; does nothing once all is there. It allocates nothing.
    pub fn fetch_part(&mut self) {
        let mut left = PART_BYTES;
        while left > 0
            && let Some(Area { addresses, is_shared }) = self.areas.get_mut(self.fetched)
        {
            let bytes = addresses.len().min(left);
            // What cannot be fetched now (before Linux 5.14) is when it is touched, as it would have been.
            let _ = place(addresses.start).map(|address| match is_shared {
                // SAFETY: both change nothing that a program could see, whatever is at the address, and be it nothing.
                true => unsafe { madvise(address, bytes, MmapAdvise::MADV_POPULATE_READ) },
                // SAFETY: the same.
                false => unsafe { mlock(address, bytes) },
            });
            left -= bytes;
            addresses.start += bytes;
            self.fetched += usize::from(addresses.start == addresses.end);
        }
    }
}

fn place(address: usize) -> Option<NonNull<c_void>> {
    NonNull::new(std::ptr::without_provenance_mut(address))
}

/// The addresses of an area that can be read, of a line of /proc/self/maps (`man 5 proc_pid_maps`).
fn area(line: &str) -> Option<Area> {
    let mut words = line.split_whitespace();
    let (addresses, rights) = (words.next()?, words.next()?);
    let (start, end) = addresses.split_once('-')?;
    let parsed = |number| usize::from_str_radix(number, 16).ok();
    let addresses = parsed(start)?..parsed(end)?;
    rights.starts_with('r').then(|| Area { addresses, is_shared: rights.ends_with('s') })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_what_can_be_read() {
        let known = |is_shared| Some(Area { addresses: 0x7f00..0x8f00, is_shared });
        assert_eq!(area("7f00-8f00 r--s 00000000 00:01 2049 /memfd:chronus (deleted)"), known(true));
        assert_eq!(area("7f00-8f00 rw-p 00000000 00:00 0"), known(false));
        assert_eq!(area("7f00-8f00 ---p 00000000 00:00 0"), None);
        assert_eq!(area("rubbish"), None);
    }

    #[test]
    fn part_by_part_all_of_an_area_is_fetched() {
        let page = 4096;
        let room = vec![1u8; 3 * PART_BYTES];
        let start = room.as_ptr().addr().next_multiple_of(page);
        let own = |addresses| Area { addresses, is_shared: false };
        let [end, behind] = [start + PART_BYTES + page, start + 2 * PART_BYTES];
        let mut remainder = Remainder { areas: vec![own(start..end), own(end + page..behind)], fetched: 0 };
        remainder.fetch_part();
        assert_eq!((remainder.areas[0].addresses.start, remainder.fetched), (start + PART_BYTES, 0));
        remainder.fetch_part();
        assert_eq!((remainder.areas.clone(), remainder.fetched), (vec![own(end..end), own(behind..behind)], 2));
        remainder.fetch_part();
    }
}
