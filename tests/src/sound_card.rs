//! What an emulated sound card of 16 bits has played, and what it should have.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::Path;

use abi::FRAMES;

use crate::recording::Recording;

/// Left and right.
pub type Frame = [i16; 2];

/// Bytes before the first sample of such a recording (QEMU, audio/wavaudio.c: `hdr`).
const HEADER: u64 = 44;

/// What QEMU has kept of what a card played.
pub fn card_frames(path: &Path) -> Vec<Frame> {
    let bytes = std::fs::read(path).expect("a recording of the card");
    let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
    bytes[HEADER as usize..].chunks_exact(4).map(|frame| [sample(frame), sample(&frame[2..])]).collect()
}

/// How many frames QEMU has kept so far; the last 1,024 may not be in the file yet, which is written by 4,096 bytes.
pub fn recorded(path: &Path) -> usize {
    let length = std::fs::metadata(path).expect("a recording of the card").len();
    length.saturating_sub(HEADER) as usize / size_of::<Frame>()
}

/// A rendered file in 16 bits: to the nearest step, as `audio/quantise.rs` says.
pub fn quantised(path: &Path) -> Vec<Frame> {
    let step = |bits: u32| (f64::from(f32::from_bits(bits)) * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
    Recording::read(path).frames.into_iter().map(|frame| frame.map(step)).collect()
}

/// Where the first frame is that can be heard.
pub fn onset(frames: &[Frame]) -> usize {
    frames.iter().position(|frame| *frame != [0, 0]).expect("something can be heard")
}

/// Frames that an emulated HDA card has taken out of the driver's buffer and drops when it is stopped, by whomever: it reads
/// ahead of what it hands on, into 8,192 bytes of its own, which it empties when a stream starts (QEMU,
/// hw/audio/hda-codec.c: `buf` and `hda_audio_set_running`). It keeps them half full; that is not relied on.
pub const IN_THE_CARD: usize = 8192 / 4;

/// Frames by which a place in a reference is recognised, 1.3 ms: fewer than a card that was started anew plays before it
/// can run dry again, and enough that in sound that changes all the time no other place is like it.
const SIGN: usize = 64;

/// What a card did for some time.
#[derive(Clone, PartialEq, Eq)]
pub enum Stretch {
    /// It played these frames of the reference.
    Exact(Range<usize>),
    /// It played something else.
    Other {
        /// For so long.
        frames: usize,
        /// So much of that is to be heard.
        audible: usize,
    },
}

impl fmt::Debug for Stretch {
    /// Short: a failing test shows many of them. Places of the reference are told as block and frame.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |frame: usize| format!("{}+{}", frame / FRAMES, frame % FRAMES);
        match self {
            Self::Exact(frames) => write!(formatter, "{} to {}", place(frames.start), place(frames.end)),
            Self::Other { frames, audible: 0 } => write!(formatter, "silence {frames}"),
            Self::Other { frames, audible } => write!(formatter, "OTHER {frames}, {audible} audible"),
        }
    }
}

/// Where every sign of a reference is. What begins with silence, or is silent for the most part, is none: that could be
/// anywhere.
fn places(reference: &[Frame]) -> HashMap<&[Frame], Vec<usize>> {
    let mut places: HashMap<&[Frame], Vec<usize>> = HashMap::new();
    let is_sign = |frames: &[Frame]| frames[0] != [0, 0] && audible(frames) > SIGN / 2;
    for (place, sign) in reference.windows(SIGN).enumerate().filter(|(_, frames)| is_sign(frames)) {
        places.entry(sign).or_default().push(place);
    }
    places
}

/// All that a card did, in order: where it played the reference, bit for bit, and what it did in between.
pub fn stretches(played: &[Frame], reference: &[Frame]) -> Vec<Stretch> {
    let (places, mut found, mut next) = (places(reference), Vec::new(), 0);
    // What was played before `told` is told; `at` is looked at.
    let (mut told, mut at) = (0, 0);
    let other = |frames: &[Frame]| Stretch::Other { frames: frames.len(), audible: audible(frames) };
    while at < played.len() {
        let alike = played.get(at..at + SIGN).and_then(|sign| places.get(sign)).into_iter().flatten();
        let length = |place: usize| common(&played[at..], &reference[place..]);
        // A tone repeats itself: of several places one that was not played yet, and of those where it goes on for longest.
        let place = alike.max_by_key(|place| (**place >= next, length(**place), Reverse(**place)));
        let Some(&place) = place else {
            at += 1;
            continue;
        };
        // It may have begun with silence.
        let before = played[told..at].iter().rev().zip(reference[..place].iter().rev());
        let before = before.take_while(|(a, b)| a == b).count();
        next = place + length(place);
        if told < at - before {
            found.push(other(&played[told..at - before]));
        }
        found.push(Stretch::Exact(place - before..next));
        at += next - place;
        told = at;
    }
    if told < played.len() {
        found.push(other(&played[told..]));
    }
    found
}

/// Frames of a card's buffer in the machines of the tests, at most: what it plays again when it has run dry and its driver has
/// not stopped it yet.
const BUFFER: usize = 4 * FRAMES;

/// The pieces of the reference that a card played: one after the other, and nothing between them but silence, or what
/// its buffer still held of the piece before. What it did after the end of the reference is not looked at.
///
/// # Errors
/// What is wrong, and then all that it did: it played something else, went back, or did not come to the end.
pub fn pieces(played: &[Frame], reference: &[Frame]) -> Result<Vec<Range<usize>>, String> {
    let (found, mut pieces, mut next) = (stretches(played, reference), Vec::new(), 0);
    let mut at = 0;
    for stretch in &found {
        let length = match stretch {
            Stretch::Exact(frames) => frames.len(),
            Stretch::Other { frames, .. } => *frames,
        };
        let these = &played[at..at + length];
        at += length;
        match stretch {
            Stretch::Other { audible: 0, .. } => {}
            // Too short to be recognised by itself.
            Stretch::Other { frames, .. } if *frames < SIGN && is_held(these, &reference[..next]) => {}
            Stretch::Exact(frames) if frames.end <= next && next - frames.start <= BUFFER => {}
            Stretch::Exact(frames) if next <= frames.start => {
                next = frames.end;
                pieces.push(frames.clone());
            }
            wrong => return Err(format!("{wrong:?} after {} pieces: {found:?}", pieces.len())),
        }
        if next == reference.len() {
            return Ok(pieces);
        }
    }
    Err(format!("the last {} frames were not played: {found:?}", reference.len() - next))
}

/// Whether these frames are among the last that a card's buffer got.
fn is_held(frames: &[Frame], given: &[Frame]) -> bool {
    given[given.len().saturating_sub(BUFFER)..].windows(frames.len()).any(|window| window == frames)
}

fn audible(frames: &[Frame]) -> usize {
    frames.iter().filter(|frame| **frame != [0, 0]).count()
}

/// Frames at the start that both have in common.
pub fn common(one: &[Frame], other: &[Frame]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Sound that is nowhere twice.
    fn sound(length: usize) -> Vec<Frame> {
        let mut random = Random::new(7);
        (0..length).map(|_| [random.below(30_000) as i16 + 1, random.below(30_000) as i16]).collect()
    }

    #[test]
    fn what_a_card_played_is_taken_apart() {
        let reference = sound(5000);
        let silence = [[0, 0]; 300];
        let played = [&silence[..], &reference[..1000], &reference[1256..2000], &silence, &reference[4000..]].concat();
        assert_eq!(pieces(&played, &reference), Ok(vec![0..1000, 1256..2000, 4000..5000]));
        let all = format!("{:?}", stretches(&played, &reference));
        assert_eq!(all, "[silence 300, 0+0 to 3+232, 4+232 to 7+208, silence 300, 15+160 to 19+136]");
        assert_eq!(pieces(&[played, vec![[1, 1]]].concat(), &reference).map(|pieces| pieces.len()), Ok(3));
    }

    #[test]
    fn what_a_dry_card_plays_again_of_its_buffer_is_a_break() {
        let reference = sound(5000);
        let played = [&reference[..2048], &reference[1024..1248], &reference[2272..]].concat();
        assert_eq!(pieces(&played, &reference), Ok(vec![0..2048, 2272..5000]));
        // Also where its driver has stopped it within a millisecond; the sound goes on where it was.
        let played = [&reference[..2048], &reference[1280..1328], &reference[2048..]].concat();
        assert_eq!(pieces(&played, &reference), Ok(vec![0..2048, 2048..5000]));
        let longer_ago = [&reference[..2048], &reference[900..948], &reference[2048..]].concat();
        assert!(pieces(&longer_ago, &reference).is_err_and(|wrong| wrong.starts_with("OTHER 48, 48 audible")));
    }

    #[test]
    fn what_is_played_twice_or_is_of_nowhere_or_is_not_played_is_told() {
        let reference = sound(5000);
        let wrong = |played: &[Frame]| pieces(played, &reference).expect_err("something is wrong");
        let twice = [&reference[..2000], &reference[744..]].concat();
        assert!(wrong(&twice).starts_with("2+232 to 19+136 after 1 pieces: [0+0 to "));
        let long_ago = [&reference[..2000], &reference[..500], &reference[2500..]].concat();
        assert!(wrong(&long_ago).starts_with("0+0 to 1+244 after 1 pieces"));
        let mut changed = reference.clone();
        changed[1000][0] ^= 1;
        assert!(wrong(&changed).starts_with("OTHER 1, 1 audible after 1 pieces"));
        assert!(wrong(&reference[..4000]).starts_with("the last 1000 frames were not played"));
    }

    #[test]
    fn a_tone_that_repeats_itself_is_where_it_should_be() {
        let cycle = |frame| if frame < 3500 { frame % 100 } else { frame % 70 };
        let mut tone: Vec<Frame> = (0..5000).map(|frame| [cycle(frame) as i16 - 50, 7]).collect();
        tone[..500].fill([0, 0]);
        assert_eq!(stretches(&tone, &tone), [Stretch::Exact(0..5000)]);
        let played = [&tone[..3000], &[[0, 0]; 50], &tone[3100..]].concat();
        assert_eq!(pieces(&played, &tone), Ok(vec![0..3000, 3100..5000]));
    }
}
