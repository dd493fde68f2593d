//! A worker process: wait for a sealed block, read its commands, render, publish block and state; for ever.
//!
//! It knows no clock, no sender, no device and not whether it is needed. It may be ended between any two of
//! its instructions.

mod arguments;
mod state;

use std::process::ExitCode;
use std::sync::atomic::Ordering;

use abi::Block;
use shm::{BellMemory, KillPoint, LogMemory, Mapping, Reading, ScoreMemory, SlotMemory, kill_point};

pub use arguments::Arguments;
pub use state::{EngineState, STATE_WORDS};

/// How often a joining worker looks again for the newest snapshot before it takes the one before. The other
/// worker may be writing; a read takes a microsecond and a block five thousand.
const NEWEST_TRIES: usize = 100;

/// What a worker sees of the shared memory.
struct Memory {
    log: Mapping<LogMemory>,
    score: ScoreMemory,
    bell: Mapping<BellMemory>,
    own: Mapping<SlotMemory>,
    other: Mapping<SlotMemory>,
}

/// Runs the worker role; returns only on failure.
pub fn run(arguments: &[String]) -> ExitCode {
    match Arguments::parse(arguments).and_then(|arguments| {
        let memory = arguments.open_memory()?;
        arguments.prepare_process()?;
        Ok((arguments, memory))
    }) {
        Ok((arguments, memory)) => {
            if let Some((point, passes, fate)) = arguments.kill_at {
                shm::arm(point, passes, fate);
            }
            kill_point(KillPoint::Started);
            work(&memory)
        }
        Err(reason) => {
            eprintln!("chronus worker: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn work(memory: &Memory) -> ! {
    rt::forbid_allocation();
    let mut state = newest_state(memory);
    memory.own.join(state.next_block);
    let mut block = Block::SILENCE;
    loop {
        wait_until_sealed(memory, state.next_block);
        kill_point(KillPoint::Woken);
        let number = state.next_block;
        if state.render_next(&memory.score, Some(&memory.log), &mut block).is_err() {
            // The log has overtaken this state; a successor starts from a newer one. Ended directly: the system call
            // filter leaves no other way.
            std::process::exit(1);
        }
        kill_point(KillPoint::Rendered);
        memory.own.publish_block(number, &block);
        if memory.bell.ring() {
            rt::futex::wake(memory.bell.word(), 1);
        }
        memory.own.publish_snapshot(state.next_block, &state.to_words(), state.log_index);
    }
}

fn wait_until_sealed(memory: &Memory, block: u64) {
    loop {
        // The wake word first: a seal after this reading changes it, and the wait returns at once.
        let seen = memory.log.wake_word().load(Ordering::Acquire);
        if memory.log.sealed().blocks() > block {
            return;
        }
        rt::futex::wait(memory.log.wake_word(), seen, None);
    }
}

/// The newest whole state of either slot. There always is one: a worker killed while writing one of its two
/// snapshots leaves the other whole, and the supervisor wrote the first.
fn newest_state(memory: &Memory) -> EngineState {
    let slots = [&memory.other, &memory.own];
    let mut words = [0; STATE_WORDS];
    let mut tries = 0;
    loop {
        let newest = slots.iter().filter_map(|slot| slot.newest_snapshot()).max().unwrap_or(0);
        kill_point(KillPoint::JoinSnapshotFound);
        // At first only the newest; after many misses also older ones, which cost more catching up.
        let oldest = if tries < NEWEST_TRIES { newest } else { newest.saturating_sub(tries as u64) };
        for number in (oldest..=newest).rev() {
            for slot in slots {
                if matches!(slot.read_snapshot(number, &mut words), Reading::Whole(_)) {
                    kill_point(KillPoint::JoinSnapshotRead);
                    return EngineState::from_words(&words);
                }
            }
        }
        tries += 1;
    }
}
