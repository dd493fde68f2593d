use abi::{Operation, Place, Stamp};
use shm::LogWriter;

use super::*;
use crate::worker::Scratch;

const RATE: u32 = 48_000;
const SINE_FREQ: Place = Place { row: 1, parameter: 0 };
/// Blocks of a minute.
const MINUTE: u64 = 60 * RATE as u64 / FRAMES as u64;

/// An engine that plays what it is told, without a worker.
struct Played {
    memory: SharedMemory,
    counters: Counters,
    log: LogWriter,
    state: Box<EngineState>,
    scratch: Box<Scratch>,
    past: Past,
}

impl Played {
    fn new() -> Self {
        let memory = SharedMemory::create(&[]).unwrap();
        let state = EngineState::at_start(RATE);
        memory.slots[0].publish_snapshot(0, state.as_words(), 0);
        let (scratch, past) = (bytemuck::zeroed_box(), Past::new(RATE, true));
        Self { memory, counters: Counters::default(), log: LogWriter::new(), state, scratch, past }
    }

    /// Logs so many commands for the next block.
    fn command(&mut self, count: usize) {
        for number in 0..count {
            let operation = Operation::Set(SINE_FREQ, 100.0 + number as f64);
            let stamp = Stamp::start_of(self.state.next_block);
            self.log.add(&self.memory.log, stamp, operation, self.memory.consumed()).unwrap();
        }
    }

    /// Plays a block.
    fn play(&mut self, late: bool) {
        self.memory.log.seal_one();
        let mut block = abi::Block::SILENCE;
        self.state
            .render_next(&self.memory.score, Some(&self.memory.log), &|_| {}, (&mut self.scratch, &mut block))
            .unwrap();
        let next = self.state.next_block;
        self.memory.slots[0].publish_snapshot(next, self.state.as_words(), self.state.log_index);
        self.counters.blocks.store(next, Ordering::Relaxed);
        self.past.hear(Note { number: next - 1, late, ..Note::default() });
    }

    fn look(&mut self) {
        self.past.look(&self.memory, &self.counters);
    }

    /// Plays so many blocks, with as many commands before each, and looks after every tenth.
    fn play_on(&mut self, blocks: u64, commands: usize) {
        for number in 0..blocks {
            self.command(commands);
            self.play(false);
            if number % 10 == 9 {
                self.look();
            }
        }
    }

    /// The blocks there are to render, and the commands of all minutes.
    fn kept(&mut self) -> (Range<u64>, Vec<usize>) {
        let kept = self.past.kept(&self.memory).expect("something was played");
        (kept.blocks, kept.minutes.iter().map(|minute| minute.commands.len()).collect())
    }
}

#[test]
fn all_of_half_an_hour_is_there_and_no_more() {
    let mut played = Played::new();
    played.look();
    played.play_on(3 * MINUTE, 1);
    let (blocks, commands) = played.kept();
    assert_eq!((blocks, commands.iter().sum::<usize>()), (0..3 * MINUTE, 3 * MINUTE as usize));
    assert!((3..=4).contains(&commands.len()), "{commands:?}");
    played.play_on(38 * MINUTE, 0);
    let (blocks, commands) = played.kept();
    assert_eq!(blocks.end, 41 * MINUTE);
    let length = blocks.end - blocks.start;
    assert!((30 * MINUTE..31 * MINUTE + 20).contains(&length), "{length} blocks, {} minutes", commands.len());
    assert_eq!(played.past.commands, 0, "those are forgotten");
}

#[test]
fn busy_minutes_push_out_the_oldest_and_memory_stays_bounded() {
    let mut played = Played::new();
    played.look();
    played.play_on(MINUTE, 1);
    let many = 2_000;
    for _ in 0..600 {
        played.play_on(10, 0);
        played.command(many);
        played.play(false);
        played.look();
        assert!(played.past.commands <= MOST_COMMANDS, "{}", played.past.commands);
        assert!(played.past.minutes.len() <= 32, "{}", played.past.minutes.len());
    }
    let (blocks, commands) = played.kept();
    assert!(blocks.start > MINUTE && blocks.end == MINUTE + 600 * 11);
    // As many as there is room for, but for those of the minute forgotten last.
    let sum = commands.iter().sum::<usize>();
    assert!(sum > MOST_COMMANDS - MOST_OF_A_MINUTE - many && sum <= MOST_COMMANDS, "{sum}");
}

#[test]
fn what_is_left_out_is_not_kept_and_what_nobody_applied_is_not_yet() {
    let mut played = Played::new();
    played.look();
    played.command(3);
    played.memory.log.skip(CommandPlace::Log(1));
    played.look();
    assert_eq!(played.past.commands, 0, "no state has them behind it");
    played.play(false);
    played.look();
    let kept = played.past.kept(&played.memory).unwrap();
    let values = kept.minutes[0].commands.iter().map(|command| command.operation);
    assert_eq!(values.collect::<Vec<_>>(), [100.0, 102.0].map(|value| Operation::Set(SINE_FREQ, value)));
}

#[test]
fn late_blocks_are_known_and_where_they_are_not_it_begins_anew() {
    let mut played = Played::new();
    played.look();
    for late in [false, true, true, false, true, false] {
        played.play(late);
    }
    played.look();
    let kept = played.past.kept(&played.memory).unwrap();
    assert_eq!((kept.late, kept.blocks), (vec![1..3, 4..5], 0..6));
    // A note got lost.
    (0..2).for_each(|_| _ = played.memory.log.seal_one());
    let lost = Note { number: 7, ..Note::default() };
    played.past.hear(lost);
    assert!(played.past.kept(&played.memory).is_none());
    played.state.next_block += 2;
    played.memory.slots[0].publish_snapshot(8, played.state.as_words(), 0);
    played.look();
    played.play(false);
    played.play(false);
    played.look();
    // From the state on, less one: what was before it is not known.
    assert_eq!(played.kept().0, 9..10);
}

#[test]
fn a_new_beginning_is_one_here_too() {
    let mut played = Played::new();
    played.look();
    played.play_on(100, 1);
    played.counters.beginnings.store(1, Ordering::SeqCst);
    played.look();
    assert!(played.past.kept(&played.memory).is_none(), "nobody knows which state is the last of before");
    played.counters.beginnings.store(2, Ordering::SeqCst);
    played.look();
    played.command(1);
    played.play(false);
    played.play(false);
    played.look();
    let (blocks, commands) = played.kept();
    assert_eq!((blocks, commands), (101..102, vec![1]));
    let gate = Operation::Gate(2, true);
    assert!(played.log.add(&played.memory.log, Stamp::start_of(0), gate, 0).is_ok());
}
