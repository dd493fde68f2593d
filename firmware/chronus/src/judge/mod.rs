//! The judge: where the two workers differ, it renders the block once more, from the last state on which both agree,
//! and names the one that is wrong.
//!
//! A thread of the supervisor's process. It may: both workers have survived what it renders, and the DSP cannot fail on
//! whatever it finds in a state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi::{Block, BlockNumber};
use shm::{Comparison, Reading};

use crate::audio::{Doubt, SharedMemory, Verdict};
use crate::worker::{EngineState, STATE_WORDS};

/// What the judge works with.
pub struct Judge {
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// The question.
    pub doubt: Arc<Doubt>,
    /// Set when the engine stops; then the doubt is called.
    pub stop: Arc<AtomicBool>,
}

impl Judge {
    /// Answers until the engine stops.
    pub fn run(&self, real_time: bool) {
        if real_time {
            // Refused, it is a little slower, and one wrong block may be heard.
            let _ = rt::scheduling::set_fifo(rt::scheduling::JUDGE_PRIORITY);
        }
        while !self.stop.load(Ordering::Acquire) {
            let calls = self.doubt.calls();
            if !self.answer() {
                self.doubt.wait(calls);
            }
        }
    }

    /// Answers the question, if there is one.
    pub fn answer(&self) -> bool {
        let Some(block) = self.doubt.question() else { return false };
        self.doubt.settle(block, self.judge(block));
        self.memory.ring();
        true
    }

    fn judge(&self, block: BlockNumber) -> Verdict {
        let Some(mut state) = self.last_agreed_state(block) else {
            log::debug!("no state before block {block} on which both workers agree");
            return Verdict::Unknown;
        };
        let mut rendered = Block::SILENCE;
        while state.next_block <= block {
            let number = state.next_block;
            let (score, log) = (&self.memory.score, &self.memory.log);
            if state.render_next(score, Some(log), &|_| {}, &mut rendered).is_err() {
                return Verdict::Unknown;
            }
            let wrong = [0, 1].map(|slot| self.is_wrong(slot, number, &rendered, &state));
            match wrong {
                [true, false] => return Verdict::Wrong(0),
                [false, true] => return Verdict::Wrong(1),
                [true, true] => {
                    log::debug!("both workers have another block {number} than the one rendered again");
                    return Verdict::Unknown;
                }
                [false, false] => {}
            }
        }
        Verdict::Neither
    }

    /// Whether a slot has another block than the one rendered, or another state behind it.
    fn is_wrong(&self, slot: usize, number: BlockNumber, rendered: &Block, state: &EngineState) -> bool {
        let slot = &self.memory.slots[slot];
        if slot.compare_block(number, rendered.words()) == Comparison::Different {
            return true;
        }
        let mut words = [0; STATE_WORDS];
        matches!(slot.read_snapshot(state.next_block, &mut words), Reading::Whole(_)) && words != state.to_words()
    }

    /// The newest state before `block` that both slots have and that is the same in both.
    fn last_agreed_state(&self, block: BlockNumber) -> Option<EngineState> {
        let slots = &self.memory.slots;
        let mut words = [0; STATE_WORDS];
        slots[0].snapshot_numbers().filter(|number| *number <= block).find_map(|number| {
            let Reading::Whole(checksum) = slots[0].read_snapshot(number, &mut words) else { return None };
            let agreed = slots[1].read_snapshot(number, &mut words) == Reading::Whole(checksum);
            agreed.then(|| EngineState::from_words(&words))
        })
    }
}

#[cfg(test)]
mod tests;
