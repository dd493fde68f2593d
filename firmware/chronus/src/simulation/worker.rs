//! A simulated worker: the real one, a step at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nix::sys::signal::Signal;
use rt::process::End;
use rt::simulation::Ending;
use shm::{BellMemory, LogMemory, ScoreMemory, SlotMemory};

use crate::audio::SharedMemory;
use crate::worker::{Arguments, Flip, Replica, Room, Step, WorkerMemory};

impl WorkerMemory for Arc<SharedMemory> {
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
        &self.slots[number]
    }
}

/// What a step came to, for the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is more to do at once.
    Worked,
    /// It waits to be woken.
    Waits,
    /// It loops for ever.
    Loops,
    /// It is dead.
    Ended(End),
}

/// A process that renders.
pub struct SimulatedWorker {
    /// Its process id.
    pub process: u32,
    /// Its slot.
    pub slot: usize,
    /// It is stopped by SIGSTOP.
    pub stopped: bool,
    /// Since when it loops.
    pub loops_since: Option<u64>,
    /// It waits to be woken.
    pub waits: bool,
    /// Processor time it has used, in nanoseconds.
    pub used: u64,
    /// Kill points after which it dies in its next step.
    pub dies_after: Option<u32>,
    memory: Arc<SharedMemory>,
    replica: Option<Replica<Arc<SharedMemory>>>,
}

impl SimulatedWorker {
    /// A process that was started with these words.
    pub fn new(process: u32, words: &[String], memory: Arc<SharedMemory>) -> Self {
        let arguments = Arguments::parse(&words[1..]).expect("the supervisor writes what a worker reads");
        Self {
            process,
            slot: arguments.slot,
            stopped: false,
            loops_since: None,
            waits: false,
            used: 0,
            dies_after: None,
            memory,
            replica: None,
        }
    }

    /// Flips a bit of what it renders next. False if it has not got so far.
    pub fn flip(&mut self, flip: Flip) -> bool {
        self.replica.as_mut().map(|replica| replica.inject(flip)).is_some()
    }

    /// Does the next step.
    pub fn step(&mut self) -> Outcome {
        shm::panic_after(self.dies_after.take());
        let stepped = catch_unwind(AssertUnwindSafe(|| match &mut self.replica {
            Some(replica) => replica.step(),
            None => {
                self.replica = Some(Replica::join(self.memory.clone(), self.slot, None, Room::new()));
                Ok(Step::Rendered)
            }
        }));
        shm::panic_after(None);
        match stepped {
            Ok(Ok(Step::Rendered)) => Outcome::Worked,
            Ok(Ok(Step::Unsealed { .. } | Step::NotFirst { .. })) => Outcome::Waits,
            Ok(Err(shm::RecordLost)) => Outcome::Ended(End::Exit(1)),
            Err(panic) => match (panic.downcast_ref::<Ending>(), panic.downcast_ref::<shm::Killed>()) {
                (Some(Ending::Loops), _) => Outcome::Loops,
                (Some(Ending::Signal(signal)), _) => Outcome::Ended(End::Signal(*signal)),
                (None, Some(shm::Killed)) => Outcome::Ended(End::Signal(Signal::SIGKILL)),
                // A real panic is a bug of the engine's: the worker dies of it as it would.
                (None, None) => Outcome::Ended(End::Signal(Signal::SIGABRT)),
            },
        }
    }
}
