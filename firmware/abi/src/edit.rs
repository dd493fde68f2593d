//! Changes of a patch, as they stand in commands: rows and numbers, no names but those that are given.

use bytemuck::{Pod, Zeroable};

/// Bytes of a name.
pub const NAME_BYTES: usize = 16;
/// The name of a module: ASCII, filled up with zeros.
pub type Name = [u8; NAME_BYTES];

/// A parameter of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The row of the module.
    pub row: u8,
    /// Its place in the table of the module's type.
    pub parameter: u8,
}

/// What is connected to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Link {
    /// Row it comes from.
    pub source: u8,
    /// Which output of that: 0, but for a `voice`, which has more.
    pub output: u8,
    /// Row it goes to.
    pub destination: u8,
    /// An input for sound, for notes, or a parameter.
    pub input: u8,
}

/// A change of the patch that is being edited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edit {
    /// A new module in a row that is not in use, of the type of this number.
    Create(u8, u8, Name),
    /// A module and its connections are taken away.
    Delete(u8),
    /// A connection of so much, at a place that is not in use.
    Connect(u16, Link, f32),
    /// A connection is taken away.
    Disconnect(u16),
    /// All is taken away, but `out`.
    Clear,
    /// What was edited since the last commit is forgotten.
    Abort,
    /// What is edited is heard from now on.
    Commit,
}

impl Place {
    /// As a word of a record.
    pub(crate) fn to_word(self) -> u64 {
        u64::from(u16::from_le_bytes([self.row, self.parameter]))
    }

    pub(crate) fn from_word(word: u64) -> Option<Self> {
        let [row, parameter] = u16::try_from(word).ok()?.to_le_bytes();
        Some(Self { row, parameter })
    }
}

impl Edit {
    /// As words of a record: the number of the edit, and what belongs to it.
    pub(crate) fn to_words(self) -> [u64; 4] {
        match self {
            Self::Create(row, kind, name) => {
                let [first, second]: [u64; 2] = bytemuck::cast(name);
                [0, u64::from(u16::from_le_bytes([row, kind])), first, second]
            }
            Self::Delete(row) => [1, u64::from(row), 0, 0],
            Self::Connect(place, link, amount) => {
                [2, u64::from(place), u64::from(bytemuck::cast::<_, u32>(link)), u64::from(amount.to_bits())]
            }
            Self::Disconnect(place) => [3, u64::from(place), 0, 0],
            Self::Clear => [4, 0, 0, 0],
            Self::Abort => [5, 0, 0, 0],
            Self::Commit => [6, 0, 0, 0],
        }
    }

    /// The edit of these words, if it is one.
    pub(crate) fn from_words([number, first, second, third]: [u64; 4]) -> Option<Self> {
        let half = |word: u64| u32::try_from(word).ok();
        Some(match number {
            0 => {
                let [row, kind] = u16::try_from(first).ok()?.to_le_bytes();
                Self::Create(row, kind, bytemuck::cast([second, third]))
            }
            1 => Self::Delete(u8::try_from(first).ok()?),
            2 => {
                let place = u16::try_from(first).ok()?;
                Self::Connect(place, bytemuck::cast(half(second)?), f32::from_bits(half(third)?))
            }
            3 => Self::Disconnect(u16::try_from(first).ok()?),
            4 => Self::Clear,
            5 => Self::Abort,
            6 => Self::Commit,
            _ => return None,
        })
    }
}
