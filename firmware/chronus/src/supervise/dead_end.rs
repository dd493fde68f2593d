//! A state that no worker survives, without a command that is to blame: a bug in the engine, or memory that was damaged
//! before anyone could tell. Trying the same for ever would be silence for ever.

use rt::process::End;

use super::Conditions;
use super::blame::is_crash;
use crate::report::count;

/// Crashes in a row, without anything rendered in between, after which the state is given up: three of each slot.
const CRASHES: u32 = 6;

/// What is known of a possible dead end.
#[derive(Default)]
pub struct DeadEnd {
    /// The newest state when a worker last crashed.
    state: Option<u64>,
    crashes: u32,
}

impl DeadEnd {
    /// Notes how a worker ended, and whether a command was to blame: then the next one does not meet it.
    pub fn note(&mut self, conditions: &Conditions, end: Option<(End, bool)>) {
        let Some((end, blamed)) = end else { return };
        let newest = conditions.memory.slots.iter().filter_map(|slot| slot.newest_snapshot()).max();
        if blamed || newest != self.state {
            self.crashes = 0;
        }
        self.state = newest;
        self.crashes += u32::from(is_crash(end) && !blamed);
    }

    /// Whether no worker will get beyond this state.
    pub fn is_reached(&self) -> bool {
        self.crashes >= CRASHES
    }

    /// Makes another state. Only while no slot has a worker.
    pub fn leave(&mut self, conditions: &Conditions) {
        (conditions.start_over)(&conditions.memory);
        count(&conditions.counters.started_over);
        log::error!(
            "no worker survives the present state of the sound: it starts anew, all parameters at their defaults and all \
             gates closed. This is a bug in Chronus: please report what was played"
        );
        self.crashes = 0;
    }
}
