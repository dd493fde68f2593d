//! Looks at a slow pace at what blocks cost, and says so when they need more than the period.
//!
//! A thread of the supervisor's process, on the control core, at normal priority. It measures with a clock what the
//! DSP and the workers, who know none, cannot. It changes nothing but its counters: an overload ends by itself.

mod lateness;
mod measure;
mod overload;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use abi::{BlockNumber, FRAMES};
use rt::clock::{NANOSECONDS, monotonic};
use shm::SlotMemory;

use crate::audio::SharedMemory;
use crate::report::{Counters, count};
use crate::worker::EngineState;
use lateness::Lateness;
use measure::{Costs, Measurement};
use overload::{Need, Overload};

/// Time between two looks: at 96 kHz 94 blocks, whose commands a slot still knows.
const INTERVAL: Duration = Duration::from_millis(250);

/// Looks from one measurement to the next, one second: each takes under a millisecond, a thousandth of a core.
const LOOKS: u64 = 4;

/// Blocks before the newest whose commands are looked at: all that a slot knows at 96 kHz since the last look, and so
/// many more that a late look misses none.
const BLOCKS: u64 = 127;

/// How much more than a block without commands a worker must have used for a block before the difference is put down
/// to its commands: below that it is as likely waking up and publishing.
const COMMANDS_DOMINATE: u64 = 10;

/// What the load thread works with.
pub struct Load {
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// Where the figures go.
    pub counters: Arc<Counters>,
    /// Sample rate in Hz.
    pub rate: u32,
    /// Workers the engine runs with, 1 or 2.
    pub workers: usize,
    /// Set when the engine stops; then the thread is unparked.
    pub stop: Arc<AtomicBool>,
}

/// What a worker had done at a look.
#[derive(Clone, Copy, Default, PartialEq)]
struct Seen {
    pid: u32,
    published: BlockNumber,
    used: u64,
}

/// What a worker has done between two looks.
#[derive(Clone, Copy)]
struct Work {
    /// Processor time for a block, in nanoseconds.
    block: u64,
    /// Commands of all those blocks, and how many blocks they were; `None` if they are not all known.
    commands: Option<(u64, u64)>,
}

impl Load {
    /// Looks until the engine stops.
    pub fn run(self) {
        let load = &self.counters.load;
        load.name_modules(dsp::MODULES.iter().map(|module| module.name()));
        let (mut newest, mut measurement) = (EngineState::room(), Measurement::new(self.rate));
        let (mut overload, mut lateness) = (Overload::default(), Lateness::default());
        let (mut costs, mut seen) = (Costs::default(), [Seen::default(); 2]);
        for look in 0.. {
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let late = self.counters.late_blocks.load(Ordering::Relaxed);
            if look % LOOKS == 0 {
                if self.read_newest_state(&mut newest) {
                    costs = measurement.measure(&newest);
                }
                self.note(&costs);
            }
            let need = self.need(&costs, &mut seen);
            let going_on = overload.is_going_on();
            if let Some(text) = overload.look(monotonic(), late, &need) {
                log::warn!("{text}");
            }
            if overload.is_going_on() && !going_on {
                count(&load.overloads);
            }
            if let Some(text) = lateness.look(monotonic(), late, overload.is_going_on(), need.period) {
                log::warn!("{text}");
            }
            std::thread::park_timeout(INTERVAL);
        }
    }

    /// Reads the newest state from which a worker has rendered a block and survived: this process must survive it too.
    /// `false` if there is none yet.
    fn read_newest_state(&self, state: &mut EngineState) -> bool {
        self.memory.slots.iter().any(|slot| {
            let number = slot.snapshot_numbers().find(|number| *number < slot.published());
            number.is_some_and(|number| state.read(slot, number).is_some())
        })
    }

    fn note(&self, costs: &Costs) {
        let load = &self.counters.load;
        load.block.store(costs.block, Ordering::Relaxed);
        load.thousand_commands.store(costs.thousand_commands, Ordering::Relaxed);
        for (module, time) in load.modules().iter().zip(costs.modules) {
            module.nanoseconds.store(time, Ordering::Relaxed);
        }
    }

    /// What blocks have lately needed.
    fn need(&self, costs: &Costs, seen: &mut [Seen; 2]) -> Need {
        let period = FRAMES as u64 * NANOSECONDS / u64::from(self.rate);
        let commands = self.memory.slots.iter().map(|slot| most_commands(slot)).max().unwrap_or(0);
        self.counters.load.note_commands(commands);
        let works: Vec<_> = (0..2).filter_map(|slot| self.work(slot, &mut seen[slot])).collect();
        let worker = works.iter().map(|work| work.block).max();
        if let Some(worker) = worker {
            self.counters.load.worker.store(worker, Ordering::Relaxed);
        }
        let mut costs = costs.clone();
        // What the workers really used is truer than what was measured here, where it can be told.
        if let Some(thousand) = works.iter().filter_map(|work| thousand_commands(work, &costs)).max() {
            costs.thousand_commands = thousand;
            self.note(&costs);
        }
        let cores = rt::cores::available() as u64;
        let available = (period * cores / self.workers.max(1) as u64).min(period);
        Need { period, available, costs, worker, commands }
    }

    /// What the worker of a slot has done since the last look. `None` if it is another one, or has published nothing.
    fn work(&self, slot: usize, seen: &mut Seen) -> Option<Work> {
        let memory = &self.memory.slots[slot];
        let now = self.see(slot).unwrap_or_default();
        let blocks = now.published.saturating_sub(seen.published);
        let same = now.pid != 0 && now.pid == seen.pid;
        if same && blocks == 0 {
            // A block that takes longer than a look: what it takes is counted when it is there.
            return None;
        }
        let before = std::mem::replace(seen, now);
        if !same {
            return None;
        }
        let commands: Option<u64> = (before.published..now.published).map(|number| memory.commands_of(number)).sum();
        let commands = commands.map(|commands| (commands, blocks));
        Some(Work { block: now.used.saturating_sub(before.used) / blocks, commands })
    }

    /// What the worker of a slot has done so far. `None` until it has rendered: its start is not to be counted.
    fn see(&self, slot: usize) -> Option<Seen> {
        let memory = &self.memory.slots[slot];
        let pid = self.counters.slots[slot].pid.load(Ordering::Relaxed);
        let published = memory.published();
        let renders = pid != 0 && memory.first_block() < published;
        renders.then(|| rt::process::processor_time(pid).map(|used| Seen { pid, published, used })).flatten()
    }
}

/// Most commands of one of the newest blocks of a slot.
fn most_commands(slot: &SlotMemory) -> u64 {
    let published = slot.published();
    let newest = published.saturating_sub(BLOCKS)..published;
    newest.filter_map(|number| slot.commands_of(number)).max().unwrap_or(0)
}

/// What a thousand commands took a worker, if it was mostly they that took its time.
fn thousand_commands(work: &Work, costs: &Costs) -> Option<u64> {
    let (commands, blocks) = work.commands.filter(|(commands, _)| *commands > 0)?;
    let rest = work.block.checked_sub(costs.block)?;
    (work.block > COMMANDS_DOMINATE * costs.block).then(|| rest.saturating_mul(blocks * 1000) / commands)
}

#[cfg(test)]
mod tests;
