//! The ALSA sink on sound cards: emulated ones, in a virtual machine, which keep sample by sample what they were
//! given (tests/vm). Time in there is counted in instructions, so nothing else on this machine can disturb it.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use chronus_tests::build::{Build, chronus, project, target};
use chronus_tests::engine::{Folder, render, told};
use chronus_tests::recording::Recording;
use chronus_tests::score::Score;
use chronus_tests::skipped;
use rosc::OscType;

/// Left and right, as a card of 16 bits gets them.
type Frame = [i16; 2];

/// What a scenario in the virtual machine left.
struct Run {
    /// What its card played.
    played: Vec<Frame>,
    /// What it should have played.
    reference: Vec<Frame>,
    /// What engine and scenario said.
    said: String,
}

/// A scenario; all of them run in one virtual machine, once. `None` where there can be none.
fn run(scenario: &str) -> Option<&'static Run> {
    static RUNS: OnceLock<Option<[Run; 3]>> = OnceLock::new();
    let place = ["kill", "hold", "unplug"].iter().position(|name| *name == scenario).expect("a scenario");
    RUNS.get_or_init(run_all).as_ref().map(|runs| &runs[place])
}

fn run_all() -> Option<[Run; 3]> {
    let folder = Folder::new("alsa");
    let (score, rendered) = (folder.file("score.osc"), folder.file("reference.wav"));
    // Something to be heard from the start.
    Score::torture(48_000, 700, 31).at(0, "/gate/adsr", vec![OscType::Int(1)]).write(&score);
    render(Build::Release, &score, &rendered, &["--blocks", "700"]);
    let mut guest = Command::new(project().join("tests/vm/run-guest"));
    guest.arg(chronus(Build::Release)).arg(&score).arg(folder.file(".")).env("CARGO_TARGET_DIR", target());
    // With two periods the emulated card repeats a buffer at its start, whoever plays.
    let output = guest.args(["--score", "/score.osc", "--osc", "off", "--periods", "3"]).output();
    let output = output.expect("tests/vm/run-guest starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(3) {
        skipped("alsa", errors.rsplit_once("error: ").map_or(&*errors, |(_, reason)| reason).trim());
        return None;
    }
    assert!(output.status.success(), "{errors}");
    Some(["kill", "hold", "unplug"].map(|scenario| {
        let said = std::fs::read_to_string(folder.file(&format!("{scenario}.log"))).expect("the engine's words");
        assert!(said.contains("scenario ends: exit 0"), "{scenario}: {said}");
        let mut reference = quantised(&rendered);
        reference.truncate(told(&said, "played") as usize * 256);
        Run { played: card_frames(&folder.file(&format!("{scenario}.wav"))), reference, said }
    }))
}

/// What QEMU has kept of what a card played.
fn card_frames(path: &Path) -> Vec<Frame> {
    let bytes = std::fs::read(path).expect("a recording of the card");
    let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
    bytes[44..].chunks_exact(4).map(|frame| [sample(frame), sample(&frame[2..])]).collect()
}

/// A rendered file in 16 bits: to the nearest step, as `audio/quantise.rs` says.
fn quantised(path: &Path) -> Vec<Frame> {
    let step = |bits: u32| (f64::from(f32::from_bits(bits)) * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
    Recording::read(path).frames.into_iter().map(|frame| frame.map(step)).collect()
}

/// Where the first frame is that can be heard.
fn onset(frames: &[Frame]) -> usize {
    frames.iter().position(|frame| *frame != [0, 0]).expect("something can be heard")
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

#[test]
fn a_card_that_is_pulled_out_is_told_of_and_time_goes_on() {
    let Some(run) = run("unplug") else { return };
    assert!(run.said.contains("does not take 44100 Hz; it offers 48000 to 48000"), "{}", run.said);
    assert!(run.said.contains("the sound card is gone"), "{}", run.said);
    assert_eq!((run.told("xruns"), run.told("late blocks")), (0, 0), "{}", run.said);
    // In the beat: not standing still, and not as fast as workers can. By the virtual machine's own time, of which
    // the engine needs some to start.
    let (expected, played) = (run.told("guest time") * 48 / 256, run.told("played"));
    assert!(played <= expected && played > expected * 4 / 5, "{expected} blocks were due: {}", run.said);
    println!("{played} blocks, the last second of them without a card");
}
