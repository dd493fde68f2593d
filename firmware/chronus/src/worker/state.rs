//! The whole state of a render: what a snapshot holds, and all that the next block depends on.

#[cfg(feature = "simulation")]
use crate::simulation::sound as dsp;
use ::dsp::instrument::{Strip, Wiring};
use abi::{Block, BlockNumber, Operation, Stamp};
use bytemuck::{Pod, Zeroable};
use shm::{
    CommandPlace, KillPoint, LogMemory, LogReader, Reading, RecordLost, SNAPSHOT_WORDS, ScoreMemory, SlotMemory,
    kill_point,
};

/// 64-bit words of a state of which all is in use.
const STATE_WORDS: usize = size_of::<EngineState>() / size_of::<u64>();
const _: () = assert!(STATE_WORDS <= SNAPSHOT_WORDS, "the state has outgrown the snapshot's room in shared memory");

/// Words before the sound.
const HEADER_WORDS: usize = std::mem::offset_of!(EngineState, sound) / size_of::<u64>();

/// Plain old data: a copy of what is used of it is a snapshot, and a snapshot is all a replacement needs. It is too large
/// for a stack.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct EngineState {
    /// Words in use, this one among them; all behind them are 0. It is the first word of a snapshot.
    words: u64,
    /// The block to render next.
    pub next_block: BlockNumber,
    /// Log records applied.
    pub log_index: u64,
    /// Score records applied.
    score_index: u64,
    /// Of all that was written to tapes, so that who wrote something else has another state.
    taped: u64,
    sound: dsp::Instrument,
}

impl EngineState {
    /// Room for a state, of which nothing is anything yet.
    pub fn room() -> Box<Self> {
        bytemuck::zeroed_box()
    }

    /// The state before block 0 at a sample rate in Hz.
    pub fn at_start(rate: u32) -> Box<Self> {
        let mut state = Self::room();
        state.start_sound_over(rate);
        state
    }

    /// The sound is as it is at the start, at a sample rate in Hz; the place in score and log stays.
    pub fn start_sound_over(&mut self, rate: u32) {
        self.sound.power_on(rate);
        self.count_words();
    }

    /// Brings the count of what is used up to date.
    fn count_words(&mut self) {
        self.words = (HEADER_WORDS + self.sound.used_bytes() / size_of::<u64>()).min(STATE_WORDS) as u64;
    }

    /// The same sound at the beginning of a score and of a log: for who has the commands that follow as a score of their
    /// own.
    pub fn at_a_beginning(&self) -> Box<Self> {
        let mut state = Self::room();
        *state = *self;
        (state.log_index, state.score_index) = (0, 0);
        state
    }

    /// Whether the sound is the same, bit for bit, wherever in score and log.
    pub fn sounds_as(&self, other: &Self) -> bool {
        bytemuck::bytes_of(&self.sound) == bytemuck::bytes_of(&other.sound)
    }

    /// As the words of a snapshot.
    pub fn as_words(&self) -> &[u64] {
        let words: &[u64] = bytemuck::cast_slice(std::slice::from_ref(self));
        words.get(..self.words as usize).unwrap_or(words)
    }

    /// Reads the snapshot before block `next` of a slot into this one: its checksum, if it is whole. If it is not, this is
    /// a state of nothing.
    pub fn read(&mut self, slot: &SlotMemory, next: BlockNumber) -> Option<u64> {
        let length = (slot.first_word_of_snapshot(next) as usize).clamp(1, STATE_WORDS);
        let words: &mut [u64] = bytemuck::cast_slice_mut(std::slice::from_mut(self));
        let before = (words[0] as usize).clamp(length, STATE_WORDS);
        words[length..before].fill(0);
        let found = slot.read_snapshot(next, &mut words[..length]);
        // What was not whole may have left anything; the next reading clears it.
        words[0] = words[0].max(before as u64);
        match found {
            Reading::Whole(checksum) => {
                words[0] = length as u64;
                Some(checksum)
            }
            Reading::Absent | Reading::Damaged => None,
        }
    }

    /// The sound's state, to work on: for who wants to know what its modules cost.
    pub fn sound_mut(&mut self) -> &mut dsp::Instrument {
        &mut self.sound
    }

    /// Its patch, and what is set there.
    pub fn wiring(&self) -> &Wiring {
        self.sound.wiring()
    }

    /// The strips of tape that the next block may be heard from.
    pub fn strips(&self) -> impl Iterator<Item = Strip> {
        self.sound.strips()
    }

    /// What was written to a strip in a block before this state: 0 back is the last one.
    pub fn written<'a>(&self, scratch: &'a mut dsp::Scratch, strip: usize, back: u64) -> Option<&'a mut [u64]> {
        self.sound.written(scratch, strip, back)
    }

    /// Takes what the last block has written to the tapes into the state.
    fn sum_up_tapes(&mut self, scratch: &mut dsp::Scratch) {
        let written = self.sound.strips().fold(self.taped, |sum, strip| {
            let words = self.sound.written(scratch, strip.number, 0);
            sum.rotate_left(1) ^ words.map_or(0, |words| shm::tape_checksum(strip.number, words))
        });
        self.taped = written;
    }

    /// Test builds: flips a bit of the sound's state, counted over all of it.
    #[cfg(feature = "faults")]
    pub fn flip(&mut self, bit: u64) {
        let used = self.sound.used_bytes();
        bytemuck::bytes_of_mut(&mut self.sound)[(bit / 8) as usize % used] ^= 1 << (bit % 8);
    }

    /// Every other build: nothing flips.
    #[cfg(not(feature = "faults"))]
    pub fn flip(&mut self, _: u64) {}

    /// Renders the next block, with `scratch` to work in, with its commands from the score and from the log. `log` is `None`
    /// where there is none: the reference renderer. `note` is told of each command before it is applied.
    ///
    /// # Errors
    /// [`RecordLost`] if the log has moved on beyond this state; the state is then of no more use.
    pub fn render_next(
        &mut self,
        score: &ScoreMemory,
        log: Option<&LogMemory>,
        note: &dyn Fn(CommandPlace),
        (scratch, out): (&mut dsp::Scratch, &mut Block),
    ) -> Result<(), RecordLost> {
        let mut commands = self.commands(score, log, note);
        dsp::render(&mut self.sound, scratch, &mut commands, out);
        if commands.lost {
            return Err(RecordLost);
        }
        self.score_index = commands.score_index;
        self.log_index = commands.log_reader.map_or(self.log_index, |reader| reader.next_index());
        self.next_block += 1;
        self.sum_up_tapes(scratch);
        self.count_words();
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

    fn next_frame(&mut self) -> Option<u32> {
        self.fetch();
        self.next.map(|next| next.stamp.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::{Command, Operation, Place, Stamp};
    use shm::{LogWriter, Mapping};

    fn at(frame: u64, operation: Operation) -> Command {
        Command { stamp: Stamp::from_frame(frame), operation }
    }

    #[test]
    fn a_parameter_is_told_as_it_was_set_at_once_and_not_while_it_waits() {
        let freq = Place { row: 1, parameter: 0 };
        for value in [0.1, 23_990.0] {
            let score = ScoreMemory::create(&[at(300, Operation::Set(freq, value))]).unwrap();
            let (mut state, mut scratch) = (EngineState::at_start(48_000), bytemuck::zeroed_box::<dsp::Scratch>());
            let mut told = || {
                state.render_next(&score, None, &|_| {}, (&mut scratch, &mut Block::SILENCE.clone())).unwrap();
                state.wiring().row(freq.row).unwrap().value(0)
            };
            assert_eq!((told(), told()), (Some(440.0), Some(value)));
            // What was set for 48 kHz can be too high for 44.1: no value is told that could not be set.
            let wiring = state.wiring();
            assert!(wiring.is_in_range(48_000) && wiring.is_in_range(44_100) == (value == 0.1));
        }
    }

    #[test]
    fn score_and_log_make_the_same_sound() {
        let commands = [
            at(3, Operation::Gate(2, true)),
            at(300, Operation::Set(Place { row: 1, parameter: 0 }, 880.0)),
            at(300, Operation::Set(Place { row: 1, parameter: 0 }, 220.0)),
            at(700, Operation::Gate(2, false)),
        ];
        let (score, empty) = (ScoreMemory::create(&commands).unwrap(), ScoreMemory::create(&[]).unwrap());
        let log = Mapping::<LogMemory>::create("test log").unwrap();
        let mut writer = LogWriter::new();
        for command in commands {
            writer.add(&log, command.stamp, command.operation, 0).unwrap();
        }
        let (mut a, mut b) = (EngineState::at_start(48_000), EngineState::at_start(48_000));
        let mut scratch = bytemuck::zeroed_box::<dsp::Scratch>();
        for _ in 0..4 {
            let (mut from_score, mut from_log) = (Block::SILENCE, Block::SILENCE);
            a.render_next(&score, None, &|_| {}, (&mut scratch, &mut from_score)).unwrap();
            b.render_next(&empty, Some(&log), &|_| {}, (&mut scratch, &mut from_log)).unwrap();
            assert_eq!(from_score, from_log);
        }
        assert_eq!((b.log_index, b.next_block), (4, 4));
        assert_eq!(a.sound, b.sound);
    }
}
