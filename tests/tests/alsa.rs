//! The ALSA sink on sound cards: emulated ones, in a virtual machine, which keep sample by sample what they were
//! given (tests/vm). Time in there is counted in instructions, so nothing else on this machine can disturb it.

use std::process::Command;
use std::sync::OnceLock;

use chronus_tests::build::{Build, chronus, project, target};
use chronus_tests::engine::{Engine, Folder, number, render, told};
use chronus_tests::score::Score;
use chronus_tests::skipped;
use chronus_tests::sound_card::{Frame, IN_THE_CARD, card_frames, onset, pieces, quantised, stretches};

/// The scenarios.
const SCENARIOS: [&str; 8] = ["auto", "kill", "hold", "busy", "storm", "suspend", "offers", "unplug"];

/// Periods in the cards' buffers. With two the emulated card repeats a buffer at its start, whoever plays.
const PERIODS: usize = 3;

/// What a scenario in the virtual machine left.
struct Run {
    /// What its card played; after `unplug`, what the card did that was plugged in again.
    played: Vec<Frame>,
    /// What it should have played.
    reference: Vec<Frame>,
    /// What engine and scenario said.
    said: String,
}

/// A scenario; all of them run in one virtual machine, once. `None` where there can be none.
fn run(scenario: &str) -> Option<&'static Run> {
    static RUNS: OnceLock<Option<[Run; SCENARIOS.len()]>> = OnceLock::new();
    let place = SCENARIOS.iter().position(|name| *name == scenario).expect("a scenario");
    RUNS.get_or_init(run_all).as_ref().map(|runs| &runs[place])
}

fn run_all() -> Option<[Run; SCENARIOS.len()]> {
    let folder = Folder::new("alsa");
    let (score, rendered) = (folder.file("score.osc"), folder.file("reference.wav"));
    Score::audible(48_000, 700, 31).write(&score);
    render(Build::Release, &score, &rendered, &["--blocks", "700"]);
    let mut guest = Command::new(project().join("tests/vm/run-guest"));
    guest.arg(chronus(Build::Release)).arg(&score).arg(folder.file(".")).env("CARGO_TARGET_DIR", target());
    let periods = PERIODS.to_string();
    let output = guest.args(["--score", "/score.osc", "--osc", "off", "--periods", &periods]).output();
    let output = output.expect("tests/vm/run-guest starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(3) {
        skipped("alsa", errors.rsplit_once("error: ").map_or(&*errors, |(_, reason)| reason).trim());
        return None;
    }
    assert!(output.status.success(), "{errors}");
    Some(SCENARIOS.map(|scenario| {
        let said = std::fs::read_to_string(folder.file(&format!("{scenario}.log"))).expect("the engine's words");
        assert!(said.contains("scenario ends: exit 0"), "{scenario}: {said}");
        let mut reference = quantised(&rendered);
        reference.truncate(told(&said, "played") as usize * 256);
        let card = match scenario {
            "unplug" => "back",
            "auto" | "offers" => "kill",
            _ => scenario,
        };
        Run { played: card_frames(&folder.file(&format!("{card}.wav"))), reference, said }
    }))
}

impl Run {
    /// Blocks of the reference that the card did not play exactly so at that very place, counted from the first
    /// frame that can be heard. After them there must be silence.
    fn differing_blocks(&self) -> Vec<usize> {
        let silence = onset(&self.played).checked_sub(onset(&self.reference)).expect("the beginning was played");
        let played = &self.played[silence..];
        assert!(played.len() >= self.reference.len(), "the end was not played: {}", self.said);
        let (played, rest) = played.split_at(self.reference.len());
        assert!(rest.iter().all(|frame| *frame == [0, 0]), "something was played after the end: {}", self.said);
        let blocks = played.chunks(256).zip(self.reference.chunks(256));
        blocks.enumerate().filter(|(_, (played, block))| played != block).map(|(number, _)| number).collect()
    }

    /// The block from which on the card, when it was taken for the last time, played the reference bit for bit to
    /// the end. Right before it are the silent blocks that fill the card's buffer, as they do at the start: so the
    /// latency is the same.
    fn taken_at(&self) -> usize {
        let is_silent = |frame: &Frame| *frame == [0, 0];
        let heard = |frames: &[Frame]| frames.iter().rposition(|frame| !is_silent(frame)).expect("a sound") + 1;
        let (played, reference) = (&self.played[..heard(&self.played)], &self.reference[..heard(&self.reference)]);
        let same =
            played.iter().rev().zip(reference.iter().rev()).take_while(|(played, frame)| played == frame).count();
        // If the reference is silent just before, that silence is the same too.
        let block = (reference.len() - same).div_ceil(256);
        let start = (played.len() + block * 256).checked_sub(reference.len()).expect("the end was played");
        let filling = played[..start].iter().rev().take_while(|frame| is_silent(frame)).count();
        let did = || format!("{:?}; {}", stretches(played, reference), self.said);
        assert!(same >= 20_000, "only the last {same} frames are those of the reference: {}", did());
        assert!(filling >= (PERIODS - 1) * 256, "{filling} silent frames before block {block}: {}", did());
        block
    }

    /// How often something was said.
    fn said(&self, what: &str) -> usize {
        self.said.matches(what).count()
    }

    fn told(&self, what: &str) -> u64 {
        told(&self.said, what)
    }
}

#[test]
fn a_card_plays_the_reference_bit_for_bit_while_workers_are_killed() {
    let Some(run) = run("kill") else { return };
    let audible = run.reference.iter().filter(|frame| **frame != [0, 0]).count();
    assert!(audible > 50_000, "the score is too silent to prove anything: {audible} frames");
    assert_eq!(["played", "late blocks", "xruns"].map(|what| run.told(what)), [700, 0, 0], "{}", run.said);
    assert_eq!(run.differing_blocks(), [0; 0], "{}", run.said);
    let (kills, survived) = (run.told("ms, kills"), run.told("kills survived"));
    assert!(kills >= 20 && survived >= 20, "{}", run.said);
    println!("{kills} kills in 700 blocks on a sound card, no differing sample");
}

#[test]
fn a_row_of_late_blocks_does_not_run_the_card_dry() {
    let Some(run) = run("hold") else { return };
    let late = run.told("late blocks");
    assert!(late >= 20, "nothing was late, so nothing was tried: {}", run.said);
    assert_eq!((run.told("played"), run.told("xruns")), (350, 0), "{}", run.said);
    // Each late block, and the ramp back after each of the three rows; the sound is not shifted by a frame.
    let differing = run.differing_blocks();
    assert!(differing.len() as u64 <= late + 3, "{late} late, but {differing:?} differ");
    println!("{late} late blocks in 3 rows, no underrun, no shift");
}

/// That the card was lost for this reason, and was taken again.
const GONE: &str = "the sound card is gone: ";
const BACK: &str = "the sound card plays, after ";

#[test]
fn a_card_that_is_pulled_out_and_plugged_in_plays_on_from_the_block_that_is_due() {
    let Some(run) = run("unplug") else { return };
    assert_eq!((run.said(GONE), run.said(BACK), run.said("it was unplugged")), (1, 1, 1), "{}", run.said);
    let states: Vec<_> = run.said.lines().filter(|line| line.starts_with("sound_card ")).collect();
    assert_eq!(states, ["sound_card playing", "sound_card lost", "sound_card playing"], "{}", run.said);
    assert_eq!(run.said("led  card-lost  "), 1, "the light says so while it is gone: {}", run.said);
    assert_eq!(["played", "xruns", "late blocks"].map(|what| run.told(what)), [700, 0, 0], "{}", run.said);
    let block = run.taken_at();
    assert!(run.told("taken") <= 1000, "not within a second of being there: {}", run.said);
    println!("taken again {} ms after it was there, bit for bit from block {block} of 700 on", run.told("taken"));
    // The paced beat is no faster and no slower than the card: the engine needs some time to start and to end.
    let (expected, played) = (run.told("guest time") * 48 / 256, run.told("played"));
    assert!(played <= expected && played > expected * 4 / 5, "{expected} blocks were due: {}", run.said);
}

#[test]
fn a_card_is_used_exactly_or_refused_with_what_it_offers() {
    let (Some(run), Some(unplug)) = (run("offers"), run("unplug")) else { return };
    let real = "does not take 44100 Hz; it offers 48000 to 48000. Start with --rate 48000";
    assert_eq!(unplug.said(real), 1, "{}", unplug.said);
    for (card, refused) in [
        ("only1024frames", "does not take a period of 256 frames; it offers 1024 to "),
        ("onlysubframes", "does not take any of 16, 24 or 32 bit samples, or float; it offers IEC958_SUBFRAME_LE. "),
        ("only44100", "does not take 48000 Hz; it offers 44100 to 44100. Start with --rate 44100"),
        // Not even where ALSA would do it.
        ("plug:only44100", "does not take 48000 Hz; it offers 44100 to 44100. Start with --rate 44100"),
    ] {
        let refused = format!("sound device '{card}' {refused}");
        assert_eq!((run.said(&refused), run.said(&format!("exit 1 on {card}\n"))), (1, 1), "{card}: {}", run.said);
    }
    assert_eq!((run.said("ALSA onlyfloat, Float32"), run.said("played 50 blocks")), (1, 1), "{}", run.said);
    // A rate that nobody named is the card's: half a second, as was asked for, of that rate.
    let chosen = "sound device 'only44100' does not take 48000 Hz; the engine runs at 44100 Hz";
    assert_eq!((run.said(chosen), run.said("played 87 blocks (0.51 s)")), (1, 1), "{}", run.said);
}

#[test]
fn auto_waits_for_a_card_and_takes_the_best_by_a_name_that_lasts() {
    let (Some(auto), Some(unplug)) = (run("auto"), run("unplug")) else { return };
    // None is there, and who insists on real time waits; then one of five.
    assert_eq!(auto.said("there is no sound card to play on: plug one in"), 1, "{}", auto.said);
    assert_eq!((auto.said("sound_card waiting"), auto.said("sound_card playing")), (1, 1), "{}", auto.said);
    let built_in = "why it is built in, and none is on the pins or at USB";
    assert!(auto.said.contains("card  device hw:CARD=Intel") && auto.said(built_in) == 1, "{}", auto.said);
    // Then there are all five and one at USB.
    let at_usb = "why it is at USB, and none is on the pins";
    assert!(unplug.said(at_usb) == 1 && !unplug.said.contains("device hw:CARD=Intel"), "{}", unplug.said);
    assert_eq!(unplug.said("why_not it is built in, and the one taken is at USB"), 5, "{}", unplug.said);
}

#[test]
fn a_card_that_is_named_and_absent_is_waited_for_and_a_typing_error_is_not() {
    for name in ["hw:CARD=Nobody", "front:CARD=Nobody,DEV=0"] {
        let engine = Engine::start(Build::Release, &["--sink", &format!("alsa:{name}"), "--osc", "127.0.0.1:0"]);
        engine.wait_for_lockstep();
        let status = engine.status();
        assert_eq!((status["sound_card"].as_str(), number(&status, "device_lost")), (Some("waiting"), 0), "{status}");
        let block = number(&status, "block");
        engine.wait_until("time to go on without a card", |status| number(status, "block") > block + 20);
        let (code, output) = engine.stop();
        assert_eq!(code, 0, "{output}");
    }
    let output = Command::new(chronus(Build::Release)).args(["run", "--sink", "alsa:hv:0", "--osc", "off"]).output();
    let output = output.expect("the engine starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("'hv:0' cannot be opened"), "{said}");
}

#[test]
fn a_card_that_is_busy_at_the_start_is_taken_when_it_is_free() {
    let Some(run) = run("busy") else { return };
    assert_eq!((run.said("in use by another program"), run.said(GONE), run.said(BACK)), (1, 0, 1), "{}", run.said);
    let states: Vec<_> = run.said.lines().filter(|line| line.starts_with("sound_card ")).collect();
    assert_eq!(states, ["sound_card waiting", "sound_card playing"], "{}", run.said);
    assert_eq!(["played", "xruns", "late blocks"].map(|what| run.told(what)), [500, 0, 0], "{}", run.said);
    println!("a card that was busy is played bit for bit from block {} of 500 on", run.taken_at());
}

#[test]
fn a_card_that_runs_dry_again_and_again_is_opened_anew() {
    let Some(run) = run("storm") else { return };
    let said = [GONE, BACK, "it ran dry again and again"].map(|what| run.said(what));
    assert_eq!((said, run.told("played")), ([2; 3], 500), "{}", run.said);
    // Every underrun is a break in the sound, and nothing else is one: after the last of a storm comes the return.
    let pieces = pieces(&run.played, &run.reference).unwrap_or_else(|wrong| panic!("{wrong}; {}", run.said));
    let (breaks, xruns) = (pieces.len() as u64 - 1, run.told("xruns"));
    assert!(breaks <= xruns, "{breaks} breaks, {xruns} underruns: {pieces:?}; {}", run.said);
    // An underrun costs what the card had; only the time without it costs more.
    let missing: Vec<usize> = pieces.windows(2).map(|pair| pair[1].start - pair[0].end).collect();
    let away = missing.iter().filter(|missing| **missing > PERIODS * 256 + IN_THE_CARD).count();
    assert_eq!(away, 2, "{missing:?} frames are missing; {}", run.said);
    println!("{xruns} underruns in 2 storms, {breaks} breaks, bit for bit from block {} of 500 on", run.taken_at());
}

#[test]
fn a_card_that_was_suspended_is_opened_anew() {
    let Some(run) = run("suspend") else { return };
    assert_eq!((run.said("it was suspended"), run.said(GONE), run.said(BACK)), (1, 1, 1), "{}", run.said);
    assert_eq!(run.told("played"), 500, "{}", run.said);
    println!("after the machine slept, bit for bit from block {} of 500 on", run.taken_at());
}
