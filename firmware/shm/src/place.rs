//! Where a command lies: in the log or in the score.

/// The place of one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandPlace {
    /// The log record of this index.
    Log(u64),
    /// The score record of this index.
    Score(u64),
}

/// Marks a place in the score. Indices count records and stay far below it.
const SCORE_BIT: u64 = 1 << 63;

impl CommandPlace {
    /// As a word that is never 0.
    pub fn to_word(self) -> u64 {
        match self {
            Self::Log(index) => index + 1,
            Self::Score(index) => (index + 1) | SCORE_BIT,
        }
    }

    /// From such a word; `None` for 0.
    pub fn from_word(word: u64) -> Option<Self> {
        let index = (word & !SCORE_BIT).checked_sub(1)?;
        Some(if word & SCORE_BIT == 0 { Self::Log(index) } else { Self::Score(index) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        for place in [CommandPlace::Log(0), CommandPlace::Log(99), CommandPlace::Score(0), CommandPlace::Score(7)] {
            assert_eq!(CommandPlace::from_word(place.to_word()), Some(place));
        }
        assert_eq!(CommandPlace::from_word(0), None);
    }
}
