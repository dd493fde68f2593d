//! Who is to blame for a worker's end: somebody outside, the machine, or the command it was applying.

use nix::sys::signal::Signal;
use rt::process::{End, Worker};
use shm::{CommandPlace, SlotMemory};

use crate::audio::SharedMemory;

/// How long a worker that does not keep up with a command is observed before it is ended, in nanoseconds: long enough
/// to tell whether it computes, short enough that an endless loop costs little sound.
pub const OBSERVATION: u64 = 2_000_000;

/// Whether this end is the worker's own doing. SIGKILL comes from outside (or is the kernel's word that memory is used
/// up), and so do SIGTERM and the others that programs send; a worker that exits says itself that it cannot go on.
pub fn is_crash(end: End) -> bool {
    use Signal::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    matches!(end, End::Signal(SIGABRT | SIGBUS | SIGFPE | SIGILL | SIGSEGV | SIGSYS | SIGTRAP))
}

/// A worker that was declared hung while it applied a command, and what it had used of the processor then. One that
/// is stopped, or that others keep from the processor, uses none, and the command is not to blame.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    place: CommandPlace,
    since: u64,
    used: u64,
}

/// What an observation has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It computes, and has not got beyond this command.
    Loops(CommandPlace),
    /// It was not computing, or has got beyond the command.
    Innocent,
    /// Too early to tell.
    NotYet,
}

impl Observation {
    /// Begins, if the worker is applying a command.
    pub fn begin(worker: &Worker, slot: &SlotMemory) -> Option<Self> {
        let place = slot.applying()?;
        Some(Self { place, since: rt::clock::monotonic(), used: worker.processor_time()? })
    }

    /// Looks again.
    pub fn finding(&self, worker: &Worker, slot: &SlotMemory) -> Finding {
        let observed = rt::clock::monotonic().saturating_sub(self.since);
        if observed < OBSERVATION {
            return Finding::NotYet;
        }
        let used = worker.processor_time().unwrap_or(self.used).saturating_sub(self.used);
        // Half: what is left is the kernel's, and that of whoever else runs on this core.
        let computes = used >= observed / 2;
        if computes && slot.applying() == Some(self.place) { Finding::Loops(self.place) } else { Finding::Innocent }
    }

    /// When to look again, on CLOCK_MONOTONIC.
    pub fn due(&self) -> u64 {
        self.since + OBSERVATION
    }
}

/// Takes a command out of the engine: nobody will apply it. False if some state has it behind it already: then
/// somebody has survived it, and it is not to blame.
pub fn quarantine(memory: &SharedMemory, place: CommandPlace) -> bool {
    let consumed = memory.slots.iter().map(|slot| slot.consumed()).max().unwrap_or(0);
    let survived = matches!(place, CommandPlace::Log(index) if index < consumed);
    if !survived {
        memory.log.skip(place);
    }
    !survived
}
