//! Compares what a simulated engine plays with what it should: an engine that nothing happens to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use abi::{Block, BlockNumber};

use crate::audio::SharedMemory;
use crate::report::Counters;
use crate::worker::{EngineState, Scratch};

/// A block that was played.
struct Played {
    number: BlockNumber,
    block: Block,
    late: bool,
}

/// What was heard.
pub struct Listener {
    memory: Arc<SharedMemory>,
    counters: Arc<Counters>,
    reference: Box<EngineState>,
    scratch: Box<Scratch>,
    /// Played, and not compared yet: what a worker will be found to have died of is not known before somebody has
    /// rendered the block.
    played: VecDeque<Played>,
    late_before: u64,
    after_late: bool,
    /// Numbers of blocks that were late.
    pub late: Vec<BlockNumber>,
    /// Numbers of blocks that are not those of the reference.
    pub wrong: Vec<BlockNumber>,
}

impl Listener {
    /// Listens to an engine with this memory.
    pub fn new(memory: Arc<SharedMemory>, counters: Arc<Counters>, reference: Box<EngineState>) -> Self {
        let played = VecDeque::new();
        let (late, wrong) = (Vec::new(), Vec::new());
        let scratch = bytemuck::zeroed_box();
        Self { memory, counters, reference, scratch, played, late_before: 0, after_late: false, late, wrong }
    }

    /// Hears a block.
    pub fn hear(&mut self, number: BlockNumber, block: &Block) {
        let late = self.counters.late_blocks.load(Ordering::Relaxed);
        let was_late = late > self.late_before;
        self.late_before = late;
        if was_late {
            self.late.push(number);
        }
        self.played.push_back(Played { number, block: *block, late: was_late });
        self.compare();
    }

    /// Compares what can be compared by now.
    pub fn compare(&mut self) {
        let rendered = self.memory.slots.iter().filter_map(|slot| slot.newest_snapshot()).max().unwrap_or(0);
        while self.played.front().is_some_and(|played| played.number < rendered) {
            let Some(played) = self.played.pop_front() else { return };
            let mut expected = Block::SILENCE;
            let (score, log) = (&self.memory.score, &self.memory.log);
            let known =
                self.reference.render_next(score, Some(log), &|_| {}, (&mut self.scratch, &mut expected)).is_ok();
            // A ramp leads to a late block and back from it: the last frames are the block's own.
            let from = if self.after_late { abi::WORDS_PER_BLOCK - 1 } else { 0 };
            let right = played.late || played.block.words()[from..] == expected.words()[from..];
            self.after_late = played.late;
            if !(known && right) {
                self.wrong.push(played.number);
            }
        }
    }
}
