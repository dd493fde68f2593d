//! The memory of one slot: its worker writes it, everybody else reads it.

use abi::BlockNumber;
#[cfg(not(loom))]
use abi::{Block, WORDS_PER_BLOCK};

use crate::checksum::checksum;
use crate::kill_point::{KillPoint, kill_point};
use crate::mapping::SharedLayout;
#[cfg(loom)]
use crate::model::{Block, WORDS_PER_BLOCK};
use crate::place::CommandPlace;
use crate::seqlock::{Comparison, PublishPoints, Reading, Seqlock};
use crate::sync::{AtomicU64, Ordering};
use crate::tape::TapeMemory;

/// Blocks in a ring: twice the largest lead, so that the blocks ahead never reach round to the one being played.
/// In models the ring wraps soon, and so do the snapshots.
pub const RING_BLOCKS: usize = if cfg!(loom) { 2 } else { 8 };

/// Room for a snapshot, in 64-bit words: 176 KiB, for the tables of two patches, eight tracks and the states of a thousand voices. A
/// copy of only what is used is made; the patch at power-on needs a fifth of it.
pub const SNAPSHOT_WORDS: usize = if cfg!(loom) {
    2
} else if cfg!(miri) {
    // It looks at every byte.
    64
} else {
    22 * 1024
};

/// Stands for "no block yet" in [`SlotMemory::first_block`].
pub const NO_BLOCK: BlockNumber = u64::MAX;

/// States kept. Two would do for a replacement: one is whole while the other is written. To find out which of two
/// workers is wrong, the last state on which both agree is wanted when a block is played: as many as the blocks that
/// may lie between, which are the largest lead, what a worker may lag without being declared, and room to spare.
const SNAPSHOTS: usize = if cfg!(loom) { 2 } else { 16 };

/// Newest blocks of which it is known how many commands they had. Who asks comes four times a second, and at 96 kHz a
/// quarter of a second is 94 blocks.
const COUNTED_BLOCKS: usize = if cfg!(loom) { 2 } else { 128 };

/// Bits for the number of commands of a block: a score has up to 2^22, the log 2^16. The number of the block takes the
/// others; 2^40 blocks are a century at 96 kHz.
const COUNT_BITS: u32 = 24;

const BLOCK_POINTS: PublishPoints = PublishPoints {
    opened: KillPoint::BlockOpened,
    half: KillPoint::BlockHalf,
    stored: KillPoint::BlockStored,
    summed: KillPoint::BlockSummed,
    numbered: KillPoint::BlockNumbered,
};

const SNAPSHOT_POINTS: PublishPoints = PublishPoints {
    opened: KillPoint::SnapshotOpened,
    half: KillPoint::SnapshotHalf,
    stored: KillPoint::SnapshotStored,
    summed: KillPoint::SnapshotSummed,
    numbered: KillPoint::SnapshotNumbered,
};

/// A slot as it lies in shared memory. It belongs to the slot for life; its workers come and go.
#[repr(C, align(64))]
pub struct SlotMemory {
    /// First block that the present worker will publish plus one; 0 while it has not joined.
    joined: AtomicU64,
    /// Blocks published: one more than the number of the newest.
    published: AtomicU64,
    /// Log records that the newest snapshot has behind it.
    consumed: AtomicU64,
    /// What the worker is about to apply, as [`CommandPlace::to_word`]; 0 between the commands of two blocks.
    applying: AtomicU64,
    /// Test builds: bits this worker has flipped, in itself or in what it has published.
    flips: AtomicU64,
    _line: [AtomicU64; 3],
    ring: [Seqlock<WORDS_PER_BLOCK>; RING_BLOCKS],
    snapshots: [Seqlock<SNAPSHOT_WORDS>; SNAPSHOTS],
    /// Number of a block and of its commands.
    commands: [AtomicU64; COUNTED_BLOCKS],
    tapes: TapeMemory,
}

// SAFETY: repr(C), atomics only; all zero is a slot in which nobody has published anything.
unsafe impl SharedLayout for SlotMemory {}

impl SlotMemory {
    /// Forgets the last worker. Only the supervisor calls it, while the slot has no worker.
    pub fn vacate(&self) {
        self.applying.store(0, Ordering::Relaxed);
        self.joined.store(0, Ordering::Release);
    }

    /// The present worker says that it has a state and will publish `first` next.
    pub fn join(&self, first: BlockNumber) {
        self.published.store(first, Ordering::Relaxed);
        // SYNC: release: who sees the worker joined sees from where its count of blocks goes on.
        self.joined.store(first + 1, Ordering::Release);
        kill_point(KillPoint::JoinAnnounced);
    }

    /// First block of the present worker, or [`NO_BLOCK`] while it has not joined.
    pub fn first_block(&self) -> BlockNumber {
        // SYNC: acquire pairs with `join`.
        self.joined.load(Ordering::Acquire).checked_sub(1).unwrap_or(NO_BLOCK)
    }

    /// Forgets what a worker that cannot be trusted has left: its blocks and its states. Only the supervisor calls
    /// it, while the slot has no worker.
    pub fn discard(&self) {
        self.ring.iter().for_each(Seqlock::clear);
        self.snapshots.iter().for_each(Seqlock::clear);
        self.tapes.clear();
    }

    /// Forgets what was written to tapes. Only the supervisor calls it, while no slot has a worker.
    pub fn discard_tapes(&self) {
        self.tapes.clear();
    }

    /// Publishes block `number`. Only the slot's worker calls it. A block that a predecessor has published whole is
    /// left as it is: writing the same again would take it away for a moment, and a kill then for good.
    pub fn publish_block(&self, number: BlockNumber, block: &Block) {
        let place = &self.ring[(number % RING_BLOCKS as u64) as usize];
        if place.number() != Some(number) {
            place.publish(number, block.words(), &BLOCK_POINTS);
        }
        // SYNC: release: who sees the count finds the block.
        self.published.store(number + 1, Ordering::Release);
        kill_point(KillPoint::PublishedStored);
    }

    /// Publishes what block `number` has written to a strip of tape: before the state behind it. Only the slot's worker calls
    /// it, which has also to see to it that what its states need from before is here.
    pub fn publish_tape(&self, strip: usize, number: BlockNumber, words: &[u64]) {
        self.tapes.publish(strip, number, words);
    }

    /// Copies what block `number` has written to a strip of tape, if it is here, whole.
    pub fn read_tape(&self, strip: usize, number: BlockNumber, words: &mut [u64]) -> bool {
        self.tapes.read(strip, number, words)
    }

    /// Publishes what an earlier block has written to a strip, as the other slot has it, in place of whatever is here. Only the
    /// slot's worker calls it.
    pub fn restore_tape(&self, strip: usize, number: BlockNumber, words: &[u64]) {
        self.tapes.restore(strip, number, words);
    }

    /// For tests: flips a bit of what block `number` has written to a strip, as it lies here, and counts it.
    pub fn damage_tape(&self, strip: usize, number: BlockNumber, bit: u64) {
        self.tapes.damage(strip, number, bit);
        self.count_flip();
    }

    /// How many blocks are published: one more than the number of the newest.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Notes what is about to be applied, or with `None` that nothing is any more. Only the slot's worker calls it.
    pub fn note_applying(&self, place: Option<CommandPlace>) {
        // SYNC: who blames reads it after the worker's death, which orders more than this; who watches the living one only
        // wants to see it change. The compiler must not move it behind what it announces.
        self.applying.store(place.map_or(0, CommandPlace::to_word), Ordering::Relaxed);
        core::sync::atomic::compiler_fence(core::sync::atomic::Ordering::SeqCst);
    }

    /// What the worker was applying when it last noted anything. It says who is to blame once the worker is dead.
    pub fn applying(&self) -> Option<CommandPlace> {
        CommandPlace::from_word(self.applying.load(Ordering::Relaxed))
    }

    /// Notes how many commands block `number` had. Only the slot's worker calls it.
    pub fn note_commands(&self, number: BlockNumber, count: u64) {
        let count = count.min((1 << COUNT_BITS) - 1);
        // SYNC: one word says all of it.
        self.commands[number as usize % COUNTED_BLOCKS].store((number << COUNT_BITS) | count, Ordering::Relaxed);
    }

    /// How many commands block `number` had; `None` if that is not known, or no longer.
    pub fn commands_of(&self, number: BlockNumber) -> Option<u64> {
        let word = self.commands[number as usize % COUNTED_BLOCKS].load(Ordering::Relaxed);
        // A new slot's words are 0, which would be a block 0 without commands: what it most likely is.
        (word >> COUNT_BITS == number).then_some(word & ((1 << COUNT_BITS) - 1))
    }

    /// Checksum of block `number`, if it is here. Compared with that of the other slot it tells whether both are the
    /// same, without touching their words.
    pub fn block_checksum(&self, number: BlockNumber) -> Option<u64> {
        self.ring[(number % RING_BLOCKS as u64) as usize].checksum_of(number)
    }

    /// Checksum of the snapshot before block `next`, if it is here.
    pub fn snapshot_checksum(&self, next: BlockNumber) -> Option<u64> {
        self.snapshots[(next % SNAPSHOTS as u64) as usize].checksum_of(next)
    }

    /// Copies the words of block `number`, if a whole copy is here.
    pub fn read_block(&self, number: BlockNumber, buffer: &mut [u64; WORDS_PER_BLOCK]) -> Reading {
        self.ring[(number % RING_BLOCKS as u64) as usize].read(number, buffer)
    }

    /// Compares block `number` with `words`, bit by bit.
    pub fn compare_block(&self, number: BlockNumber, words: &[u64; WORDS_PER_BLOCK]) -> Comparison {
        self.ring[(number % RING_BLOCKS as u64) as usize].compare(number, words)
    }

    /// Publishes the state before block `next`, with `consumed` log records behind it.
    /// Only the slot's worker calls it, and the supervisor for the very first state.
    pub fn publish_snapshot(&self, next: BlockNumber, words: &[u64], consumed: u64) {
        self.snapshots[(next % SNAPSHOTS as u64) as usize].publish(next, words, &SNAPSHOT_POINTS);
        // SYNC: release, after the snapshot: the log may overwrite these records from now on.
        self.consumed.store(consumed, Ordering::Release);
        kill_point(KillPoint::ConsumedStored);
    }

    /// The state a worker starts from, published again as its own, so that there is one on which it and the other
    /// agree. Left alone if a predecessor has published the same, which may be the only copy; one that differs is of a
    /// predecessor that has computed wrongly.
    pub fn publish_first_snapshot(&self, next: BlockNumber, words: &[u64]) {
        let place = &self.snapshots[(next % SNAPSHOTS as u64) as usize];
        if place.checksum_of(next) != Some(checksum(next, words.len(), |word| words[word])) {
            place.publish(next, words, &SNAPSHOT_POINTS);
        }
    }

    /// Whether the snapshot before block `next` stays here for a while: half of the places are written before its own is.
    pub fn keeps_snapshot(&self, next: BlockNumber) -> bool {
        self.newest_snapshot().is_none_or(|newest| newest <= next + SNAPSHOTS as u64 / 2)
    }

    /// Log records that the newest snapshot has behind it.
    pub fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Acquire)
    }

    /// Number of the newest snapshot here: the block that follows it.
    pub fn newest_snapshot(&self) -> Option<BlockNumber> {
        self.snapshots.iter().filter_map(Seqlock::number).max()
    }

    /// Copies the snapshot before block `next`, if a whole one is here.
    pub fn read_snapshot(&self, next: BlockNumber, words: &mut [u64]) -> Reading {
        self.snapshots[(next % SNAPSHOTS as u64) as usize].read(next, words)
    }

    /// The first word of the snapshot before block `next`, as it lies here, whatever it is by now. Whoever publishes states
    /// of different lengths puts the length there; a wrong one is found out by the checksum, of which it is a part.
    pub fn first_word_of_snapshot(&self, next: BlockNumber) -> u64 {
        self.snapshots[(next % SNAPSHOTS as u64) as usize].first_word()
    }

    /// Numbers of snapshots that may be here, the newest first.
    pub fn snapshot_numbers(&self) -> impl Iterator<Item = BlockNumber> {
        let newest = self.newest_snapshot();
        newest.into_iter().flat_map(|newest| (newest.saturating_sub(SNAPSHOTS as u64 - 1)..=newest).rev())
    }

    /// For tests: flips a bit of block `number` as it lies here, and counts it.
    pub fn damage_block(&self, number: BlockNumber, bit: u64) {
        self.ring[(number % RING_BLOCKS as u64) as usize].damage(bit);
        self.count_flip();
    }

    /// For tests: flips a bit of the snapshot before block `next` as it lies here, of `words` words, and counts it.
    pub fn damage_snapshot(&self, next: BlockNumber, words: usize, bit: u64) {
        self.snapshots[(next % SNAPSHOTS as u64) as usize].damage(bit % (words as u64 * 64));
        self.count_flip();
    }

    /// For tests: counts a flipped bit.
    pub fn count_flip(&self) {
        self.flips.fetch_add(1, Ordering::Relaxed);
    }

    /// Test builds: takes the count of flipped bits, for a new worker to begin at 0.
    pub fn take_flips(&self) -> u64 {
        self.flips.swap(0, Ordering::Relaxed)
    }
}

#[cfg(all(test, loom))]
impl SlotMemory {
    /// As shared memory is at first: all zero.
    pub(crate) fn fresh() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            joined: zero(),
            published: zero(),
            consumed: zero(),
            applying: zero(),
            flips: zero(),
            _line: core::array::from_fn(|_| zero()),
            ring: core::array::from_fn(|_| Seqlock::fresh()),
            snapshots: core::array::from_fn(|_| Seqlock::fresh()),
            commands: core::array::from_fn(|_| zero()),
            tapes: TapeMemory::fresh(),
        }
    }
}

#[cfg(all(test, loom))]
mod model;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::mapping::Mapping;

    #[test]
    fn a_slot_gives_the_block_asked_for_and_no_other() {
        let slot = Mapping::<SlotMemory>::create("test slot").unwrap();
        assert_eq!(slot.first_block(), NO_BLOCK);
        slot.join(3);
        assert_eq!((slot.first_block(), slot.published()), (3, 3));
        let mut block = Block::SILENCE;
        block.samples[511] = 0.25;
        slot.publish_block(3, &block);
        let mut found = Block::SILENCE;
        assert!(matches!(slot.read_block(3, found.words_mut()), Reading::Whole(_)));
        assert_eq!(found, block);
        assert_eq!(slot.compare_block(3, block.words()), Comparison::Same);
        // Published again by a successor it is left alone.
        slot.publish_block(3, &Block::SILENCE);
        assert_eq!(slot.compare_block(3, block.words()), Comparison::Same);
        assert_eq!(slot.read_block(3 + RING_BLOCKS as u64, found.words_mut()), Reading::Absent);
        slot.publish_block(3 + RING_BLOCKS as u64, &block);
        assert_eq!(slot.read_block(3, found.words_mut()), Reading::Absent);
        slot.vacate();
        assert_eq!(slot.first_block(), NO_BLOCK);
        slot.discard();
        assert_eq!(slot.compare_block(3 + RING_BLOCKS as u64, block.words()), Comparison::Absent);
    }

    #[test]
    fn the_commands_of_the_newest_blocks_are_known() {
        let slot = Mapping::<SlotMemory>::create("test slot").unwrap();
        let before = COUNTED_BLOCKS as u64;
        for number in 0..=2 * before {
            slot.note_commands(number, number * 3);
        }
        assert_eq!(slot.commands_of(before), None, "overwritten");
        assert_eq!((slot.commands_of(before + 1), slot.commands_of(2 * before)), (Some(387), Some(768)));
        assert_eq!(slot.commands_of(2 * before + 1), None, "not yet");
        slot.note_commands(1 << 39, u64::MAX);
        assert_eq!(slot.commands_of(1 << 39), Some((1 << COUNT_BITS) - 1));
    }

    #[test]
    fn the_newest_snapshot_is_found() {
        let slot = Mapping::<SlotMemory>::create("test slot").unwrap();
        assert_eq!(slot.newest_snapshot(), None);
        for next in 0..20 {
            slot.publish_snapshot(next, &[next; 10], next * 2);
        }
        assert_eq!((slot.newest_snapshot(), slot.consumed()), (Some(19), 38));
        let mut words = [0; 10];
        for next in slot.snapshot_numbers() {
            assert!(matches!(slot.read_snapshot(next, &mut words), Reading::Whole(_)), "{next}");
            assert_eq!(words, [next; 10]);
        }
        assert_eq!(slot.snapshot_numbers().collect::<Vec<_>>(), (4..20).rev().collect::<Vec<_>>());
        assert_eq!(slot.read_snapshot(3, &mut words), Reading::Absent);
        assert!(slot.keeps_snapshot(19) && slot.keeps_snapshot(11) && !slot.keeps_snapshot(10));
    }

    #[test]
    fn what_a_worker_starts_from_is_left_where_it_is_known_and_takes_the_place_of_what_is_wrong() {
        let slot = Mapping::<SlotMemory>::create("test slot").unwrap();
        slot.publish_snapshot(19, &[19; 10], 0);
        let mut words = [0; 10];
        // Written again it would be damaged no more.
        slot.damage_snapshot(19, 10, 3);
        slot.publish_first_snapshot(19, &[19; 10]);
        assert_eq!(slot.read_snapshot(19, &mut words), Reading::Damaged);
        slot.publish_first_snapshot(19, &[7; 10]);
        assert!(matches!(slot.read_snapshot(19, &mut words), Reading::Whole(_)) && words == [7; 10]);
    }
}
