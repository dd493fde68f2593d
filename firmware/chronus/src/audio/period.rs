//! The period loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi::{Block, BlockNumber};
use rt::clock::{NANOSECONDS, monotonic};
use shm::{BellMemory, CommandPlace, ContinuationMemory, LogMemory, Mapping, ScoreMemory, SlotMemory, WaitingMemory};

use super::choose::{Choice, Chooser, Patience};
use super::conceal::{Concealment, fade_out};
use super::doubt::Doubt;
use super::notes::NotesInput;
use super::sink::Sink;
use super::tape::TapeInput;
use super::watch::Watch;
use super::{Alarm, AudioClock};
use crate::report::{Counters, SlotState, count};

/// How long the first block may take: starting two processes on a busy machine, with room to spare.
const START_LIMIT: u64 = 10 * NANOSECONDS;

/// How long the first block may wait for the second worker, so that there are two from the start: one that computes
/// wrongly is found out only by the other. A worker takes some milliseconds; a machine on which it takes longer than
/// this shall sound nevertheless. Without real time [`HANG_LIMIT`] holds for this too.
const REDUNDANCY_LIMIT: u64 = NANOSECONDS / 10;

/// Between two looks whether it is there: far less than it takes.
const REDUNDANCY_INTERVAL: u64 = NANOSECONDS / 2000;

/// Without real time: how long a worker may keep the others waiting for one block before it is declared hung.
/// A block takes microseconds; two seconds are beyond what a scheduler does to a thread that can run.
const HANG_LIMIT: u64 = 2 * NANOSECONDS;

/// How often the supervisor is told that a block is waited for: long against the time in which it finds out why.
const STALL_LIMIT: u64 = NANOSECONDS / 200;

/// Blocks after which an engine that goes on where another was ended is taken to endure: half a second at 48 kHz, far
/// more than it takes to meet again whatever ended the other.
const ENDURANCE: u64 = 100;

/// Everything that processes share.
pub struct SharedMemory {
    /// The command log.
    pub log: Mapping<LogMemory>,
    /// The score, empty if there is none.
    pub score: ScoreMemory,
    /// The bell that workers ring.
    pub bell: Mapping<BellMemory>,
    /// The slots.
    pub slots: [Mapping<SlotMemory>; 2],
    /// How far it was played, for a successor of this process.
    pub continuation: Mapping<ContinuationMemory>,
    /// Commands that wait for their time, for a successor of this process.
    pub waiting: Mapping<WaitingMemory>,
}

impl SharedMemory {
    /// The command at a place of log or score, if it is there.
    pub fn command_at(&self, place: CommandPlace) -> Option<abi::Command> {
        match place {
            CommandPlace::Log(index) => self.log.command_at(index),
            CommandPlace::Score(index) => self.score.peek(index, BlockNumber::MAX),
        }
    }

    /// Records of the log that the newest state of all has behind it: no worker will ask for them again.
    pub fn consumed(&self) -> u64 {
        self.slots.iter().map(|slot| slot.consumed()).max().unwrap_or(0)
    }

    /// Rings the bell, for the audio thread and for workers that wait for each other.
    pub fn ring(&self) {
        if self.bell.ring() {
            rt::futex::wake(self.bell.word(), i32::MAX);
        }
    }

    /// New memory for a score, without any state.
    ///
    /// # Errors
    /// What the kernel says, usually that memory is used up.
    pub fn create(commands: &[abi::Command]) -> std::io::Result<Self> {
        Ok(Self {
            log: Mapping::create("chronus-log")?,
            score: ScoreMemory::create(commands)?,
            bell: Mapping::create("chronus-bell")?,
            slots: [Mapping::create("chronus-slot-0")?, Mapping::create("chronus-slot-1")?],
            continuation: Mapping::create("chronus-continuation")?,
            waiting: Mapping::create("chronus-waiting")?,
        })
    }
}

/// What the audio thread works with.
pub struct Period {
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// Shared with the report.
    pub counters: Arc<Counters>,
    /// Shared with the stamp.
    pub clock: Arc<AudioClock>,
    /// Shared with the supervisor.
    pub alarm: Arc<Alarm>,
    /// Shared with the judge.
    pub doubt: Arc<Doubt>,
    /// Set when the engine is to stop.
    pub stop: Arc<AtomicBool>,
    /// Blocks the workers are ahead.
    pub lead: u64,
    /// Blocks to play; `None` for no end.
    pub blocks: Option<u64>,
    /// Where the sound goes.
    pub sink: Sink,
    /// Where a copy of all of it goes.
    pub recorder: Option<TapeInput>,
    /// Where a copy of it goes while somebody wants one.
    pub tape: Option<TapeInput>,
    /// Who takes notes of what was played.
    pub notes: Option<NotesInput>,
}

impl Period {
    /// Plays from the first block that was never played until the last one, or until it is stopped.
    ///
    /// # Errors
    /// If no worker gives the first block.
    pub fn run(self) -> Result<(), String> {
        let Self { memory, counters, clock, alarm, doubt, stop, lead, blocks, sink, recorder, tape, notes } = self;
        let first = memory.continuation.played();
        counters.blocks.store(first, Ordering::Relaxed);
        let mut playing = Playing {
            first,
            chooser: Chooser::new(&memory, &counters, &doubt, first),
            watch: Watch::new(&memory, &counters, &alarm, clock.period()),
            concealment: Concealment::default(),
            block: Block::SILENCE,
            memory: &memory,
            counters: &counters,
            clock: &clock,
            stop: &stop,
            sink,
            recorder,
            tape,
            notes,
        };
        if !playing.start(lead)? {
            return Ok(());
        }
        rt::memory::prefault_stack();
        rt::forbid_allocation();
        let last = blocks.unwrap_or(BlockNumber::MAX);
        (first..last).try_for_each(|number| playing.play(number));
        rt::allow_allocation();
        playing.sink.finish();
        Ok(())
    }
}

/// The period loop at work.
struct Playing<'a> {
    /// The block this engine begins with.
    first: BlockNumber,
    memory: &'a SharedMemory,
    counters: &'a Counters,
    clock: &'a AudioClock,
    stop: &'a AtomicBool,
    chooser: Chooser<'a>,
    watch: Watch<'a>,
    concealment: Concealment,
    block: Block,
    sink: Sink,
    recorder: Option<TapeInput>,
    tape: Option<TapeInput>,
    notes: Option<NotesInput>,
}

impl Playing<'_> {
    /// Seals the blocks of the lead that are not sealed yet, waits for the first block, for a while for both copies of
    /// it, and starts the beat. False if it was stopped meanwhile.
    fn start(&mut self, lead: u64) -> Result<bool, String> {
        while self.memory.log.sealed().blocks() < self.first + lead {
            seal(self.memory);
        }
        let stopped = || self.stop.load(Ordering::Relaxed);
        let started = monotonic();
        let deadline = Patience::Until(started + START_LIMIT);
        // Nothing has a beat yet, so this block is waited for as one without a deadline is.
        let waiting = &mut while_waiting(&self.watch, self.stop, self.first, started, started + STALL_LIMIT);
        if self.chooser.choose(self.first, deadline, waiting, &mut self.block) == Choice::Late {
            let reason = "no worker gave the first block within 10 seconds; see the messages above";
            return if stopped() { Ok(false) } else { Err(reason.to_owned()) };
        }
        let limit = monotonic() + if self.sink.has_beat() { REDUNDANCY_LIMIT } else { HANG_LIMIT };
        while !self.is_redundant() && !stopped() && monotonic() < limit {
            rt::clock::sleep_until(monotonic() + REDUNDANCY_INTERVAL);
        }
        self.sink.start(self.first, self.clock);
        Ok(true)
    }

    /// Whether all workers there shall be have the first block.
    fn is_redundant(&self) -> bool {
        let slots = self.memory.slots.iter().zip(&self.counters.slots);
        slots.filter(|(_, counters)| counters.state() != SlotState::Off).all(|(slot, _)| slot.published() > self.first)
    }

    /// Plays one block and seals the next; `None` if it was the last.
    fn play(&mut self, number: BlockNumber) -> Option<()> {
        let patience = self.sink.wait(number, self.clock, self.counters);
        let awake = monotonic();
        let stopping = self.stop.load(Ordering::Relaxed);
        let had = self.choose(number, patience, awake);
        let chosen = monotonic();
        // Stopped while waiting without a deadline: nothing is due any more.
        if had == [false; 2] && matches!(patience, Patience::Unlimited) {
            return None;
        }
        if stopping {
            fade_out(&mut self.block);
        }
        note_samples(self.counters, &mut self.block);
        self.record(number, patience, had == [false; 2]);
        let handed_over = monotonic();
        self.sink.write(number, &self.block, self.clock, self.counters);
        self.note_played(number + 1);
        let written = monotonic();
        let sealed = seal(self.memory);
        let woken = monotonic();
        self.counters.blocks.store(number + 1, Ordering::Relaxed);
        self.watch.played(number, had);
        self.chooser.sweep(number);
        self.tell_of_the_wrong();
        if matches!(patience, Patience::Until(_)) {
            // What was sealed just now nobody can have published yet.
            self.watch.declare_laggards(sealed - 1, woken);
        }
        self.counters.choosing.add(chosen - awake);
        self.counters.waking.add(woken - written);
        self.counters.work.add(handed_over - awake + (monotonic() - woken));
        (!stopping).then_some(())
    }

    /// Gives the block to those who record it, and notes whether it was late.
    fn record(&mut self, number: BlockNumber, patience: Patience, late: bool) {
        if let Some(notes) = &mut self.notes {
            notes.add(number, late, &self.block);
        }
        if let Some(recorder) = &mut self.recorder
            && !recorder.push(number, &self.block, patience)
        {
            count(&self.counters.recorder_drops);
        }
        // Who records a part sees by the numbers what is missing.
        let _ = self.tape.as_mut().is_some_and(|tape| tape.push(number, &self.block, patience));
    }

    /// Notes for a successor of this process that so many blocks were handed over. Before the next one is sealed, so
    /// that the seal stands at most the lead further.
    fn note_played(&self, blocks: u64) {
        self.memory.continuation.note_played(blocks);
        if blocks == self.first + ENDURANCE {
            self.memory.continuation.note_endurance();
        }
    }

    /// Chooses the block, or what to play in its place; tells which slots had it.
    fn choose(&mut self, number: BlockNumber, patience: Patience, awake: u64) -> [bool; 2] {
        let stall = match patience {
            // It is due and not there.
            Patience::Until(_) => awake,
            Patience::Unlimited => awake + STALL_LIMIT,
        };
        let mut waiting = while_waiting(&self.watch, self.stop, number, awake, stall);
        let choice = self.chooser.choose(number, patience, &mut waiting, &mut self.block);
        drop(waiting);
        self.tell_of_the_wrong();
        let Choice::Taken(had) = choice else {
            if matches!(patience, Patience::Until(_)) {
                count(&self.counters.late_blocks);
                self.concealment.late(&mut self.block);
            }
            return [false, false];
        };
        self.concealment.arrived(&mut self.block);
        had
    }

    fn tell_of_the_wrong(&mut self) {
        if let Some((slot, epoch)) = self.chooser.take_wrong() {
            self.watch.distrust(slot, epoch);
        }
    }
}

/// What is done time and again while block `number` is waited for, since `awake`: the supervisor is told of workers that
/// wait for each other (from `stall` on) and of those that are hung. True if nothing is to be waited for any more.
fn while_waiting(
    watch: &Watch,
    stop: &AtomicBool,
    number: BlockNumber,
    awake: u64,
    mut stall: u64,
) -> impl FnMut([bool; 2]) -> bool {
    let mut limit = awake + HANG_LIMIT;
    move |had| {
        let now = monotonic();
        if now > limit {
            watch.declare_missing(number, had);
            limit = now + HANG_LIMIT;
        }
        if now > stall {
            watch.tell_of_stalling();
            stall = now + STALL_LIMIT;
        }
        stop.load(Ordering::Relaxed)
    }
}

/// Seals one more block and wakes both workers: one system call for the two.
fn seal(memory: &SharedMemory) -> u64 {
    let sealed = memory.log.seal_one().blocks();
    rt::futex::wake(memory.log.wake_word(), 2);
    sealed
}

/// Makes 0 of each sample that is no number; gives how many.
pub fn silence_what_is_no_number(block: &mut Block) -> u64 {
    let wrong = block.samples.iter_mut().filter(|sample| !sample.is_finite());
    wrong.map(|sample| *sample = 0.0).count() as u64
}

/// Notes the peak, and plays 0 for a sample that is no number: it must not reach a loudspeaker.
fn note_samples(counters: &Counters, block: &mut Block) {
    // Without the sign, the bits of floats are ordered as their magnitudes, infinity and NaN above all others;
    // and a maximum of integers is something the compiler can do for many samples at once.
    // Signed, because that maximum is what the oldest vector instructions have.
    const NO_SIGN: i32 = i32::MAX;
    let bits = |sample: f32| sample.to_bits().cast_signed() & NO_SIGN;
    let most = |block: &Block| block.samples.iter().fold(0, |most: i32, sample| most.max(bits(*sample)));
    let mut magnitude = most(block);
    if magnitude >= bits(f32::INFINITY) {
        let silenced = silence_what_is_no_number(block);
        counters.not_finite.fetch_add(silenced, Ordering::Relaxed);
        magnitude = most(block);
    }
    counters.note_peak(f32::from_bits(magnitude.cast_unsigned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_played_as_silence_and_counted() {
        let counters = Counters::default();
        let mut block = Block::SILENCE;
        block.samples[3] = -0.75;
        note_samples(&counters, &mut block);
        assert_eq!((counters.take_peak(), counters.not_finite.load(Ordering::Relaxed)), (0.75, 0));
        (block.samples[4], block.samples[5], block.samples[6]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
        note_samples(&counters, &mut block);
        assert!(block.samples.iter().all(|sample| sample.is_finite()));
        assert_eq!((counters.take_peak(), counters.not_finite.load(Ordering::Relaxed)), (0.75, 3));
    }
}
