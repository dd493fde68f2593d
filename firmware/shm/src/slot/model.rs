//! Orders of a slot's worker, its death, its successor, and those who read what it publishes. A ring of two blocks and
//! two snapshots, of two words each: every order there is.

use super::*;
use crate::model::{check, killed_after};
use loom::sync::Arc;

/// The words of the snapshot before block `next`; the second is how many log records it has behind it.
fn state(next: BlockNumber) -> [u64; 2] {
    [next + 100, next * 3]
}

fn block(number: BlockNumber) -> Block {
    Block([number + 50, number + 70])
}

/// Publishes block `number` and the state behind it, as a worker does.
fn publish(slot: &SlotMemory, number: BlockNumber) {
    slot.publish_block(number, &block(number));
    slot.publish_snapshot(number + 1, &state(number + 1), state(number + 1)[1]);
}

/// A slot whose worker has published blocks 0 and 1: both snapshots are filled.
fn after_two_blocks() -> Arc<SlotMemory> {
    let slot = SlotMemory::fresh();
    slot.join(0);
    (0..2).for_each(|number| publish(&slot, number));
    Arc::new(slot)
}

/// The newest snapshot, by one look.
fn newest(slot: &SlotMemory) -> Option<BlockNumber> {
    let next = slot.newest_snapshot()?;
    let mut words = [0; 2];
    match slot.read_snapshot(next, &mut words) {
        Reading::Whole(_) => assert_eq!(words, state(next)),
        other => {
            assert_eq!(other, Reading::Absent);
            return None;
        }
    }
    Some(next)
}

/// While one snapshot is written the other is whole and found, and nobody has counted records as consumed that it does
/// not have behind it. Two switches are one more than it takes to look in the middle of the writing.
#[test]
fn the_newest_snapshot_is_whole_while_the_next_is_written() {
    check(None, || {
        let slot = after_two_blocks();
        let shared = slot.clone();
        let worker = loom::thread::spawn(move || publish(&shared, 2));
        let consumed = slot.consumed();
        let found = newest(&slot).expect("a whole snapshot");
        assert!(found >= 2 && state(found)[1] >= consumed, "snapshot {found}, consumed {consumed}");
        worker.join().unwrap();
        assert_eq!((newest(&slot), slot.consumed()), (Some(3), state(3)[1]));
    });
}

/// A reader that is slow finds what it wants gone; what it then finds is newer. So it comes to an end.
#[test]
fn a_snapshot_that_is_gone_has_a_newer_one() {
    check(None, || {
        let slot = after_two_blocks();
        let shared = slot.clone();
        let worker = loom::thread::spawn(move || (2..4).for_each(|number| publish(&shared, number)));
        if newest(&slot).is_none() {
            assert!(newest(&slot).is_some_and(|found| found >= 3), "gone, and no newer one");
        }
        worker.join().unwrap();
    });
}

/// A worker dies after any of its stores. Its successor, and the audio thread meanwhile, find a whole snapshot; the
/// successor goes on from it, and what it publishes again is what was there.
#[test]
fn a_worker_that_dies_anywhere_leaves_a_state_to_go_on_from() {
    // Block: five and the count; snapshot: five and the count of records.
    for stores in 0..=12 {
        check(None, move || {
            let slot = after_two_blocks();
            let shared = slot.clone();
            let workers = loom::thread::spawn(move || {
                assert_eq!(killed_after(stores, || publish(&shared, 2)), stores < 12);
                shared.vacate();
                let next = newest(&shared).expect("a state to go on from");
                assert!(next >= 2 && state(next)[1] >= shared.consumed());
                shared.publish_first_snapshot(next, &state(next));
                shared.join(next);
                (next..3).for_each(|number| publish(&shared, number));
            });
            let (first, published) = (slot.first_block(), slot.published());
            if published == 3 {
                assert_eq!(slot.compare_block(2, block(2).words()), Comparison::Same, "what is counted is there");
            }
            assert!(first == NO_BLOCK || first == 0 || published >= first);
            workers.join().unwrap();
            assert_eq!((newest(&slot), slot.published()), (Some(3), 3));
        });
    }
}

/// Who sees a successor joined sees its count of blocks, never the higher one its predecessor has left; and who sees a
/// block counted finds it.
#[test]
fn the_count_of_blocks_is_that_of_the_worker_that_joined() {
    check(None, || {
        let slot = Arc::new(SlotMemory::fresh());
        slot.join(5);
        slot.publish_block(5, &block(5));
        slot.vacate();
        let shared = slot.clone();
        let worker = loom::thread::spawn(move || {
            shared.join(4);
            shared.publish_block(4, &block(4));
        });
        if slot.first_block() == 4 {
            let published = slot.published();
            assert!(published == 4 || published == 5, "{published}");
            if published == 5 {
                assert_eq!(slot.compare_block(4, block(4).words()), Comparison::Same);
            }
        }
        worker.join().unwrap();
        assert_eq!((slot.first_block(), slot.published()), (4, 5));
    });
}

/// Who has a state has what was written to the tapes before it, while the worker goes on, or dies anywhere. The ring is one
/// record longer than is needed, as the real one is by many.
#[test]
fn a_state_has_its_tapes() {
    // Record: four, which nobody reads meanwhile; snapshot: five, and the count of records.
    for stores in 5..=10 {
        check(None, move || {
            let slot = Arc::new(SlotMemory::fresh());
            let go_on = |slot: &SlotMemory, number: BlockNumber| {
                slot.publish_tape(0, number, &[number + 7]);
                slot.publish_snapshot(number + 1, &state(number + 1), 0);
            };
            (0..2).for_each(|number| go_on(&slot, number));
            let shared = slot.clone();
            let worker = loom::thread::spawn(move || {
                assert_eq!(killed_after(stores, || go_on(&shared, 2)), stores < 10);
            });
            let found = newest(&slot).expect("a whole snapshot");
            let mut words = [0];
            assert!(slot.read_tape(0, found - 1, &mut words), "block {} is not there", found - 1);
            assert_eq!(words, [found + 6]);
            worker.join().unwrap();
        });
    }
}
