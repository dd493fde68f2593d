//! What of a take is in the recording of the card: all of it in one piece, or a piece from each engine that played it.

use std::ops::Range;

use chronus_tests::sound_card::{self, Frame, common, onset};

use crate::day::Take;

/// Where a piece begins in a recording.
fn find(recording: &[Frame], piece: &[Frame]) -> Option<usize> {
    recording.windows(piece.len()).position(|window| window == piece)
}

/// Frames by which a take is found in the recording of the card: enough that no other sounds like them.
const SIGN: usize = 2048;

/// The pieces of a take that was played by one engine: bit for bit, from its first frame to be heard to its last one, and
/// nothing but silence in between.
///
/// # Panics
/// If that is not so.
pub fn pieces_of_one(recording: &[Frame], take: &Take) -> Vec<Range<usize>> {
    let last = take.reference.iter().rposition(|frame| *frame != [0, 0]).expect("a sound");
    let reference = &take.reference[..=last];
    let pieces = sound_card::pieces(&recording[take.recorded.clone()], reference);
    let pieces = pieces.unwrap_or_else(|wrong| panic!("{wrong}; {}", take.said));
    assert!(pieces[0].start <= onset(reference), "not from the start: {pieces:?}; {}", take.said);
    pieces
}

/// The pieces of a take that was played by several engines one after the other, of which the second and each after it
/// began at a frame of `beginnings`: which frames of the reference are in the recording. Between two of them there is
/// only silence.
///
/// # Panics
/// If a piece is not there, or something else is to be heard before it.
pub fn pieces_of_several(recording: &[Frame], take: &Take, beginnings: &[usize]) -> Vec<Range<usize>> {
    let (reference, first) = (&take.reference, onset(&take.reference));
    let (mut rest, mut pieces) = (&recording[take.recorded.start..], Vec::new());
    for from in std::iter::once(first).chain(beginnings.iter().copied()) {
        let at = find(rest, &reference[from..from + SIGN]);
        let at = at.unwrap_or_else(|| panic!("frame {from} and those after it were not played: {}", take.said));
        // What this card played before the take is no concern of it.
        let audible = rest[..at].iter().filter(|frame| **frame != [0, 0]).count();
        assert!(
            pieces.is_empty() || audible == 0,
            "{audible} other frames before {from}, after {pieces:?}: {}",
            take.said
        );
        let length = common(&rest[at..], &reference[from..]);
        pieces.push(from..from + length);
        rest = &rest[at + length..];
    }
    pieces
}
