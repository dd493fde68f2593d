//! The patch by now: what is played, and over it what is in the log and not yet in any state.

use std::collections::VecDeque;

use abi::Operation;
use dsp::instrument::Wiring;
use shm::CommandPlace;

use crate::audio::SharedMemory;
use crate::input::{Request, When, catalogue, interpret_message};
use crate::worker::{EngineState, read_newest_state};

/// The patch with all that was logged.
pub struct Current {
    wiring: Box<Wiring>,
    /// The records that may not be in any state yet, with their indices in the log.
    logged: VecDeque<(u64, Operation)>,
    /// Room for a state.
    state: Box<EngineState>,
    /// Sample rate in Hz.
    rate: u32,
    /// Edits by now, and how often some of them were found not to be done.
    edits: u64,
    /// Whether a score edits the patch: then nobody else may, and it is looked at what the score has come to.
    score_edits: bool,
    /// When that was done last, in nanoseconds of CLOCK_MONOTONIC.
    looked: u64,
}

/// Records after which those are forgotten that are in a state by now: a tenth of what the log has, 200 KB.
const LONG: usize = 4096;

/// Nanoseconds between two looks at what a score has made of the patch.
const LOOK: u64 = 20_000_000;

impl Current {
    /// The patch of an engine whose log has so many records, at a sample rate in Hz.
    pub fn new(memory: &SharedMemory, rate: u32, length: u64) -> Self {
        let wiring = Box::new(*catalogue::power_on());
        let score = &memory.score;
        let edits = |index: u64| score.peek(index, u64::MAX).is_some_and(|command| command.operation.is_edit());
        let score_edits = (0..score.length()).any(edits);
        let mut current = Self {
            wiring,
            logged: VecDeque::new(),
            state: EngineState::room(),
            rate,
            edits: 0,
            score_edits,
            looked: 0,
        };
        current.refresh(memory);
        // Those of an engine before this one that no worker has applied yet.
        for index in current.state.log_index..length {
            let skipped = memory.log.skips(CommandPlace::Log(index));
            if let Some(command) = memory.log.command_at(index).filter(|_| !skipped) {
                current.note(index, command.operation);
            }
        }
        current
    }

    /// Takes notice of a record of the log.
    pub fn note(&mut self, index: u64, operation: Operation) {
        self.wiring.follow(&operation, self.rate);
        self.edits += u64::from(operation.is_edit());
        // The log has room for no more than those that are in no state.
        if self.logged.len() >= shm::LOG_RECORDS {
            self.logged.pop_front();
        }
        self.logged.push_back((index, operation));
    }

    /// A number that is another one after each edit, and whenever the patch may be another one.
    pub fn edits(&self) -> u64 {
        self.edits
    }

    /// Whether so many records are here that it is time to forget those that are in a state by now.
    pub fn is_long(&self) -> bool {
        !self.logged.is_empty() && self.logged.len().is_multiple_of(LONG)
    }

    /// The patch, as the records that were logged here have made it.
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// Forgets the record at this index of the log: nobody applies it.
    pub fn leave_out(&mut self, index: u64) {
        self.edits += 1;
        self.logged.retain(|(logged, _)| *logged != index);
    }

    /// Forgets all that was logged: the sound has begun anew.
    pub fn forget(&mut self) {
        self.edits += 1;
        self.logged.clear();
    }

    /// Whether an operation that waited is still what it was when it was sent: for the module of the name that it was sent
    /// for, and possible. What is not would be another command in a kept score.
    pub fn still_means(&self, operation: Operation) -> bool {
        let Some(message) = catalogue::message_of(operation, &self.wiring) else { return false };
        let now = interpret_message(&message, When::Arrival(0), self.rate, &self.wiring);
        matches!(&now[..], [Ok(Request::Apply(intent))] if intent.operation == operation)
    }

    /// Whether a score edits the patch.
    pub fn is_edited_by_a_score(&self) -> bool {
        self.score_edits
    }

    /// Looks now and then at what a score has made of the patch, if it makes anything of it.
    pub fn follow_score(&mut self, memory: &SharedMemory, now: u64) {
        if self.score_edits && now > self.looked + LOOK {
            self.looked = now;
            self.refresh(memory);
        }
    }

    /// The same, brought up to date with what is played: a score sets values too, and what workers died of was not done.
    pub fn refresh(&mut self, memory: &SharedMemory) -> &Wiring {
        let [first, second] = &memory.slots;
        let found = read_newest_state([first, second], memory.log.sealed().blocks(), &mut self.state);
        // Where there is no whole state just now, what was known last stays.
        if found && self.state.wiring().is_in_range(self.rate) {
            let applied = self.state.log_index;
            self.logged.retain(|(index, _)| *index >= applied);
            *self.wiring = *self.state.wiring();
            self.logged.iter().for_each(|(_, operation)| self.wiring.follow(operation, self.rate));
        }
        &self.wiring
    }
}
