//! Keeps both slots alive: starts workers, learns of their death, ends those declared unfit, replaces them.
//!
//! It waits for events and never for a worker. It knows no sound.

mod blame;
mod dead_end;
mod fault;
mod slot;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rt::process::{Executable, Worker};
use rt::scheduling::RealTime;
use shm::CommandPlace;

use crate::audio::{Alarm, SharedMemory};
use crate::report::{Counters, SlotState};
use dead_end::DeadEnd;
use slot::Slot;

/// What workers are started with.
pub struct Conditions {
    /// The memory they share.
    pub memory: Arc<SharedMemory>,
    /// Where to count.
    pub counters: Arc<Counters>,
    /// The audio thread's word on who is unfit.
    pub alarm: Arc<Alarm>,
    /// The cores of the slots.
    pub cores: [Option<usize>; 2],
    /// Whether a refusal of real-time rights is fatal.
    pub real_time: RealTime,
    /// The command that a worker was last found stuck on, as a word; 0 for none.
    pub stuck_on: AtomicU64,
    /// Makes a state that workers survive, in place of one that none does. Called while no slot has a worker.
    pub start_over: Box<dyn Fn(&SharedMemory) + Send>,
    /// Takes the places of commands that were quarantined.
    pub quarantined: SyncSender<CommandPlace>,
}

/// Says in which priority a worker is started: it inherits that of this thread.
fn start_lower<T>(granted: bool, start: impl FnOnce() -> T) -> T {
    if !granted {
        return start();
    }
    // Refusals of what was granted a moment ago cost a little order, no more.
    let _ = rt::scheduling::set_fifo(rt::scheduling::START_PRIORITY);
    let started = start();
    let _ = rt::scheduling::set_fifo(rt::scheduling::SUPERVISE_PRIORITY);
    started
}

/// How long workers have to end after SIGTERM before SIGKILL. They have no handler and nothing to save, so the
/// signal alone ends them; only a stopped one does not react.
const END_LIMIT: Duration = Duration::from_millis(100);

/// How often it is looked whether a worker has joined, while the one that goes first has not: a fraction of a period.
const JOIN_INTERVAL: Duration = Duration::from_millis(1);

/// Runs the supervisor until `stop`, in a thread of its own: the workers die with that thread.
pub struct Supervisor {
    conditions: Conditions,
    executable: Executable,
    slots: Vec<Slot>,
    dead_end: DeadEnd,
    stop: Arc<AtomicBool>,
}

impl Supervisor {
    /// A supervisor of `workers` slots, 1 or 2.
    ///
    /// # Errors
    /// In words, if this executable cannot be copied.
    pub fn new(conditions: Conditions, workers: usize, stop: Arc<AtomicBool>) -> Result<Self, String> {
        let executable =
            Executable::copy_of_this().map_err(|error| format!("copying the program into memory: {error}"))?;
        Ok(Self::with(executable, conditions, workers, stop))
    }

    /// The same with a copy of the executable that is there already.
    pub fn with(executable: Executable, conditions: Conditions, workers: usize, stop: Arc<AtomicBool>) -> Self {
        let slots = (0..workers).map(Slot::new).collect();
        for slot in &conditions.counters.slots[..workers] {
            slot.set_state(SlotState::Down);
        }
        Self { conditions, executable, slots, dead_end: DeadEnd::default(), stop }
    }

    /// Starts the workers and looks after them until it is stopped; then ends them.
    pub fn run(mut self) {
        // Refused on a desk machine; then a runaway worker has no privilege either. On a single core this thread never
        // steps below a worker, for that could be a runaway.
        let granted = self.conditions.real_time != RealTime::Off
            && rt::scheduling::set_fifo(rt::scheduling::SUPERVISE_PRIORITY).is_ok()
            && rt::cores::available() > 1;
        while !self.stop.load(Ordering::Acquire) {
            self.attend(granted);
            self.wait();
        }
        self.end_workers();
    }

    /// Does what there is to do now.
    pub fn attend(&mut self, granted: bool) {
        for slot in &mut self.slots {
            let end = slot.attend(&self.conditions);
            self.dead_end.note(&self.conditions, end);
        }
        if self.dead_end.is_reached() && self.slots.iter().all(|slot| slot.worker().is_none()) {
            self.dead_end.leave(&self.conditions);
        }
        if !self.dead_end.is_reached() {
            for slot in &mut self.slots {
                slot.fill(&self.conditions, |name, words| {
                    start_lower(granted, || Worker::start(&self.executable, name, words))
                });
            }
        }
        self.let_one_go_first();
    }

    /// When there is something to do without any event.
    pub fn time_to_next(&self) -> Option<Duration> {
        let first = self.slots.get(self.conditions.memory.log.first());
        // Nobody tells this thread that a worker has joined; while the one that goes first has not, the other may.
        let joining = first.filter(|slot| !slot.renders(&self.conditions)).map(|_| JOIN_INTERVAL);
        self.slots.iter().filter_map(|slot| slot.time_to_next(&self.conditions)).chain(joining).min()
    }

    /// Lets the other worker go first if the one that does cannot. Only after `attend`: what the dead one died of is
    /// marked by then.
    fn let_one_go_first(&mut self) {
        let first = self.conditions.memory.log.first();
        let told = self.conditions.alarm.take_stalling();
        let renders = |number: usize| self.slots.get(number).is_some_and(|slot| slot.renders(&self.conditions));
        let (ready, other_ready) = (renders(first), renders(1 - first));
        let Some(slot) = self.slots.get_mut(first) else { return };
        // One that is stopped or gets no processor is in the way. One that computes is not: what it computes may be
        // what the other must be kept from.
        if !other_ready {
            slot.forget_observation(&self.conditions);
        }
        if other_ready && (!ready || slot.stalls(&self.conditions, told)) {
            self.conditions.memory.log.set_first(1 - first);
            self.conditions.memory.ring();
        }
    }

    /// Waits until a worker ends, one is declared unfit, or a slot has something to do by the clock.
    fn wait(&self) {
        let mut events = vec![PollFd::new(self.conditions.alarm.as_fd(), PollFlags::POLLIN)];
        events.extend(
            self.slots.iter().filter_map(Slot::worker).map(|worker| PollFd::new(worker.as_fd(), PollFlags::POLLIN)),
        );
        let next = self.time_to_next();
        // Rounded up, or a wait of less than a millisecond would spin.
        let timeout = next
            .map_or(PollTimeout::NONE, |time| PollTimeout::try_from(time.as_millis() + 1).unwrap_or(PollTimeout::MAX));
        let _ = poll(&mut events, timeout);
        self.conditions.alarm.acknowledge();
    }

    fn end_workers(&mut self) {
        let started = Instant::now();
        for slot in &mut self.slots {
            slot.terminate();
        }
        let mut killed = false;
        while !self.slots.iter_mut().map(|slot| slot.gone(&self.conditions)).fold(true, |all, gone| all & gone) {
            if !killed && started.elapsed() > END_LIMIT {
                self.slots.iter().for_each(Slot::kill);
                killed = true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
