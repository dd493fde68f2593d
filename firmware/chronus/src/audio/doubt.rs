//! A question of the audio thread to the judge: the two workers differ at this block, which one is wrong? Asked and
//! answered without waiting for each other.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use abi::BlockNumber;

/// The judge's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The worker of this slot, 0 or 1, is wrong.
    Wrong(usize),
    /// Both are as they should be.
    Neither,
    /// It cannot be told: no state is left on which both agree, or both are wrong.
    Unknown,
}

/// One question and its answer.
#[derive(Default)]
pub struct Doubt {
    /// The block asked about plus one.
    asked: AtomicU64,
    /// The block answered plus one, times four, plus the answer.
    answered: AtomicU64,
    /// Changes with every question, and when the judge is to look whether it shall stop.
    calls: AtomicU32,
}

const ANSWERS: [Verdict; 4] = [Verdict::Wrong(0), Verdict::Wrong(1), Verdict::Neither, Verdict::Unknown];

impl Doubt {
    /// Asks about a block. An earlier question that is not answered yet is dropped.
    pub fn ask(&self, block: BlockNumber) {
        self.asked.store(block + 1, Ordering::Release);
        self.call();
    }

    /// Makes the judge look.
    pub fn call(&self) {
        self.calls.fetch_add(1, Ordering::Release);
        rt::futex::wake(&self.calls, 1);
    }

    /// The answer about `block`, if it is there.
    pub fn answer(&self, block: BlockNumber) -> Option<Verdict> {
        let word = self.answered.load(Ordering::Acquire);
        (word / 4 == block + 1).then(|| ANSWERS[(word % 4) as usize])
    }

    /// The block that is asked about and not answered.
    pub fn question(&self) -> Option<BlockNumber> {
        let asked = self.asked.load(Ordering::Acquire);
        let answered = self.answered.load(Ordering::Relaxed) / 4;
        (asked != answered).then(|| asked.checked_sub(1)).flatten()
    }

    /// Answers. Only the judge calls it.
    pub fn settle(&self, block: BlockNumber, verdict: Verdict) {
        let code = ANSWERS.iter().position(|answer| *answer == verdict).unwrap_or(ANSWERS.len() - 1);
        self.answered.store((block + 1) * 4 + code as u64, Ordering::Release);
    }

    /// How often the judge was called; read before looking for a question, to be waited on.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Acquire)
    }

    /// Waits until it is called, unless it was since `calls`.
    pub fn wait(&self, calls: u32) {
        rt::futex::wait(&self.calls, calls, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_for_its_own_block() {
        let doubt = Doubt::default();
        assert_eq!((doubt.question(), doubt.answer(0)), (None, None));
        for (block, verdict) in [(0, Verdict::Wrong(1)), (7, Verdict::Unknown), (8, Verdict::Neither)] {
            doubt.ask(block);
            assert_eq!((doubt.question(), doubt.answer(block)), (Some(block), None));
            doubt.settle(block, verdict);
            assert_eq!((doubt.question(), doubt.answer(block)), (None, Some(verdict)));
            assert_eq!(doubt.answer(block + 1), None);
        }
    }
}
