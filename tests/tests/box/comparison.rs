//! What of a take is in the recording of the card: all of it in one piece, or a piece from each engine that played it.

use std::ops::Range;

use chronus_tests::sound_card::{Frame, onset};

use crate::day::Take;

/// Where a piece begins in a recording.
fn find(recording: &[Frame], piece: &[Frame]) -> Option<usize> {
    recording.windows(piece.len()).position(|window| window == piece)
}

/// Frames by which a take is found in the recording of the card: enough that no other sounds like them.
const SIGN: usize = 2048;

/// Frames at the start that both have in common.
fn common(one: &[Frame], other: &[Frame]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// How a take was played: frames equal to the reference from its first audible one on; frames equal to its end;
/// audible frames in between that are of neither.
#[derive(Debug)]
pub struct Comparison {
    pub from_start: usize,
    pub to_end: usize,
    pub audible_between: usize,
    pub length: usize,
}

/// What became of a take on its way to the card.
pub fn compare(recording: &[Frame], take: &Take) -> Comparison {
    let heard = |frames: &[Frame]| frames.iter().rposition(|frame| *frame != [0, 0]).expect("a sound") + 1;
    let reference = &take.reference[onset(&take.reference)..heard(&take.reference)];
    let start = find(recording, &reference[..SIGN]);
    let start = start.unwrap_or_else(|| panic!("its beginning was not played: {}", take.said));
    let tail = &reference[reference.len() - SIGN..];
    let end = find(&recording[start..], tail).unwrap_or_else(|| panic!("its end was not played: {}", take.said));
    let played = &recording[start..start + end + SIGN];
    let from_start = common(played, reference);
    let to_end = played.iter().rev().zip(reference.iter().rev()).take_while(|(a, b)| a == b).count();
    let between = played.get(from_start..played.len() - to_end).unwrap_or_default();
    let audible_between = between.iter().filter(|frame| **frame != [0, 0]).count();
    Comparison { from_start, to_end, audible_between, length: reference.len() }
}

/// The pieces of a take that was played by several engines one after the other, of which the second and each after it
/// began at a frame of `beginnings`: which frames of the reference are in the recording. Between two of them there is
/// only silence.
///
/// # Panics
/// If a piece is not there, or something else is to be heard before it.
pub fn pieces(recording: &[Frame], take: &Take, beginnings: &[usize]) -> Vec<Range<usize>> {
    let (reference, first) = (&take.reference, onset(&take.reference));
    let (mut rest, mut pieces) = (recording, Vec::new());
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
