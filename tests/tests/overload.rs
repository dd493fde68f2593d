//! Promise 7 of "Faults nobody should hear": a passage that needs more than the period costs late blocks, which are
//! counted and ramped, and nothing else. The engine says what costs what, and recovers by itself: same music, same
//! workers, same latency.

use std::sync::{Mutex, PoisonError};

use chronus_tests::build::Build;
use chronus_tests::engine::number;
use chronus_tests::overload::{Instrument, Outcome, perform};
use chronus_tests::undisturbed::undisturbed;

/// Workers on which a command costs some microseconds, so that the passages can be long.
const SLOW: Instrument = Instrument { build: Build::Faults, variables: &[("CHRONUS_FAULTS", "slow")], rate: 48_000 };

/// As users have it, at the shortest period.
const QUICK: Instrument = Instrument { build: Build::Release, variables: &[], rate: 96_000 };

/// Periods that rendering a block of a passage takes.
const FACTOR: f64 = 2.5;

/// Frames by which the median latency of fifteen notes may differ: a quarter of a block. A latency that had changed
/// would have done so by whole blocks.
const SAME_LATENCY: f64 = 64.0;

/// Workers that may be replaced where other programs take processor time from them. One that goes on from command to
/// command is not hung: undisturbed it is none. Ending them in a loop would be one in 13 periods: dozens.
const MOST_REPLACED: u64 = 8;

/// Checks all that is promised.
fn check(outcome: &Outcome) {
    println!("{}", outcome.messages);
    let late_of_all: u64 = outcome.late.iter().sum();
    println!(
        "late {:?} in {:?}, {} elsewhere; {} blocks differ; {} workers replaced; {:?}",
        outcome.late,
        outcome.passages,
        outcome.stray,
        outcome.differing.len(),
        outcome.replaced,
        outcome.notes
    );
    for ((passage, late), number) in outcome.passages.iter().zip(&outcome.late).zip(1..) {
        assert!(*late > 0, "passage {number} was no overload");
        let here = outcome.differing.iter().filter(|block| (passage.blocks.start..passage.caught_up).contains(block));
        let (count, last) = (here.clone().count() as u64, here.max());
        println!("passage {number}: {count} blocks differ, the last is {last:?}");
        assert!(count <= 2 * late, "passage {number}: {count} blocks differ, {late} were late");
    }
    let elsewhere = outcome.differing.iter().filter(|block| {
        outcome.passages.iter().all(|passage| !(passage.blocks.start..passage.caught_up).contains(block))
    });
    let elsewhere: Vec<_> = elsewhere.collect();
    assert!(elsewhere.len() as u64 <= 2 * outcome.stray, "{elsewhere:?} differ, {} were late there", outcome.stray);
    assert_eq!(number(&outcome.status, "divergences"), 0);
    assert_eq!(number(&outcome.status, "late_blocks"), late_of_all + outcome.stray);
    assert_eq!(number(&outcome.status, "commands.quarantined"), 0);
    assert!(outcome.replaced <= MOST_REPLACED, "{} workers were replaced", outcome.replaced);
    for slot in 0..2 {
        assert_eq!(outcome.status["slots"][slot]["state"], "lockstep");
    }
    for notes in &outcome.notes {
        assert_eq!(notes.promised, outcome.notes[0].promised);
        let change = notes.latency - outcome.notes[0].latency;
        assert!(change.abs() < SAME_LATENCY, "the latency has changed by {change} frames");
    }
    check_messages(outcome);
}

/// Checks that each overload was told once, and what costs what.
fn check_messages(outcome: &Outcome) {
    let said = |part: &str| outcome.messages.lines().filter(|line| line.contains(part)).collect::<Vec<_>>();
    let begun = said("overload: blocks need more than the period");
    assert_eq!(begun.len(), outcome.passages.len(), "each overload is told once");
    assert_eq!(said("the overload is over").len(), outcome.passages.len());
    assert_eq!(number(&outcome.status, "load.overloads") as usize, outcome.passages.len());
    for (line, passage) in begun.iter().zip(&outcome.passages) {
        for module in dsp::MODULES {
            assert!(line.contains(&format!("{} ", module.name())), "{} is missing: {line}", module.name());
        }
        let commands = format!("Up to {} commands in a block", passage.commands);
        assert!(line.contains(&commands) && line.contains("Spread the commands"), "{commands}: {line}");
    }
    assert_eq!(number(&outcome.status, "load.commands_most"), outcome.passages[0].commands);
}

/// Performs until nothing else on this machine made a block late or held a worker; whatever differs must always be
/// explained.
fn perform_undisturbed(instrument: Instrument, lengths: &[u64], commands: u64) {
    undisturbed(|| {
        let outcome = perform(instrument, lengths, commands, FACTOR);
        check(&outcome);
        println!("{} late blocks elsewhere, {} workers replaced", outcome.stray, outcome.replaced);
        outcome.stray + outcome.replaced
    });
}

/// Workers of two engines are on the same cores, in real time: while those of one need more than the period, those of the
/// other get nothing for seconds, and are taken for hung.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn seconds_of_overload_cost_late_blocks_and_nothing_else() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let cost = SLOW.cost_of_a_command(600);
    let commands = (FACTOR * SLOW.period() / cost) as u64;
    println!("{:.2} us a command, {commands} for {FACTOR} periods", cost / 1e3);
    perform_undisturbed(SLOW, &[280, 90], commands);
}

#[test]
fn the_densest_score_is_survived_and_told() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let cost = QUICK.cost_of_a_command(60_000);
    let commands = (FACTOR * QUICK.period() / cost) as u64;
    // All that a score may have, in two passages.
    let blocks = (2_000_000 / commands).max(2);
    println!("{cost:.1} ns a command, {commands} for {FACTOR} periods, {blocks} blocks of them");
    perform_undisturbed(QUICK, &[blocks, blocks], commands);
}
