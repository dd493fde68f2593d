//! The newest state there is, for whoever wants to know what is played.

use shm::{Reading, SlotMemory};

use super::state::{EngineState, STATE_WORDS};

/// The newest whole state of both slots, of those before block `sealed`; `None` if there is none just now.
pub fn newest_state(slots: [&SlotMemory; 2], sealed: u64) -> Option<EngineState> {
    let mut states: Vec<_> =
        slots.iter().flat_map(|slot| slot.snapshot_numbers().map(move |number| (number, *slot))).collect();
    states.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    let mut words = [0; STATE_WORDS];
    states.into_iter().filter(|(number, _)| *number <= sealed).find_map(|(number, slot)| {
        let whole = matches!(slot.read_snapshot(number, &mut words), Reading::Whole(_));
        let state = EngineState::from_words(&words);
        (whole && state.next_block == number).then_some(state)
    })
}
