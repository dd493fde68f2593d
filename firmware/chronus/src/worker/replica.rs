//! The work of a worker, in steps that never wait: whoever runs it does.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use abi::{Block, BlockNumber};
use shm::{CommandPlace, KillPoint, RecordLost, SlotMemory, Waiter, kill_point};

use super::fault::{Fault, FlipTarget, Flipping, slow_down};
use super::{EngineState, Scratch, WorkerMemory, tapes};

/// How often a joining worker looks again for the newest snapshot before it takes the one before. The other
/// worker may be writing; a read takes some microseconds and a block five thousand.
const NEWEST_TRIES: usize = 100;

/// Newer states that a joining worker tries where tapes are not there, or the state soon will not be: one is enough where
/// they were written over.
const NEWER_TRIES: usize = 2;

/// Tries after which all states that may be there were looked at.
const LAST_TRIES: usize = 2 * NEWEST_TRIES;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A block was rendered and published.
    Rendered,
    /// The next block is not sealed. To be waited for at the log's wake word, which had this value.
    Unsealed {
        /// Value of the wake word.
        wake: u32,
    },
    /// The next block has commands that nobody has applied yet, and it is for the other worker to go first. To be
    /// waited for at the bell, which had rung so often.
    NotFirst {
        /// Rings of the bell.
        rings: u32,
    },
}

/// What a worker needs besides shared memory. It is too large for a stack, and no worker may ask for memory later.
pub struct Room {
    state: Box<EngineState>,
    scratch: Box<Scratch>,
}

impl Room {
    /// All of it.
    pub fn new() -> Self {
        Self { state: EngineState::room(), scratch: bytemuck::zeroed_box() }
    }
}

/// One of the two that render the same.
pub struct Replica<M> {
    memory: M,
    slot: usize,
    state: Box<EngineState>,
    scratch: Box<Scratch>,
    block: Block,
    waits: bool,
    flipping: Flipping,
    fault: Option<Fault>,
}

impl<M: WorkerMemory> Replica<M> {
    /// Takes the newest state and joins with it.
    pub fn join(memory: M, slot: usize, fault: Option<Fault>, room: Room) -> Self {
        let Room { mut state, mut scratch } = room;
        let (own, other) = (memory.slot(slot), memory.slot(1 - slot));
        read_newest(other, own, &mut state);
        // What is missing was written over meanwhile, and then there is a newer state; or it was damaged in both, and is silent.
        // And the judge needs a state that both have: who was kept from its core meanwhile takes one that will stay.
        for tries in 0..=NEWER_TRIES {
            let whole = tapes::take_over(&state, &mut scratch, own, other);
            if whole && other.keeps_snapshot(state.next_block) || tries == NEWER_TRIES {
                break;
            }
            read_newest(other, own, &mut state);
        }
        own.publish_first_snapshot(state.next_block, state.as_words());
        own.join(state.next_block);
        let flipping = Flipping::new(fault);
        Self { memory, slot, state, scratch, block: Block::SILENCE, waits: false, flipping, fault }
    }

    /// Test builds: flips a bit as soon as it is the target's turn.
    #[cfg(feature = "simulation")]
    pub fn inject(&mut self, flip: super::Flip) {
        self.flipping = Flipping::new(Some(Fault::Flip(flip)));
    }

    /// The memory it works on.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Renders and publishes the next block, or says what it has to wait for.
    ///
    /// # Errors
    /// [`RecordLost`]: this replica is of no more use.
    pub fn step(&mut self) -> Result<Step, RecordLost> {
        let number = self.state.next_block;
        // The wake word first: a seal after this reading changes it, and waiting for it ends at once.
        let wake = self.memory.log().wake_word().load(Ordering::Acquire);
        if self.memory.log().sealed().blocks() <= number {
            return Ok(Step::Unsealed { wake });
        }
        kill_point(KillPoint::Woken);
        if let Some(rings) = self.waits_for_the_other(number) {
            return Ok(Step::NotFirst { rings });
        }
        self.render(number)?;
        Ok(Step::Rendered)
    }

    /// Whether the other worker goes first with block `number`: then how often the bell has rung so far.
    fn waits_for_the_other(&mut self, number: BlockNumber) -> Option<u32> {
        let me = Waiter::Slot(self.slot);
        let rings = if self.goes_now(number) {
            None
        } else {
            // Said before looking again, so that whoever changes it now rings for this one too.
            self.memory.bell().set_waiting(me, true);
            self.waits = true;
            let rings = self.memory.bell().rings();
            (!self.goes_now(number)).then_some(rings)
        };
        if rings.is_none() && std::mem::take(&mut self.waits) {
            self.memory.bell().set_waiting(me, false);
        }
        rings
    }

    /// Whether block `number` may be rendered now. A block whose commands no worker has applied yet is for the one
    /// that goes first: if it dies of them, the other one is warned. Once it has published the block, it has survived.
    fn goes_now(&self, number: BlockNumber) -> bool {
        let (log, other) = (self.memory.log(), self.memory.slot(1 - self.slot));
        log.first() == self.slot || other.published() > number || !self.state.has_commands(self.memory.score(), log)
    }

    fn render(&mut self, number: BlockNumber) -> Result<(), RecordLost> {
        let (own, bell) = (self.memory.slot(self.slot), self.memory.bell());
        let (log, score) = (self.memory.log(), self.memory.score());
        self.flipping.at(FlipTarget::State, own, |bit| self.state.flip(bit));
        let (commands, fault) = (Cell::new(0), self.fault);
        let note = |place: CommandPlace| {
            own.note_applying(Some(place));
            commands.set(commands.get() + 1);
            slow_down(fault);
        };
        self.state.render_next(score, Some(log), &note, (&mut self.scratch, &mut self.block))?;
        own.note_applying(None);
        own.note_commands(number, commands.get());
        kill_point(KillPoint::Rendered);
        self.flipping.at(FlipTarget::Block, own, |bit| {
            self.block.words_mut()[(bit / 64) as usize % abi::WORDS_PER_BLOCK] ^= 1 << (bit % 64);
        });
        own.publish_block(number, &self.block);
        self.flipping.in_published_block(own, number);
        if bell.ring() {
            rt::futex::wake(bell.word(), i32::MAX);
        }
        tapes::publish(&self.state, &mut self.scratch, own);
        self.flipping.in_published_tape(own, &self.state);
        let words = self.state.as_words();
        own.publish_snapshot(self.state.next_block, words, self.state.log_index);
        self.flipping.in_published_snapshot(own, self.state.next_block, words.len());
        Ok(())
    }
}

/// Replaces the newest state of all by one with the sound as it is at the start. For the supervisor, while no slot has
/// a worker: no worker survives the state there is.
pub fn start_over(slots: [&SlotMemory; 2], rate: u32) {
    let mut state = EngineState::room();
    // None is whole: then there is nothing to go on from, and the next worker that finds one tries again.
    if !read_newest_within(slots, LAST_TRIES, &mut state) {
        return;
    }
    state.start_sound_over(rate);
    for slot in slots {
        // Of the sound before; blocks of the same numbers will have other tapes.
        slot.discard_tapes();
        slot.publish_snapshot(state.next_block, state.as_words(), state.log_index);
    }
}

/// Reads the newest whole state of either slot. There always is one: a worker killed while writing one of its
/// snapshots leaves the others whole, and the supervisor wrote the first.
fn read_newest(other: &SlotMemory, own: &SlotMemory, state: &mut EngineState) {
    while !read_newest_within([other, own], LAST_TRIES, state) {}
}

fn read_newest_within(slots: [&SlotMemory; 2], most: usize, state: &mut EngineState) -> bool {
    for tries in 0..most {
        let newest = slots.iter().filter_map(|slot| slot.newest_snapshot()).max().unwrap_or(0);
        kill_point(KillPoint::JoinSnapshotFound);
        // At first only the newest; after many misses also older ones, which cost more catching up.
        let oldest = if tries < NEWEST_TRIES { newest } else { newest.saturating_sub(tries as u64) };
        for number in (oldest..=newest).rev() {
            for slot in slots {
                if state.read(slot, number).is_some() {
                    kill_point(KillPoint::JoinSnapshotRead);
                    return true;
                }
            }
        }
    }
    false
}
