//! The box: our units, configuration and program in a root file system of Debian's, booted in virtual machines (tests/box)
//! whose sound card keeps every sample. Their time is counted in instructions, so nothing else on this machine can
//! disturb them; and they say nothing about latency.

mod cable;
mod card;
mod comparison;
mod day;
mod pins;

use std::ops::Range;
use std::sync::OnceLock;

use card::Card;
use chronus_tests::engine::told;
use chronus_tests::sound_card::IN_THE_CARD;
use chronus_tests::{guest, skipped};
use comparison::{pieces_of_one, pieces_of_several};
use day::{Day, ENGINES, Take};

/// Periods in the card's buffer, as tests/box/guest/chronus.toml says.
const PERIODS: usize = 4;

/// What is seen in virtual machines: of each its end, or that it did not come to one, which it has said then.
struct Runs {
    day: Result<Day, ()>,
    card: Result<Card, ()>,
}

/// Two machines at a time, once for all tests: each keeps one core busy. `None` where there can be none.
fn runs() -> Option<&'static Runs> {
    static RUNS: OnceLock<Option<Runs>> = OnceLock::new();
    let live_through = |root| {
        std::thread::scope(|scope| {
            let (day, card) = (scope.spawn(|| day::live_through(root)), scope.spawn(card::mistreat));
            Runs { day: day.join().map_err(drop), card: card.join().map_err(drop) }
        })
    };
    RUNS.get_or_init(|| guest::root().map(live_through)).as_ref()
}

fn day() -> Option<&'static Day> {
    runs().map(|runs| runs.day.as_ref().expect("the day came to its end; why it did not is said above"))
}

fn card() -> Option<&'static Card> {
    runs().map(|runs| runs.card.as_ref().expect("it came to its end; why it did not is said above"))
}

#[test]
fn a_box_starts_and_nothing_in_it_has_failed() {
    let Some(Day { health, .. }) = day() else { return };
    assert_eq!((health.state.as_str(), health.failed.as_str()), ("running", ""));
    assert_eq!(health.tainted, "0", "{}", health.kernel);
    assert!(!health.journal.contains("ordering cycle"), "{}", health.journal);
    assert!(health.selftest.0 == 0, "{}", health.selftest.1);
    match &health.analysis {
        Some(analysis) => assert_eq!(analysis.verified, (0, String::new()), "systemd-analyze verify"),
        None => skipped("systemd-analyze verify", NO_ANALYSIS),
    }
}

/// Why an image is not asked: it has no more than it needs.
const NO_ANALYSIS: &str = "this image has no systemd-analyze; without IMAGE= the same units are looked at";

/// Of ten; what systemd calls OK begins at 5. What is left of it is what an engine with a sound card and a network needs.
const MOST_EXPOSED: f64 = 2.0;

#[test]
fn the_engine_can_do_little_harm() {
    let Some(Day { health, .. }) = day() else { return };
    let Some(analysis) = &health.analysis else { return skipped("systemd-analyze security", NO_ANALYSIS) };
    println!("systemd-analyze security chronus.service: {}", analysis.exposure);
    assert!(analysis.exposure <= MOST_EXPOSED, "{}", analysis.exposure);
}

/// Blocks at which engines have gone on where another was ended, as they have said.
fn continued(said: &str) -> Vec<usize> {
    let numbers = said.split("continuing at block ").skip(1).map(|rest| rest.split(':').next().map(str::parse));
    numbers.map(|number| number.and_then(Result::ok).expect("a block")).collect()
}

#[test]
fn a_score_is_played_bit_for_bit_though_workers_and_the_supervisor_die() {
    let Some(day) = day() else { return };
    let Take { reference, said, .. } = &day.score;
    let audible = reference.iter().filter(|frame| **frame != [0, 0]).count();
    assert!(audible > 100_000, "the score is too silent to prove anything: {audible} frames");
    assert!(said.contains("NRestarts=2") && said.contains("Result=success"), "{said}");
    let beginnings: Vec<usize> = continued(said).into_iter().map(|block| block * 256).collect();
    assert_eq!(beginnings.len(), ENGINES - 1, "{said}");
    // Each engine goes on with the frame after the last that the one before has counted as played: `pieces_of_several` finds
    // it nowhere else. What is missing before it was in the card's buffers when they were thrown away.
    let found = pieces_of_several(&day.played, &day.score, &beginnings);
    for (piece, next) in found.iter().zip(&beginnings) {
        // Not counted, and played again: at most the block that was being handed over.
        assert!(piece.end <= next + 256, "{found:?} {beginnings:?} {said}");
        let lost = next.saturating_sub(piece.end);
        assert!(lost <= PERIODS * 256 + IN_THE_CARD, "{lost} frames lost: {found:?} {beginnings:?} {said}");
        println!("frames {piece:?} exact, {lost} lost with the supervisor");
    }
    let heard = reference.iter().rposition(|frame| *frame != [0, 0]).expect("a sound");
    assert!(found[2].end > heard, "{found:?}, the last one to be heard is {heard}; {said}");
}

#[test]
fn an_engine_counts_a_block_as_played_when_the_card_has_it() {
    let Some(day) = day() else { return };
    let [first, second] = continued(&day.score.said)[..] else { panic!("{}", day.score.said) };
    // The first of the card's buffer were silence, all but one period. No block that is counted is left out, and at most
    // the one that was on its way is not counted.
    let counted = (PERIODS - 1 + second - first) as u64 * 256;
    assert!((counted..=counted + 256).contains(&day.taken), "{} frames taken, {counted} counted", day.taken);
}

#[test]
fn what_is_played_by_osc_is_heard_bit_for_bit_and_a_card_that_comes_back_is_taken() {
    let Some(day) = day() else { return };
    let (without, again) = &day.without_card;
    assert_eq!((without.as_str(), again.as_str()), ("\"lost\"", "\"playing\""), "{}", day.live.said);
    let (pieces, xruns) = (pieces_of_one(&day.played, &day.live), told(&day.live.said, "xruns"));
    // This machine's four cores are one, so its card may run dry; that is no fault, but it is counted. Nothing else may
    // break the sound but that the card was away.
    let breaks = pieces.len() as u64 - 1;
    assert!(breaks <= xruns + 1, "{breaks} breaks, {xruns} underruns: {pieces:?}; {}", day.live.said);
    let missing: Vec<usize> = pieces.windows(2).map(|pair| pair[1].start - pair[0].end).collect();
    let away =
        missing.iter().position(|missing| *missing > PERIODS * 256 + IN_THE_CARD).expect("it was away for longer");
    let played = |pieces: &[Range<usize>]| pieces.iter().map(Range::len).sum::<usize>();
    let (before, after) = (played(&pieces[..=away]), played(&pieces[away + 1..]));
    assert!(before > 30_000 && after > 30_000, "{before} frames, then {after}: {pieces:?}; {}", day.live.said);
    println!(
        "{before} frames before the card left, {after} after it came back; {xruns} underruns; missing: {missing:?}"
    );
    assert_eq!(told(&day.live.said, "late blocks"), 0, "{}", day.live.said);
}

#[test]
fn a_full_card_is_no_concern_of_the_sound() {
    let Some(day) = day() else { return };
    for what in ["ActiveState=active", "NRestarts=0", "late_blocks=0", "sound_card=\"playing\""] {
        assert!(day.full.contains(what), "{}", day.full);
    }
}

#[test]
fn the_engine_plays_on_without_the_card_it_was_started_from_and_replaces_its_workers() {
    let Some(day) = day() else { return };
    let (pieces, xruns) = (pieces_of_one(&day.played, &day.removed), told(&day.removed.said, "xruns"));
    assert!(pieces.len() as u64 <= 1 + xruns, "{xruns} underruns, but {pieces:?}; {}", day.removed.said);
    assert!(told(&day.removed.said, "kills survived") >= 40, "{}", day.removed.said);
}

#[test]
fn a_box_without_network_repairs_data_and_loses_nothing() {
    let Some(card) = card() else { return };
    let repaired = &card.repaired;
    assert_eq!((repaired.data.as_str(), repaired.kept.as_str()), ("repaired", "value = 7"));
    assert_eq!((repaired.state.as_str(), repaired.network.as_str()), ("running", "lo"));
}

#[test]
fn a_box_whose_own_partitions_are_rubbish_plays_and_makes_data_anew() {
    let Some(card) = card() else { return };
    assert_eq!(card.anew.data, "anew");
    assert_eq!(card.anew.state, "running");
    // Less than 8 MB are not worth growing for.
    assert!(card.anew.left_over < 8 << 20, "{} bytes of the disk are not DATA", card.anew.left_over);
}

#[test]
fn after_every_power_cut_the_box_is_back_with_what_was_set_last() {
    let Some(card) = card() else { return };
    assert!(card.cuts.count >= card::cuts(), "{} power cuts", card.cuts.count);
    assert!(card.cuts.wrong.is_empty(), "{:#?}", card.cuts.wrong);
    println!("{} power cuts in a row, {} of them while it started", card.cuts.count, card.cuts.while_starting);
}
