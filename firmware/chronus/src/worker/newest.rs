//! The newest state there is, for whoever wants to know what is played.

use shm::SlotMemory;

use super::state::EngineState;

/// Reads the newest whole state of both slots, of those before block `sealed`, into `state`; `false` if there is none just
/// now. Who asks again and again keeps the room for it.
pub fn read_newest_state(slots: [&SlotMemory; 2], sealed: u64, state: &mut EngineState) -> bool {
    let mut states: Vec<_> =
        slots.iter().flat_map(|slot| slot.snapshot_numbers().map(move |number| (number, *slot))).collect();
    states.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    let mut older = states.into_iter().filter(|(number, _)| *number <= sealed);
    older.any(|(number, slot)| state.read(slot, number).is_some() && state.next_block == number)
}
