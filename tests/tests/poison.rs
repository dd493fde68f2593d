//! A command that no worker survives costs one worker, once: it is left out before anyone applies it again, its sender
//! is told, and the music goes on.

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, number, render, told};
use chronus_tests::live::Live;
use chronus_tests::process::send;
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use chronus_tests::score::Score;
use chronus_tests::undisturbed::{ATTEMPTS, undisturbed};
use nix::sys::signal::Signal;
use rosc::OscType;

/// The poisons by which a process dies at once.
const CRASHES: [&str; 6] = ["abort", "null_write", "stack_overflow", "huge_allocation", "open_file", "out_of_range"];

/// The longest sound an endless loop may cost, as blocks: 50 ms at 48 kHz.
const LOOP_BLOCKS: u64 = 50 * 48 / 256;

fn word(poison: &str) -> Vec<OscType> {
    vec![OscType::String(poison.to_owned())]
}

/// Whether what is sent to an address is one command: what tracks are told may be several, or the same once more.
fn is_one_command(address: &str) -> bool {
    !address.starts_with("/seq/") && !address.starts_with("/clock/")
}

fn deaths(status: &serde_json::Value) -> u64 {
    number(status, "slots.0.deaths") + number(status, "slots.1.deaths")
}

/// Kills of workers that the machine caused itself, by keeping them from the processor.
fn declared(status: &serde_json::Value) -> u64 {
    number(status, "slots.0.declared") + number(status, "slots.1.declared")
}

#[test]
fn each_crash_costs_one_worker_and_is_told_to_its_sender() {
    undisturbed(|| {
        let live = Live::start(Build::Faults, "poison", &[], &[]);
        live.send("/gate/adsr", vec![OscType::Bool(true)]);
        for (count, poison) in (1..).zip(CRASHES) {
            live.send("/poison", word(poison));
            let [address, code, text] = live.error();
            assert_eq!((address.as_str(), code.as_str()), ("/poison", "quarantined"), "{poison}");
            assert!(text.contains("left out"), "{text}");
            let status = live.engine.wait_for_lockstep();
            assert_eq!(deaths(&status) - declared(&status), count, "{poison}: {status:#}");
            assert_eq!(number(&status, "commands.quarantined"), count);
            let newest = &status["quarantine"][0];
            assert_eq!(newest["command"], format!("/poison {poison}"));
            assert!(newest["sender"].as_str().is_some_and(|sender| sender.starts_with("127.0.0.1:")));
        }
        let outcome = live.finish();
        outcome.assert_explained();
        assert_eq!(outcome.kept, 1, "the note alone is in the score");
        println!("{} crashes: {}", CRASHES.len(), outcome.output.lines().rev().nth(3).unwrap_or_default());
        outcome.late
    });
}

#[test]
fn a_hundred_poisons_among_kills_and_music_are_survived_and_nothing_else_is_dropped() {
    let mut random = Random::new(3);
    let live = Live::start(Build::Faults, "poisons", &[], &[]);
    let music = Score::torture(48_000, 20_000, 5).messages();
    let mut music = music.into_iter().cycle();
    let (mut sent, mut killed, mut poisons, mut late, mut calm) = (0, 0, 0, 0, 0);
    for _ in 0..100 {
        let (poison, kill) = (CRASHES[random.below(CRASHES.len() as u64) as usize], random.below(3) == 0);
        // Each again and for itself, if this machine was not there: what is late in a hundred is seldom one poison's.
        calm += undisturbed(|| {
            for _ in 0..random.below(8) {
                let message = music.next().expect("it goes round");
                sent += u64::from(is_one_command(&message.addr));
                live.send_message(message);
            }
            live.send("/poison", word(poison));
            poisons += 1;
            if kill {
                let workers = live.engine.workers();
                let victim = workers.get(random.below(2) as usize);
                killed += u64::from(victim.is_some_and(|victim| send(*victim, Signal::SIGKILL)));
            }
            live.engine.wait_until("the quarantine", |status| number(status, "commands.quarantined") >= poisons);
            // What its deaths and the kill cost is its own.
            let status = live.engine.wait_for_lockstep();
            let before = std::mem::replace(&mut late, number(&status, "late_blocks"));
            late - before
        });
    }
    assert!(calm < ATTEMPTS, "something was late in {calm} calm runs");
    let status = live.engine.wait_for_lockstep();
    let (deaths, declared) = (deaths(&status), declared(&status));
    assert_eq!(number(&status, "commands.quarantined"), poisons);
    assert_eq!((number(&status, "commands.refused"), number(&status, "divergences")), (0, 0));
    assert!(deaths <= poisons + killed + declared, "{deaths} deaths by {poisons} poisons and {killed} kills");
    let outcome = live.finish();
    outcome.assert_explained();
    let kept = outcome.commands.iter().filter(|(_, message)| is_one_command(&message.addr)).count();
    assert_eq!(kept as u64, sent, "all that was no poison is in the sound");
    println!("{poisons} poisons, {killed} kills: {deaths} workers, {sent} commands, {} late blocks", outcome.late);
}

#[test]
fn a_poisoned_score_is_played_as_if_the_poison_were_not_in_it() {
    let folder = Folder::new("poisoned-score");
    let (poisoned, clean) = (folder.file("poisoned.osc"), folder.file("clean.osc"));
    let mut score = Score::torture(48_000, 2000, 21);
    score.write(&clean);
    for (place, poison) in (1..).zip(CRASHES.into_iter().chain(["endless_loop"]).cycle().take(40)) {
        score.at(place * 12_345, "/poison", word(poison));
    }
    // The very first block, for which nobody has a beat yet, takes any worker for ever too.
    score.at(0, "/poison", word("endless_loop"));
    score.write(&poisoned);
    render(Build::Faults, &clean, &folder.file("clean.wav"), &["--blocks", "2000"]);
    let sink = format!("free:{}", folder.file("played.wav").display());
    let poisoned = poisoned.to_str().expect("a path of text");
    let arguments = ["--score", poisoned, "--sink", &sink, "--blocks", "2000", "--osc", "127.0.0.1:0"];
    let (code, output) = Engine::start(Build::Faults, &arguments).wait();
    assert_eq!(code, 0, "{output}");
    assert_eq!((told(&output, "quarantined"), told(&output, "divergences")), (41, 0), "{output}");
    let [played, clean] = ["played.wav", "clean.wav"].map(|name| Recording::read(&folder.file(name)));
    assert_eq!(played.differing_blocks(&clean), [0; 0]);
}

#[test]
fn an_endless_loop_costs_at_most_fifty_milliseconds_of_sound() {
    undisturbed(|| {
        let live = Live::start(Build::Faults, "loops", &[], &[]);
        live.send("/gate/adsr", vec![OscType::Bool(true)]);
        let mut most = 0;
        for count in 1..=10 {
            let before = live.engine.wait_for_lockstep();
            live.send("/poison", word("endless_loop"));
            let [_, code, _] = live.error();
            assert_eq!(code, "quarantined");
            let after = live.engine.wait_for_lockstep();
            assert_eq!(number(&after, "commands.quarantined"), count);
            most = most.max(number(&after, "late_blocks") - number(&before, "late_blocks"));
        }
        let outcome = live.finish();
        outcome.assert_explained();
        println!("10 endless loops: at most {most} late blocks each, {} in all", outcome.late);
        most.saturating_sub(LOOP_BLOCKS)
    });
}

#[test]
fn a_poison_that_is_no_number_never_leaves_the_engine() {
    let live = Live::start(Build::Faults, "no-number", &[], &[]);
    live.send("/gate/adsr", vec![OscType::Bool(true)]);
    for _ in 0..20 {
        live.send("/poison", word("not_a_number"));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let status = live.engine.wait_until("all of them", |status| number(status, "commands.applied") >= 21);
    assert_eq!(["not_finite", "divergences", "commands.quarantined"].map(|key| number(&status, key)), [0; 3]);
    let outcome = live.finish();
    outcome.assert_explained();
    assert_eq!(outcome.kept, 21);
}

#[test]
fn a_state_that_no_worker_survives_is_given_up_and_the_engine_plays_on() {
    let live = Live::start(Build::Faults, "curse", &[], &[]);
    live.send("/gate/adsr", vec![OscType::Bool(true)]);
    // Its command is survived; what it leaves is not, and no command is to blame for it.
    live.send("/poison", word("curse"));
    let status = live.engine.wait_until("a new start", |status| number(status, "started_over") == 1);
    assert_eq!(number(&status, "commands.quarantined"), 0);
    let before = number(&live.engine.wait_for_lockstep(), "commands.applied");
    live.send("/gate/adsr", vec![OscType::Bool(true)]);
    live.engine.wait_until("a command", |status| number(status, "commands.applied") > before);
    let status = live.engine.wait_for_lockstep();
    assert_eq!((number(&status, "started_over"), number(&status, "divergences")), (1, 0));
    let late = number(&status, "late_blocks");
    println!("a cursed state: {} workers and {late} blocks were lost", deaths(&status));
    let (code, output) = live.engine.stop();
    assert_eq!(code, 0, "{output}");
}
