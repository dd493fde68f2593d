//! A checked, stamped command, and its form as a record of 64 bytes in the command log.

use crate::{Edit, Place, Stamp};

/// 64-bit words in a record: one cache line, so that a record is never torn over two.
pub const COMMAND_WORDS: usize = 8;

const OPERATION_SET: u64 = 1;
const OPERATION_GATE: u64 = 2;
#[cfg(feature = "faults")]
const OPERATION_POISON: u64 = 3;
const OPERATION_SILENCE: u64 = 4;
const OPERATION_NOTE: u64 = 5;
/// And from here on the edits: see [`Edit::to_words`].
const OPERATION_EDIT: u64 = 6;

/// What a command does. Values are already finite and inside the parameter's range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Set a parameter to a value in its own unit.
    Set(Place, f64),
    /// Open (`true`) or close the gate of the module in a row.
    Gate(u8, bool),
    /// Begin a note, 0 to 127 as in MIDI, of the `voice` in a row, with a velocity above 0 to 1; or end it with 0.
    Note(u8, u8, f32),
    /// Fade everything that sounds to silence, at once, and close all gates.
    Silence,
    /// Change the patch that is being edited, or commit it.
    Edit(Edit),
    /// Test builds: do what no worker survives.
    #[cfg(feature = "faults")]
    Poison(crate::Poison),
}

impl Operation {
    /// Whether it edits the patch, or commits it.
    pub const fn is_edit(&self) -> bool {
        matches!(self, Self::Edit(_))
    }
}

/// An operation and the frame at which it takes effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Command {
    /// When.
    pub stamp: Stamp,
    /// What.
    pub operation: Operation,
}

impl Command {
    /// The record of this command at place `index` of its log. The index is kept in the record, so that
    /// a reader can tell a record from one that has since been overwritten. The last word is 0: it is the log's own.
    pub fn to_words(&self, index: u64) -> [u64; COMMAND_WORDS] {
        let [operation, rest @ ..] = match self.operation {
            Operation::Set(place, value) => [OPERATION_SET, place.to_word(), value.to_bits(), 0],
            Operation::Gate(row, on) => [OPERATION_GATE, u64::from(row), u64::from(on), 0],
            Operation::Note(row, note, velocity) => {
                [OPERATION_NOTE, u64::from(row), u64::from(note), u64::from(velocity.to_bits())]
            }
            Operation::Silence => [OPERATION_SILENCE, 0, 0, 0],
            Operation::Edit(edit) => {
                let [number, words @ ..] = edit.to_words();
                let [first, second, third] = words;
                [OPERATION_EDIT + number, first, second, third]
            }
            #[cfg(feature = "faults")]
            Operation::Poison(poison) => [OPERATION_POISON, poison as u64, 0, 0],
        };
        let [first, second, third] = rest;
        [index, self.stamp.block, u64::from(self.stamp.frame), operation, first, second, third, 0]
    }

    /// The command of the record at place `index`; `None` if the words are not such a record.
    pub fn from_words(words: &[u64; COMMAND_WORDS], index: u64) -> Option<Self> {
        let [stored, block, frame, operation, first, second, third, _] = *words;
        if stored != index || frame >= crate::FRAMES as u64 {
            return None;
        }
        let row = || u8::try_from(first).ok();
        let operation = match operation {
            OPERATION_SET => Operation::Set(Place::from_word(first)?, f64::from_bits(second)),
            OPERATION_GATE => Operation::Gate(row()?, second != 0),
            OPERATION_NOTE => {
                Operation::Note(row()?, u8::try_from(second).ok()?, f32::from_bits(u32::try_from(third).ok()?))
            }
            OPERATION_SILENCE => Operation::Silence,
            #[cfg(feature = "faults")]
            OPERATION_POISON => Operation::Poison(*crate::Poison::ALL.get(usize::try_from(first).ok()?)?),
            edit => Operation::Edit(Edit::from_words([edit.checked_sub(OPERATION_EDIT)?, first, second, third])?),
        };
        Some(Self { stamp: Stamp { block, frame: frame as u32 }, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Link, NAME_BYTES};

    /// One of each.
    fn operations() -> impl Iterator<Item = Operation> {
        let link = Link { source: 7, output: 1, destination: 127, input: 0x83 };
        let edits = [
            Edit::Create(127, 13, [b'x'; NAME_BYTES]),
            Edit::Delete(9),
            Edit::Connect(511, link, -2.5),
            Edit::Disconnect(300),
            Edit::Clear,
            Edit::Abort,
            Edit::Commit,
        ];
        let others = [
            Operation::Set(Place { row: 127, parameter: 8 }, 2.5),
            Operation::Gate(2, true),
            Operation::Gate(2, false),
            Operation::Note(5, 127, 0.25),
            Operation::Silence,
        ];
        others.into_iter().chain(edits.map(Operation::Edit))
    }

    #[test]
    fn a_record_gives_back_its_command_and_refuses_another_index() {
        for (index, operation) in (5..).zip(operations()) {
            let command = Command { stamp: Stamp::from_frame(513 + index), operation };
            assert_eq!(Command::from_words(&command.to_words(index), index), Some(command));
            assert_eq!(Command::from_words(&command.to_words(index), index + 1), None);
        }
    }

    #[test]
    fn a_damaged_record_is_refused() {
        let good = Command { stamp: Stamp::start_of(1), operation: Operation::Gate(1, false) }.to_words(5);
        for (word, value) in [(2, 256), (3, 0), (3, 255), (4, 1 << 40)] {
            let mut bad = good;
            bad[word] = value;
            assert_eq!(Command::from_words(&bad, 5), None, "word {word} = {value}");
        }
    }
}
