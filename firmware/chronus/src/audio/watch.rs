//! Watches the slots from where it matters: which blocks are there when they are due.

use std::sync::atomic::Ordering;

use abi::{BlockNumber, WORDS_PER_BLOCK};
use shm::{Mapping, NO_BLOCK, Reading, SlotMemory};

use super::Alarm;
use crate::report::{Counters, SlotState};

/// Sealed blocks that a worker may not have published when the next one is sealed, before it is declared
/// hung. A worker publishes within a fraction of a block, so one is a hiccup; with three it is declared within
/// four blocks of where it stopped.
const LAG_LIMIT: u64 = 3;

/// The same while the other slot lags too: then more likely the machine is short of time than both workers
/// are hung, and ending both would only make it worse.
const LAG_LIMIT_BOTH: u64 = 12;

/// Keeps the state of the slots and raises the alarm.
pub struct Watch<'a> {
    slots: &'a [Mapping<SlotMemory>; 2],
    counters: &'a Counters,
    alarm: &'a Alarm,
    scratch: [u64; WORDS_PER_BLOCK],
}

impl<'a> Watch<'a> {
    /// Watches these slots.
    pub fn new(slots: &'a [Mapping<SlotMemory>; 2], counters: &'a Counters, alarm: &'a Alarm) -> Self {
        Self { slots, counters, alarm, scratch: [0; WORDS_PER_BLOCK] }
    }

    /// Block `number` is being played, and the slots marked had it.
    pub fn played(&mut self, number: BlockNumber, had: [bool; 2]) {
        for (slot, had) in had.into_iter().enumerate() {
            let counters = &self.counters.slots[slot];
            match counters.state() {
                SlotState::Joining if self.in_lockstep(slot) => self.note_redundant(slot, number),
                SlotState::Lockstep if !had && self.slots[slot].first_block() <= number => {
                    counters.change_state(SlotState::Lockstep, SlotState::Behind);
                }
                SlotState::Behind if had => {
                    counters.change_state(SlotState::Behind, SlotState::Lockstep);
                }
                _ => {}
            }
        }
    }

    /// With `sealed` blocks sealed until now, declares who has fallen behind. In real time only: without a
    /// period, behind means nothing.
    pub fn declare_laggards(&self, sealed: u64) {
        let lag = [0, 1].map(|slot: usize| {
            let joined = self.slots[slot].first_block() != NO_BLOCK;
            joined.then(|| sealed.saturating_sub(self.slots[slot].published()))
        });
        for slot in 0..2 {
            let other_is_well = lag[1 - slot].is_some_and(|lag| lag < LAG_LIMIT);
            let limit = if other_is_well { LAG_LIMIT } else { LAG_LIMIT_BOTH };
            if let Some(lag) = lag[slot].filter(|lag| *lag >= limit)
                && self.declare(slot)
            {
                self.counters.declared_lag.add(lag);
            }
        }
    }

    /// Declares the present worker of `slot` unfit. True if it was not declared before.
    pub fn declare(&self, slot: usize) -> bool {
        self.alarm.declare(slot, self.counters.slots[slot].epoch.load(Ordering::Relaxed))
    }

    /// Whether the newest block that the slot and the other one both have is the same in both. If the other
    /// has none (it is dead, or not used), whether the slot has any.
    fn in_lockstep(&mut self, slot: usize) -> bool {
        let (own, other) = (&self.slots[slot], &self.slots[1 - slot]);
        let first = own.first_block();
        let published = own.published();
        if first == NO_BLOCK || published <= first {
            return false;
        }
        if other.first_block() == NO_BLOCK {
            return true;
        }
        let newest_of_both = published.min(other.published()) - 1;
        let Reading::Whole(own_checksum) = own.read_block(newest_of_both, &mut self.scratch) else { return false };
        newest_of_both >= first && other.read_block(newest_of_both, &mut self.scratch) == Reading::Whole(own_checksum)
    }

    fn note_redundant(&self, slot: usize, number: BlockNumber) {
        let counters = &self.counters.slots[slot];
        if !counters.change_state(SlotState::Joining, SlotState::Lockstep) {
            return;
        }
        counters.redundant.store(rt::clock::monotonic(), Ordering::Relaxed);
        if counters.deaths.load(Ordering::Relaxed) > 0 {
            let since = number.saturating_sub(counters.death_block.load(Ordering::Relaxed));
            self.counters.rejoin_blocks.add(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::Block;

    fn watched(test: impl FnOnce(&[Mapping<SlotMemory>; 2], &Counters, &Alarm)) {
        let slots = [Mapping::create("test slot").unwrap(), Mapping::create("test slot").unwrap()];
        let counters = Counters::default();
        counters.slots.iter().for_each(|slot| slot.epoch.store(1, Ordering::Relaxed));
        test(&slots, &counters, &Alarm::new().unwrap());
    }

    #[test]
    fn a_worker_three_blocks_behind_is_declared_and_a_slow_machine_is_not() {
        watched(|slots, counters, alarm| {
            let watch = Watch::new(slots, counters, alarm);
            slots.iter().for_each(|slot| slot.join(10));
            slots[1].publish_block(12, &Block::SILENCE);
            watch.declare_laggards(12);
            assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
            watch.declare_laggards(13);
            assert_eq!((alarm.declared(0), alarm.declared(1)), (1, 0));
        });
        watched(|slots, counters, alarm| {
            slots.iter().for_each(|slot| slot.join(10));
            Watch::new(slots, counters, alarm).declare_laggards(21);
            assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
        });
    }

    #[test]
    fn a_joining_slot_is_in_lockstep_only_with_the_same_block() {
        watched(|slots, counters, alarm| {
            let mut watch = Watch::new(slots, counters, alarm);
            counters.slots[0].set_state(SlotState::Joining);
            slots[1].join(0);
            slots[1].publish_block(5, &Block::SILENCE);
            slots[0].join(5);
            watch.played(4, [false, true]);
            assert_eq!(counters.slots[0].state(), SlotState::Joining);
            slots[0].publish_block(5, &Block { samples: [0.1; abi::SAMPLES] });
            watch.played(4, [false, true]);
            assert_eq!(counters.slots[0].state(), SlotState::Joining);
            slots[0].publish_block(5, &Block::SILENCE);
            watch.played(4, [false, true]);
            assert_eq!(counters.slots[0].state(), SlotState::Lockstep);
        });
    }
}
