//! The life of one slot: a worker, its end, the next.

use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::Signal;
use rt::clock::monotonic;
use rt::process::{End, Worker};
use shm::{CommandPlace, Fate, NO_BLOCK, Waiter};

use super::Conditions;
use super::blame::{Finding, Observation, is_crash, quarantine};
use super::fault::planned_fault;
use crate::report::{SlotState, count};
use crate::worker::{Arguments, Fault};

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

/// Between two messages about ended workers: more often nobody reads them.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// The pause: long enough to cost nothing, short enough that help comes at once when the cause is gone.
const PAUSE: Duration = Duration::from_millis(250);

/// Time since a time of CLOCK_MONOTONIC.
fn elapsed(since: u64) -> Duration {
    Duration::from_nanos(monotonic().saturating_sub(since))
}

/// Time until a time of CLOCK_MONOTONIC.
fn until(time: u64) -> Duration {
    Duration::from_nanos(time.saturating_sub(monotonic()))
}

/// A slot and who is in it.
pub struct Slot {
    number: usize,
    worker: Option<Worker>,
    /// When the worker was started, on CLOCK_MONOTONIC.
    since: u64,
    epoch: u64,
    killed: bool,
    /// What is seen of a worker that was declared hung while it applied a command.
    observation: Option<Observation>,
    /// The command on which a worker was ended because it did not get beyond it.
    loops_on: Option<CommandPlace>,
    fault: Option<Fault>,
    failures: u32,
    /// Attempts in a row in which there was not even a process.
    not_started: u32,
    /// Asked to end, because the engine does.
    dismissed: bool,
    /// Ends that nobody was told of yet, and when the next message may be, on CLOCK_MONOTONIC.
    untold: u64,
    tell_from: u64,
    /// When the next one may be started, on CLOCK_MONOTONIC.
    not_before: Option<u64>,
}

impl Slot {
    /// An empty slot.
    pub fn new(number: usize) -> Self {
        Self {
            number,
            worker: None,
            since: 0,
            epoch: 0,
            killed: false,
            observation: None,
            loops_on: None,
            fault: None,
            failures: 0,
            not_started: 0,
            dismissed: false,
            untold: 0,
            tell_from: 0,
            not_before: None,
        }
    }

    /// Its worker.
    pub fn worker(&self) -> Option<&Worker> {
        self.worker.as_ref()
    }

    /// Does what there is to do for the worker: notes its end, kills it if it is unfit. Gives how it ended, if it was
    /// just found so, and whether a command was to blame.
    pub fn attend(&mut self, conditions: &Conditions) -> Option<(End, bool)> {
        let end = self.note_end(conditions);
        let counters = &conditions.counters.slots[self.number];
        if self.worker.is_some() && !self.killed {
            let distrusted = conditions.alarm.distrusted(self.number) == self.epoch;
            let declared = conditions.alarm.declared(self.number) == self.epoch;
            let stuck = !self.joined(conditions) && elapsed(self.since) > self.join_limit();
            if distrusted || stuck || (declared && self.observed(conditions)) {
                let pid = counters.pid.load(Ordering::Relaxed);
                self.kill();
                self.killed = true;
                let what = if distrusted { "has computed wrongly" } else { "does not keep up" };
                log::warn!("slot {}: the worker (pid {pid}) {what} and is replaced", self.number);
                count(if distrusted { &counters.wrong } else { &counters.declared });
            }
        }
        end
    }

    /// Starts the next worker if there is none and it is time.
    pub fn fill(&mut self, conditions: &Conditions, start: impl FnOnce(&str, &[String]) -> std::io::Result<Worker>) {
        if self.worker.is_none() && self.not_before.is_none_or(|time| time <= monotonic()) {
            self.start(conditions, start);
        }
    }

    /// When `attend` has something to do without any event.
    pub fn time_to_next(&self, conditions: &Conditions) -> Option<Duration> {
        match (&self.worker, self.not_before) {
            (None, Some(time)) => Some(until(time)),
            (Some(_), _) if !self.killed && !self.joined(conditions) => {
                Some(self.join_limit().saturating_sub(elapsed(self.since)))
            }
            (Some(_), _) if !self.killed => Some(until(self.observation?.due())),
            _ => None,
        }
    }

    /// Whether the worker keeps the other one waiting for no reason. `told` begins to look into it.
    pub fn stalls(&mut self, conditions: &Conditions, told: bool) -> bool {
        if self.killed || (!told && self.observation.is_none()) {
            return false;
        }
        let finding = self.find(conditions);
        if matches!(finding, Finding::Innocent | Finding::GetsOn) {
            self.observation = None;
        }
        finding == Finding::Innocent
    }

    /// Nobody waits for this worker any more: what was seen of it means nothing later. One that was declared is observed
    /// on.
    pub fn forget_observation(&mut self, conditions: &Conditions) {
        if conditions.alarm.declared(self.number) != self.epoch {
            self.observation = None;
        }
    }

    /// Whether enough is known of a worker that was declared hung to end it: what it was doing.
    fn observed(&mut self, conditions: &Conditions) -> bool {
        match self.find(conditions) {
            Finding::NotYet => false,
            Finding::Innocent => true,
            // Whoever gets on is observed anew; it is ended as soon as it applies nothing.
            Finding::GetsOn => {
                self.observation = None;
                false
            }
            Finding::Stuck(_) if !self.observation.is_some_and(|observation| observation.is_conclusive()) => false,
            Finding::Stuck(place) => {
                let starved = match (&self.observation, &self.worker) {
                    (Some(observation), Some(worker)) => observation.was_starved(worker),
                    _ => false,
                };
                // Being starved at the same command twice in a row is too much of a coincidence.
                let again = conditions.stuck_on.swap(place.to_word(), Ordering::Relaxed) == place.to_word();
                self.loops_on = Some(place).filter(|_| again || !starved);
                true
            }
        }
    }

    fn find(&mut self, conditions: &Conditions) -> Finding {
        let (Some(worker), slot) = (&self.worker, &conditions.memory.slots[self.number]) else {
            return Finding::Innocent;
        };
        let observation = self.observation.or_else(|| Observation::begin(worker, slot));
        self.observation = observation;
        observation.map_or(Finding::Innocent, |observation| observation.finding(worker, slot))
    }

    /// Whether it has a worker that renders.
    pub fn renders(&self, conditions: &Conditions) -> bool {
        self.worker.is_some() && self.joined(conditions)
    }

    fn joined(&self, conditions: &Conditions) -> bool {
        conditions.memory.slots[self.number].first_block() != NO_BLOCK
    }

    fn join_limit(&self) -> Duration {
        JOIN_LIMIT * 2_u32.pow(self.failures.min(JOIN_DOUBLINGS))
    }

    /// Asks the worker to end.
    pub fn terminate(&mut self) {
        self.dismissed = true;
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
        self.note_end(conditions);
        self.worker.is_none()
    }

    fn note_end(&mut self, conditions: &Conditions) -> Option<(End, bool)> {
        let end = self.worker.as_ref()?.ended()?;
        let counters = &conditions.counters.slots[self.number];
        counters.death_known.store(monotonic(), Ordering::Relaxed);
        counters.death_block.store(conditions.counters.blocks.load(Ordering::Relaxed), Ordering::Relaxed);
        count(&counters.deaths);
        let had_joined = counters.state() != SlotState::Joining;
        counters.set_state(SlotState::Down);
        let pid = counters.pid.swap(0, Ordering::Relaxed);
        let (own, other) = (&conditions.memory.slots[self.number], &conditions.memory.slots[1 - self.number]);
        let blamed = self.blame(conditions, end);
        // Of the others it is told elsewhere.
        if !(self.killed || self.dismissed || blamed) {
            self.tell_of_end(pid, end);
        }
        if conditions.alarm.distrusted(self.number) == self.epoch && other.newest_snapshot().is_some() {
            own.discard();
        }
        own.vacate();
        conditions.memory.bell.set_waiting(Waiter::Slot(self.number), false);
        // An audio thread without a deadline waits for a block that will not come from here.
        conditions.memory.ring();
        self.note_fault(conditions, end);
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
            self.not_before = Some(monotonic() + PAUSE.as_nanos() as u64);
        }
        Some((end, blamed))
    }

    /// Says how a worker ended that nobody here has ended.
    fn tell_of_end(&mut self, pid: u32, end: End) {
        self.untold += 1;
        if monotonic() < self.tell_from {
            return;
        }
        self.tell_from = monotonic() + TELL_INTERVAL.as_nanos() as u64;
        let how = match end {
            End::Signal(signal) => format!("was ended by {signal}"),
            End::Exit(status) => format!("ended with status {status}"),
        };
        let others = match std::mem::take(&mut self.untold) {
            1 => String::new(),
            several => format!(" ({several} since the last such message)"),
        };
        let advice =
            if is_crash(end) { ". If nobody sent it that signal, please report this: it is a bug" } else { "" };
        log::warn!("slot {}: the worker (pid {pid}) {how} and is replaced{others}{advice}", self.number);
    }

    fn start(&mut self, conditions: &Conditions, start: impl FnOnce(&str, &[String]) -> std::io::Result<Worker>) {
        let memory = &conditions.memory;
        let counters = &conditions.counters.slots[self.number];
        self.epoch += 1;
        counters.epoch.store(self.epoch, Ordering::Relaxed);
        self.fault = planned_fault(self.number, self.epoch, memory.continuation.restarts());
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
            fault: self.fault,
        };
        counters.set_state(SlotState::Joining);
        (self.since, self.killed, self.not_before) = (monotonic(), false, None);
        (self.observation, self.loops_on) = (None, None);
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
                self.not_before = Some(monotonic() + PAUSE.as_nanos() as u64);
            }
        }
    }

    /// Takes the command out of the engine that this worker has died of, if there is one. Before anyone may apply it
    /// again: while this slot is empty, and while it is still this slot that goes first.
    fn blame(&self, conditions: &Conditions, end: End) -> bool {
        let crashed = conditions.memory.slots[self.number].applying().filter(|_| is_crash(end));
        let Some(place) = crashed.or(self.loops_on) else { return false };
        let news = quarantine(&conditions.memory, place);
        if news {
            log::debug!("slot {}: the worker ended ({end:?}) by {place:?}, which is skipped from now on", self.number);
            count(&conditions.counters.quarantined);
            // The thread that answers clients may be gone at the very end, and is never waited for.
            let _ = conditions.quarantined.try_send(place);
        }
        news
    }

    fn note_fault(&self, conditions: &Conditions, end: End) {
        let counters = &conditions.counters;
        let by_itself = end == End::Signal(Signal::SIGKILL) && !self.killed;
        match self.fault {
            Some(Fault::At(point, _, Fate::Killed)) if by_itself => count(&counters.kill_points[point as usize]),
            Some(Fault::At(point, _, Fate::Spinning)) if self.killed => count(&counters.kill_points[point as usize]),
            _ => {}
        }
        let flips = conditions.memory.slots[self.number].take_flips();
        let named = conditions.alarm.distrusted(self.number) == self.epoch;
        counters.flips.fetch_add(flips, Ordering::Relaxed);
        match (named, flips) {
            (true, 0) => count(&counters.wrongly_named),
            (true, _) => count(&counters.rightly_named),
            (false, _) => {}
        }
    }
}
