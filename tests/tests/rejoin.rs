//! Promise 2: a replacement is in lockstep within four blocks; no way of dying, hanging or coming back costs
//! anything.

use std::time::{Duration, Instant};

use chronus_tests::build::{Build, kills};
use chronus_tests::engine::{Engine, Folder, number, render, told};
use chronus_tests::process::{alive, send, state};
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use chronus_tests::score::Score;
use chronus_tests::undisturbed::{Witnesses, undisturbed, undisturbed_before};
use nix::sys::signal::Signal;

/// An engine in real time whose output is compared with the reference afterwards.
struct Performance {
    folder: Folder,
    engine: Engine,
}

/// More than any of these tests needs; each stops its engine when it is done.
const BLOCKS: u64 = 20_000;

impl Performance {
    fn start(build: Build, variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new("rejoin");
        let score = folder.file("score.osc");
        Score::torture(48_000, BLOCKS, 11).write(&score);
        let sink = format!("paced:{}", folder.file("played.wav").display());
        let blocks = BLOCKS.to_string();
        let score = score.to_str().expect("text");
        let arguments = ["--score", score, "--sink", &sink, "--blocks", &blocks, "--osc", "127.0.0.1:0"];
        let engine = Engine::start_with(build, &arguments, variables);
        engine.wait_for_lockstep();
        Self { folder, engine }
    }

    fn worker(&self, slot: usize) -> u32 {
        self.engine.number(&format!("slots.{slot}.pid")) as u32
    }

    /// Stops the engine; nothing but its last, faded block and what late blocks explain may differ. Gives how many
    /// blocks were late.
    fn assert_nothing_was_heard(self) -> u64 {
        let (code, output) = self.engine.stop();
        assert_eq!(code, 0, "{output}");
        let (played, late) = (told(&output, "played"), told(&output, "late blocks"));
        let reference = self.folder.file("reference.wav");
        let blocks = (played - 1).to_string();
        render(Build::Release, &self.folder.file("score.osc"), &reference, &["--blocks", &blocks]);
        let played = Recording::read(&self.folder.file("played.wav"));
        let differing = played.differing_blocks(&Recording::read(&reference)).len() as u64;
        println!("{}", output.lines().rev().nth(1).unwrap_or_default());
        assert!(differing <= 2 * late, "{differing} blocks differ, {late} were late");
        late
    }
}

#[test]
fn a_replacement_is_in_lockstep_within_four_blocks() {
    undisturbed_before(kill_and_count_blocks);
}

fn kill_and_count_blocks(witnesses: &Witnesses) -> u64 {
    let performance = Performance::start(Build::Release, &[]);
    let wanted = (kills() / 25).clamp(50, 400);
    for kill in 0..wanted {
        let slot = (kill % 2) as usize;
        let epoch = performance.engine.number(&format!("slots.{slot}.epoch"));
        send(performance.worker(slot), Signal::SIGKILL);
        performance.engine.wait_until("a replacement", |status| {
            let slot = &status["slots"][slot];
            slot["epoch"].as_u64() > Some(epoch) && slot["state"] == "lockstep"
        });
    }
    let status = performance.engine.status();
    let [count, p50, p99, max] =
        ["count", "p50", "p99", "max"].map(|of| number(&status, &format!("rejoin_blocks.{of}")));
    println!("{count} kills; blocks until redundant again: median {p50}, p99 {p99}, most {max}");
    assert!(count >= wanted);
    performance.assert_nothing_was_heard() + witnesses.slow_return(p99)
}

#[test]
fn deaths_during_a_rejoin_cost_nothing() {
    undisturbed(kill_during_rejoins);
}

fn kill_during_rejoins() -> u64 {
    let performance = Performance::start(Build::Release, &[]);
    let mut random = Random::new(5);
    // Slot 0 dies again and again, mostly before it has joined; slot 1 plays on.
    for _ in 0..300 {
        let worker = performance.engine.workers();
        let survivor = performance.worker(1);
        if let Some(worker) = worker.into_iter().find(|worker| *worker != survivor) {
            send(worker, Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_micros(random.below(4000)));
    }
    performance.engine.wait_for_lockstep();
    let deaths = performance.engine.number("slots.0.deaths");
    println!("{deaths} deaths of one slot");
    assert!(deaths > 100);
    performance.assert_nothing_was_heard()
}

#[test]
fn a_stopped_worker_is_declared_killed_and_replaced_and_never_comes_back() {
    undisturbed_before(stop_workers);
}

fn stop_workers(witnesses: &Witnesses) -> u64 {
    let performance = Performance::start(Build::Release, &[]);
    for round in 0..20 {
        let slot = round % 2;
        let worker = performance.worker(slot);
        let declared = performance.engine.number(&format!("slots.{slot}.declared"));
        send(worker, Signal::SIGSTOP);
        performance.engine.wait_until("the declaration", |status| {
            let slot = &status["slots"][slot];
            slot["declared"].as_u64() > Some(declared) && slot["pid"].as_u64() != Some(u64::from(worker))
        });
        // Were it still there, it would now write into a slot that is no longer its own.
        send(worker, Signal::SIGCONT);
        performance.engine.wait_for_lockstep();
        assert!(!alive(worker), "the stopped worker is still there");
        assert_ne!(state(worker), Some('Z'), "it was left as a zombie");
        assert_eq!(performance.engine.workers().len(), 2);
    }
    let most = performance.engine.number("declared_lag_blocks.max");
    println!("declared hung after at most {most} blocks");
    performance.assert_nothing_was_heard() + witnesses.slow_return(most)
}

#[test]
fn a_worker_in_an_endless_loop_is_replaced_at_every_point() {
    undisturbed_before(let_workers_spin);
}

fn let_workers_spin(witnesses: &Witnesses) -> u64 {
    let performance = Performance::start(Build::Faults, &[("CHRONUS_FAULTS", "spin")]);
    let (mut declared, mut since) = (0, Instant::now());
    while declared < 60 {
        let status = performance.engine.status();
        let now = number(&status, "slots.0.declared");
        if now > declared {
            (declared, since) = (now, Instant::now());
        } else if since.elapsed() > Duration::from_secs(1) {
            // This epoch's point is one that this score does not pass (reading the live log): on to the next.
            send(number(&status, "slots.0.pid") as u32, Signal::SIGKILL);
            since = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let most = performance.engine.number("declared_lag_blocks.max");
    println!("60 endless loops, declared after at most {most} blocks");
    performance.assert_nothing_was_heard() + witnesses.slow_return(most)
}
