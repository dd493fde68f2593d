//! Every order of a writer and a reader of one place. Two words, five stores a publication: nothing is bounded.

use super::*;
use crate::model::{check, killed_after};
use loom::sync::Arc;

/// Of the place: a ring of two holds the even numbers here.
const RING: u64 = 2;
/// Tag gone, two words, checksum, tag.
const STORES: usize = 5;

type Place = Seqlock<2>;

/// No two numbers share a word.
fn words_of(number: u64) -> [u64; 2] {
    [number * 2 + 10, number * 2 + 11]
}

fn sum_of(number: u64) -> u64 {
    let words = words_of(number);
    checksum(number, 2, |place| words[place])
}

/// One look at the place: whether `number` was there whole. Anything else that is not "absent" is a mixture.
type Look = fn(&Place, u64) -> bool;

fn reads(place: &Place, number: u64) -> bool {
    let mut found = [0; 2];
    match place.read(number, &mut found) {
        Reading::Whole(sum) => {
            assert_eq!((found, sum), (words_of(number), sum_of(number)), "the words of another number");
            true
        }
        other => {
            assert_eq!(other, Reading::Absent);
            false
        }
    }
}

fn compares(place: &Place, number: u64) -> bool {
    let found = place.compare(number, &words_of(number));
    assert!(matches!(found, Comparison::Same | Comparison::Absent), "{found:?}");
    found == Comparison::Same
}

fn sums(place: &Place, number: u64) -> bool {
    let found = place.checksum_of(number);
    assert!(found.is_none_or(|sum| sum == sum_of(number)), "the checksum of another number");
    found.is_some()
}

const LOOKS: [Look; 3] = [reads, compares, sums];

/// Number 0 is here; 2 is published over it, then 4, while the reader asks for one of them.
fn a_look_during_two_publications(look: Look, number: u64) {
    check(None, move || {
        let place = Arc::new(Place::fresh());
        place.publish(0, &words_of(0), &POINTS);
        let written = place.clone();
        let writer = loom::thread::spawn(move || {
            written.publish(RING, &words_of(RING), &POINTS);
            written.publish(2 * RING, &words_of(2 * RING), &POINTS);
        });
        look(&place, number);
        writer.join().unwrap();
        assert!(look(&place, 2 * RING) && !look(&place, RING) && !look(&place, 0));
    });
}

#[test]
fn the_number_asked_for_is_found_whole_or_not_at_all() {
    for look in LOOKS {
        for number in [0, RING, 2 * RING] {
            a_look_during_two_publications(look, number);
        }
    }
}

/// The number that a reader sees here is the one it then asks for, as a new worker does with snapshots.
#[test]
fn the_number_seen_is_found_whole_or_gone() {
    check(None, || {
        let place = Arc::new(Place::fresh());
        let written = place.clone();
        let writer = loom::thread::spawn(move || {
            written.publish(0, &words_of(0), &POINTS);
            written.publish(RING, &words_of(RING), &POINTS);
        });
        if let Some(number) = place.number() {
            // What is published last does not go away.
            assert!(reads(&place, number) || number < RING);
        }
        writer.join().unwrap();
    });
}

/// A writer dies after any of its stores; its successor publishes the same number again, or the next one for this
/// place. It starts when the dead one is reaped, so both are one thread here.
#[test]
fn a_killed_writer_leaves_nothing_that_is_taken_for_whole() {
    for look in LOOKS {
        for (stores, successor) in (0..=STORES).flat_map(|stores| [(stores, RING), (stores, 2 * RING)]) {
            check(None, move || {
                let place = Arc::new(Place::fresh());
                place.publish(0, &words_of(0), &POINTS);
                let written = place.clone();
                let writers = loom::thread::spawn(move || {
                    let killed = killed_after(stores, || written.publish(RING, &words_of(RING), &POINTS));
                    assert_eq!(killed, stores < STORES);
                    // As a slot does: what is here whole is left alone.
                    if written.number() != Some(successor) {
                        written.publish(successor, &words_of(successor), &POINTS);
                    }
                });
                look(&place, RING);
                writers.join().unwrap();
                assert!(look(&place, successor));
            });
        }
    }
}

/// What was found wrong is thrown away, and its number published again with other words. Then the tag is the same
/// before and after, and only the checksum tells a mixture of the two: it may be called damaged, never whole.
#[test]
fn a_number_published_anew_is_never_mixed_with_what_was_thrown_away() {
    check(None, || {
        let place = Arc::new(Place::fresh());
        place.publish(RING, &words_of(7), &POINTS);
        let written = place.clone();
        let writers = loom::thread::spawn(move || {
            written.clear();
            written.publish(RING, &words_of(RING), &POINTS);
        });
        let mut found = [0; 2];
        if let Reading::Whole(_) = place.read(RING, &mut found) {
            assert!(found == words_of(7) || found == words_of(RING), "a mixture: {found:?}");
        }
        writers.join().unwrap();
        assert!(reads(&place, RING));
    });
}
