//! Test builds: a simulated machine in place of the kernel, for the thread that installs it. This crate is the one door
//! to the kernel, so an engine that finds another machine behind it runs as a whole in simulated time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::process::{Activity, End};

/// What the engine asks of a machine. Times are nanoseconds of its CLOCK_MONOTONIC.
pub trait Machine {
    /// Now.
    fn now(&self) -> u64;
    /// Lets time go on until `deadline`.
    fn sleep_until(&self, deadline: u64);
    /// Lets time go on until the word at this address is woken, at most for so long.
    fn wait(&self, address: usize, timeout: Option<Duration>);
    /// Wakes who waits at this address.
    fn wake(&self, address: usize);
    /// Starts a worker; gives its process id.
    fn start_worker(&self, arguments: &[String]) -> u32;
    /// How a worker ended, if it has.
    fn ended(&self, process: u32) -> Option<End>;
    /// Sends a signal.
    fn signal(&self, process: u32, signal: Signal);
    /// What a worker is doing.
    fn activity(&self, process: u32) -> Activity;
    /// Processor time a worker has used.
    fn processor_time(&self, process: u32) -> u64;
}

thread_local! {
    static MACHINE: RefCell<Option<Rc<dyn Machine>>> = const { RefCell::new(None) };
}

/// Puts a machine behind this crate, for the calling thread; `None` takes it away.
pub fn install(machine: Option<Rc<dyn Machine>>) {
    MACHINE.with(|place| *place.borrow_mut() = machine);
}

/// The machine of the calling thread.
pub(crate) fn machine() -> Option<Rc<dyn Machine>> {
    MACHINE.with(|place| place.borrow().clone())
}

/// How a simulated worker ends from inside, as a panic that the simulation catches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By this signal.
    Signal(Signal),
    /// Not at all: it loops for ever.
    Loops,
}

/// Ends the simulated worker whose step this is.
pub fn end(ending: Ending) -> ! {
    std::panic::resume_unwind(Box::new(ending))
}
