//! No lost wake-up: whoever waits with the count of rings it has read, after saying so and looking again, is woken or
//! does not fall asleep. A thread that sleeps for ever is a deadlock, which loom reports.

use super::*;
use crate::LogMemory;
use crate::model::{Futex, check};
use crate::sync::AtomicU64;
use loom::sync::Arc;

/// A bell, its futex, and what is waited for: a count as `SlotMemory::published`, whose memory orders it has.
struct Tower {
    bell: BellMemory,
    futex: Futex,
    published: AtomicU64,
}

impl Tower {
    fn new() -> Arc<Self> {
        Arc::new(Self { bell: BellMemory::fresh(), futex: Futex::new(), published: AtomicU64::new(0) })
    }

    fn publish(&self, count: u64) {
        self.published.store(count, Ordering::Release);
        self.ring();
    }

    fn ring(&self) {
        if self.bell.ring() {
            self.futex.wake();
        }
    }

    fn is_there(&self, count: u64) -> bool {
        self.published.load(Ordering::Acquire) >= count
    }

    /// As the audio thread waits (`audio/choose.rs`): says so once. As a worker does (`worker/replica.rs`): says so again
    /// whenever it has been woken in vain.
    fn wait(&self, waiter: Waiter, count: u64) {
        let bell = &self.bell;
        let mut said = false;
        while !self.is_there(count) {
            if !said || waiter != Waiter::Audio {
                bell.set_waiting(waiter, true);
                said = true;
            }
            let rings = bell.rings();
            if self.is_there(count) {
                break;
            }
            self.futex.wait(|| bell.rings(), rings);
        }
        if said {
            bell.set_waiting(waiter, false);
        }
    }
}

const WAITERS: [Waiter; 3] = [Waiter::Audio, Waiter::Slot(0), Waiter::Slot(1)];

/// What is waited for is published by the last of `rings` rings.
fn one_waiter(waiter: Waiter, rings: u64, preemptions: Option<usize>) {
    check(preemptions, move || {
        let tower = Tower::new();
        let shared = tower.clone();
        let waiting = loom::thread::spawn(move || shared.wait(waiter, rings));
        (1..=rings).for_each(|count| tower.publish(count));
        waiting.join().unwrap();
        assert!(WAITERS.iter().all(|waiter| !tower.bell.is_waiting(*waiter)));
    });
}

/// One ring in every order there is; with another ring before it, which wakes in vain, at most three switches: a lost
/// wake-up needs one.
#[test]
fn one_waiter_is_always_woken() {
    for waiter in WAITERS {
        one_waiter(waiter, 1, None);
        one_waiter(waiter, 2, Some(3));
    }
}

/// Two wait for different things; that one of them is no longer waiting does not concern the other. Two switches: a
/// lost wake-up of one waiter needs one, and one more lets the other one come between.
#[test]
fn two_waiters_are_both_woken() {
    for waiters in [[Waiter::Audio, Waiter::Slot(1)], [Waiter::Slot(0), Waiter::Slot(1)]] {
        check(2, move || {
            let tower = Tower::new();
            let threads = [1, 2].map(|count| {
                let (shared, waiter) = (tower.clone(), waiters[count as usize - 1]);
                loom::thread::spawn(move || shared.wait(waiter, count))
            });
            tower.publish(1);
            tower.publish(2);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }
}

/// All three wait for one ring. Two switches, as above.
#[test]
fn three_waiters_are_all_woken() {
    check(2, || {
        let tower = Tower::new();
        let threads = WAITERS.map(|waiter| {
            let shared = tower.clone();
            loom::thread::spawn(move || shared.wait(waiter, 1))
        });
        tower.publish(1);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// A worker that died waiting: the supervisor takes its word back, and rings. The audio thread, which waits for the
/// other slot, hears everything as before. Two switches, as above.
#[test]
fn the_word_of_a_dead_waiter_is_taken_back_without_harm() {
    check(2, || {
        let tower = Tower::new();
        tower.bell.set_waiting(Waiter::Slot(0), true);
        let shared = tower.clone();
        let audio = loom::thread::spawn(move || shared.wait(Waiter::Audio, 1));
        let shared = tower.clone();
        let worker = loom::thread::spawn(move || shared.publish(1));
        tower.bell.set_waiting(Waiter::Slot(0), false);
        tower.ring();
        audio.join().unwrap();
        worker.join().unwrap();
    });
}

/// The other wait of a worker, for a block to be sealed: nobody says that it waits, for all are always woken. Every
/// order there is.
#[test]
fn a_worker_that_waits_for_a_seal_is_always_woken() {
    check(None, || {
        let log = Arc::new((LogMemory::fresh(), Futex::new()));
        let shared = log.clone();
        let worker = loom::thread::spawn(move || {
            let (log, futex) = &*shared;
            loop {
                let wake = log.wake_word().load(Ordering::Acquire);
                if log.sealed().blocks() > 1 {
                    break;
                }
                futex.wait(|| log.wake_word().load(Ordering::Acquire), wake);
            }
        });
        for _ in 0..2 {
            log.0.seal_one();
            log.1.wake();
        }
        worker.join().unwrap();
    });
}
