//! Both workers killed within one period: the state goes on bit by bit from the newest snapshot and the log.

use std::time::Duration;

use chronus_tests::build::{Build, kills};
use chronus_tests::engine::{Engine, Folder, number, render, told};
use chronus_tests::instrument_score::of_either;
use chronus_tests::process::send;
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::Signal;

/// Events of one test: 500, or as many as the long run asks for.
fn wanted() -> u64 {
    kills() / 10
}

/// Kills both workers, the second one within so many microseconds of the first.
fn kill_both(workers: &[u32], random: &mut Random, within: u64) -> bool {
    let [first, second] = workers else { return false };
    let (first, second) = if random.below(2) == 0 { (first, second) } else { (second, first) };
    let killed = send(*first, Signal::SIGKILL);
    if random.below(2) == 0 {
        std::thread::sleep(Duration::from_micros(random.below(within)));
    }
    killed & send(*second, Signal::SIGKILL)
}

#[test]
fn double_deaths_without_a_deadline_change_no_bit() {
    let mut random = Random::new(12);
    let (mut events, mut round) = (0, 0);
    while events < wanted() {
        let folder = Folder::new("double-free");
        let (score, played) = (folder.file("score.osc"), folder.file("played.wav"));
        // The whole instrument, too, of which a piece takes several times as long.
        let blocks = if round % 2 == 0 { 8_000u64 } else { 40_000 };
        of_either(blocks, 60 + round).write(&score);
        let blocks = blocks.to_string();
        render(Build::Release, &score, &folder.file("reference.wav"), &["--blocks", &blocks]);
        let (sink, lead) = (format!("free:{}", played.display()), (1 + round % 4).to_string());
        let score = score.to_str().expect("a path of text");
        let arguments = ["--score", score, "--sink", &sink, "--blocks", &blocks, "--osc", "off", "--lead", &lead];
        let mut engine = Engine::start(Build::Release, &arguments);
        while engine.running() {
            events += u64::from(kill_both(&engine.workers(), &mut random, 300));
            std::thread::sleep(Duration::from_micros(random.below(20_000)));
        }
        let (code, output) = engine.wait();
        assert_eq!(code, 0, "{output}");
        chronus_tests::recording::assert_identical(&played, &folder.file("reference.wav"), &format!("round {round}"));
        round += 1;
    }
    println!("{events} double deaths in {round} rounds, no differing sample");
}

/// Double deaths in real time, each after both workers are in lockstep again. Gives events and late blocks.
fn play(lead: u64, events: u64, seed: u64) -> (u64, u64) {
    let folder = Folder::new("double");
    let (score, played) = (folder.file("score.osc"), folder.file("played.wav"));
    of_either(100_000, seed).write(&score);
    let (sink, lead) = (format!("paced:{}", played.display()), lead.to_string());
    let score_path = score.to_str().expect("a path of text");
    let arguments = ["--score", score_path, "--sink", &sink, "--osc", "127.0.0.1:0", "--lead", &lead];
    let engine = Engine::start(Build::Release, &arguments);
    let mut random = Random::new(seed);
    for _ in 0..events {
        let status = engine.wait_for_lockstep();
        std::thread::sleep(Duration::from_micros(random.below(6_000)));
        let workers = [0, 1].map(|slot| number(&status, &format!("slots.{slot}.pid")) as u32);
        kill_both(&workers, &mut random, 5_000);
        let deaths = |status: &serde_json::Value| [0, 1].map(|slot| number(status, &format!("slots.{slot}.deaths")));
        let before = deaths(&status);
        engine.wait_until("both deaths", |status| (0..2).all(|slot| deaths(status)[slot] > before[slot]));
    }
    engine.wait_for_lockstep();
    let (code, output) = engine.stop();
    assert_eq!(code, 0, "{output}");
    let (blocks, late) = (told(&output, "played") - 1, told(&output, "late blocks"));
    render(Build::Release, &score, &folder.file("reference.wav"), &["--blocks", &blocks.to_string()]);
    let differing = Recording::read(&played).differing_blocks(&Recording::read(&folder.file("reference.wav")));
    assert!(differing.len() as u64 <= 2 * late, "{} blocks differ, {late} were late: {output}", differing.len());
    assert_eq!((told(&output, "divergences"), told(&output, "played") > events), (0, true));
    (events, late)
}

#[test]
fn a_double_death_in_real_time_costs_at_most_one_late_block_in_a_thousand() {
    let mut attempt = 0;
    // Another program on this machine may take the time from both workers, deaths or not.
    undisturbed(|| {
        attempt += 1;
        let (events, late) = play(2, wanted(), attempt);
        println!("lead 2: {events} double deaths, {late} late blocks (attempt {attempt})");
        late.saturating_sub(events / 1000)
    });
}

#[test]
fn a_double_death_at_the_smallest_lead_loses_no_state_either() {
    let (events, late) = play(1, wanted() / 5, 9);
    println!("lead 1: {events} double deaths, {late} late blocks");
}
