//! Patterns, and their text: `X...x...`.

use core::fmt;

use bytemuck::{Pod, Zeroable};

/// Most steps of a pattern: four bars of sixteenths.
pub const STEPS: usize = 64;

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing begins.
    Rest,
    /// A note.
    Normal,
    /// A louder note.
    Accent,
}

/// A pattern of up to [`STEPS`] steps. All zeros is the empty one, which is a rest for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Pattern {
    /// Bit n: step n is a note.
    notes: u64,
    /// Bit n: if it is, it is an accent.
    accents: u64,
    /// Steps, at most [`STEPS`].
    length: u64,
}

/// What is wrong with the text of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// A character that means nothing, and its place in the text, from 1, in characters.
    Unknown {
        /// What stands there.
        character: char,
        /// Where, from 1.
        place: usize,
    },
    /// A step more than a pattern holds, and its place.
    TooLong {
        /// Place of the first step too many, from 1.
        place: usize,
    },
    /// Not a single step.
    Empty,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unknown { character, place } => write!(
                f,
                "character {place} is {character:?}: a step is `X` (accent), `x` (note) or `.` (rest), spaces and `|` may \
                 stand between steps"
            ),
            Self::TooLong { place } => {
                write!(f, "character {place} is one step too many: a pattern has at most {STEPS}")
            }
            Self::Empty => f.write_str("there is no step in it: a step is `X` (accent), `x` (note) or `.` (rest)"),
        }
    }
}

impl core::error::Error for PatternError {}

impl core::str::FromStr for Pattern {
    type Err = PatternError;

    /// Reads `X` accent, `x` note, `.` rest; spaces and `|` are passed over.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        let mut pattern = Self::default();
        for (place, character) in (1..).zip(text.chars()) {
            let step = match character {
                'X' => Step::Accent,
                'x' => Step::Normal,
                '.' => Step::Rest,
                ' ' | '|' => continue,
                _ => return Err(PatternError::Unknown { character, place }),
            };
            pattern.push(step).ok_or(PatternError::TooLong { place })?;
        }
        if pattern.length == 0 { Err(PatternError::Empty) } else { Ok(pattern) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (0..self.len() as u64).try_for_each(|step| {
            f.write_str(match self.at(step) {
                Step::Accent => "X",
                Step::Normal => "x",
                Step::Rest => ".",
            })
        })
    }
}

impl Pattern {
    /// Of so many steps, at most [`STEPS`]; bit n of `notes` is set if step n is a note, of `accents` if that is one.
    pub fn of(notes: u64, accents: u64, length: u8) -> Self {
        let length = u64::from(length).min(STEPS as u64);
        let used = 1u64.checked_shl(length as u32).map_or(u64::MAX, |bit| bit - 1);
        Self { notes: notes & used, accents: accents & notes & used, length }
    }

    /// Which steps are notes, and which of them accents: bit n is step n.
    pub fn bits(&self) -> (u64, u64) {
        (self.notes, self.accents)
    }

    /// With so many steps, 1 to [`STEPS`]: what is too much is cut off, what is missing is rests.
    #[must_use]
    pub fn resized(&self, length: u8) -> Self {
        let cut = Self::of(self.notes, self.accents, self.len() as u8);
        Self::of(cut.notes, cut.accents, length.max(1))
    }

    /// Adds a step; None if there is no room.
    pub fn push(&mut self, step: Step) -> Option<()> {
        let bit = 1u64.checked_shl(u32::try_from(self.length).ok()?)?;
        self.notes |= if step == Step::Rest { 0 } else { bit };
        self.accents |= if step == Step::Accent { bit } else { 0 };
        self.length += 1;
        Some(())
    }

    /// Steps, at most [`STEPS`].
    pub fn len(&self) -> usize {
        self.length.min(STEPS as u64) as usize
    }

    /// Whether it has no step.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The step played as number `step`: the pattern repeats.
    pub fn at(&self, step: u64) -> Step {
        let Some(place) = step.checked_rem(self.len() as u64) else { return Step::Rest };
        match (self.notes >> place & 1, self.accents >> place & 1) {
            (0, _) => Step::Rest,
            (_, 0) => Step::Normal,
            _ => Step::Accent,
        }
    }
}
