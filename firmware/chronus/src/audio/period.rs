//! The period loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi::{Block, BlockNumber};
use rt::clock::{NANOSECONDS, monotonic};
use shm::{BellMemory, LogMemory, Mapping, ScoreMemory, SlotMemory};

use super::choose::{Choice, Chooser, Patience};
use super::conceal::{Concealment, fade_out};
use super::recorder::RecorderInput;
use super::sink::Sink;
use super::watch::Watch;
use super::{Alarm, AudioClock};
use crate::report::{Counters, count};

/// How long the first block may take: starting two processes on a busy machine, with room to spare.
const START_LIMIT: u64 = 10 * NANOSECONDS;

/// Without real time: how long a worker may keep the others waiting for one block before it is declared hung.
/// A block takes microseconds; a second is beyond what any scheduler does to a thread that can run.
const HANG_LIMIT: u64 = NANOSECONDS;

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
    /// Set when the engine is to stop.
    pub stop: Arc<AtomicBool>,
    /// Blocks the workers are ahead.
    pub lead: u64,
    /// Blocks to play; `None` for no end.
    pub blocks: Option<u64>,
    /// Where the sound goes.
    pub sink: Sink,
    /// Where a copy of it goes.
    pub recorder: Option<RecorderInput>,
}

impl Period {
    /// Plays until the last block or until it is stopped.
    ///
    /// # Errors
    /// If no worker gives the first block.
    pub fn run(self) -> Result<(), String> {
        let Self { memory, counters, clock, alarm, stop, lead, blocks, mut sink, mut recorder } = self;
        let mut chooser = Chooser::new(&memory.slots, &memory.bell, &counters);
        let mut watch = Watch::new(&memory.slots, &counters, &alarm);
        let mut concealment = Concealment::default();
        let mut block = Block::SILENCE;
        for _ in 0..lead {
            seal(&memory);
        }
        let deadline = Patience::Until(monotonic() + START_LIMIT);
        if chooser.choose(0, deadline, &mut |_| stop.load(Ordering::Relaxed), &mut block) == Choice::Late {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            return Err("no worker gave the first block within 10 seconds; see the messages above".to_owned());
        }
        sink.start(&clock);
        rt::memory::prefault_stack();
        rt::forbid_allocation();
        for number in 0..blocks.unwrap_or(BlockNumber::MAX) {
            let patience = sink.wait(number, &clock, &counters);
            let awake = monotonic();
            let stopping = stop.load(Ordering::Relaxed);
            let mut waiting = |had: [bool; 2]| {
                if monotonic() - awake > HANG_LIMIT {
                    for slot in (0..2).filter(|slot| !had[*slot]) {
                        watch.declare(slot);
                    }
                }
                stopping || stop.load(Ordering::Relaxed)
            };
            let choice = chooser.choose(number, patience, &mut waiting, &mut block);
            let had = match choice {
                Choice::Taken(had) => had,
                Choice::Divergent(trusted) => {
                    watch.declare(1 - trusted);
                    [true, true]
                }
                Choice::Late => [false, false],
            };
            let chosen = monotonic();
            if choice == Choice::Late {
                // Stopped while waiting without a deadline: nothing is due any more.
                if matches!(patience, Patience::Unlimited) {
                    break;
                }
                count(&counters.late_blocks);
                concealment.late(&mut block);
            } else {
                concealment.arrived(&mut block);
            }
            if stopping {
                fade_out(&mut block);
            }
            note_samples(&counters, &mut block);
            if let Some(recorder) = &mut recorder {
                recorder.push(&block, patience, &counters);
            }
            let handed_over = monotonic();
            sink.write(number, &block, &clock, &counters);
            let written = monotonic();
            let sealed = seal(&memory);
            let woken = monotonic();
            counters.blocks.store(number + 1, Ordering::Relaxed);
            watch.played(number, had);
            if matches!(patience, Patience::Until(_)) {
                watch.declare_laggards(sealed - 1);
            }
            counters.choosing.add(chosen - awake);
            counters.waking.add(woken - written);
            counters.work.add(handed_over - awake + (monotonic() - woken));
            if stopping {
                break;
            }
        }
        rt::allow_allocation();
        sink.finish();
        Ok(())
    }
}

/// Seals one more block and wakes both workers: one system call for the two.
fn seal(memory: &SharedMemory) -> u64 {
    let sealed = memory.log.seal_one().blocks();
    rt::futex::wake(memory.log.wake_word(), 2);
    sealed
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
        for sample in block.samples.iter_mut().filter(|sample| !sample.is_finite()) {
            *sample = 0.0;
            count(&counters.not_finite);
        }
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
