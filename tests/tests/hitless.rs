//! Promise 1: the output under kills is the output without them, bit for bit.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chronus_tests::build::{Build, kills};
use chronus_tests::engine::{Engine, Folder, render, told};
use chronus_tests::instrument_score::of_either;
use chronus_tests::process::send;
use chronus_tests::random::Random;
use chronus_tests::recording::{Recording, assert_identical};
use chronus_tests::score::Score;
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::Signal;

/// A score, its reference, and where a run is to record.
struct Piece {
    folder: Folder,
    blocks: u64,
}

impl Piece {
    fn new(name: &str, blocks: u64, seed: u64) -> Self {
        let piece = Self { folder: Folder::new(name), blocks };
        of_either(blocks, seed).write(&piece.score());
        render(Build::Release, &piece.score(), &piece.reference(), &["--blocks", &blocks.to_string()]);
        piece
    }

    fn score(&self) -> PathBuf {
        self.folder.file("score.osc")
    }

    fn reference(&self) -> PathBuf {
        self.folder.file("reference.wav")
    }

    fn recording(&self) -> PathBuf {
        self.folder.file("played.wav")
    }

    fn run(&self, build: Build, sink: &str, more: &[&str], variables: &[(&str, &str)]) -> Engine {
        let sink = format!("{sink}:{}", self.recording().display());
        let blocks = self.blocks.to_string();
        let score = self.score();
        let mut arguments = vec!["--score", path(&score), "--sink", &sink, "--blocks", &blocks, "--osc", "off"];
        arguments.extend(more);
        Engine::start_with(build, &arguments, variables)
    }

    fn assert_recording_is_the_reference(&self, what: &str) {
        assert_identical(&self.recording(), &self.reference(), what);
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// Kills random workers at random moments until the engine has ended; gives how many were killed.
fn kill_until_the_end(engine: &mut Engine, random: &mut Random, longest_pause: Duration) -> u64 {
    let mut killed = 0;
    while engine.running() {
        let workers = engine.workers();
        if !workers.is_empty() && send(workers[random.below(workers.len() as u64) as usize], Signal::SIGKILL) {
            killed += 1;
        }
        std::thread::sleep(Duration::from_nanos(random.below(longest_pause.as_nanos() as u64)));
    }
    killed
}

#[test]
fn random_kills_at_a_raised_pace_change_no_bit() {
    let mut random = Random::new(1);
    let (mut killed, mut round) = (0, 0);
    // Not pinned, both workers on one core, each on its own.
    let placements: [&[&str]; 3] = [&[], &["--cores", "0,0,0"], &["--cores", "0,0,1"]];
    while killed < kills() {
        let seed = 100 + round;
        // Those of even seeds take several times as long.
        let blocks = (60_000 + random.below(60_000)) / if seed % 2 == 0 { 6 } else { 1 };
        let piece = Piece::new("hitless", blocks, seed);
        let mut more = placements[round as usize % placements.len()].to_vec();
        if more.last() == Some(&"0,0,1") && std::thread::available_parallelism().map_or(1, usize::from) < 2 {
            more.clear();
        }
        let lead = (1 + round % 4).to_string();
        more.extend(["--lead", &lead]);
        let mut engine = piece.run(Build::Release, "free", &more, &[]);
        let here = kill_until_the_end(&mut engine, &mut random, Duration::from_millis(3));
        let (code, output) = engine.wait();
        assert_eq!(code, 0, "{output}");
        piece.assert_recording_is_the_reference(&format!("round {round} ({here} kills, {more:?})"));
        assert_eq!(told(&output, "divergences"), 0);
        killed += here;
        round += 1;
    }
    println!("{killed} kills in {round} rounds, no differing sample");
}

#[test]
fn random_kills_in_real_time_change_no_bit() {
    // Of the whole instrument.
    let piece = Piece::new("hitless-paced", 3000, 8);
    // A late block means that this machine, not a kill, took the time from both workers: then the run says
    // nothing about kills and is done again. Whatever differs must be explained by a late block.
    let mut attempt = 0;
    undisturbed(|| {
        attempt += 1;
        let mut engine = piece.run(Build::Release, "paced", &[], &[]);
        let killed = kill_until_the_end(&mut engine, &mut Random::new(attempt), Duration::from_millis(60));
        let (code, output) = engine.wait();
        assert_eq!(code, 0, "{output}");
        let late = told(&output, "late blocks");
        let differing =
            Recording::read(&piece.recording()).differing_blocks(&Recording::read(&piece.reference())).len();
        assert!(differing as u64 <= 2 * late, "{differing} blocks differ, {late} were late, {killed} kills");
        if late == 0 {
            piece.assert_recording_is_the_reference("in real time");
            assert!(killed > 100, "only {killed} kills");
            println!("{killed} kills in 16 s of real time, no differing sample (attempt {attempt})");
        }
        late
    });
}

/// Adds the deaths of a run's line about kill points to those of the runs before.
fn add_deaths(output: &str, deaths: &mut BTreeMap<String, u64>) {
    let line = output.lines().find_map(|line| line.strip_prefix("kill points: ")).expect("this build counts them");
    for entry in line.split(", ") {
        let (point, count) = entry.split_once(' ').expect("a name and a number");
        *deaths.entry(point.to_owned()).or_default() += count.parse::<u64>().expect("a number");
    }
}

#[test]
fn a_kill_at_every_instruction_that_matters_changes_no_bit() {
    // Of the whole instrument: it has tapes, too.
    let piece = Piece::new("kill-points", 20_000, 10);
    let mut deaths = BTreeMap::new();
    for round in 0..8 {
        let engine = piece.run(Build::Faults, "free", &["--lead", "1"], &[("CHRONUS_FAULTS", "kill")]);
        let (code, output) = engine.wait();
        assert_eq!(code, 0, "{output}");
        piece.assert_recording_is_the_reference(&format!("kill points, round {round}"));
        add_deaths(&output, &mut deaths);
    }
    // The points of reading the log need a log: a live performance, compared with what is kept of it.
    for seed in 0..8 {
        let output = live_performance(Build::Faults, seed, &[("CHRONUS_FAULTS", "kill")], |_| {});
        add_deaths(&output, &mut deaths);
    }
    println!("deaths at each kill point: {deaths:?}");
    assert!(deaths.len() >= 25);
    for (point, count) in deaths {
        assert!(count >= 5, "{point} was hit {count} times only");
    }
}

/// Plays live for ten seconds of real time while `meanwhile` is called again and again; then what was kept of
/// it as a score, rendered, must be what was recorded. Gives what the engine said.
fn live_performance(build: Build, seed: u64, variables: &[(&str, &str)], mut meanwhile: impl FnMut(&Engine)) -> String {
    let folder = Folder::new("live");
    let (kept, recording) = (folder.file("kept.osc"), folder.file("played.wav"));
    let sink = format!("paced:{}", recording.display());
    let arguments = ["--keep-score", path(&kept), "--sink", &sink, "--osc", "127.0.0.1:0", "--seconds", "10"];
    let mut engine = Engine::start_with(build, &arguments, variables);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let messages = Score::torture(48_000, 20_000, seed).messages();
    for message in messages.iter().cycle() {
        if !engine.running() {
            break;
        }
        let bytes = rosc::encoder::encode(&rosc::OscPacket::Message(message.clone())).expect("a message encodes");
        let _ = socket.send_to(&bytes, engine.address());
        meanwhile(&engine);
        std::thread::sleep(Duration::from_millis(1));
    }
    let (code, output) = engine.wait();
    assert_eq!(code, 0, "{output}");
    let (blocks, late) = (told(&output, "played"), told(&output, "late blocks"));
    let reference = folder.file("reference.wav");
    render(Build::Release, &kept, &reference, &["--blocks", &blocks.to_string()]);
    let differing = Recording::read(&recording).differing_blocks(&Recording::read(&reference));
    let first = differing.first();
    assert!(differing.len() as u64 <= 2 * late, "{} blocks differ, first {first:?}; {late} were late", differing.len());
    output
}

#[test]
fn what_is_played_live_under_kills_can_be_rendered_again_bit_for_bit() {
    // Whatever differs must be explained by a late block (see `live_performance`), and one performance has none.
    let mut seed = 0;
    undisturbed(|| {
        seed += 1;
        let mut random = Random::new(seed);
        let mut killed = 0;
        let output = live_performance(Build::Release, seed, &[], |engine| {
            let workers = engine.workers();
            if random.below(20) == 0 && !workers.is_empty() {
                killed += u64::from(send(workers[random.below(workers.len() as u64) as usize], Signal::SIGKILL));
            }
        });
        let late = told(&output, "late blocks");
        println!("{killed} kills during a live performance, {late} late blocks");
        assert!(killed > 100);
        late
    });
}
