//! A checked, stamped command, and its form as a record of 64 bytes in the command log.

use crate::{GATES, GateId, PARAMETERS, ParameterId, Stamp};

/// 64-bit words in a record: one cache line, so that a record is never torn over two.
pub const COMMAND_WORDS: usize = 8;

const OPERATION_SET: u64 = 1;
const OPERATION_GATE: u64 = 2;
#[cfg(feature = "faults")]
const OPERATION_POISON: u64 = 3;
const OPERATION_SILENCE: u64 = 4;

/// What a command does. Values are already finite and inside the parameter's range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Set a parameter to a value in its own unit.
    Set(ParameterId, f64),
    /// Open (`true`) or close a gate.
    Gate(GateId, bool),
    /// Fade everything that sounds to silence, at once, and close all gates.
    Silence,
    /// Test builds: do what no worker survives.
    #[cfg(feature = "faults")]
    Poison(crate::Poison),
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
        let (operation, target, value) = match self.operation {
            Operation::Set(id, value) => (OPERATION_SET, id as u64, value.to_bits()),
            Operation::Gate(id, on) => (OPERATION_GATE, id as u64, u64::from(on)),
            Operation::Silence => (OPERATION_SILENCE, 0, 0),
            #[cfg(feature = "faults")]
            Operation::Poison(poison) => (OPERATION_POISON, poison as u64, 0),
        };
        [index, self.stamp.block, u64::from(self.stamp.frame), operation, target, value, 0, 0]
    }

    /// The command of the record at place `index`; `None` if the words are not such a record.
    pub fn from_words(words: &[u64; COMMAND_WORDS], index: u64) -> Option<Self> {
        let [stored, block, frame, operation, target, value, ..] = *words;
        if stored != index || frame >= crate::FRAMES as u64 {
            return None;
        }
        let target = usize::try_from(target).ok()?;
        let operation = match operation {
            OPERATION_SET => Operation::Set(PARAMETERS.get(target)?.id, f64::from_bits(value)),
            OPERATION_GATE => Operation::Gate(GATES.get(target)?.id, value != 0),
            OPERATION_SILENCE => Operation::Silence,
            #[cfg(feature = "faults")]
            OPERATION_POISON => Operation::Poison(*crate::Poison::ALL.get(target)?),
            _ => return None,
        };
        Some(Self { stamp: Stamp { block, frame: frame as u32 }, operation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_back_its_command_and_refuses_another_index() {
        let command =
            Command { stamp: Stamp { block: 7, frame: 255 }, operation: Operation::Set(ParameterId::FilterQ, 2.5) };
        assert_eq!(Command::from_words(&command.to_words(99), 99), Some(command));
        assert_eq!(Command::from_words(&command.to_words(99), 100), None);
        let gate = Command { stamp: Stamp::from_frame(513), operation: Operation::Gate(GateId::Adsr, true) };
        assert_eq!(gate.stamp, Stamp { block: 2, frame: 1 });
        assert_eq!(Command::from_words(&gate.to_words(0), 0), Some(gate));
        let silence = Command { operation: Operation::Silence, ..gate };
        assert_eq!(Command::from_words(&silence.to_words(7), 7), Some(silence));
    }

    #[test]
    fn a_damaged_record_is_refused() {
        let good = Command { stamp: Stamp::start_of(1), operation: Operation::Gate(GateId::Adsr, false) }.to_words(5);
        for (word, value) in [(2, 256), (3, 0), (3, 255), (4, 1 << 40)] {
            let mut bad = good;
            bad[word] = value;
            assert_eq!(Command::from_words(&bad, 5), None, "word {word} = {value}");
        }
    }
}
