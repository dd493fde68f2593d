//! A state that no worker survives, without a command that is to blame: a bug in the engine, or memory that was damaged
//! before anyone could tell. Trying the same for ever would be silence for ever.

use std::sync::atomic::Ordering;

use rt::clock::monotonic;
use rt::process::End;

use super::Conditions;
use super::blame::is_crash;

/// Crashes in a row, without anything rendered in between, after which the state is given up: three of each slot.
const CRASHES: u32 = 6;

/// How long the other worker may take to crash too, in nanoseconds: its next block does it.
const PATIENCE: u64 = 1_000_000_000;

/// What is known of a possible dead end.
#[derive(Default)]
pub struct DeadEnd {
    /// The newest state when a worker last crashed.
    state: Option<u64>,
    crashes: u32,
    /// When the last one crashed, on CLOCK_MONOTONIC.
    since: u64,
}

impl DeadEnd {
    /// Notes how a worker ended, and whether a command was to blame: then the next one does not meet it.
    pub fn note(&mut self, conditions: &Conditions, end: Option<(End, bool)>) {
        let newest = conditions.memory.slots.iter().filter_map(|slot| slot.newest_snapshot()).max();
        if newest != self.state {
            self.crashes = 0;
        }
        self.state = newest;
        let Some((end, blamed)) = end else { return };
        if blamed {
            self.crashes = 0;
        } else if is_crash(end) {
            self.crashes += 1;
            self.since = monotonic();
        }
    }

    /// Whether no worker will get beyond this state.
    pub fn is_reached(&self) -> bool {
        // Whoever lives on for a while has survived it: perhaps nothing is to be rendered just now.
        self.crashes >= CRASHES && monotonic() < self.since + PATIENCE
    }

    /// Makes another state. Only while no slot has a worker.
    pub fn leave(&mut self, conditions: &Conditions) {
        // Odd while it is under way, so that nobody takes the defaults for somebody's wish meanwhile.
        conditions.counters.beginnings.fetch_add(1, Ordering::SeqCst);
        (conditions.start_over)(&conditions.memory);
        conditions.counters.beginnings.fetch_add(1, Ordering::SeqCst);
        log::error!(
            "no worker survives the present state of the sound: it starts anew, all parameters at their defaults and all \
             gates closed. This is a bug in Chronus: please report what was played"
        );
        self.crashes = 0;
    }
}
