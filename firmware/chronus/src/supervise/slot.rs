//! The life of one slot: a worker, its end, the next.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rt::process::{End, Worker};
use shm::{Fate, KILL_POINTS, KillPoint, NO_BLOCK};

use super::Conditions;
use crate::report::{SlotState, count};
use crate::worker::Arguments;

/// How long a worker may take from its start to having joined, at first. It takes a few milliseconds. A worker that
/// hangs before it has joined is seen by this alone; and one that spins in real time for a second would make
/// the kernel take time from the audio thread (RT throttling).
const JOIN_LIMIT: Duration = Duration::from_millis(100);

/// Doublings of that limit, one for each worker in a row that did not make it: up to 3.2 s, for a machine that
/// is really that slow.
const JOIN_DOUBLINGS: u32 = 5;

/// Workers that may fail one after the other without having reached lockstep before the slot pauses: one that
/// cannot start at all must not keep a core busy. Being killed from outside is no failure.
const HASTY_STARTS: u32 = 20;

/// The pause: long enough to cost nothing, short enough that help comes at once when the cause is gone.
const PAUSE: Duration = Duration::from_millis(250);

/// A slot and who is in it.
pub struct Slot {
    number: usize,
    worker: Option<Worker>,
    since: Instant,
    epoch: u64,
    killed: bool,
    kill_at: Option<(KillPoint, u32, Fate)>,
    failures: u32,
    /// Attempts in a row in which there was not even a process.
    not_started: u32,
    not_before: Option<Instant>,
}

impl Slot {
    /// An empty slot.
    pub fn new(number: usize) -> Self {
        Self {
            number,
            worker: None,
            since: Instant::now(),
            epoch: 0,
            killed: false,
            kill_at: None,
            failures: 0,
            not_started: 0,
            not_before: None,
        }
    }

    /// Its worker.
    pub fn worker(&self) -> Option<&Worker> {
        self.worker.as_ref()
    }

    /// Does what there is to do: notes an end, kills the unfit, starts the next.
    pub fn attend(&mut self, conditions: &Conditions, start: impl FnOnce(&str, &[String]) -> std::io::Result<Worker>) {
        self.gone(conditions);
        let counters = &conditions.counters.slots[self.number];
        if self.worker.is_some() && !self.killed {
            let declared = conditions.alarm.declared(self.number) == self.epoch;
            let stuck = !self.joined(conditions) && self.since.elapsed() > self.join_limit();
            if declared || stuck {
                let pid = counters.pid.load(Ordering::Relaxed);
                self.kill();
                self.killed = true;
                log::warn!("slot {}: the worker (pid {pid}) does not keep up and is replaced", self.number);
                count(&counters.declared);
            }
        }
        if self.worker.is_none() && self.not_before.is_none_or(|time| time <= Instant::now()) {
            self.start(conditions, start);
        }
    }

    /// When `attend` has something to do without any event.
    pub fn time_to_next(&self, conditions: &Conditions) -> Option<Duration> {
        match (&self.worker, self.not_before) {
            (None, Some(time)) => Some(time.saturating_duration_since(Instant::now())),
            (Some(_), _) if !self.killed && !self.joined(conditions) => {
                Some(self.join_limit().saturating_sub(self.since.elapsed()))
            }
            _ => None,
        }
    }

    fn joined(&self, conditions: &Conditions) -> bool {
        conditions.memory.slots[self.number].first_block() != NO_BLOCK
    }

    fn join_limit(&self) -> Duration {
        JOIN_LIMIT * 2_u32.pow(self.failures.min(JOIN_DOUBLINGS))
    }

    /// Asks the worker to end.
    pub fn terminate(&self) {
        if let Some(worker) = &self.worker {
            worker.signal(Signal::SIGTERM);
        }
    }

    /// Makes the worker end.
    pub fn kill(&self) {
        if let Some(worker) = &self.worker {
            worker.signal(Signal::SIGKILL);
        }
    }

    /// Whether there is no worker (any more); notes an end.
    pub fn gone(&mut self, conditions: &Conditions) -> bool {
        let Some(worker) = &self.worker else { return true };
        let Some(end) = worker.ended() else { return false };
        let counters = &conditions.counters.slots[self.number];
        counters.death_known.store(rt::clock::monotonic(), Ordering::Relaxed);
        counters.death_block.store(conditions.counters.blocks.load(Ordering::Relaxed), Ordering::Relaxed);
        count(&counters.deaths);
        let had_joined = counters.state() != SlotState::Joining;
        counters.set_state(SlotState::Down);
        counters.pid.store(0, Ordering::Relaxed);
        let (own, other) = (&conditions.memory.slots[self.number], &conditions.memory.slots[1 - self.number]);
        own.vacate();
        if conditions.alarm.distrusted(self.number) == self.epoch && other.newest_snapshot().is_some() {
            own.discard();
        }
        if conditions.memory.bell.ring() {
            // An audio thread without a deadline waits for a block that will not come from here.
            rt::futex::wake(conditions.memory.bell.word(), 1);
        }
        self.note_kill_point(conditions, end);
        log::debug!("slot {}: the worker (epoch {}) ended: {end:?}", self.number, self.epoch);
        self.worker = None;
        let blameless = end == End::Signal(Signal::SIGKILL) && !self.killed;
        self.failures = match (had_joined, blameless) {
            (true, _) => 0,
            (false, true) => self.failures,
            (false, false) => self.failures + 1,
        };
        if self.failures >= HASTY_STARTS {
            if self.failures == HASTY_STARTS {
                log::error!("slot {}: workers keep ending before they join (last: {end:?}); trying on", self.number);
            }
            self.not_before = Some(Instant::now() + PAUSE);
        }
        true
    }

    fn start(&mut self, conditions: &Conditions, start: impl FnOnce(&str, &[String]) -> std::io::Result<Worker>) {
        let memory = &conditions.memory;
        let counters = &conditions.counters.slots[self.number];
        self.epoch += 1;
        counters.epoch.store(self.epoch, Ordering::Relaxed);
        self.kill_at = planned_kill(self.number, self.epoch);
        let arguments = Arguments {
            slot: self.number,
            parent: std::process::id(),
            descriptors: [
                memory.log.descriptor(),
                memory.score.descriptor(),
                memory.bell.descriptor(),
                memory.slots[self.number].descriptor(),
                memory.slots[1 - self.number].descriptor(),
            ],
            core: conditions.cores[self.number],
            real_time: conditions.real_time,
            kill_at: self.kill_at,
        };
        counters.set_state(SlotState::Joining);
        (self.since, self.killed, self.not_before) = (Instant::now(), false, None);
        match start(&format!("chronus-worker-{}", self.number), &arguments.to_words()) {
            Ok(worker) => {
                counters.pid.store(worker.id(), Ordering::Relaxed);
                self.not_started = 0;
                self.worker = Some(worker);
            }
            Err(error) => {
                counters.set_state(SlotState::Down);
                if self.not_started == 0 {
                    log::error!("slot {}: no worker could be started: {error}; trying on", self.number);
                }
                self.not_started += 1;
                self.not_before = Some(Instant::now() + PAUSE);
            }
        }
    }

    fn note_kill_point(&self, conditions: &Conditions, end: End) {
        let by_itself = end == End::Signal(Signal::SIGKILL) && !self.killed;
        match self.kill_at {
            Some((point, _, Fate::Killed)) if by_itself => count(&conditions.counters.kill_points[point as usize]),
            Some((point, _, Fate::Spinning)) if self.killed => count(&conditions.counters.kill_points[point as usize]),
            _ => {}
        }
    }
}

/// Test builds with CHRONUS_KILL_POINTS set to `kill` or `spin`: where the worker of this epoch meets its end.
/// All points in turn, each time after another number of passes. Only slot 0 spins: with both spinning at once
/// there would be nothing to hear.
fn planned_kill(slot: usize, epoch: u64) -> Option<(KillPoint, u32, Fate)> {
    if !cfg!(feature = "kill-points") {
        return None;
    }
    let fate = match std::env::var("CHRONUS_KILL_POINTS").as_deref() {
        Ok("kill") => Fate::Killed,
        Ok("spin") if slot == 0 => Fate::Spinning,
        _ => return None,
    };
    let place = (epoch as usize + slot * KILL_POINTS.len() / 2) % KILL_POINTS.len();
    // The points of a start are passed once per life; a number of passes beyond that would never come.
    let once = place <= KillPoint::JoinAnnounced as usize;
    // Multiplied by a large prime (Knuth's, of the golden ratio) the epoch gives scattered numbers.
    let passes = if once { 0 } else { epoch.wrapping_mul(2_654_435_761) % 61 };
    Some((KILL_POINTS[place], passes as u32, fate))
}
