//! Commands of the score that are skipped for ever, because a worker died of them.
//!
//! The score itself is sealed. This list is short: each of its entries has cost a worker.

use crate::sync::{AtomicU64, Ordering};

/// Entries of the list. A score that has killed so many workers is wrong altogether: what follows the last entry is
/// skipped with it.
pub const SCORE_SKIPS: usize = if cfg!(loom) { 2 } else { 256 };

/// The list, in shared memory; all zero is empty.
#[repr(C)]
pub(crate) struct SkipList {
    count: AtomicU64,
    entries: [AtomicU64; SCORE_SKIPS],
}

impl SkipList {
    /// Adds an index that is not there. Only the supervisor calls it.
    pub(crate) fn add(&self, index: u64) {
        let count = (self.count.load(Ordering::Relaxed) as usize).min(SCORE_SKIPS);
        if count < SCORE_SKIPS {
            self.entries[count].store(index, Ordering::Relaxed);
            // SYNC: release: who sees the count sees the entry.
            self.count.store(count as u64 + 1, Ordering::Release);
        }
    }

    /// Whether the command at `index` is skipped.
    pub(crate) fn contains(&self, index: u64) -> bool {
        let count = (self.count.load(Ordering::Acquire) as usize).min(SCORE_SKIPS);
        let last = if count == SCORE_SKIPS { self.entries[count - 1].load(Ordering::Relaxed) } else { u64::MAX };
        index > last || self.entries[..count].iter().any(|entry| entry.load(Ordering::Relaxed) == index)
    }
}

#[cfg(test)]
impl SkipList {
    /// As shared memory is at first: all zero.
    pub(crate) fn fresh() -> Self {
        Self { count: AtomicU64::new(0), entries: core::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_skipped_and_nothing_else() {
        let list = SkipList::fresh();
        assert!(!list.contains(0));
        [7, 0, 9, 3].into_iter().for_each(|index| list.add(index));
        let skipped: Vec<_> = (0..20).filter(|index| list.contains(*index)).collect();
        assert_eq!(skipped, [0, 3, 7, 9]);
    }

    #[test]
    fn a_score_that_fills_the_list_is_skipped_to_its_end() {
        let list = SkipList::fresh();
        (0..SCORE_SKIPS as u64).for_each(|index| list.add(index * 2));
        let last = SCORE_SKIPS as u64 * 2 - 2;
        assert!(list.contains(last) && list.contains(last + 1) && list.contains(u64::MAX));
        assert!(!list.contains(last - 1));
    }
}
