//! Test builds: the faults a worker is started with. In every other build nothing here does anything.

use abi::BlockNumber;
use shm::{Fate, KillPoint, SlotMemory};

use super::EngineState;

/// What a flipped bit hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlipTarget {
    /// The state a block is rendered from.
    State,
    /// A rendered block before it is published.
    Block,
    /// A block as it lies in shared memory.
    PublishedBlock,
    /// A snapshot as it lies in shared memory.
    PublishedSnapshot,
    /// What was written to a tape, as it lies in shared memory.
    PublishedTape,
}

impl FlipTarget {
    /// All, each at the place of its number.
    pub const ALL: [Self; 5] =
        [Self::State, Self::Block, Self::PublishedBlock, Self::PublishedSnapshot, Self::PublishedTape];
}

/// A bit to flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// In what.
    pub target: FlipTarget,
    /// After so many blocks.
    pub after: u64,
    /// Which bit; taken modulo the bits the target has.
    pub bit: u64,
}

/// What is wrong with a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It meets its end at this point, after so many passes.
    At(KillPoint, u32, Fate),
    /// It flips a bit.
    Flip(Flip),
    /// It is slow: each command costs it so many turns of an empty loop besides.
    Slow(u64),
}

/// Computes as long as a slow worker does for a command; what is well does nothing.
pub(super) fn slow_down(fault: Option<Fault>) {
    if let Some(Fault::Slow(turns)) = fault.filter(|_| cfg!(feature = "faults")) {
        (0..turns).for_each(|turn| _ = std::hint::black_box(turn));
    }
}

/// Blocks that a worker renders after it has flipped a bit, if it is not ended before: far more than it takes to find
/// out about it.
#[cfg(feature = "faults")]
const BLOCKS_AFTERWARDS: u32 = 30;

/// Does to this process what a poison says. Those that are wrong arithmetic are for the DSP.
#[cfg(feature = "faults")]
pub(super) fn strike(poison: abi::Poison) {
    use abi::Poison;
    use rt::poison::{Deed, commit};
    commit(match poison {
        Poison::Abort => Deed::Abort,
        Poison::NullWrite => Deed::NullWrite,
        Poison::StackOverflow => Deed::StackOverflow,
        Poison::EndlessLoop => Deed::EndlessLoop,
        Poison::HugeAllocation => Deed::HugeAllocation,
        Poison::OpenFile => Deed::OpenFile,
        // The simulated sound does not index.
        Poison::OutOfRange if cfg!(feature = "simulation") => Deed::Abort,
        Poison::NotANumber | Poison::OutOfRange | Poison::Curse => return,
    });
}

/// The bit that is still to be flipped.
pub(super) struct Flipping {
    #[cfg(feature = "faults")]
    flip: Option<Flip>,
}

#[cfg(not(feature = "faults"))]
impl Flipping {
    pub(super) fn new(_: Option<Fault>) -> Self {
        Self {}
    }

    pub(super) fn at(&mut self, _: FlipTarget, _: &SlotMemory, _: impl FnOnce(u64)) {}

    pub(super) fn in_published_block(&mut self, _: &SlotMemory, _: BlockNumber) {}

    pub(super) fn in_published_snapshot(&mut self, _: &SlotMemory, _: BlockNumber, _: usize) {}

    pub(super) fn in_published_tape(&mut self, _: &SlotMemory, _: &EngineState) {}
}

#[cfg(feature = "faults")]
impl Flipping {
    pub(super) fn new(fault: Option<Fault>) -> Self {
        let flip = match fault {
            Some(Fault::Flip(flip)) => Some(flip),
            _ => None,
        };
        Self { flip }
    }

    /// The bit, if it is this target's turn. Each block asks once for each target.
    fn due(&mut self, target: FlipTarget) -> Option<u64> {
        let flip = self.flip.as_mut().filter(|flip| flip.target == target)?;
        if flip.after > 0 {
            flip.after -= 1;
            return None;
        }
        // Who is not found out makes room for the next one after a while.
        shm::arm(KillPoint::Woken, BLOCKS_AFTERWARDS, Fate::Killed);
        self.flip.take().map(|flip| flip.bit)
    }

    pub(super) fn at(&mut self, target: FlipTarget, own: &SlotMemory, flip: impl FnOnce(u64)) {
        if let Some(bit) = self.due(target) {
            flip(bit);
            own.count_flip();
        }
    }

    pub(super) fn in_published_block(&mut self, own: &SlotMemory, number: BlockNumber) {
        if let Some(bit) = self.due(FlipTarget::PublishedBlock) {
            own.damage_block(number, bit);
        }
    }

    pub(super) fn in_published_snapshot(&mut self, own: &SlotMemory, next: BlockNumber, words: usize) {
        if let Some(bit) = self.due(FlipTarget::PublishedSnapshot) {
            own.damage_snapshot(next, words, bit);
        }
    }

    /// Of what the block before this state has written; nothing flips where there are no tapes.
    pub(super) fn in_published_tape(&mut self, own: &SlotMemory, state: &EngineState) {
        if let Some(bit) = self.due(FlipTarget::PublishedTape)
            && let strips = state.strips().count().max(1)
            && let Some(strip) = state.strips().nth((bit >> 16) as usize % strips)
        {
            own.damage_tape(strip.number, state.next_block.saturating_sub(1), bit);
        }
    }
}
