//! What was taken and not yet worked off, counted by all who take: so that admission knows when it takes too much.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Datagrams that may wait: three times the largest burst promised.
pub const MOST_DATAGRAMS: usize = 16_384;
/// Bytes that the datagrams which wait may have: as many as the kernel's own buffer is asked to hold. So many of the largest
/// size would be 512 MiB, all of it locked memory of a small board.
pub const MOST_BYTES: usize = 8 << 20;

/// The datagrams between who receives them and who works them off.
#[derive(Debug, Default)]
pub struct Backlog {
    datagrams: AtomicUsize,
    bytes: AtomicUsize,
}

impl Backlog {
    /// Counts a datagram of so many bytes, before it is handed over; false, and nothing counted, if there is no room for its
    /// bytes.
    pub fn add(&self, bytes: usize) -> bool {
        // Another thread may add at this moment: each goes beyond by one datagram at most. It guards no other memory.
        let has_room = self.bytes.load(Ordering::Relaxed) + bytes <= MOST_BYTES;
        if has_room {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.datagrams.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    /// A datagram that was added is not waiting any more.
    pub fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.datagrams.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether only the last quarter is free, which is for players: this machine works off less than the limits allow.
    pub fn is_crowded(&self) -> bool {
        let beyond = |waiting: &AtomicUsize, most: usize| waiting.load(Ordering::Relaxed) >= most / 4 * 3;
        beyond(&self.datagrams, MOST_DATAGRAMS) || beyond(&self.bytes, MOST_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_crowded_from_three_quarters_on_in_number_or_in_bytes() {
        for (bytes, enough) in [(0, MOST_DATAGRAMS / 4 * 3), (1 << 15, (MOST_BYTES >> 15) / 4 * 3)] {
            let backlog = Backlog::default();
            for number in 0..enough {
                assert!(!backlog.is_crowded(), "{number} of {bytes} bytes");
                assert!(backlog.add(bytes));
            }
            assert!(backlog.is_crowded());
            backlog.remove(bytes);
            assert!(!backlog.is_crowded());
        }
    }
}
