//! Watches the slots from where it matters: which blocks are there when they are due.

use std::sync::atomic::Ordering;

use abi::{BlockNumber, WORDS_PER_BLOCK};
use shm::{CommandPlace, NO_BLOCK, Reading, Waiter};

use super::Alarm;
use super::period::SharedMemory;
use crate::report::{Counters, SlotState};

/// Periods in a row in which a worker had something to do and did nothing (or fell ever further behind) before it
/// is declared hung. A worker publishes within a fraction of a period, so one is a hiccup; with three it is declared
/// within four blocks of where it stopped.
const LIMIT: u32 = 3;

/// The same while the other worker only waits for this one to go first with a command: it computes, or the other one
/// would have been let go first, and what takes so long is the command. Seven periods are 37 ms at 48 kHz: with the
/// time to find out, and the lead, an endless loop costs less than 50 ms of sound.
const LIMIT_AWAITED: u32 = 7;

/// Periods that a worker may have done nothing before the other began to wait for it, for that to be the command: one
/// in which the other was still at the block before. With more it hung already when the command came.
const UNAWAITED: u32 = 1;

/// The same while the other slot is not well either: then more likely the machine is short of time than both
/// workers are hung, and ending both would only make it worse.
const LIMIT_ALONE: u32 = 12;

/// Nanoseconds for which a worker may do nothing while both compute all the time and are behind: the kernel holds
/// threads that do so in real time for 50 ms in each second, to let others run (RT throttling, fair server). Whoever is
/// held is not hung, and the command it is at is not to blame.
const HELD: u64 = 65_000_000;

/// Doublings of the limit without a well one, one for each worker declared so without any block having come meanwhile:
/// up to 16 s. A block that takes long (a score with a million commands on one frame) takes as long for every replacement.
const DOUBLINGS: u32 = 8;

/// Blocks that a worker may be behind without being called slow: more than a hiccup.
const SLOW_LAG: u64 = 3;

/// What was seen of a slot's worker a period ago.
#[derive(Clone, Copy, Default)]
struct Seen {
    epoch: u64,
    first: BlockNumber,
    published: u64,
    applying: Option<CommandPlace>,
    lag: u64,
    /// Periods without progress.
    idle: u32,
    /// Of these, those in which the other one did not wait for it.
    unawaited: u32,
    /// It was behind already when it last got on.
    behind: bool,
    /// It waits for the other one to go first, which has not got further.
    polite: bool,
}

/// Keeps the state of the slots and raises the alarm.
pub struct Watch<'a> {
    memory: &'a SharedMemory,
    counters: &'a Counters,
    alarm: &'a Alarm,
    scratch: [u64; WORDS_PER_BLOCK],
    seen: [Seen; 2],
    /// Workers declared while neither slot was well, since a block last came.
    in_vain: u32,
    /// Nanoseconds of a period, and the time of the next look.
    period: u64,
    next_look: u64,
    /// [`HELD`] in periods.
    limit_overloaded: u32,
}

impl<'a> Watch<'a> {
    /// Watches the slots of this memory, with a period of so many nanoseconds.
    pub fn new(memory: &'a SharedMemory, counters: &'a Counters, alarm: &'a Alarm, period: u64) -> Self {
        let scratch = [0; WORDS_PER_BLOCK];
        let limit_overloaded = HELD.div_ceil(period) as u32;
        let seen = [Seen::default(); 2];
        Self { memory, counters, alarm, scratch, seen, in_vain: 0, period, next_look: 0, limit_overloaded }
    }

    /// Block `number` is being played, and the slots marked had it.
    pub fn played(&mut self, number: BlockNumber, had: [bool; 2]) {
        for (slot, had) in had.into_iter().enumerate() {
            let counters = &self.counters.slots[slot];
            match counters.state() {
                SlotState::Joining if self.in_lockstep(slot) => self.note_redundant(slot, number),
                SlotState::Lockstep if !had && self.memory.slots[slot].first_block() <= number => {
                    counters.change_state(SlotState::Lockstep, SlotState::Behind);
                }
                SlotState::Behind if had => {
                    counters.change_state(SlotState::Behind, SlotState::Lockstep);
                }
                _ => {}
            }
        }
    }

    /// With `sealed` blocks sealed until now, declares who does not keep up. In real time only: without a period,
    /// behind means nothing. An audio thread that catches up seals many blocks at once; a worker is judged by
    /// periods of time, in which it could have worked.
    pub fn declare_laggards(&mut self, sealed: u64, now: u64) {
        if !self.is_time_to_look(now) {
            return;
        }
        // Read before anything else is: a worker must not be declared for what its predecessor did.
        let epochs = [0, 1].map(|slot: usize| self.counters.slots[slot].epoch.load(Ordering::Relaxed));
        for (slot, epoch) in epochs.into_iter().enumerate() {
            let seen = self.look(slot, epoch, sealed);
            if seen.first == self.seen[slot].first && seen.published > self.seen[slot].published {
                self.in_vain = 0;
            }
            self.seen[slot] = seen;
        }
        let alone = LIMIT_ALONE << self.in_vain.min(DOUBLINGS);
        let well = self.seen.map(|seen| seen.first != NO_BLOCK && seen.idle == 0);
        let overloaded = self.seen.iter().all(|seen| seen.first == NO_BLOCK || seen.behind);
        for (slot, epoch) in epochs.into_iter().enumerate() {
            let limit = match (self.seen[1 - slot].polite, well[1 - slot]) {
                _ if overloaded => alone.max(self.limit_overloaded),
                (true, _) if self.seen[slot].unawaited <= UNAWAITED => LIMIT_AWAITED,
                (_, true) => LIMIT,
                (_, false) => alone,
            };
            if self.seen[slot].idle >= limit && self.alarm.declare(slot, epoch) {
                self.counters.declared_lag.add(self.seen[slot].lag);
                self.in_vain += 1;
            }
        }
        if (0..2).any(|slot| self.seen[1 - slot].polite && self.seen[slot].idle > 0) {
            self.alarm.tell_of_stalling();
        }
    }

    /// Whether a period has passed. One look that comes late by half a period does not make the next one too soon, and an
    /// audio thread that is behind, which plays a block in half a period, looks every other time.
    fn is_time_to_look(&mut self, now: u64) -> bool {
        let due = now + self.period / 4 >= self.next_look;
        if due {
            self.next_look = (self.next_look + self.period).max(now + self.period / 2);
        }
        due
    }

    /// Tells the supervisor that a block is waited for, if that is because one worker waits for the other.
    pub fn tell_of_stalling(&self) {
        if (0..2).any(|slot| self.is_polite(slot)) {
            self.alarm.tell_of_stalling();
        }
    }

    fn is_polite(&self, slot: usize) -> bool {
        self.memory.log.first() != slot
            && self.memory.bell.is_waiting(Waiter::Slot(slot))
            && self.memory.slots[1 - slot].published() <= self.memory.slots[slot].published()
    }

    fn look(&self, slot: usize, epoch: u64, sealed: u64) -> Seen {
        let before = self.seen[slot];
        let (first, published) = (self.memory.slots[slot].first_block(), self.memory.slots[slot].published());
        let lag = if first == NO_BLOCK { 0 } else { sealed.saturating_sub(published) };
        let same_worker = first == before.first && epoch == before.epoch;
        let stands_still = lag > 0 && published == before.published;
        let falls_behind = lag >= SLOW_LAG && lag >= before.lag;
        let polite = self.is_polite(slot);
        // A block with very many commands takes long, but one after the other is applied.
        let applying = self.memory.slots[slot].applying();
        let gets_on = applying.is_some() && applying != before.applying;
        let goes_on = polite || gets_on;
        let behind = match gets_on || published != before.published {
            true => lag >= SLOW_LAG,
            false => same_worker && before.behind,
        };
        let idle = if same_worker && !goes_on && (stands_still || falls_behind) { before.idle + 1 } else { 0 };
        let awaited = self.is_polite(1 - slot);
        let unawaited = if idle == 0 { 0 } else { before.unawaited + u32::from(!awaited) };
        Seen { epoch, first, published, applying, lag, idle, unawaited, behind, polite }
    }

    /// Declares the workers that should have block `number` by now and do not: those that hold up a sink without
    /// a beat.
    pub fn declare_missing(&self, number: BlockNumber, had: [bool; 2]) {
        for slot in (0..2).filter(|slot| !had[*slot] && !self.is_polite(*slot)) {
            let epoch = self.counters.slots[slot].epoch.load(Ordering::Relaxed);
            if self.memory.slots[slot].first_block() <= number {
                self.alarm.declare(slot, epoch);
            }
        }
    }

    /// Declares that the worker that `slot` had in this epoch has computed wrongly.
    pub fn distrust(&self, slot: usize, epoch: u64) {
        self.alarm.distrust(slot, epoch);
    }

    /// Whether the newest block that the slot and the other one both have is the same in both. If the other
    /// has none (it is dead, or not used), whether the slot has any.
    fn in_lockstep(&mut self, slot: usize) -> bool {
        let (own, other) = (&self.memory.slots[slot], &self.memory.slots[1 - slot]);
        let first = own.first_block();
        let published = own.published();
        if first == NO_BLOCK || published <= first {
            return false;
        }
        if other.first_block() == NO_BLOCK {
            return true;
        }
        let Some(newest_of_both) = published.min(other.published()).checked_sub(1) else { return false };
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
#[path = "watch_tests.rs"]
mod tests;
