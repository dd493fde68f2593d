//! What a worker has written to its tapes, for whoever goes on from one of its states.
//!
//! A block of a strip is one record or more, each a seqlock under its own number. They are published before the state that
//! has them behind it, so whoever has a state finds them. A ring of them is as long as a strip reaches back, and the oldest
//! state and a slow reader need.

use abi::BlockNumber;
use abi::tape::{DELAYS, RECORD_WORDS, REVERBS, STRIPS, reach_of, records_of};

use crate::checksum::checksum;
use crate::kill_point::KillPoint;
use crate::seqlock::{Comparison, PublishPoints, Reading, Seqlock};

/// Blocks by which a ring is longer than a strip reaches back: the sixteen states, and 32 for whoever reads meanwhile, which is
/// 85 ms at 96 kHz; a worker that comes too late takes a newer state.
const MORE_BLOCKS: usize = 16 + 32;

/// Records of the ring of a delay, which reaches 751 blocks back at 96 kHz; and of a reverb, 48 blocks.
const DELAY_RECORDS: usize = if cfg!(any(loom, miri)) { 2 } else { blocks_of(0) + MORE_BLOCKS };
const REVERB_RECORDS: usize = if cfg!(any(loom, miri)) { 1 } else { 4 * (blocks_of(DELAYS) + MORE_BLOCKS) };

/// Blocks that a strip reaches back at the highest rate.
const fn blocks_of(strip: usize) -> usize {
    let [.., highest] = abi::RATES;
    reach_of(strip, highest).div_ceil(abi::FRAMES as u32) as usize
}

/// Words of a record; models and interpreters look at every one.
const WORDS: usize = if cfg!(any(loom, miri)) { 1 } else { RECORD_WORDS };

const POINTS: PublishPoints = PublishPoints {
    opened: KillPoint::TapeOpened,
    half: KillPoint::TapeHalf,
    stored: KillPoint::TapeStored,
    summed: KillPoint::TapeSummed,
    numbered: KillPoint::TapeNumbered,
};

/// The rings of one slot. All zero holds nothing.
#[repr(C)]
pub(crate) struct TapeMemory {
    delays: [[Seqlock<WORDS>; DELAY_RECORDS]; DELAYS],
    reverbs: [[Seqlock<WORDS>; REVERB_RECORDS]; REVERBS],
}

impl TapeMemory {
    fn ring(&self, strip: usize) -> &[Seqlock<WORDS>] {
        match strip.checked_sub(DELAYS) {
            None => &self.delays[strip],
            Some(strip) => &self.reverbs[strip],
        }
    }

    /// The records of a block of a strip, with their numbers.
    fn records(&self, strip: usize, block: BlockNumber) -> impl Iterator<Item = (&Seqlock<WORDS>, u64)> {
        let (ring, count) = (self.ring(strip), records_of(strip) as u64);
        (0..count).map(move |record| {
            let number = block * count + record;
            (&ring[(number % ring.len() as u64) as usize], number)
        })
    }

    /// Publishes a block of a strip. What is there and the same is left: writing it again would take it away for a moment, and
    /// a kill then for good.
    pub(crate) fn publish(&self, strip: usize, block: BlockNumber, words: &[u64]) {
        for ((place, number), words) in self.records(strip, block).zip(words.chunks(WORDS)) {
            let is_there = place.number() == Some(number) && place.compare(number, words) == Comparison::Same;
            if !is_there {
                place.publish(number, words, &POINTS);
            }
        }
    }

    /// Publishes a block of a strip, whatever is there: it was damaged.
    pub(crate) fn restore(&self, strip: usize, block: BlockNumber, words: &[u64]) {
        for ((place, number), words) in self.records(strip, block).zip(words.chunks(WORDS)) {
            place.publish(number, words, &POINTS);
        }
    }

    /// Copies a block of a strip, if all of it is here, whole.
    pub(crate) fn read(&self, strip: usize, block: BlockNumber, words: &mut [u64]) -> bool {
        let mut records = self.records(strip, block).zip(words.chunks_mut(WORDS));
        records.all(|((place, number), words)| matches!(place.read(number, words), Reading::Whole(_)))
    }

    /// Takes away what is here. Only while nobody writes.
    pub(crate) fn clear(&self) {
        for place in (0..STRIPS).flat_map(|strip| self.ring(strip)).filter(|place| place.number().is_some()) {
            place.clear();
        }
    }

    /// For tests: flips a bit of a block of a strip as it lies here.
    pub(crate) fn damage(&self, strip: usize, block: BlockNumber, bit: u64) {
        let record = (bit >> 32) as usize % records_of(strip);
        self.records(strip, block).skip(record).take(1).for_each(|(place, _)| place.damage(bit));
    }
}

/// The checksum of what a block has written to a strip: of the state behind it, so that it is compared as that is.
pub fn tape_checksum(strip: usize, words: &[u64]) -> u64 {
    checksum(strip as u64, words.len(), |at| words[at])
}

#[cfg(all(test, loom))]
impl TapeMemory {
    pub(crate) fn fresh() -> Self {
        let ring = || core::array::from_fn(|_| Seqlock::fresh());
        Self {
            delays: core::array::from_fn(|_| ring()),
            reverbs: core::array::from_fn(|_| core::array::from_fn(|_| Seqlock::fresh())),
        }
    }
}
