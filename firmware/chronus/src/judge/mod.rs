//! The judge: where the two workers differ, it renders the block once more, from the last state on which both agree,
//! and names the one that is wrong.
//!
//! A thread of the supervisor's process. It may: both workers have survived what it renders, and the DSP cannot fail on
//! whatever it finds in a state.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi::{Block, BlockNumber};
use shm::Comparison;

use crate::audio::{Doubt, SharedMemory, Verdict};
use crate::worker::{EngineState, Scratch, read_tapes};

/// What the judge works with.
pub struct Judge {
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// The question.
    pub doubt: Arc<Doubt>,
    /// Set when the engine stops; then the doubt is called.
    pub stop: Arc<AtomicBool>,
    /// What it works in, from one question to the next.
    room: RefCell<Room>,
}

/// Room for two states, and to render.
struct Room {
    state: Box<EngineState>,
    other: Box<EngineState>,
    scratch: Box<Scratch>,
}

impl Judge {
    /// A judge of these workers.
    pub fn new(memory: Arc<SharedMemory>, doubt: Arc<Doubt>, stop: Arc<AtomicBool>) -> Self {
        let (state, other) = (EngineState::room(), EngineState::room());
        Self { memory, doubt, stop, room: RefCell::new(Room { state, other, scratch: bytemuck::zeroed_box() }) }
    }

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
        let Room { state, other, scratch } = &mut *self.room.borrow_mut();
        if !self.read_last_agreed_state(block, state, other) {
            log::warn!("{}: there is no state before it on which they agree", undecided(block));
            return Verdict::Unknown;
        }
        if !read_tapes(state, scratch, self.memory.slots.each_ref().map(|slot| &**slot)) {
            log::warn!("{}: what was on the tapes before it is lost", undecided(block));
            return Verdict::Unknown;
        }
        let mut rendered = Block::SILENCE;
        while state.next_block <= block {
            let number = state.next_block;
            let (score, log) = (&self.memory.score, &self.memory.log);
            if state.render_next(score, Some(log), &|_| {}, (scratch, &mut rendered)).is_err() {
                log::warn!("{}: the log has gone on beyond block {number}", undecided(block));
                return Verdict::Unknown;
            }
            let wrong = [0, 1].map(|slot| self.is_wrong(slot, number, &rendered, state, other));
            match wrong {
                [true, false] => return Verdict::Wrong(0),
                [false, true] => return Verdict::Wrong(1),
                [true, true] => {
                    log::warn!("{}: rendered again, block {number} is like neither's", undecided(block));
                    return Verdict::Unknown;
                }
                [false, false] => {}
            }
        }
        Verdict::Neither
    }

    /// Whether a slot has another block than the one rendered, or another state behind it.
    fn is_wrong(
        &self,
        slot: usize,
        number: BlockNumber,
        rendered: &Block,
        state: &EngineState,
        published: &mut EngineState,
    ) -> bool {
        let slot = &self.memory.slots[slot];
        if slot.compare_block(number, rendered.words()) == Comparison::Different {
            return true;
        }
        published.read(slot, state.next_block).is_some() && published.as_words() != state.as_words()
    }

    /// Reads the newest state before `block` that both slots have and that is the same in both; `false` if there is none.
    fn read_last_agreed_state(&self, block: BlockNumber, state: &mut EngineState, other: &mut EngineState) -> bool {
        let slots = &self.memory.slots;
        let mut numbers = slots[0].snapshot_numbers().filter(|number| *number <= block);
        numbers.any(|number| {
            let checksum = state.read(&slots[0], number);
            checksum.is_some() && other.read(&slots[1], number) == checksum
        })
    }
}

/// What is said where no verdict can be given. The worker that joined later is replaced then.
fn undecided(block: BlockNumber) -> String {
    format!("the workers differ at block {block}, and which of them is wrong cannot be found out")
}

#[cfg(test)]
mod tests;
