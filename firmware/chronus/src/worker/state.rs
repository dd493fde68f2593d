//! The whole state of a render: what a snapshot holds, and all that the next block depends on.

use abi::{Block, BlockNumber, Command};
use bytemuck::{Pod, Zeroable};
use shm::{LogMemory, LogReader, RecordLost, SNAPSHOT_WORDS, ScoreMemory};

/// 64-bit words of a snapshot.
pub const STATE_WORDS: usize = size_of::<EngineState>() / size_of::<u64>();
const _: () = assert!(STATE_WORDS <= SNAPSHOT_WORDS, "the state has outgrown the snapshot's room in shared memory");

/// Plain old data of fixed size: a copy of it is a snapshot, and a snapshot is all a replacement needs.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct EngineState {
    /// The block to render next.
    pub next_block: BlockNumber,
    /// Log records applied.
    pub log_index: u64,
    /// Score records applied.
    score_index: u64,
    sound: dsp::State,
}

impl EngineState {
    /// The state before block 0 at a sample rate in Hz.
    pub fn at_start(rate: u32) -> Self {
        Self { next_block: 0, log_index: 0, score_index: 0, sound: dsp::State::new(rate) }
    }

    /// As the words of a snapshot.
    pub fn to_words(self) -> [u64; STATE_WORDS] {
        bytemuck::cast(self)
    }

    /// From the words of a snapshot.
    pub fn from_words(words: &[u64; STATE_WORDS]) -> Self {
        bytemuck::cast(*words)
    }

    /// Renders the next block into `out`, with its commands from the score and from the log. `log` is `None`
    /// where there is none: the reference renderer.
    ///
    /// # Errors
    /// [`RecordLost`] if the log has moved on beyond this state; the state is then of no more use.
    pub fn render_next(
        &mut self,
        score: &ScoreMemory,
        log: Option<&LogMemory>,
        out: &mut Block,
    ) -> Result<(), RecordLost> {
        let mut commands = BlockCommands {
            block: self.next_block,
            score,
            score_index: self.score_index,
            log: log.map(|log| LogReader::new(log, self.log_index)),
            lost: false,
        };
        dsp::render(&mut self.sound, &mut commands, out);
        if commands.lost {
            return Err(RecordLost);
        }
        self.score_index = commands.score_index;
        self.log_index = commands.log.map_or(self.log_index, |log| log.next_index());
        self.next_block += 1;
        Ok(())
    }
}

/// The commands of one block: score and log merged by stamp, the score first where both are for one frame.
struct BlockCommands<'a> {
    block: BlockNumber,
    score: &'a ScoreMemory,
    score_index: u64,
    log: Option<LogReader<'a>>,
    lost: bool,
}

impl Iterator for BlockCommands<'_> {
    type Item = Command;

    fn next(&mut self) -> Option<Command> {
        let from_score = self.score.peek(self.score_index, self.block);
        let from_log = match self.log.as_ref().map(|log| log.peek(self.block)) {
            Some(Ok(command)) => command,
            Some(Err(RecordLost)) => {
                self.lost = true;
                return None;
            }
            None => None,
        };
        let score_first = match (from_score, from_log) {
            (Some(score), Some(log)) => score.stamp <= log.stamp,
            (score, _) => score.is_some(),
        };
        if score_first {
            self.score_index += 1;
            return from_score;
        }
        if let (Some(_), Some(log)) = (from_log, &mut self.log) {
            log.take();
        }
        from_log
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::{GateId, Operation, ParameterId, Stamp};
    use shm::{LogWriter, Mapping};

    fn at(frame: u64, operation: Operation) -> Command {
        Command { stamp: Stamp::from_frame(frame), operation }
    }

    #[test]
    fn score_and_log_make_the_same_sound() {
        let commands = [
            at(3, Operation::Gate(GateId::Adsr, true)),
            at(300, Operation::Set(ParameterId::SineFreq, 880.0)),
            at(300, Operation::Set(ParameterId::SineFreq, 220.0)),
            at(700, Operation::Gate(GateId::Adsr, false)),
        ];
        let (score, empty) = (ScoreMemory::create(&commands).unwrap(), ScoreMemory::create(&[]).unwrap());
        let log = Mapping::<LogMemory>::create("test log").unwrap();
        let mut writer = LogWriter::new();
        for command in commands {
            writer.add(&log, command.stamp, command.operation, 0).unwrap();
        }
        let (mut a, mut b) = (EngineState::at_start(48_000), EngineState::at_start(48_000));
        for _ in 0..4 {
            let (mut from_score, mut from_log) = (Block::SILENCE, Block::SILENCE);
            a.render_next(&score, None, &mut from_score).unwrap();
            b.render_next(&empty, Some(&log), &mut from_log).unwrap();
            assert_eq!(from_score, from_log);
        }
        assert_eq!((b.log_index, b.next_block), (4, 4));
        assert_eq!(a.sound, b.sound);
    }
}
