//! The whole state of a render: what a snapshot holds, and all that the next block depends on.

#[cfg(feature = "simulation")]
use crate::simulation::sound as dsp;
use abi::{Block, BlockNumber, Operation, PARAMETERS, Parameter, Stamp, Values};
use bytemuck::{Pod, Zeroable};
use shm::{CommandPlace, KillPoint, LogMemory, LogReader, RecordLost, SNAPSHOT_WORDS, ScoreMemory, kill_point};

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

    /// The same place in score and log, with the sound as it is at the start, at a sample rate in Hz.
    pub fn with_new_sound(self, rate: u32) -> Self {
        Self { sound: dsp::State::new(rate), ..self }
    }

    /// As the words of a snapshot.
    pub fn to_words(self) -> [u64; STATE_WORDS] {
        bytemuck::cast(self)
    }

    /// From the words of a snapshot.
    pub fn from_words(words: &[u64; STATE_WORDS]) -> Self {
        bytemuck::cast(*words)
    }

    /// The sound's state: for who wants to know what its modules cost.
    pub fn sound(&self) -> &dsp::State {
        &self.sound
    }

    /// What all parameters have been set to, each at its place in the table; `None` if one is out of its range at a
    /// sample rate in Hz, which only damage can bring about.
    pub fn values(&self, rate: u32) -> Option<Values> {
        let values = PARAMETERS.each_ref().map(|parameter| self.sound.value(parameter.id));
        let in_range = |(parameter, value): (&Parameter, &f64)| parameter.clamp(*value, rate) == *value;
        PARAMETERS.iter().zip(&values).all(in_range).then_some(values)
    }

    /// Test builds: flips a bit of the sound's state, counted over all of it.
    #[cfg(feature = "faults")]
    pub fn flip(&mut self, bit: u64) {
        let bytes = bytemuck::bytes_of_mut(&mut self.sound);
        bytes[(bit / 8) as usize % size_of::<dsp::State>()] ^= 1 << (bit % 8);
    }

    /// Every other build: nothing flips.
    #[cfg(not(feature = "faults"))]
    pub fn flip(&mut self, _: u64) {}

    /// Renders the next block into `out`, with its commands from the score and from the log. `log` is `None`
    /// where there is none: the reference renderer. `note` is told of each command before it is applied.
    ///
    /// # Errors
    /// [`RecordLost`] if the log has moved on beyond this state; the state is then of no more use.
    pub fn render_next(
        &mut self,
        score: &ScoreMemory,
        log: Option<&LogMemory>,
        note: &dyn Fn(CommandPlace),
        out: &mut Block,
    ) -> Result<(), RecordLost> {
        let mut commands = self.commands(score, log, note);
        dsp::render(&mut self.sound, &mut commands, out);
        if commands.lost {
            return Err(RecordLost);
        }
        self.score_index = commands.score_index;
        self.log_index = commands.log_reader.map_or(self.log_index, |reader| reader.next_index());
        self.next_block += 1;
        Ok(())
    }

    /// Whether the next block has any command; also if it cannot be told because the log has moved on.
    pub fn has_commands(&self, score: &ScoreMemory, log: &LogMemory) -> bool {
        let mut commands = self.commands(score, Some(log), &|_| {});
        commands.fetch();
        commands.next.is_some() || commands.lost
    }

    fn commands<'a>(
        &self,
        score: &'a ScoreMemory,
        log: Option<&'a LogMemory>,
        note: &'a dyn Fn(CommandPlace),
    ) -> BlockCommands<'a> {
        BlockCommands {
            block: self.next_block,
            score,
            score_index: self.score_index,
            log,
            log_reader: log.map(|log| LogReader::new(log, self.log_index)),
            note,
            next: None,
            finished: false,
            lost: false,
        }
    }
}

/// A command that is next, and where it lies.
#[derive(Clone, Copy)]
struct Next {
    stamp: Stamp,
    operation: Operation,
    place: CommandPlace,
    skipped: bool,
}

/// The commands of one block: score and log merged by stamp, the score first where both are for one frame. What is
/// skipped is passed over.
struct BlockCommands<'a> {
    block: BlockNumber,
    score: &'a ScoreMemory,
    score_index: u64,
    log: Option<&'a LogMemory>,
    log_reader: Option<LogReader<'a>>,
    note: &'a dyn Fn(CommandPlace),
    next: Option<Next>,
    finished: bool,
    lost: bool,
}

impl BlockCommands<'_> {
    /// Finds the next command, if it is not known already.
    fn fetch(&mut self) {
        while self.next.is_none() && !self.finished {
            let Some(next) = self.earlier() else {
                // What is sealed gets no further command: no need to look again at every frame.
                self.finished = true;
                return;
            };
            match (next.place, &mut self.log_reader) {
                (CommandPlace::Log(_), Some(reader)) => reader.take(),
                _ => self.score_index += 1,
            }
            self.next = Some(next).filter(|next| !next.skipped);
        }
    }

    /// The earlier one of the next commands of score and log.
    fn earlier(&mut self) -> Option<Next> {
        let index = self.score_index;
        let from_score = self.score.peek(index, self.block).map(|command| Next {
            stamp: command.stamp,
            operation: command.operation,
            place: CommandPlace::Score(index),
            skipped: self.log.is_some_and(|log| log.skips_score(index)),
        });
        let Some(reader) = &self.log_reader else { return from_score };
        let Ok(entry) = reader.peek(self.block) else {
            self.lost = true;
            return None;
        };
        let from_log = entry.map(|entry| Next {
            stamp: entry.command.stamp,
            operation: entry.command.operation,
            place: CommandPlace::Log(reader.next_index()),
            skipped: entry.skipped,
        });
        match (from_score, from_log) {
            (Some(score), Some(log)) if log.stamp < score.stamp => Some(log),
            (score, log) => score.or(log),
        }
    }
}

impl dsp::Commands for BlockCommands<'_> {
    fn due(&mut self, frame: u32) -> Option<Operation> {
        self.fetch();
        let next = self.next.take_if(|next| next.stamp.frame <= frame)?;
        (self.note)(next.place);
        kill_point(KillPoint::CommandNoted);
        #[cfg(feature = "faults")]
        if let Operation::Poison(poison) = next.operation {
            super::fault::strike(poison);
        }
        Some(next.operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::{Command, GateId, Operation, ParameterId, Stamp};
    use shm::{LogWriter, Mapping};

    fn at(frame: u64, operation: Operation) -> Command {
        Command { stamp: Stamp::from_frame(frame), operation }
    }

    #[test]
    fn every_parameter_is_told_as_it_was_set_at_once_and_not_while_it_waits() {
        for pick in [|parameter: &Parameter| parameter.minimum, |parameter: &Parameter| parameter.maximum_at(48_000)] {
            let values = PARAMETERS.each_ref().map(pick);
            let set = |parameter: &Parameter| Operation::Set(parameter.id, values[parameter.id as usize]);
            let commands: Vec<_> = PARAMETERS.iter().map(|parameter| at(300, set(parameter))).collect();
            let score = ScoreMemory::create(&commands).unwrap();
            let mut state = EngineState::at_start(48_000);
            let told = [(); 2].map(|()| {
                state.render_next(&score, None, &|_| {}, &mut Block::SILENCE.clone()).unwrap();
                state.values(48_000)
            });
            assert_eq!(told, [Some(PARAMETERS.each_ref().map(|parameter| parameter.default)), Some(values)]);
            // What was set for 48 kHz can be too high for 44.1: no value is told that could not be set.
            assert_eq!(state.values(44_100).is_some(), values[0] == PARAMETERS[0].minimum);
        }
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
            a.render_next(&score, None, &|_| {}, &mut from_score).unwrap();
            b.render_next(&empty, Some(&log), &|_| {}, &mut from_log).unwrap();
            assert_eq!(from_score, from_log);
        }
        assert_eq!((b.log_index, b.next_block), (4, 4));
        assert_eq!(a.sound, b.sound);
    }
}
