//! Which slot is believed. The two workers are compared block by block and state by state; where they differ the judge
//! is asked, and whoever it names is not taken from any more.

use abi::BlockNumber;

use super::doubt::{Doubt, Verdict};
use super::period::SharedMemory;
use crate::report::{Counters, count};
use std::sync::atomic::Ordering;

/// Blocks for which a comparison is put off while one of the two is not there. Later it would no longer be in the ring.
const LONGEST_DELAY: u64 = 4;

/// What is believed.
pub struct Trust<'a> {
    memory: &'a SharedMemory,
    counters: &'a Counters,
    doubt: &'a Doubt,
    /// The block that the judge was asked about, and the epochs of the slots then.
    asked: Option<(BlockNumber, [u64; 2])>,
    /// The epoch in which each slot was found wrong.
    wrong: [Option<u64>; 2],
    /// Found wrong and not yet told.
    news: Option<(usize, u64)>,
    /// All blocks before this one were compared, with the states behind them.
    compared: BlockNumber,
}

impl<'a> Trust<'a> {
    /// Believes both, from block `first` on.
    pub fn new(memory: &'a SharedMemory, counters: &'a Counters, doubt: &'a Doubt, first: BlockNumber) -> Self {
        Self { memory, counters, doubt, asked: None, wrong: [None; 2], news: None, compared: first }
    }

    /// Whether the worker in this slot was found wrong. Its successor is believed.
    pub fn is_wrong(&self, slot: usize) -> bool {
        self.wrong[slot].is_some_and(|epoch| epoch == self.epoch(slot))
    }

    /// The slot whose worker joined earlier: it has been in agreement for longer.
    pub fn more_trusted(&self) -> usize {
        usize::from(self.memory.slots[1].first_block() < self.memory.slots[0].first_block())
    }

    /// Who was found wrong since the last call, with the epoch: each once.
    pub fn take_wrong(&mut self) -> Option<(usize, u64)> {
        self.news.take()
    }

    /// Asks the judge about a block, unless it is still busy with a question.
    pub fn ask(&mut self, number: BlockNumber) {
        if self.asked.is_none() {
            count(&self.counters.divergences);
            self.asked = Some((number, [self.epoch(0), self.epoch(1)]));
            self.doubt.ask(number);
        }
    }

    /// Whether the judge has a question that it has not answered, as far as was heard.
    pub fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// Listens for the answer.
    pub fn hear(&mut self) {
        let Some((number, epochs)) = self.asked else { return };
        let Some(verdict) = self.doubt.answer(number) else { return };
        self.asked = None;
        // Whatever was found, this block is done with.
        self.compared = self.compared.max(number + 1);
        let wrong = match verdict {
            Verdict::Wrong(slot) => slot,
            Verdict::Neither => return,
            Verdict::Unknown => {
                count(&self.counters.undecided);
                1 - self.more_trusted()
            }
        };
        // If that worker is gone by now, its successor may have begun with its state: it is not believed either.
        let epoch = self.epoch(wrong).max(epochs[wrong]);
        self.wrong[wrong] = Some(epoch);
        self.news = Some((wrong, epoch));
    }

    /// Compares blocks, up to `number`, and the states behind them, by their checksums: what came too late to be
    /// compared when it was played, and what differs without being heard yet.
    pub fn sweep(&mut self, number: BlockNumber) {
        self.hear();
        while self.compared <= number && self.asked.is_none() {
            match self.same(self.compared) {
                Some(true) => self.compared += 1,
                Some(false) => self.ask(self.compared),
                None if number - self.compared >= LONGEST_DELAY => self.compared += 1,
                None => return,
            }
        }
    }

    /// Whether both slots have the same block and the same state behind it; `None` while one of them has not got there.
    fn same(&self, number: BlockNumber) -> Option<bool> {
        let slots = &self.memory.slots;
        if (0..2).any(|slot| self.is_wrong(slot) || slots[slot].first_block() > number) {
            return Some(true);
        }
        let [first, second] = [0, 1]
            .map(|slot: usize| Some((slots[slot].block_checksum(number)?, slots[slot].snapshot_checksum(number + 1)?)));
        Some(first? == second?)
    }

    fn epoch(&self, slot: usize) -> u64 {
        self.counters.slots[slot].epoch.load(Ordering::Relaxed)
    }
}
