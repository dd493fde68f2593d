//! A worker process: wait for a sealed block, read its commands, render, publish block and state; for ever.
//!
//! It knows no clock, no sender, no device and not whether it is needed. It may be ended between any two of
//! its instructions.

mod arguments;
mod fault;
mod newest;
mod replica;
mod state;
mod tapes;

use std::process::ExitCode;
use std::time::Duration;

use rt::memory::Remainder;
use shm::{BellMemory, KillPoint, LogMemory, Mapping, ScoreMemory, SlotMemory, kill_point};

pub use arguments::Arguments;
pub use fault::{Fault, Flip, FlipTarget};
pub use newest::read_newest_state;
pub use replica::{Replica, Room, Step, start_over};
pub use state::EngineState;
pub use tapes::{copy as copy_tapes, put as put_tapes, read as read_tapes};

#[cfg(feature = "simulation")]
pub use crate::simulation::sound::Scratch;
#[cfg(not(feature = "simulation"))]
pub use dsp::Scratch;

/// One wait for the other worker, at most. Then it is looked again whether it has got on, even if it never rang: it may
/// have been stopped between publishing and ringing. A fraction of a period.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// What a worker sees of the shared memory.
pub trait WorkerMemory {
    /// The command log.
    fn log(&self) -> &LogMemory;
    /// The score.
    fn score(&self) -> &ScoreMemory;
    /// The bell.
    fn bell(&self) -> &BellMemory;
    /// A slot, 0 or 1.
    fn slot(&self, number: usize) -> &SlotMemory;
}

/// The mappings of a worker process: its own slot and the bell to write, the rest to read.
struct Mappings {
    slot: usize,
    log: Mapping<LogMemory>,
    score: ScoreMemory,
    bell: Mapping<BellMemory>,
    own: Mapping<SlotMemory>,
    other: Mapping<SlotMemory>,
}

impl Mappings {
    /// Closes all descriptors but those of the memory that is written anyway. The others are the supervisor's own, with
    /// all its rights.
    fn let_go(&mut self) {
        self.log.let_go();
        self.score.let_go();
        self.other.let_go();
        if let Err(error) = rt::process::close_all_but(&[self.bell.descriptor(), self.own.descriptor()]) {
            // An old kernel: the system call filter allows nothing that could be done with them.
            log::debug!("inherited descriptors stay open: {error}");
        }
    }
}

impl WorkerMemory for Mappings {
    fn log(&self) -> &LogMemory {
        &self.log
    }

    fn score(&self) -> &ScoreMemory {
        &self.score
    }

    fn bell(&self) -> &BellMemory {
        &self.bell
    }

    fn slot(&self, number: usize) -> &SlotMemory {
        if number == self.slot { &self.own } else { &self.other }
    }
}

/// Runs the worker role; returns only on failure.
pub fn run(arguments: &[String]) -> ExitCode {
    match Arguments::parse(arguments).and_then(|arguments| {
        let mut mappings = arguments.open_memory()?;
        // Before the slot is held: closing a descriptor of its file would let it go.
        mappings.let_go();
        // Before memory is locked, and the system call filter allows no more of it.
        let room = Room::new();
        let remainder = arguments.prepare_process(&mappings.own)?;
        Ok((arguments, mappings, room, remainder))
    }) {
        Ok((arguments, mappings, room, remainder)) => work(&arguments, mappings, room, remainder),
        Err(reason) => {
            eprintln!("chronus worker: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &Arguments, mappings: Mappings, room: Room, mut remainder: Remainder) -> ! {
    if let Some(Fault::At(point, passes, fate)) = arguments.fault {
        shm::arm(point, passes, fate);
    }
    kill_point(KillPoint::Started);
    rt::forbid_allocation();
    let mut replica = Replica::join(mappings, arguments.slot, arguments.fault, room);
    loop {
        match replica.step() {
            Ok(Step::Rendered) => {}
            Ok(Step::Unsealed { wake }) => {
                // Nothing is to be rendered, so this costs nobody anything.
                remainder.fetch_part();
                rt::futex::wait(replica.memory().log().wake_word(), wake, None);
            }
            Ok(Step::NotFirst { rings }) => rt::futex::wait(replica.memory().bell().word(), rings, Some(LONGEST_WAIT)),
            // The log has overtaken this state; a successor starts from a newer one. Ended directly: the system call
            // filter leaves no other way.
            Err(shm::RecordLost) => std::process::exit(1),
        }
    }
}
