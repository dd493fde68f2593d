//! The one word in which "these blocks are sealed" and "this many commands are in the log" are one fact.
//!
//! Both workers must apply the same commands to a block. So a command may be added for a block only while
//! the block is not sealed, and the check and the adding must not come apart: another thread seals. With both
//! counts in one 64-bit word, adding is a compare-and-swap that fails if a block was sealed meanwhile, and
//! sealing is one wait-free addition: the audio thread never waits for a thread that adds commands.

use crate::sync::{AtomicU64, Ordering};

/// Low bits that count log records, modulo. 2^24 is 256 times what the log holds, so a reader that is within
/// the log can always tell the true count; the other 40 bits count blocks for 185 years at 48 kHz.
const LENGTH_BITS: u32 = 24;
const LENGTH_MASK: u64 = (1 << LENGTH_BITS) - 1;

/// A reading of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    word: u64,
}

impl Sealed {
    /// How many blocks are sealed: blocks `0..blocks()` get no further commands.
    pub fn blocks(self) -> u64 {
        self.word >> LENGTH_BITS
    }

    /// How many records were ever added, given a number of records `known` to have been added not more than
    /// 2^24 records ago.
    pub fn length(self, known: u64) -> u64 {
        known + (self.word.wrapping_sub(known) & LENGTH_MASK)
    }

    fn with_one_more_record(self) -> u64 {
        (self.word & !LENGTH_MASK) | ((self.word + 1) & LENGTH_MASK)
    }
}

/// The word itself, in shared memory. All zero is its start: nothing sealed, nothing added.
#[repr(transparent)]
pub struct SealWord(AtomicU64);

impl SealWord {
    /// Reads both counts.
    pub fn read(&self) -> Sealed {
        // SYNC: acquire pairs with `add_record`: records counted here are readable.
        Sealed { word: self.0.load(Ordering::Acquire) }
    }

    /// Seals one more block; gives the reading after. Wait-free. Only the audio thread calls it.
    pub(crate) fn seal_one(&self) -> Sealed {
        // SYNC: acquire and release, so that the addition stands in the same order with the adding of
        // records for everyone: a record added before is seen by who sees this block sealed.
        let before = self.0.fetch_add(1 << LENGTH_BITS, Ordering::AcqRel);
        Sealed { word: before.wrapping_add(1 << LENGTH_BITS) }
    }

    /// Counts one more record, provided nothing was sealed or added since `seen`. Otherwise gives the
    /// reading as it is now, and nothing has changed.
    pub(crate) fn add_record(&self, seen: Sealed) -> Result<(), Sealed> {
        // SYNC: release publishes the record's words, written before; acquire on failure for the new reading.
        self.0
            .compare_exchange(seen.word, seen.with_one_more_record(), Ordering::AcqRel, Ordering::Acquire)
            .map(drop)
            .map_err(|word| Sealed { word })
    }
}

#[cfg(test)]
impl SealWord {
    /// As shared memory is at first: all zero.
    pub(crate) fn fresh() -> Self {
        Self(AtomicU64::new(0))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_length_wraps_without_touching_the_blocks() {
        let word = SealWord(AtomicU64::new(LENGTH_MASK));
        assert_eq!(word.seal_one().blocks(), 1);
        let seen = word.read();
        assert_eq!(seen.length(LENGTH_MASK - 5), LENGTH_MASK);
        word.add_record(seen).unwrap();
        assert_eq!((word.read().blocks(), word.read().length(LENGTH_MASK)), (1, LENGTH_MASK + 1));
    }

    #[test]
    fn a_record_is_not_added_over_a_seal() {
        let word = SealWord::fresh();
        let seen = word.read();
        word.seal_one();
        assert_eq!(word.add_record(seen), Err(word.read()));
        assert_eq!(word.read().length(0), 0);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64 as Plain;

    /// One thread adds a record for the first block it finds unsealed, one seals two blocks, one is a worker
    /// that renders each sealed block. In every interleaving the worker must find at block b exactly the
    /// records that were added for b, whenever it looks after b was sealed.
    #[test]
    fn a_sealed_block_has_all_its_commands() {
        loom::model(|| {
            let word = Arc::new(SealWord::fresh());
            let record = Arc::new(Plain::new(u64::MAX));
            let (sealer, writer) = (word.clone(), word.clone());
            let written = record.clone();
            let sealing = loom::thread::spawn(move || {
                sealer.seal_one();
                sealer.seal_one();
            });
            let adding = loom::thread::spawn(move || {
                let mut seen = writer.read();
                loop {
                    written.store(seen.blocks(), Ordering::Relaxed);
                    match writer.add_record(seen) {
                        Ok(()) => return seen.blocks(),
                        Err(now) => seen = now,
                    }
                }
            });
            let early = word.read();
            let found_early = (early.length(0) == 1).then(|| record.load(Ordering::Relaxed));
            sealing.join().unwrap();
            let block = adding.join().unwrap();
            assert_eq!(word.read().length(0), 1);
            match found_early {
                Some(found) => assert_eq!(found, block),
                // Not there yet: then its block cannot have been sealed yet.
                None => assert!(block >= early.blocks()),
            }
        });
    }
}
