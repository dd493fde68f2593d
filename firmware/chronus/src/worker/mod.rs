//! A worker process: wait for a sealed block, read its commands, render, publish block and state; for ever.
//!
//! It knows no clock, no sender, no device and not whether it is needed. It may be ended between any two of
//! its instructions.

mod arguments;
mod fault;
mod replica;
mod state;

use std::process::ExitCode;

use shm::{BellMemory, KillPoint, LogMemory, Mapping, ScoreMemory, SlotMemory, kill_point};

pub use arguments::Arguments;
pub use fault::{Fault, Flip, FlipTarget};
pub use replica::{Replica, Step};
pub use state::{EngineState, STATE_WORDS};

/// What a worker sees of the shared memory.
pub struct Memory<'a> {
    /// The command log.
    pub log: &'a LogMemory,
    /// The score.
    pub score: &'a ScoreMemory,
    /// The bell.
    pub bell: &'a BellMemory,
    /// The slots.
    pub slots: [&'a SlotMemory; 2],
}

/// The mappings of a worker process: its own slot and the bell to write, the rest to read.
struct Mappings {
    log: Mapping<LogMemory>,
    score: ScoreMemory,
    bell: Mapping<BellMemory>,
    own: Mapping<SlotMemory>,
    other: Mapping<SlotMemory>,
}

/// Runs the worker role; returns only on failure.
pub fn run(arguments: &[String]) -> ExitCode {
    match Arguments::parse(arguments).and_then(|arguments| {
        let mappings = arguments.open_memory()?;
        arguments.prepare_process(&mappings.own)?;
        Ok((arguments, mappings))
    }) {
        Ok((arguments, mappings)) => work(&arguments, &mappings),
        Err(reason) => {
            eprintln!("chronus worker: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: &Arguments, mappings: &Mappings) -> ! {
    if let Some(Fault::At(point, passes, fate)) = arguments.fault {
        shm::arm(point, passes, fate);
    }
    kill_point(KillPoint::Started);
    rt::forbid_allocation();
    let Mappings { log, score, bell, own, other } = mappings;
    let (own, other): (&SlotMemory, &SlotMemory) = (own, other);
    let slots = if arguments.slot == 0 { [own, other] } else { [other, own] };
    let mut replica = Replica::join(Memory { log, score, bell, slots }, arguments.slot, arguments.fault);
    loop {
        match replica.step() {
            Ok(Step::Rendered) => {}
            Ok(Step::Unsealed { wake }) => rt::futex::wait(log.wake_word(), wake, None),
            Ok(Step::NotFirst { rings }) => rt::futex::wait(bell.word(), rings, None),
            // The log has overtaken this state; a successor starts from a newer one. Ended directly: the system call
            // filter leaves no other way.
            Err(shm::RecordLost) => std::process::exit(1),
        }
    }
}
