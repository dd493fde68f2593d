//! What the program promises to those who call it: options, status, a clean end, files that are whole.

use std::path::Path;
use std::process::Command;

use chronus_tests::build::{Build, chronus};
use chronus_tests::engine::{Engine, Folder, call, number, render};
use chronus_tests::process;
use chronus_tests::recording::{Recording, assert_identical};
use chronus_tests::score::Score;
use nix::sys::signal::Signal;
use rosc::OscType;
use serde_json::Value;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

#[test]
fn help_and_version_are_told() {
    let (code, version, _) = call(&["--version"]);
    assert_eq!((code, version.as_str()), (0, concat!("chronus ", env!("CARGO_PKG_VERSION"), "\n")));
    let (code, help, _) = call(&["--help"]);
    assert_eq!(code, 0);
    let commands = [
        "run",
        "render",
        "send",
        "status",
        "controls",
        "selftest",
        "jig",
        "tune",
        "check-config",
        "apply-config",
        "keep-learned",
    ];
    for command in commands {
        assert!(help.contains(&format!("  {command} ")), "{command} is in the help: {help}");
        let (code, own, _) = call(&[command, "--help"]);
        assert!(code == 0 && own.starts_with(&format!("chronus {command}")), "{own}");
    }
}

#[test]
fn the_status_as_json_has_every_key_that_was_promised() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    engine.wait_for_lockstep();
    assert_eq!(engine.send(&["/mod/sine/freq", "300"]).0, 0);
    let (code, told, error) = call(&["status", "--json", &engine.address()]);
    assert_eq!(code, 0, "{error}");
    let status: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&status["rate"], &status["lead"]), (&48_000.into(), &2.into()));
    assert_eq!(status["sink"], "paced");
    for key in ["block", "late_blocks", "xruns", "divergences"] {
        assert!(status[key].is_u64(), "{key} is a number: {told}");
    }
    let slots = status["slots"].as_array().expect("slots are a list");
    assert_eq!(slots.len(), 2);
    for (number, slot) in slots.iter().enumerate() {
        assert_eq!(slot["slot"], number);
        assert!(slot["epoch"].as_u64().is_some_and(|epoch| epoch > 0), "{told}");
        assert!(slot["state"].is_string(), "{told}");
        let pid = slot["pid"].as_u64().expect("a process id") as u32;
        assert!(engine.workers().contains(&pid), "{pid} is a worker");
    }
    for key in ["received", "applied", "refused"] {
        assert!(status["commands"][key].is_u64(), "commands.{key} is a number: {told}");
    }
    assert_eq!(status["commands"]["received"], 1);
    let (code, summary, _) = call(&["status", &engine.address()]);
    let pid = |slot: usize| format!("process {}\n", status["slots"][slot]["pid"]);
    assert!(code == 0 && summary.contains("both workers are in lockstep"), "{summary}");
    assert!(summary.contains(&pid(0)) && summary.contains(&pid(1)) && summary.contains("1 received"), "{summary}");
    let (code, table, _) = call(&["status", "--all", &engine.address()]);
    assert!(code == 0 && table.contains("slot 0  ") && table.contains("late_blocks  "), "{table}");
}

#[test]
fn sigterm_ramps_a_loud_note_down() {
    let folder = Folder::new("ramp");
    let recording = folder.file("played.wav");
    let sink = format!("paced:{}", text(&recording));
    let engine = Engine::start(Build::Release, &["--sink", &sink, "--osc", "127.0.0.1:0"]);
    let settings = [("/mod/sine/freq", "300"), ("/mod/sine/gain", "1"), ("/mod/filter/cutoff", "20000")];
    for (address, value) in settings.into_iter().chain([("/mod/adsr/sustain", "1"), ("/gate/adsr", "1")]) {
        assert_eq!(engine.send(&[address, value]).0, 0);
    }
    let block = engine.number("block");
    engine.wait_until("the steady note", |status| status["block"].as_u64().is_some_and(|now| now > block + 100));
    assert!(process::send(engine.id(), Signal::SIGTERM));
    let (code, output) = engine.wait();
    assert_eq!(code, 0, "{output}");
    let left = Recording::read(&recording).left();
    let (steady, last) = left.split_at(left.len() - 256);
    let steady = &steady[steady.len() - 50 * 256..];
    let peak = steady.iter().fold(0.0, |peak: f64, sample| peak.max(sample.abs()));
    let step = |samples: &[f64]| samples.windows(2).fold(0.0, |most: f64, pair| most.max((pair[1] - pair[0]).abs()));
    let allowed = step(steady);
    println!("peak {peak:.3}, steps of the note {allowed:.5}, of its end {:.5}", step(last));
    assert!(peak > 0.9, "the note is loud: {peak}");
    assert!(last[..128].iter().any(|sample| sample.abs() > 0.1), "the ramp is not a cut");
    assert_eq!(last[255], 0.0, "it ends in silence");
    let joint = (last[0] - steady[steady.len() - 1]).abs();
    // A ramp of 256 frames adds its own slope to that of the note.
    assert!(step(last).max(joint) <= allowed + peak / 200.0, "{} at the end, {allowed} in the note", step(last));
}

#[test]
fn run_equals_render_at_every_rate() {
    let folder = Folder::new("every-rate");
    for rate in ["44100", "96000"] {
        let (score, played, reference) =
            (folder.file("x.osc"), folder.file("played.wav"), folder.file("reference.wav"));
        Score::torture(rate.parse().expect("a number"), 1500, 5).write(&score);
        let sink = format!("free:{}", text(&played));
        let words = ["--rate", rate, "--score", text(&score), "--sink", &sink, "--blocks", "1500", "--osc", "off"];
        let (code, output) = Engine::start(Build::Release, &words).wait();
        assert_eq!(code, 0, "{output}");
        render(Build::Release, &score, &reference, &["--rate", rate, "--blocks", "1500"]);
        assert_identical(&played, &reference, rate);
        assert_eq!(Recording::read(&played).rate.to_string(), rate);
    }
}

#[test]
fn a_kept_score_renders_to_what_was_played() {
    let folder = Folder::new("kept");
    let [played, kept, rendered] = ["played.wav", "kept.osc", "rendered.wav"].map(|name| folder.file(name));
    let sink = format!("paced:{}", text(&played));
    let words = ["--sink", &sink, "--osc", "127.0.0.1:0", "--keep-score", text(&kept), "--rate", "96000"];
    let engine = Engine::start(Build::Release, &words);
    for words in [["/test", "1"], ["/mod/sine/freq", "700"], ["/mod/filter/mode", "highpass"], ["/gate/adsr", "0"]] {
        assert_eq!(engine.send(&words).0, 0);
    }
    let block = engine.number("block");
    let status =
        engine.wait_until("more blocks", |status| status["block"].as_u64().is_some_and(|now| now > block + 50));
    let (code, output) = engine.stop();
    assert_eq!(code, 0, "{output}");
    render(Build::Release, &kept, &rendered, &["--rate", "96000"]);
    let [played, rendered] = [&played, &rendered].map(|path| Recording::read(path));
    assert_eq!(played.frames.len(), rendered.frames.len());
    // The last block is the ramp of the end; a late block (status: late_blocks) is one of the machine.
    if status["late_blocks"] == 0 {
        let differing = played.differing_blocks(&rendered);
        assert!(differing.iter().all(|block| *block + 1 == played.frames.len() / 256), "{differing:?}");
    }
    assert!(rendered.left().iter().any(|sample| sample.abs() > 0.01), "something was played");
}

#[test]
fn after_a_full_disk_the_recording_is_whole() {
    let folder = Folder::new("disk");
    let (score, output) = (folder.file("x.osc"), folder.file("x.wav"));
    let mut notes = Score::new(48_000);
    notes.at(0, "/gate/adsr", vec![OscType::Int(1)]).write(&score);
    // A limit on the size of a file stands for the full disk: at 500 KiB, inside a block.
    let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" render \"$1\" \"$2\" --blocks 3000";
    let found = Command::new("sh").args(["-c", script]).arg(chronus(Build::Release)).args([&score, &output]).output();
    let found = found.expect("a shell");
    let told = String::from_utf8_lossy(&found.stderr);
    assert!(found.status.code() == Some(1) && told.contains("x.wav"), "{:?} {told}", found.status);
    // Reading it checks the header against the file.
    let frames = Recording::read(&output).frames.len();
    println!("{frames} frames were kept");
    assert!(frames > 10_000 && frames.is_multiple_of(256));
}

#[test]
fn a_large_environment_leaves_the_workers_their_stack() {
    // As much as a worker's stack may have, in variables of the largest size that Linux takes.
    let large = "x".repeat(120 << 10);
    let names: Vec<String> = (0..5).map(|number| format!("CHRONUS_TEST_LARGE_{number}")).collect();
    let variables: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &*large)).collect();
    let engine = Engine::start_with(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"], &variables);
    let status = engine.wait_for_lockstep();
    assert_eq!(["slots.0.deaths", "slots.1.deaths"].map(|key| number(&status, key)), [0, 0]);
    assert_eq!(engine.stop().0, 0);
}
