//! Who is to blame for a worker's end: somebody outside, the machine, or the command it was applying.

use nix::sys::signal::Signal;
use rt::process::{Activity, End, Worker};
use shm::{CommandPlace, SlotMemory};

use crate::audio::SharedMemory;

/// How long a worker that keeps the other waiting is observed, in nanoseconds: short enough that the other one is in
/// time if this one is merely stopped.
const OBSERVATION: u64 = 2_000_000;

/// How long a worker must have been observed for the processor time it used to mean anything, in nanoseconds: five ticks
/// of the usual 250 Hz, at which the kernel counts it.
const ACCOUNTED: u64 = 20_000_000;

/// Whether this end is the worker's own doing. SIGKILL comes from outside (or is the kernel's word that memory is used
/// up), and so do SIGTERM and the others that programs send; a worker that exits says itself that it cannot go on.
pub fn is_crash(end: End) -> bool {
    use Signal::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    matches!(end, End::Signal(SIGABRT | SIGBUS | SIGFPE | SIGILL | SIGSEGV | SIGSYS | SIGTRAP))
}

/// A worker that keeps the other one waiting while it applies a command, and what it had used of the processor when that
/// was noticed.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    place: CommandPlace,
    since: u64,
    used: u64,
}

/// What an observation has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It can run, and does not get beyond this command.
    Stuck(CommandPlace),
    /// It is stopped, or applies nothing.
    Innocent,
    /// It has got to another command.
    GetsOn,
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
        if rt::clock::monotonic().saturating_sub(self.since) < OBSERVATION {
            return Finding::NotYet;
        }
        match (slot.applying(), worker.activity()) {
            // What it died of is marked first, and only then anyone else goes on.
            (_, Activity::Gone) => Finding::NotYet,
            (None, _) | (_, Activity::Rests) => Finding::Innocent,
            (Some(place), Activity::Runs) if place == self.place => Finding::Stuck(place),
            (Some(_), Activity::Runs) => Finding::GetsOn,
        }
    }

    /// Whether it was observed for long enough to know whether others kept it from the processor.
    pub fn is_conclusive(&self) -> bool {
        rt::clock::monotonic().saturating_sub(self.since) >= ACCOUNTED || rt::cores::without_tick()
    }

    /// Whether others kept it from the processor for most of the time: then it is not known whether the command takes
    /// so long. A kernel without a tick on the workers' cores does not count their time, and nobody else runs there.
    pub fn was_starved(&self, worker: &Worker) -> bool {
        let observed = rt::clock::monotonic().saturating_sub(self.since);
        let used = worker.processor_time().unwrap_or(self.used).saturating_sub(self.used);
        used < observed / 4 && !rt::cores::without_tick()
    }

    /// When to look again, on CLOCK_MONOTONIC.
    pub fn due(&self) -> u64 {
        self.since + OBSERVATION
    }
}

/// Takes a command out of the engine: nobody will apply it. False if that is done already, or if some state has it
/// behind it: then somebody has survived it, and it is not to blame.
pub fn quarantine(memory: &SharedMemory, place: CommandPlace) -> bool {
    // A block that was published was rendered with its commands, whoever did it, and so was what a state has behind it.
    let rendered = memory.slots.iter().map(|slot| slot.published().max(slot.newest_snapshot().unwrap_or(0))).max();
    let survived = memory.command_at(place).is_none_or(|command| Some(command.stamp.block) < rendered);
    if survived || memory.log.skips(place) {
        return false;
    }
    memory.log.skip(place);
    memory.log.skips(place)
}
