//! What is on the tapes belongs to a state and is too long for it: whoever goes on from a state finds it in the slots.

use abi::BlockNumber;
use abi::tape::{RECORD_WORDS, records_of};
use shm::SlotMemory;

use super::{EngineState, Scratch};

/// Puts on the tapes of `scratch` what they held when `state` was, from either slot; `false` if a block of it is in neither, or
/// damaged in both: it is silent then.
pub fn read(state: &EngineState, scratch: &mut Scratch, slots: [&SlotMemory; 2]) -> bool {
    read_with(state, scratch, |strip, block, words| slots.iter().any(|slot| slot.read_tape(strip, block, words)))
}

/// The same, for a worker that begins with `state`: what its own slot has not, or not whole, is put there. So a slot that is
/// joined has all that its states need, and either alone is enough.
pub(super) fn take_over(state: &EngineState, scratch: &mut Scratch, own: &SlotMemory, other: &SlotMemory) -> bool {
    read_with(state, scratch, |strip, block, words| {
        let is_there = own.read_tape(strip, block, words);
        if !is_there && other.read_tape(strip, block, words) {
            own.restore_tape(strip, block, words);
            return true;
        }
        is_there
    })
}

fn read_with(
    state: &EngineState,
    scratch: &mut Scratch,
    read: impl Fn(usize, BlockNumber, &mut [u64]) -> bool,
) -> bool {
    let mut all = true;
    for strip in state.strips() {
        // The oldest first: they are written over next.
        for back in (0..strip.blocks).rev() {
            let Some(words) = state.written(scratch, strip.number, back) else { continue };
            let block = state.next_block.checked_sub(back + 1);
            if !block.is_some_and(|block| read(strip.number, block, words)) {
                words.fill(0);
                all = false;
            }
        }
    }
    all
}

/// Publishes what the block before `state` has written to the tapes of `scratch`.
pub(super) fn publish(state: &EngineState, scratch: &mut Scratch, own: &SlotMemory) {
    let Some(block) = state.next_block.checked_sub(1) else { return };
    for strip in state.strips() {
        if let Some(words) = state.written(scratch, strip.number, 0) {
            own.publish_tape(strip.number, block, words);
        }
    }
}

/// What the tapes held when `state` was, one block after the other; `None` if some of it is not there, or no longer. Several
/// hundred kilobytes for a delay.
pub fn copy(state: &EngineState, slots: [&SlotMemory; 2]) -> Option<Vec<u64>> {
    let length_of = |strip: dsp::instrument::Strip| strip.blocks as usize * records_of(strip.number) * RECORD_WORDS;
    // Memory that grows is copied, and here, where all of it is locked, made anew each time.
    let mut words = Vec::with_capacity(state.strips().map(length_of).sum());
    for strip in state.strips() {
        let length = records_of(strip.number) * RECORD_WORDS;
        for back in (0..strip.blocks).rev() {
            let (block, start) = (state.next_block.checked_sub(back + 1)?, words.len());
            words.resize(start + length, 0);
            let found = slots.iter().any(|slot| slot.read_tape(strip.number, block, &mut words[start..]));
            found.then_some(())?;
        }
    }
    Some(words)
}

/// Puts on the tapes of `scratch` what was copied with `state`.
pub fn put(state: &EngineState, scratch: &mut Scratch, mut copied: &[u64]) {
    for strip in state.strips() {
        for back in (0..strip.blocks).rev() {
            let Some(words) = state.written(scratch, strip.number, back) else { continue };
            let (block, rest) = copied.split_at(words.len().min(copied.len()));
            words[..block.len()].copy_from_slice(block);
            copied = rest;
        }
    }
}

#[cfg(all(test, not(feature = "simulation")))]
#[path = "tapes_tests.rs"]
mod tests;
