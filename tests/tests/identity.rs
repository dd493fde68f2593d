//! Promise 4: one score, one hash: debug, release, with workers and without, x86-64 and aarch64.

use std::path::Path;
use std::process::{Command, Stdio};

use chronus_tests::build::{Build, firmware, project};
use chronus_tests::engine::{Engine, Folder, render};
use chronus_tests::score::Score;
use chronus_tests::skipped;

/// Ten minutes at 48 kHz.
const BLOCKS: u64 = 112_500;
const SEED: u64 = 2026;

/// FNV-1a (Fowler, Noll, Vo), 64 bits: nobody attacks a golden file, and it needs no library.
fn hash(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let hash = bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3));
    format!("{hash:016x}")
}

/// The hash on record. A change of the sound changes it, and has to be meant:
/// CHRONUS_WRITE_GOLDEN=1 writes it anew.
fn golden(name: &str, found: &str) -> String {
    let path = project().join("tests/golden").join(name);
    if std::env::var_os("CHRONUS_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{found}\n")).expect("the golden file is written");
    }
    std::fs::read_to_string(&path).unwrap_or_default().trim().to_owned()
}

#[test]
fn ten_minutes_of_torture_have_one_hash_everywhere() {
    one_hash_everywhere("torture.txt", &Score::torture(48_000, BLOCKS, SEED), BLOCKS);
}

#[test]
fn a_minute_of_the_whole_instrument_has_one_hash_everywhere() {
    one_hash_everywhere("instrument.txt", &Score::instrument(48_000, BLOCKS / 10, SEED), BLOCKS / 10);
}

fn one_hash_everywhere(on_record: &str, torture: &Score, blocks: u64) {
    let folder = Folder::new("identity");
    let score = folder.file("torture.osc");
    torture.write(&score);
    let blocks = blocks.to_string();
    let more = ["--blocks", blocks.as_str()];

    let output = folder.file("release.wav");
    render(Build::Release, &score, &output, &more);
    let release = hash(&output);
    println!("release {release}, {} messages", torture.length());
    assert_eq!(release, golden(on_record, &release), "the sound is not the one on record");

    let output = folder.file("debug.wav");
    render(Build::Debug, &score, &output, &more);
    assert_eq!(hash(&output), release, "debug");
    std::fs::remove_file(&output).expect("the file is removed");

    let output = folder.file("workers.wav");
    let sink = format!("free:{}", output.display());
    let score_text = score.to_str().expect("text");
    let engine =
        Engine::start(Build::Release, &["--score", score_text, "--sink", &sink, "--blocks", &blocks, "--osc", "off"]);
    assert_eq!(engine.wait().0, 0);
    assert_eq!(hash(&output), release, "two workers");
    std::fs::remove_file(&output).expect("the file is removed");

    let output = folder.file("aarch64.wav");
    if render_on_aarch64(&score, &output, &more) {
        assert_eq!(hash(&output), release, "aarch64");
        println!("aarch64 {release}");
    }
}

/// Renders with the box's program in an emulator; says SKIPPED where there is none.
fn render_on_aarch64(score: &Path, output: &Path, more: &[&str]) -> bool {
    let Some(program) = firmware("identity on aarch64") else { return false };
    let mut command = Command::new(if cfg!(target_arch = "aarch64") { "env" } else { "qemu-aarch64-static" });
    command.arg(program).arg("render").args([score, output]).args(more).stdout(Stdio::null());
    match command.status() {
        Ok(status) => {
            assert!(status.success(), "the box's program failed");
            true
        }
        Err(error) => {
            skipped("identity on aarch64", &format!("qemu-aarch64-static: {error}; install qemu-user-static"));
            false
        }
    }
}

#[test]
fn every_rate_has_its_own_hash_on_record() {
    let folder = Folder::new("rates");
    for rate in [44_100, 96_000] {
        let (score, output) = (folder.file("rate.osc"), folder.file("rate.wav"));
        Score::torture(rate, 5000, u64::from(rate)).write(&score);
        render(Build::Release, &score, &output, &["--rate", &rate.to_string(), "--blocks", "5000"]);
        let found = hash(&output);
        assert_eq!(found, golden(&format!("rate-{rate}.txt"), &found), "{rate} Hz");
    }
}
