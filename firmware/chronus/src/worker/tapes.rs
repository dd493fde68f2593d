//! What is on the tapes belongs to a state and is too long for it: whoever goes on from a state finds it in the slots.

use shm::SlotMemory;

use super::{EngineState, Scratch};

/// Puts on the tapes of `scratch` what they held when `state` was, from either slot; `false` if a block of it is in neither, or
/// damaged in both: it is silent then. A worker gives its own slot first, in `own`: what that has not is put there too.
pub fn take(state: &EngineState, scratch: &mut Scratch, slots: [&SlotMemory; 2], own: Option<&SlotMemory>) -> bool {
    let mut all = true;
    for strip in state.strips() {
        // The oldest first: they are written over next.
        for back in (0..strip.blocks).rev() {
            let Some(words) = state.written(scratch, strip.number, back) else { continue };
            let found = state.next_block.checked_sub(back + 1).filter(|block| {
                slots.iter().any(|slot| slot.read_tape(strip.number, *block, words))
            });
            match (found, own) {
                (Some(block), Some(own)) if !own.has_tape(strip.number, block) => {
                    own.publish_tape(strip.number, block, words);
                }
                (Some(_), _) => {}
                (None, _) => {
                    words.fill(0);
                    all = false;
                }
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
    let mut words = Vec::new();
    for strip in state.strips() {
        let length = abi::tape::records_of(strip.number) * abi::tape::RECORD_WORDS;
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
