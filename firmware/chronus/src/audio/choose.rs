//! For block n: take the copy of either slot that carries number n and a right checksum.
//!
//! There is no switch-over, because there is nothing to switch: a slot that has no copy is not taken.

use std::time::Duration;

use abi::{Block, BlockNumber};
use shm::{BellMemory, Comparison, Mapping, Reading, SlotMemory};

use crate::report::{Counters, count};

/// How long to wait for a copy.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// In real time: for any copy, until this time on CLOCK_MONOTONIC.
    Until(u64),
    /// Not in real time: for the copies of all slots that have a worker, until there is one copy at least.
    Unlimited,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A copy; which slots had the right one.
    Taken([bool; 2]),
    /// The two copies differ; that of this slot was taken.
    Divergent(usize),
    /// No copy in time.
    Late,
}

/// Reads, compares and chooses.
pub struct Chooser<'a> {
    slots: &'a [Mapping<SlotMemory>; 2],
    bell: &'a Mapping<BellMemory>,
    counters: &'a Counters,
}

/// What one look at both slots found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    /// Which slots have a whole copy.
    whole: [bool; 2],
    /// Both have, and they are not the same.
    differ: bool,
}

/// One wait for the bell, at most. Then the slots are looked at again even if it never rang, for a worker may
/// have been killed between publishing and ringing.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

impl<'a> Chooser<'a> {
    /// Chooses from these slots; the bell tells of new blocks.
    pub fn new(slots: &'a [Mapping<SlotMemory>; 2], bell: &'a Mapping<BellMemory>, counters: &'a Counters) -> Self {
        Self { slots, bell, counters }
    }

    /// Chooses block `number` into `out`. While it waits it tells `waiting` now and then which copies are there;
    /// `true` for an answer ends the waiting.
    pub fn choose(
        &mut self,
        number: BlockNumber,
        patience: Patience,
        waiting: &mut dyn FnMut([bool; 2]) -> bool,
        out: &mut Block,
    ) -> Choice {
        let mut look = self.look(number, out);
        if !self.enough(number, look.whole, patience) {
            self.bell.set_waiting(true);
            loop {
                let rings = self.bell.rings();
                look = self.look(number, out);
                if self.enough(number, look.whole, patience) {
                    break;
                }
                let Some(wait) = time_left(patience).filter(|_| !waiting(look.whole)) else { break };
                rt::futex::wait(self.bell.word(), rings, Some(wait.min(LONGEST_WAIT)));
            }
            self.bell.set_waiting(false);
        }
        self.decide(number, look, out)
    }

    /// Copies the block from the first slot that has it, and compares the other's with the copy. Each word is
    /// touched once: they come from other cores' caches, and that is what costs time here.
    fn look(&self, number: BlockNumber, out: &mut Block) -> Look {
        let first = self.copy(0, number, out);
        if !first {
            return Look { whole: [false, self.copy(1, number, out)], differ: false };
        }
        let comparison = self.slots[1].compare_block(number, out.words());
        if comparison == Comparison::Damaged {
            count(&self.counters.damaged);
        }
        let second = matches!(comparison, Comparison::Same | Comparison::Different);
        Look { whole: [true, second], differ: comparison == Comparison::Different }
    }

    fn copy(&self, slot: usize, number: BlockNumber, out: &mut Block) -> bool {
        let reading = self.slots[slot].read_block(number, out.words_mut());
        if reading == Reading::Damaged {
            count(&self.counters.damaged);
        }
        matches!(reading, Reading::Whole(_))
    }

    fn enough(&self, number: BlockNumber, whole: [bool; 2], patience: Patience) -> bool {
        let any = whole[0] || whole[1];
        match patience {
            Patience::Until(_) => any,
            // A slot whose worker starts later than this block will never have it, nor one without a worker.
            Patience::Unlimited => any && (0..2).all(|slot| whole[slot] || self.slots[slot].first_block() > number),
        }
    }

    fn decide(&self, number: BlockNumber, look: Look, out: &mut Block) -> Choice {
        if !look.differ {
            return if look.whole == [false; 2] { Choice::Late } else { Choice::Taken(look.whole) };
        }
        count(&self.counters.divergences);
        let trusted = self.more_trusted();
        // `out` holds the copy of slot 0; that of slot 1 was whole a moment ago. Should it be gone, the other one is
        // still better than nothing.
        if trusted == 1 && !self.copy(1, number, out) && !self.copy(0, number, out) {
            return Choice::Late;
        }
        Choice::Divergent(trusted)
    }

    /// Of two copies that differ, the one whose slot has been in agreement since longer ago: its worker joined
    /// earlier.
    fn more_trusted(&self) -> usize {
        usize::from(self.slots[1].first_block() < self.slots[0].first_block())
    }
}

fn time_left(patience: Patience) -> Option<Duration> {
    match patience {
        Patience::Unlimited => Some(LONGEST_WAIT),
        Patience::Until(deadline) => {
            let left = deadline.saturating_sub(rt::clock::monotonic());
            (left > 0).then(|| Duration::from_nanos(left))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    fn memory() -> ([Mapping<SlotMemory>; 2], Mapping<BellMemory>, Counters) {
        let slot = || Mapping::create("test slot").unwrap();
        ([slot(), slot()], Mapping::create("test bell").unwrap(), Counters::default())
    }

    fn block(value: f32) -> Block {
        Block { samples: [value; abi::SAMPLES] }
    }

    const NOW: Patience = Patience::Until(0);

    #[test]
    fn either_copy_does_and_none_is_late() {
        let (slots, bell, counters) = memory();
        let mut chooser = Chooser::new(&slots, &bell, &counters);
        let mut out = Block::SILENCE;
        assert_eq!(chooser.choose(0, NOW, &mut |_| false, &mut out), Choice::Late);
        slots[1].publish_block(0, &block(0.5));
        assert_eq!(chooser.choose(0, NOW, &mut |_| false, &mut out), Choice::Taken([false, true]));
        assert_eq!(out, block(0.5));
        slots[0].publish_block(1, &block(0.25));
        slots[1].publish_block(1, &block(0.25));
        assert_eq!(chooser.choose(1, NOW, &mut |_| false, &mut out), Choice::Taken([true, true]));
        assert_eq!(chooser.choose(9, NOW, &mut |_| false, &mut out), Choice::Late);
    }

    #[test]
    fn copies_that_differ_are_counted_and_the_older_worker_believed() {
        let (slots, bell, counters) = memory();
        slots[0].join(7);
        slots[1].join(0);
        slots[0].publish_block(7, &block(0.5));
        slots[1].publish_block(7, &block(-0.5));
        let mut out = Block::SILENCE;
        assert_eq!(
            Chooser::new(&slots, &bell, &counters).choose(7, NOW, &mut |_| false, &mut out),
            Choice::Divergent(1)
        );
        assert_eq!((out, counters.divergences.load(Ordering::Relaxed)), (block(-0.5), 1));
    }

    #[test]
    fn without_a_deadline_all_workers_are_waited_for_but_not_the_absent() {
        let (slots, bell, counters) = memory();
        slots[0].join(0);
        slots[1].join(3);
        slots[0].publish_block(2, &block(0.5));
        let mut chooser = Chooser::new(&slots, &bell, &counters);
        let mut out = Block::SILENCE;
        // Slot 1 joins only at block 3.
        assert_eq!(chooser.choose(2, Patience::Unlimited, &mut |_| false, &mut out), Choice::Taken([true, false]));
        slots[0].publish_block(3, &block(0.5));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                slots[1].publish_block(3, &block(0.5));
            });
            assert_eq!(chooser.choose(3, Patience::Unlimited, &mut |_| false, &mut out), Choice::Taken([true, true]));
        });
    }
}
