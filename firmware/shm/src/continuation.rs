//! What an engine leaves behind for the next one, should it be ended from one instant to the next: how far it had
//! played, and by what the next one can tell that the rest of the memory is of use to it.

use crate::checksum::checksum;
use crate::mapping::SharedLayout;
use crate::sync::{AtomicU64, Ordering};

/// Marks memory described by [`ContinuationMemory::describe`]: "Chronus5" as bytes. Anything but 0 would do.
const MAGIC: u64 = u64::from_be_bytes(*b"Chronus5");

/// Words of a description: the magic number, the terms, and the last block.
const WORDS: usize = 8;

/// What must be the same for an engine to go on where another one stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Tells builds of the program apart: the layout of all memory depends on it, and every bit of the sound.
    pub build: u64,
    /// Sample rate in Hz.
    pub rate: u64,
    /// Blocks rendered ahead.
    pub lead: u64,
    /// Slots in use, 1 or 2.
    pub workers: u64,
    /// Tells scores apart, by their names; 0 for none.
    pub score: u64,
    /// Blocks to play as somebody has said; `u64::MAX` if nobody has.
    pub end: u64,
}

impl Terms {
    fn to_words(self, last: u64) -> [u64; WORDS] {
        let Self { build, rate, lead, workers, score, end } = self;
        [MAGIC, build, rate, lead, workers, score, end, last]
    }
}

/// The continuation as it lies in shared memory. Only the supervisor's process uses it.
#[repr(C, align(64))]
pub struct ContinuationMemory {
    terms: [AtomicU64; WORDS],
    checksum: AtomicU64,
    played: AtomicU64,
    starts: AtomicU64,
    restarts: AtomicU64,
    kept: AtomicU64,
    patch: AtomicU64,
    _line: [AtomicU64; 2],
}

// SAFETY: repr(C), atomics only; all zero is a continuation without a description, of which nothing is made.
unsafe impl SharedLayout for ContinuationMemory {}

impl ContinuationMemory {
    /// Describes the memory it belongs to, in which `last` blocks are to be played (`u64::MAX` for no end). Once, before
    /// anything plays.
    pub fn describe(&self, terms: &Terms, last: u64) {
        let words = terms.to_words(last);
        for (to, from) in self.terms.iter().zip(words) {
            to.store(from, Ordering::Relaxed);
        }
        // SYNC: release, so that whoever sees the checksum sees the words.
        self.checksum.store(checksum(MAGIC, WORDS, |place| words[place]), Ordering::Release);
    }

    /// Blocks to play; of meaning only where there are [`ContinuationMemory::terms`].
    pub fn last(&self) -> u64 {
        self.terms[WORDS - 1].load(Ordering::Relaxed)
    }

    /// The description; `None` if there is none, or it is damaged.
    pub fn terms(&self) -> Option<Terms> {
        let stored = self.checksum.load(Ordering::Acquire);
        let words = [0, 1, 2, 3, 4, 5, 6, 7].map(|place: usize| self.terms[place].load(Ordering::Relaxed));
        let whole = words[0] == MAGIC && stored == checksum(MAGIC, WORDS, |place| words[place]);
        let [_, build, rate, lead, workers, score, end, _] = words;
        whole.then_some(Terms { build, rate, lead, workers, score, end })
    }

    /// Blocks that were handed to the sink.
    pub fn played(&self) -> u64 {
        self.played.load(Ordering::Relaxed)
    }

    /// Notes that so many blocks were handed to the sink. Only the audio thread calls it, before it seals the next.
    pub fn note_played(&self, blocks: u64) {
        // SYNC: relaxed: it is read after this process's death, which orders more than this.
        self.played.store(blocks, Ordering::Relaxed);
    }

    /// Engines that have taken this memory over since one of them last played for a while.
    pub fn starts(&self) -> u64 {
        self.starts.load(Ordering::Relaxed)
    }

    /// Engines that have taken this memory over.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Counts one more engine that takes this memory over.
    pub fn note_start(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that this engine has played for a while. Only the audio thread calls it.
    pub fn note_endurance(&self) {
        self.starts.store(0, Ordering::Relaxed);
    }

    /// Records of the log that are in a kept score on the disk.
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Notes that so many records of the log are in a kept score on the disk, or never will be.
    pub fn note_kept(&self, records: u64) {
        self.kept.store(records, Ordering::Relaxed);
    }

    /// Whether the file of the kept patch has been read, or written, since the sound began.
    pub fn knows_patch(&self) -> bool {
        self.patch.load(Ordering::Relaxed) != 0
    }

    /// Notes that the file of the kept patch has been read, or written.
    pub fn note_patch(&self) {
        self.patch.store(1, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::mapping::Mapping;

    #[test]
    fn every_flipped_bit_of_a_description_is_noticed() {
        let memory = Mapping::<ContinuationMemory>::create("test continuation").unwrap();
        assert_eq!(memory.terms(), None);
        let terms = Terms { build: 9, rate: 48_000, lead: 2, workers: 2, score: 0, end: u64::MAX };
        memory.describe(&terms, 77);
        assert_eq!((memory.terms(), memory.last()), (Some(terms), 77));
        for word in memory.terms.iter().chain([&memory.checksum]) {
            for bit in 0..64 {
                word.fetch_xor(1 << bit, Ordering::Relaxed);
                assert_eq!(memory.terms(), None);
                word.fetch_xor(1 << bit, Ordering::Relaxed);
            }
        }
        assert_eq!(memory.terms(), Some(terms));
    }

    #[test]
    fn starts_are_counted_until_one_endures() {
        let memory = Mapping::<ContinuationMemory>::create("test continuation").unwrap();
        (0..3).for_each(|_| memory.note_start());
        memory.note_endurance();
        memory.note_start();
        assert_eq!((memory.starts(), memory.restarts()), (1, 4));
    }
}
