//! What happens to a simulated engine: commands, and faults of every kind, all from one seed.

use std::net::{Ipv4Addr, SocketAddr};

use abi::{Operation, Place, Poison};

use super::random::Random;
use super::world::{MICROSECOND, World};
use crate::input::When;
use crate::stamp::Stamper;
use crate::worker::{Flip, FlipTarget};

const SENDER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// How hard a schedule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// One worker has a fault at a time, and the engine has time to become redundant again: nothing may be heard.
    Single,
    /// Anything at any time: what is heard must be right, and all is well again when it is over.
    Storm,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Commands sent.
    pub commands: u64,
    /// Commands sent that no worker survives.
    pub poisons: u64,
    /// Bits flipped.
    pub flips: u64,
    /// Other faults.
    pub others: u64,
}

/// The schedule.
pub struct Schedule {
    /// Gives commands their frames.
    pub stamper: Stamper,
    /// The seed's numbers.
    pub random: Random,
    /// How hard.
    pub weather: Weather,
    /// Time after which there are no more faults, in nanoseconds.
    pub calm_from: u64,
    /// Time of the next fault.
    pub next_fault: u64,
    /// A stopped worker that goes on again, and when.
    pub resumed: Option<(u32, u64)>,
    /// What was done so far.
    pub done: Done,
}

impl Schedule {
    /// Does what is due; gives the time to the next turn.
    pub fn act(&mut self, world: &World) -> u64 {
        let now = rt::clock::monotonic();
        if let Some((process, _)) = self.resumed.take_if(|(_, time)| *time <= now) {
            world.stop(process, false);
        }
        if now >= self.next_fault && now < self.calm_from {
            self.fault(world);
            let (low, high) = match self.weather {
                Weather::Single => (120_000, 300_000),
                Weather::Storm => (200, 40_000),
            };
            self.next_fault = now + self.random.between(low, high) * MICROSECOND;
        } else {
            for _ in 0..self.random.below(4) {
                let command = self.command();
                self.send(command);
            }
        }
        self.random.between(200, 12_000) * MICROSECOND
    }

    fn send(&mut self, operation: Operation) -> bool {
        // What arrives has been on its way for a moment.
        let arrival = rt::clock::monotonic() - self.random.between(10, 900) * MICROSECOND;
        let taken = self.stamper.accept(operation, When::Arrival(arrival), SENDER).is_ok();
        self.done.commands += u64::from(taken);
        taken
    }

    fn command(&mut self) -> Operation {
        match self.random.below(3) {
            0 => Operation::Gate(2, self.random.below(2) == 0),
            1 => Operation::Set(Place { row: 1, parameter: 0 }, self.random.below(9000) as f64),
            _ => Operation::Set(Place { row: 3, parameter: 2 }, self.random.below(19) as f64),
        }
    }

    /// A living worker; the number of another one for both.
    fn victim(&mut self, world: &World) -> Option<u32> {
        let workers = world.workers.borrow();
        let place = self.random.below(workers.len().max(1) as u64) as usize;
        workers.get(place).map(|worker| worker.process)
    }

    fn fault(&mut self, world: &World) {
        // No bits flip in a storm: with the other worker dead nobody could tell.
        let (first, end) = match self.weather {
            Weather::Single => (0, 6),
            Weather::Storm => (1, 11),
        };
        match first + self.random.below(end - first) {
            0 => self.flip(world),
            1 => self.kill_one(world),
            2 => self.kill_at_a_point(world),
            3 => self.stop(world),
            4 => self.poison(false),
            5 => self.burst(),
            6 => self.poison(true),
            7 => {
                self.kill_one(world);
                self.kill_one(world);
            }
            8 => world.audio_delay.set(self.random.between(1000, 30_000) * MICROSECOND),
            9 => world.supervisor_delay.set(self.random.between(1000, 20_000) * MICROSECOND),
            _ => world.worker_delay.set(self.random.between(1000, 40_000) * MICROSECOND),
        }
    }

    fn kill_one(&mut self, world: &World) {
        self.done.others += 1;
        if let Some(process) = self.victim(world) {
            world.kill(process);
        }
    }

    fn kill_at_a_point(&mut self, world: &World) {
        self.done.others += 1;
        let (victim, passes) = (self.victim(world), self.random.below(24) as u32);
        let mut workers = world.workers.borrow_mut();
        if let Some(worker) = workers.iter_mut().find(|worker| Some(worker.process) == victim) {
            worker.dies_after = Some(passes);
        }
    }

    fn stop(&mut self, world: &World) {
        self.done.others += 1;
        if let Some(process) = self.victim(world) {
            world.stop(process, true);
            if self.random.below(2) == 0 {
                let time = rt::clock::monotonic() + self.random.between(500, 40_000) * MICROSECOND;
                self.resumed = Some((process, time));
            }
        }
    }

    fn poison(&mut self, with_loops: bool) {
        let crashes = [Poison::Abort, Poison::NullWrite, Poison::HugeAllocation, Poison::OutOfRange];
        let loops = with_loops && self.random.below(2) == 0;
        let poison = if loops { Poison::EndlessLoop } else { crashes[self.random.below(4) as usize] };
        self.done.poisons += u64::from(self.send(Operation::Poison(poison)));
    }

    fn flip(&mut self, world: &World) {
        let target = FlipTarget::ALL[self.random.below(4) as usize];
        let flip = Flip { target, after: 0, bit: self.random.bits() >> 8 };
        let victim = self.victim(world);
        let mut workers = world.workers.borrow_mut();
        let found = workers.iter_mut().find(|worker| Some(worker.process) == victim);
        self.done.flips += u64::from(found.is_some_and(|worker| worker.flip(flip)));
    }

    /// Nothing but many commands at once.
    fn burst(&mut self) {
        for _ in 0..self.random.below(200) {
            let command = self.command();
            self.send(command);
        }
    }
}
