//! For block n: take the copy of either slot that carries number n and a right checksum.
//!
//! There is no switch-over, because there is nothing to switch: a slot that has no copy is not taken.

use std::time::Duration;

use abi::{Block, BlockNumber};
use shm::{Comparison, Reading, Waiter};

use super::doubt::Doubt;
use super::period::SharedMemory;
use super::trust::Trust;
use crate::report::{Counters, count};

/// How long to wait for a copy.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// In real time: for any copy, until this time on CLOCK_MONOTONIC.
    Until(u64),
    /// Not in real time: for the copies of all slots that have a worker, until there is one copy at least, and for the
    /// judge if it is asked.
    Unlimited,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A copy; which slots had the right one.
    Taken([bool; 2]),
    /// No copy in time.
    Late,
}

/// Reads, compares and chooses.
pub struct Chooser<'a> {
    memory: &'a SharedMemory,
    counters: &'a Counters,
    trust: Trust<'a>,
}

/// What one look at both slots found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    /// Which slots have a whole copy.
    whole: [bool; 2],
    /// Which slots have one that memory has damaged. There will be no other.
    damaged: [bool; 2],
    /// Both have, and they are not the same.
    differ: bool,
}

/// One wait for the bell, at most. Then the slots are looked at again even if it never rang, for a worker may
/// have been killed between publishing and ringing.
const LONGEST_WAIT: Duration = Duration::from_millis(5);

impl<'a> Chooser<'a> {
    /// Chooses from the slots of this memory; the bell tells of new blocks. Where the copies differ, the judge is
    /// asked. `first` is the block to begin with.
    pub fn new(memory: &'a SharedMemory, counters: &'a Counters, doubt: &'a Doubt, first: BlockNumber) -> Self {
        Self { memory, counters, trust: Trust::new(memory, counters, doubt, first) }
    }

    /// Who was found wrong since the last call, with the epoch: each once.
    pub fn take_wrong(&mut self) -> Option<(usize, u64)> {
        self.trust.take_wrong()
    }

    /// Compares what could not be compared when it was played, up to block `number`, and the states behind it.
    pub fn sweep(&mut self, number: BlockNumber) {
        self.trust.sweep(number);
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
        self.trust.hear();
        let mut look = self.look(number, out);
        if !self.enough(number, look, patience) {
            let bell = &self.memory.bell;
            bell.set_waiting(Waiter::Audio, true);
            loop {
                let rings = bell.rings();
                self.trust.hear();
                look = self.look(number, out);
                if self.enough(number, look, patience) {
                    break;
                }
                if look.differ {
                    self.trust.ask(number);
                }
                let Some(wait) = time_left(patience).filter(|_| !waiting(look.whole)) else { break };
                rt::futex::wait(bell.word(), rings, Some(wait.min(LONGEST_WAIT)));
            }
            bell.set_waiting(Waiter::Audio, false);
        }
        look.damaged.into_iter().filter(|damaged| *damaged).for_each(|_| count(&self.counters.damaged));
        self.decide(number, look, out)
    }

    /// Copies the block from the first slot that has it, and compares the other's with the copy. Each word is
    /// touched once: they come from other cores' caches, and that is what costs time here. A slot that was found wrong
    /// has nothing.
    fn look(&self, number: BlockNumber, out: &mut Block) -> Look {
        let first = self.copy(0, number, out);
        let second = match first {
            _ if self.trust.is_wrong(1) => Comparison::Absent,
            Reading::Whole(_) => self.memory.slots[1].compare_block(number, out.words()),
            Reading::Absent | Reading::Damaged => match self.copy(1, number, out) {
                Reading::Whole(_) => Comparison::Same,
                Reading::Absent => Comparison::Absent,
                Reading::Damaged => Comparison::Damaged,
            },
        };
        Look {
            whole: [matches!(first, Reading::Whole(_)), matches!(second, Comparison::Same | Comparison::Different)],
            damaged: [first == Reading::Damaged, second == Comparison::Damaged],
            differ: second == Comparison::Different,
        }
    }

    fn copy(&self, slot: usize, number: BlockNumber, out: &mut Block) -> Reading {
        if self.trust.is_wrong(slot) {
            return Reading::Absent;
        }
        self.memory.slots[slot].read_block(number, out.words_mut())
    }

    /// Without a deadline also the judge is waited for: blocks that come as fast as they are rendered would soon have
    /// overwritten the states that it needs.
    fn enough(&self, number: BlockNumber, look: Look, patience: Patience) -> bool {
        let any = look.whole[0] || look.whole[1];
        let missing = |slot: usize| {
            // A slot whose worker starts later than this block will never have it, nor one without a worker.
            !(look.whole[slot] || look.damaged[slot])
                && self.memory.slots[slot].first_block() <= number
                && !self.trust.is_wrong(slot)
        };
        let complete = || !(missing(0) || missing(1) || self.trust.is_asking());
        any && !look.differ && (matches!(patience, Patience::Until(_)) || complete())
    }

    /// `out` holds the copy of slot 0 if it has one, otherwise that of slot 1.
    fn decide(&mut self, number: BlockNumber, look: Look, out: &mut Block) -> Choice {
        // No verdict in time: that of slot 1 was whole a moment ago. Should it be gone, the other one is still better
        // than nothing.
        let other = look.differ && self.trust.more_trusted() == 1;
        let mut copied = |slot: usize| matches!(self.copy(slot, number, out), Reading::Whole(_));
        if look.whole == [false; 2] || (other && !copied(1) && !copied(0)) {
            return Choice::Late;
        }
        Choice::Taken(look.whole)
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
    use crate::audio::Verdict;
    use std::sync::atomic::Ordering;

    fn memory() -> (SharedMemory, Counters, Doubt) {
        (SharedMemory::create(&[]).unwrap(), Counters::default(), Doubt::default())
    }

    fn block(value: f32) -> Block {
        Block { samples: [value; abi::SAMPLES] }
    }

    const NOW: Patience = Patience::Until(0);

    #[test]
    fn either_copy_does_and_none_is_late() {
        let (memory, counters, doubt) = memory();
        let slots = &memory.slots;
        let mut chooser = Chooser::new(&memory, &counters, &doubt, 0);
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
    fn without_a_verdict_in_time_the_older_worker_is_believed() {
        let (memory, counters, doubt) = memory();
        let slots = &memory.slots;
        slots[0].join(7);
        slots[1].join(0);
        slots[0].publish_block(7, &block(0.5));
        slots[1].publish_block(7, &block(-0.5));
        let mut out = Block::SILENCE;
        let mut chooser = Chooser::new(&memory, &counters, &doubt, 0);
        assert_eq!(chooser.choose(7, NOW, &mut |_| false, &mut out), Choice::Taken([true, true]));
        assert_eq!((out, counters.divergences.load(Ordering::Relaxed)), (block(-0.5), 1));
        assert_eq!((doubt.question(), chooser.take_wrong()), (Some(7), None));
    }

    #[test]
    fn whom_the_judge_names_is_not_taken_from_until_it_is_replaced() {
        let (memory, counters, doubt) = memory();
        let slots = &memory.slots;
        slots.iter().for_each(|slot| slot.join(0));
        counters.slots.iter().for_each(|slot| slot.epoch.store(4, Ordering::Relaxed));
        for number in 0..2 {
            slots[0].publish_block(number, &block(0.5));
            slots[1].publish_block(number, &block(-0.5));
        }
        let mut out = Block::SILENCE;
        let mut chooser = Chooser::new(&memory, &counters, &doubt, 0);
        let mut judge = |_| {
            doubt.settle(doubt.question().unwrap(), Verdict::Wrong(0));
            false
        };
        assert_eq!(chooser.choose(0, Patience::Unlimited, &mut judge, &mut out), Choice::Taken([false, true]));
        assert_eq!((out, chooser.take_wrong(), chooser.take_wrong()), (block(-0.5), Some((0, 4)), None));
        assert_eq!(chooser.choose(1, NOW, &mut |_| false, &mut out), Choice::Taken([false, true]));
        // Its successor is believed.
        counters.slots[0].epoch.store(5, Ordering::Relaxed);
        slots.iter().for_each(|slot| slot.publish_block(2, &block(0.25)));
        assert_eq!(chooser.choose(2, NOW, &mut |_| false, &mut out), Choice::Taken([true, true]));
        assert_eq!(counters.divergences.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_damaged_copy_is_not_taken_not_waited_for_and_counted_once() {
        let (memory, counters, doubt) = memory();
        let slots = &memory.slots;
        slots.iter().for_each(|slot| slot.join(0));
        slots.iter().for_each(|slot| slot.publish_block(0, &block(0.5)));
        slots[0].damage_block(0, 77);
        let mut out = Block::SILENCE;
        let mut chooser = Chooser::new(&memory, &counters, &doubt, 0);
        let choice = chooser.choose(0, Patience::Unlimited, &mut |_| true, &mut out);
        assert_eq!((choice, out), (Choice::Taken([false, true]), block(0.5)));
        assert_eq!((counters.damaged.load(Ordering::Relaxed), doubt.question()), (1, None));
    }

    #[test]
    fn states_that_differ_are_found_before_anything_is_heard_and_late_copies_are_compared_too() {
        let (memory, counters, doubt) = memory();
        let slots = &memory.slots;
        slots.iter().for_each(|slot| slot.join(0));
        let mut chooser = Chooser::new(&memory, &counters, &doubt, 0);
        for number in 0..8 {
            slots.iter().for_each(|slot| slot.publish_block(number, &block(0.5)));
            slots[0].publish_snapshot(number + 1, &[7], 0);
            // Slot 1 is three blocks behind with its states, and the sixth is another one.
            if let Some(behind) = number.checked_sub(3) {
                slots[1].publish_snapshot(behind + 1, &[if behind == 4 { 8 } else { 7 }], 0);
            }
            chooser.sweep(number);
            assert_eq!(doubt.question(), (number == 7).then_some(4));
        }
        doubt.settle(4, Verdict::Wrong(1));
        chooser.sweep(8);
        assert_eq!(chooser.take_wrong(), Some((1, 0)));
    }

    #[test]
    fn without_a_deadline_nothing_is_played_while_the_judge_is_at_work() {
        let (memory, counters, doubt) = memory();
        let slots = &memory.slots;
        slots.iter().for_each(|slot| slot.join(0));
        for number in 0..2 {
            slots.iter().for_each(|slot| slot.publish_block(number, &block(0.5)));
        }
        slots[0].publish_snapshot(1, &[7], 0);
        slots[1].publish_snapshot(1, &[8], 0);
        let mut chooser = Chooser::new(&memory, &counters, &doubt, 0);
        let mut out = Block::SILENCE;
        // The states behind block 0 differ, the blocks do not.
        chooser.sweep(0);
        assert_eq!(doubt.question(), Some(0));
        let mut turns = 0;
        let mut judge = |_| {
            turns += 1;
            doubt.settle(0, Verdict::Wrong(1));
            false
        };
        assert_eq!(chooser.choose(1, Patience::Unlimited, &mut judge, &mut out), Choice::Taken([true, false]));
        assert_eq!((turns, chooser.take_wrong()), (1, Some((1, 0))));
        // In real time nobody waits for it.
        slots.iter().for_each(|slot| slot.publish_block(2, &block(0.5)));
        chooser.trust.ask(2);
        assert_eq!(chooser.choose(2, NOW, &mut |_| unreachable!(), &mut out), Choice::Taken([true, false]));
    }

    #[test]
    fn without_a_deadline_all_workers_are_waited_for_but_not_the_absent() {
        let (memory, counters, doubt) = memory();
        let slots = &memory.slots;
        slots[0].join(0);
        slots[1].join(3);
        slots[0].publish_block(2, &block(0.5));
        let mut chooser = Chooser::new(&memory, &counters, &doubt, 0);
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
