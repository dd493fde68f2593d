//! A checked, stamped command, and its form as a record of 64 bytes in the command log.

use crate::{Edit, Place, Stamp, TrackEdit, Transport};

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
/// And from here on what the clock is told; and, further on, the tracks. Far enough apart for those that may come.
const OPERATION_TRANSPORT: u64 = 32;
const OPERATION_TRACK: u64 = 64;

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
    /// Tell the clock something.
    Transport(Transport),
    /// Tell the track of this number something.
    Track(u8, TrackEdit),
    /// Test builds: do what no worker survives.
    #[cfg(feature = "faults")]
    Poison(crate::Poison),
}

impl Operation {
    /// Whether it edits the patch, or commits it; or makes a track or a lane, or takes a track away. Whoever does that has to
    /// know all others who do.
    pub const fn is_edit(&self) -> bool {
        matches!(self, Self::Edit(_) | Self::Track(_, TrackEdit::Create(_) | TrackEdit::Delete | TrackEdit::Lane(..)))
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
            Operation::Transport(transport) => {
                let [number, first, second, third] = transport.to_words();
                [OPERATION_TRANSPORT + number, first, second, third]
            }
            Operation::Track(track, edit) => {
                let [number, first, second, third] = edit.to_words(track);
                [OPERATION_TRACK + number, first, second, third]
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
            track if track >= OPERATION_TRACK => {
                let (number, edit) = TrackEdit::from_words([track - OPERATION_TRACK, first, second, third])?;
                Operation::Track(number, edit)
            }
            transport if transport >= OPERATION_TRANSPORT => {
                let words = [transport - OPERATION_TRANSPORT, first, second, third];
                Operation::Transport(Transport::from_words(words)?)
            }
            edit => Operation::Edit(Edit::from_words([edit.checked_sub(OPERATION_EDIT)?, first, second, third])?),
        };
        Some(Self { stamp: Stamp { block, frame: frame as u32 }, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Link, NAME_BYTES, NOTE, Part, Steps};

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
        let transport =
            [Transport::Tempo(174.001), Transport::Start, Transport::Stop, Transport::Continue, Transport::Reset];
        let steps = Steps { notes: u64::MAX, accents: 1 << 63, length: 64 };
        let tracks = [
            TrackEdit::Create([b'k'; NAME_BYTES]),
            TrackEdit::Delete,
            TrackEdit::Division(16),
            TrackEdit::Length(64),
            TrackEdit::Swing(0.66),
            TrackEdit::Probability(0.1),
            TrackEdit::Seed(u64::MAX),
            TrackEdit::GateLength(0.05),
            TrackEdit::Pattern(steps),
            TrackEdit::Lane(3, [b'l'; NAME_BYTES]),
            TrackEdit::Values(3, Part { place: 60, of: 64, values: [0.1, -0.2, f32::MAX, 1e-30] }),
            TrackEdit::AssignGate(Some(127)),
            TrackEdit::AssignGate(None),
            TrackEdit::AssignLane(2, Some(Place { row: 127, parameter: NOTE })),
            TrackEdit::AssignLane(0, None),
            TrackEdit::Start,
            TrackEdit::Stop,
            TrackEdit::Reset,
        ];
        let times = transport.into_iter().map(Operation::Transport);
        let times = times.chain((0u8..).zip(tracks).map(|(number, edit)| Operation::Track(number % 8, edit)));
        others.into_iter().chain(edits.map(Operation::Edit)).chain(times)
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
        for (word, value) in [(2, 256), (3, 0), (3, 31), (3, 63), (3, 255), (4, 1 << 40)] {
            let mut bad = good;
            bad[word] = value;
            assert_eq!(Command::from_words(&bad, 5), None, "word {word} = {value}");
        }
    }
}
