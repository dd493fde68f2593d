//! Makes faults, one after the other, and measures how long each takes to be over.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chronus_tests::engine::{Engine, first_due_ns, number};
use chronus_tests::random::Random;
use serde_json::Value;

use crate::doing::Doer;
use crate::kind::{Deck, Kind};
use crate::performance::Performance;
use crate::progress::Progress;
use crate::tally::Tally;
use crate::watch::{Fault, LastFault};

/// A bound on the way back to lockstep, so that a broken engine ends a soak. Several times what an endless loop on a
/// machine without free processors needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at an engine on its way back: a period. The time it took is told by the engine itself.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Every so many workers of slot 1 one flips a bit (`supervise/fault.rs`).
const FLIP_EPOCHS: u64 = 4;

/// A number of a slot.
pub fn of_slot(status: &Value, slot: usize, what: &str) -> u64 {
    number(status, &format!("slots.{slot}.{what}"))
}

fn in_lockstep(status: &Value) -> bool {
    (0..2).all(|slot| status["slots"][slot]["state"] == "lockstep")
}

/// Makes faults in a performance.
pub struct Injector<'a> {
    performance: &'a Performance,
    doer: Doer<'a>,
    last: &'a LastFault,
    progress: &'a Progress,
    random: Random,
    flips: u64,
    /// What came of it.
    pub tally: Tally,
}

impl<'a> Injector<'a> {
    /// For a performance.
    pub fn new(performance: &'a Performance, seed: u64, last: &'a LastFault, progress: &'a Progress) -> Self {
        // The socket is the same in all engines.
        let target: SocketAddr = performance.with(Engine::address).parse().expect("an address");
        let doer = Doer::new(performance, target, seed ^ 1);
        Self { performance, doer, last, progress, random: Random::new(seed), flips: 0, tally: Tally::default() }
    }

    /// A fault every one to four seconds until `end`, or until it is stopped or `enough` of the deck is dealt.
    pub fn run(&mut self, deck: &mut Deck, end: Instant, stop: &AtomicBool, enough: impl Fn(&Deck) -> bool) {
        self.settle();
        while !enough(deck) {
            let next = Instant::now() + Duration::from_millis(1000 + self.random.below(3000));
            while Instant::now() < next {
                if Instant::now() >= end || stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            match deck.deal() {
                Kind::Flip => self.come_to_a_flip(),
                Kind::KillMain => self.kill_the_main_process(),
                kind => self.inject(kind),
            }
        }
    }

    /// Fills the engine's queues, which counts as an overload as far as late blocks are concerned.
    pub fn fill_the_queues(&mut self) {
        let began = Instant::now();
        let last = |ended| Some(Fault { kind: Kind::Overload, began, ended });
        *self.last.lock().expect("nobody failed with it") = last(None);
        self.doer.fill_the_queues();
        *self.last.lock().expect("nobody failed with it") = last(Some(Instant::now()));
        self.settle();
    }

    /// Waits until both slots are in lockstep and no worker is there that is yet to flip a bit.
    pub fn settle(&mut self) -> Value {
        let status = self.wait_until(in_lockstep);
        let epoch = of_slot(&status, 1, "epoch");
        if !epoch.is_multiple_of(FLIP_EPOCHS) {
            return status;
        }
        let before = [0, 1].map(|slot| of_slot(&status, slot, "deaths"));
        let after = self.wait_until(|status| in_lockstep(status) && of_slot(status, 1, "epoch") > epoch);
        // When the bit was flipped is not known; that its worker has ended is, a moment later.
        let took = of_slot(&after, 1, "redundant_ns").saturating_sub(of_slot(&after, 1, "death_known_ns"));
        self.flips += 1;
        self.note(Kind::Flip, &after, before, took);
        self.settle()
    }

    fn wait_until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let status = self.performance.status();
            if wanted(&status) {
                return status;
            }
            if started.elapsed() > PATIENCE {
                self.tally.unrecovered += 1;
                return status;
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Kills the workers of slot 1 up to the one that flips a bit.
    fn come_to_a_flip(&mut self) {
        let before = self.flips;
        for _ in 0..FLIP_EPOCHS {
            self.inject_in(Kind::KillOne, 1);
            if self.flips > before {
                break;
            }
        }
    }

    fn inject(&mut self, kind: Kind) {
        let slot = self.random.below(2) as usize;
        self.inject_in(kind, slot);
    }

    fn inject_in(&mut self, kind: Kind, slot: usize) {
        let before = self.settle();
        self.come_anywhere_in_a_block();
        let (began, time) = (Instant::now(), rt::clock::monotonic());
        let last = |ended| Some(Fault { kind, began, ended });
        *self.last.lock().expect("nobody failed with it") = last(None);
        let Some(deaths) = self.doer.make(kind, slot, &before) else { return };
        let poisoned = number(&before, "commands.quarantined") + u64::from(kind.is_quarantined());
        self.tally.poisons += u64::from(kind.is_quarantined());
        let known = [0, 1].map(|slot| of_slot(&before, slot, "deaths"));
        let after = self.wait_until(|status| {
            let dead = (0..2).all(|slot| of_slot(status, slot, "deaths") >= known[slot] + u64::from(deaths[slot]));
            in_lockstep(status) && dead && number(status, "commands.quarantined") >= poisoned
        });
        *self.last.lock().expect("nobody failed with it") = last(Some(Instant::now()));
        let died = (0..2).filter(|slot| of_slot(&after, *slot, "deaths") > known[*slot]);
        let back = died.map(|slot| of_slot(&after, slot, "redundant_ns")).max().unwrap_or(time);
        self.note(kind, &after, known, back.saturating_sub(time));
        self.settle();
    }

    /// Kills the whole engine, which was well before, and waits until the next one is.
    fn kill_the_main_process(&mut self) {
        self.settle();
        self.come_anywhere_in_a_block();
        let (kind, began) = (Kind::KillMain, Instant::now());
        let last = |ended| Some(Fault { kind, began, ended });
        *self.last.lock().expect("nobody failed with it") = last(None);
        let killed = self.performance.kill();
        let playing = self.wait_until(|status| number(status, "block") > number(status, "continued_at_block"));
        let after = self.wait_until(in_lockstep);
        *self.last.lock().expect("nobody failed with it") = last(Some(Instant::now()));
        self.note(kind, &after, [0, 0], first_due_ns(&playing).saturating_sub(killed));
        self.settle();
    }

    fn come_anywhere_in_a_block(&mut self) {
        std::thread::sleep(Duration::from_micros(self.random.below(5333)));
    }

    fn note(&mut self, kind: Kind, after: &Value, deaths: [u64; 2], took_ns: u64) {
        let counted: u64 = (0..2).map(|slot| of_slot(after, slot, "deaths") - deaths[slot]).sum();
        // Two die with the main process, which counts nothing any more.
        let lost = counted + if kind == Kind::KillMain { 2 } else { 0 };
        self.progress.faults.fetch_add(1, Ordering::Relaxed);
        let of = self.tally.of(&kind.name());
        of.count += 1;
        of.lost += lost;
        if lost > 0 {
            of.recovery_ms.push(took_ns as f64 / 1e6);
        }
    }
}
