//! The machine behind a simulated engine: one clock, a queue of what happens next, and nothing that takes real time.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use rt::process::{Activity, End};
use rt::simulation::Machine;

use super::random::Random;
use super::worker::{Outcome, SimulatedWorker};
use crate::audio::{Alarm, Doubt, SharedMemory};
use crate::judge::Judge;
use crate::supervise::Supervisor;

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A worker does its next step.
    Step(u32),
    /// The supervisor looks around.
    Supervise,
    /// The judge looks for a question.
    Judge,
    /// The schedule of faults and commands goes on.
    Act,
}

/// Microseconds, in nanoseconds.
pub const MICROSECOND: u64 = 1000;

/// Does what a schedule says; gives the time to its next turn, if there is one.
pub type Act = Box<dyn FnMut(&World) -> Option<u64>>;

/// Who plays a part, besides the audio thread, whose waiting makes the time go on.
pub struct Cast {
    /// Starts and ends workers.
    pub supervisor: Supervisor,
    /// Names the wrong one.
    pub judge: Judge,
    /// Does what the schedule says; gives the time of its next turn, if there is one.
    pub act: Act,
}

/// The machine.
pub struct World {
    now: Cell<u64>,
    random: RefCell<Random>,
    events: RefCell<BinaryHeap<Reverse<(u64, u64, Event)>>>,
    sequence: Cell<u64>,
    /// The living workers.
    pub workers: RefCell<Vec<SimulatedWorker>>,
    ended: RefCell<BTreeMap<u32, End>>,
    processes: Cell<u32>,
    cast: RefCell<Option<Cast>>,
    memory: Arc<SharedMemory>,
    alarm: Arc<Alarm>,
    doubt: Arc<Doubt>,
    /// Where the audio thread waits, and whether it was woken there.
    waiting_at: Cell<Option<usize>>,
    /// Nanoseconds by which the audio thread wakes too late next time.
    pub audio_delay: Cell<u64>,
    /// Nanoseconds by which the supervisor acts too late next time.
    pub supervisor_delay: Cell<u64>,
    /// Nanoseconds that the next step of any worker takes longer.
    pub worker_delay: Cell<u64>,
}

impl World {
    /// A world at time 1 s, with nobody in it.
    pub fn new(seed: u64, memory: Arc<SharedMemory>, alarm: Arc<Alarm>, doubt: Arc<Doubt>) -> Self {
        Self {
            now: Cell::new(1_000_000_000),
            random: RefCell::new(Random::new(seed)),
            events: RefCell::default(),
            sequence: Cell::new(0),
            workers: RefCell::default(),
            ended: RefCell::default(),
            processes: Cell::new(100),
            cast: RefCell::new(None),
            memory,
            alarm,
            doubt,
            waiting_at: Cell::new(None),
            audio_delay: Cell::new(0),
            supervisor_delay: Cell::new(0),
            worker_delay: Cell::new(0),
        }
    }

    /// Lets the others begin.
    pub fn enter(&self, cast: Cast) {
        *self.cast.borrow_mut() = Some(cast);
        self.after(0, Event::Supervise);
        self.after(0, Event::Act);
    }

    /// Lets all go, who hold each other otherwise.
    pub fn leave(&self) {
        *self.cast.borrow_mut() = None;
        self.workers.borrow_mut().clear();
    }

    /// A random time from `low` to `high` microseconds, in nanoseconds.
    pub fn microseconds(&self, low: u64, high: u64) -> u64 {
        self.random.borrow_mut().between(low * MICROSECOND, high * MICROSECOND)
    }

    fn after(&self, time: u64, event: Event) {
        self.sequence.set(self.sequence.get() + 1);
        self.events.borrow_mut().push(Reverse((self.now.get() + time, self.sequence.get(), event)));
    }

    /// Lets everything happen until `deadline`, or until the audio thread is woken.
    fn run_until(&self, deadline: u64) {
        loop {
            let next = self.events.borrow().peek().map(|Reverse((time, ..))| *time);
            let Some(time) = next.filter(|time| *time <= deadline) else {
                return self.now.set(self.now.get().max(deadline));
            };
            let Some(Reverse((_, _, event))) = self.events.borrow_mut().pop() else { return };
            self.now.set(self.now.get().max(time));
            self.perform(event);
            self.notice();
            if self.waiting_at.get() == Some(0) {
                return;
            }
        }
    }

    /// Lets those act who were told something.
    fn notice(&self) {
        if self.alarm.take_event() {
            self.after(self.microseconds(20, 200) + self.supervisor_delay.take(), Event::Supervise);
        }
        if self.doubt.question().is_some() {
            self.after(self.microseconds(20, 300), Event::Judge);
        }
    }

    fn perform(&self, event: Event) {
        match event {
            Event::Step(process) => self.step(process),
            Event::Supervise => self.with_cast(|cast| {
                cast.supervisor.attend(false);
                if let Some(time) = cast.supervisor.time_to_next() {
                    // As poll does: rounded up to milliseconds.
                    self.after((time.as_millis() as u64 + 1) * 1_000_000, Event::Supervise);
                }
            }),
            Event::Judge => self.with_cast(|cast| _ = cast.judge.answer()),
            Event::Act => self.with_cast(|cast| {
                if let Some(time) = (cast.act)(self) {
                    self.after(time, Event::Act);
                }
            }),
        }
    }

    fn with_cast(&self, play: impl FnOnce(&mut Cast)) {
        let cast = self.cast.borrow_mut().take();
        if let Some(mut cast) = cast {
            play(&mut cast);
            *self.cast.borrow_mut() = Some(cast);
        }
    }

    fn step(&self, process: u32) {
        // Taken out: what it does may change the list.
        let place = self.workers.borrow().iter().position(|worker| worker.process == process && !worker.stopped);
        let Some(place) = place else { return };
        let mut worker = self.workers.borrow_mut().remove(place);
        if worker.loops_since.is_some() {
            return self.workers.borrow_mut().push(worker);
        }
        worker.waits = false;
        let outcome = worker.step();
        let cost = self.microseconds(50, 400) + self.worker_delay.take();
        worker.used += cost;
        match outcome {
            Outcome::Worked => self.after(cost, Event::Step(process)),
            Outcome::Waits => worker.waits = true,
            Outcome::Loops => worker.loops_since = Some(self.now.get()),
            Outcome::Ended(end) => return self.note_end(process, end),
        }
        self.workers.borrow_mut().push(worker);
    }

    fn note_end(&self, process: u32, end: End) {
        self.ended.borrow_mut().insert(process, end);
        self.after(self.microseconds(20, 1000) + self.supervisor_delay.take(), Event::Supervise);
    }

    /// Ends a worker from outside.
    pub fn kill(&self, process: u32) {
        let place = self.workers.borrow().iter().position(|worker| worker.process == process);
        if let Some(place) = place {
            self.workers.borrow_mut().remove(place);
            self.note_end(process, End::Signal(Signal::SIGKILL));
        }
    }

    /// Stops a worker, or lets it go on.
    pub fn stop(&self, process: u32, stopped: bool) {
        if let Some(worker) = self.workers.borrow_mut().iter_mut().find(|worker| worker.process == process) {
            worker.stopped = stopped;
        }
        if !stopped {
            self.after(0, Event::Step(process));
        }
    }
}

impl Machine for World {
    fn now(&self) -> u64 {
        self.now.get()
    }

    fn sleep_until(&self, deadline: u64) {
        let late = self.microseconds(5, 60) + self.audio_delay.take();
        self.run_until(deadline.max(self.now.get()) + late);
    }

    fn wait(&self, address: usize, timeout: Option<Duration>) {
        self.waiting_at.set(Some(address));
        self.run_until(timeout.map_or(u64::MAX, |time| self.now.get() + time.as_nanos() as u64));
        self.waiting_at.set(None);
    }

    fn wake(&self, address: usize) {
        if self.waiting_at.get() == Some(address) {
            self.waiting_at.set(Some(0));
        }
        let waiting: Vec<_> = self.workers.borrow().iter().filter(|one| one.waits).map(|one| one.process).collect();
        for process in waiting {
            self.after(self.microseconds(5, 80), Event::Step(process));
        }
    }

    fn start_worker(&self, arguments: &[String]) -> u32 {
        let process = self.processes.get() + 1;
        self.processes.set(process);
        self.workers.borrow_mut().push(SimulatedWorker::new(process, arguments, self.memory.clone()));
        self.after(self.microseconds(1500, 5000), Event::Step(process));
        process
    }

    fn ended(&self, process: u32) -> Option<End> {
        self.ended.borrow().get(&process).copied()
    }

    fn signal(&self, process: u32, signal: Signal) {
        match signal {
            Signal::SIGKILL | Signal::SIGTERM => self.kill(process),
            _ => {}
        }
    }

    fn activity(&self, process: u32) -> Activity {
        let workers = self.workers.borrow();
        match workers.iter().find(|worker| worker.process == process) {
            Some(worker) if worker.stopped || worker.waits => Activity::Rests,
            Some(_) => Activity::Runs,
            None => Activity::Gone,
        }
    }

    fn processor_time(&self, process: u32) -> u64 {
        let workers = self.workers.borrow();
        let looped = |worker: &SimulatedWorker| worker.loops_since.map_or(0, |since| self.now.get() - since);
        workers.iter().find(|worker| worker.process == process).map_or(0, |worker| worker.used + looped(worker))
    }
}
