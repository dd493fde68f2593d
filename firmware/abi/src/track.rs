//! What the clock and the tracks of the sequencer are told, as it stands in commands: numbers, no names but those that are
//! given.

use crate::{Name, Place};

/// In the place of a parameter: the note that a track plays on a `voice`.
pub const NOTE: u8 = u8::MAX;

/// Values of a lane that fit into a record.
pub const PART: usize = 4;

/// Stands for no target in a word: no place is that large.
const NOTHING: u64 = u64::MAX;

/// What the clock is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transport {
    /// Beats a minute.
    Tempo(f64),
    /// To run from the beginning.
    Start,
    /// To stop where it is.
    Stop,
    /// To go on from where it stopped.
    Continue,
    /// To go to the beginning, running or not, and all tracks with it.
    Reset,
}

/// The steps of a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Bit n: step n is a note.
    pub notes: u64,
    /// Bit n: if it is, it is an accent.
    pub accents: u64,
    /// How many there are, 1 to 64.
    pub length: u8,
}

/// Some of the values that a lane is to have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Part {
    /// Where the first of these goes: a multiple of [`PART`].
    pub place: u8,
    /// How many the lane is to have in all, 1 to 64. Whoever has got them all, in their order, plays them.
    pub of: u8,
    /// They; those that are beyond the last are 0.
    pub values: [f32; PART],
}

/// What a track is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrackEdit {
    /// To be, with this name.
    Create(Name),
    /// To be no more.
    Delete,
    /// Steps to a beat, 1 to 16.
    Division(u8),
    /// How many steps its pattern is to have, 1 to 64: what is missing is rests.
    Length(u8),
    /// The part of two steps that the first of them has, 0.5 to 0.75.
    Swing(f64),
    /// How probable it is that a note is played, 0 to 1.
    Probability(f64),
    /// What chance comes of.
    Seed(u64),
    /// How long gates are, as a part of a step: 0.05 to 1.
    GateLength(f64),
    /// Its pattern.
    Pattern(Steps),
    /// A lane of this number is to be, with this name.
    Lane(u8, Name),
    /// Values of a lane.
    Values(u8, Part),
    /// Whose gate its notes open: the row of an `adsr` or a `voice`.
    AssignGate(Option<u8>),
    /// Which parameter a lane sets, or [`NOTE`] of a `voice`.
    AssignLane(u8, Option<Place>),
    /// To play while the clock runs.
    Start,
    /// To be silent.
    Stop,
    /// To go on with its first step.
    Reset,
}

impl Transport {
    /// As words of a record: a number, and what belongs to it.
    pub(crate) fn to_words(self) -> [u64; 4] {
        match self {
            Self::Tempo(bpm) => [0, bpm.to_bits(), 0, 0],
            Self::Start => [1, 0, 0, 0],
            Self::Stop => [2, 0, 0, 0],
            Self::Continue => [3, 0, 0, 0],
            Self::Reset => [4, 0, 0, 0],
        }
    }

    /// What these words say, if it is anything.
    pub(crate) fn from_words([number, first, _, _]: [u64; 4]) -> Option<Self> {
        Some(match number {
            0 => Self::Tempo(f64::from_bits(first)),
            1 => Self::Start,
            2 => Self::Stop,
            3 => Self::Continue,
            4 => Self::Reset,
            _ => return None,
        })
    }
}

impl TrackEdit {
    /// As words of a record: a number, the track with up to three bytes, and what else belongs to it.
    pub(crate) fn to_words(self, track: u8) -> [u64; 4] {
        let words = |number, bytes: [u8; 3], second, third| {
            let [a, b, c] = bytes;
            [number, u64::from(u32::from_le_bytes([track, a, b, c])), second, third]
        };
        let plain = |number, second| words(number, [0; 3], second, 0);
        match self {
            Self::Create(name) => {
                let [first, second] = bytemuck::cast(name);
                words(0, [0; 3], first, second)
            }
            Self::Delete => plain(1, 0),
            Self::Division(steps) => plain(2, u64::from(steps)),
            Self::Length(steps) => plain(3, u64::from(steps)),
            Self::Swing(part) => plain(4, part.to_bits()),
            Self::Probability(part) => plain(5, part.to_bits()),
            Self::Seed(seed) => plain(6, seed),
            Self::GateLength(part) => plain(7, part.to_bits()),
            Self::Pattern(steps) => words(8, [steps.length, 0, 0], steps.notes, steps.accents),
            Self::Lane(lane, name) => {
                let [first, second] = bytemuck::cast(name);
                words(9, [lane, 0, 0], first, second)
            }
            Self::Values(lane, part) => {
                let [first, second] = bytemuck::cast(part.values);
                words(10, [lane, part.place, part.of], first, second)
            }
            Self::AssignGate(row) => plain(11, row.map_or(NOTHING, u64::from)),
            Self::AssignLane(lane, place) => words(12, [lane, 0, 0], place.map_or(NOTHING, Place::to_word), 0),
            Self::Start => plain(13, 0),
            Self::Stop => plain(14, 0),
            Self::Reset => plain(15, 0),
        }
    }

    /// What these words say, and of which track, if it is anything.
    pub(crate) fn from_words([number, first, second, third]: [u64; 4]) -> Option<(u8, Self)> {
        let [track, a, b, c] = u32::try_from(first).ok()?.to_le_bytes();
        let byte = || u8::try_from(second).ok();
        let target = second != NOTHING;
        let edit = match number {
            0 => Self::Create(bytemuck::cast([second, third])),
            1 => Self::Delete,
            2 => Self::Division(byte()?),
            3 => Self::Length(byte()?),
            4 => Self::Swing(f64::from_bits(second)),
            5 => Self::Probability(f64::from_bits(second)),
            6 => Self::Seed(second),
            7 => Self::GateLength(f64::from_bits(second)),
            8 => Self::Pattern(Steps { notes: second, accents: third, length: a }),
            9 => Self::Lane(a, bytemuck::cast([second, third])),
            10 => Self::Values(a, Part { place: b, of: c, values: bytemuck::cast([second, third]) }),
            11 => Self::AssignGate(if target { Some(byte()?) } else { None }),
            12 => Self::AssignLane(a, if target { Some(Place::from_word(second)?) } else { None }),
            13 => Self::Start,
            14 => Self::Stop,
            15 => Self::Reset,
            _ => return None,
        };
        Some((track, edit))
    }
}
