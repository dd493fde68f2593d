//! Commands of the score that are skipped for ever, because a worker died of them.
//!
//! The score itself is sealed. This list is short: each of its entries has cost a worker. It is sorted, because a score
//! is applied in order and no state ever goes back behind a command that was skipped.

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
    /// Adds an index. Only the supervisor calls it. One that is not behind the last is there already, or would be of
    /// no effect any more.
    pub(crate) fn add(&self, index: u64) {
        let count = (self.count.load(Ordering::Relaxed) as usize).min(SCORE_SKIPS);
        let behind = count == 0 || self.entries[count - 1].load(Ordering::Relaxed) < index;
        if count < SCORE_SKIPS && behind {
            self.entries[count].store(index, Ordering::Relaxed);
            // SYNC: release: who sees the count sees the entry.
            self.count.store(count as u64 + 1, Ordering::Release);
        }
    }

    /// Whether the command at `index` is skipped.
    pub(crate) fn contains(&self, index: u64) -> bool {
        let count = (self.count.load(Ordering::Acquire) as usize).min(SCORE_SKIPS);
        let entries = &self.entries[..count];
        match entries.binary_search_by(|entry| entry.load(Ordering::Relaxed).cmp(&index)) {
            Ok(_) => true,
            Err(place) => place == SCORE_SKIPS,
        }
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
        [0, 7, 7, 9, 3].into_iter().for_each(|index| list.add(index));
        let skipped: Vec<_> = (0..20).filter(|index| list.contains(*index)).collect();
        assert_eq!(skipped, [0, 7, 9]);
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
