//! The tree of what is played: made of the newest state of the workers, as those who keep the patch read it. So whoever asks
//! costs neither the audio thread nor the control thread anything; what is set is to be seen when a worker has applied it.

use std::sync::Arc;

use dsp::instrument::Wiring;

use super::tree::Tree;
use crate::audio::SharedMemory;
use crate::input::catalogue;
use crate::worker::{EngineState, read_newest_state};

/// Nanoseconds for which what was seen is new enough: less than a block takes.
const FRESH: u64 = 2_000_000;

/// The tree as it was seen last.
pub struct Played {
    memory: Arc<SharedMemory>,
    rate: u32,
    room: Box<EngineState>,
    wiring: Box<Wiring>,
    tree: Tree,
    looked: u64,
}

impl Played {
    /// Of an engine with this memory, at a sample rate in Hz.
    pub fn new(memory: Arc<SharedMemory>, rate: u32) -> Self {
        let wiring = Box::new(*catalogue::power_on());
        let tree = Tree::of(&wiring, rate);
        let mut played = Self { memory, rate, room: EngineState::room(), wiring, tree, looked: 0 };
        played.look(rt::clock::monotonic());
        played
    }

    /// The tree as it was seen last.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Looks again; gives the tree as it was before if it is another one now.
    pub fn look(&mut self, now: u64) -> Option<Tree> {
        if now < self.looked + FRESH {
            return None;
        }
        self.looked = now;
        let [first, second] = &self.memory.slots;
        let found = read_newest_state([first, second], self.memory.log.sealed().blocks(), &mut self.room);
        // Where there is no whole state just now, what was seen last stays.
        let seen = self.room.wiring();
        if !found || !seen.is_in_range(self.rate) || seen.reads_as(&self.wiring) {
            return None;
        }
        *self.wiring = *seen;
        Some(std::mem::replace(&mut self.tree, Tree::of(&self.wiring, self.rate)))
    }
}
