//! The measurements.

use std::net::UdpSocket;
use std::process::{Child, Command};
use std::time::Duration;

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::process::{children, processor_time, resident_kib, send};
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use nix::sys::signal::Signal;
use nix::time::{ClockId, clock_gettime};
use serde_json::Value;

use crate::figures::Figures;

/// Now on CLOCK_MONOTONIC, in nanoseconds: the clock of the engine's own times.
fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
    time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
}

/// An engine that plays one note for a while.
pub struct Steady {
    /// Its last status.
    pub status: Value,
    /// Processor time of all workers for a block, in microseconds.
    pub workers_us: f64,
    /// Processor time of the whole engine, as a share of one core.
    pub share: f64,
    /// Resident memory: supervisor, then workers, in KiB.
    pub resident: Vec<u64>,
}

/// Lets an engine with so many workers play for so many seconds.
pub fn steady(workers: usize, seconds: u64) -> Steady {
    let workers = workers.to_string();
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0", "--workers", &workers]);
    engine.wait_for_lockstep();
    engine.send(&["/test"]);
    std::thread::sleep(Duration::from_secs(1));
    let processes = children(engine.id());
    let spent = |processes: &[u32]| processes.iter().map(|process| processor_time(*process)).sum::<u64>() as f64;
    let everyone = [&processes[..], &[engine.id()]].concat();
    let (begin, block) = (now(), engine.number("block"));
    let (by_workers, by_all) = (spent(&processes), spent(&everyone));
    std::thread::sleep(Duration::from_secs(seconds));
    let (by_workers, by_all) = (spent(&processes) - by_workers, spent(&everyone) - by_all);
    let (elapsed, blocks) = ((now() - begin) as f64, (engine.number("block") - block) as f64);
    Steady {
        status: engine.status(),
        workers_us: by_workers / blocks / 1000.0,
        share: by_all / elapsed,
        resident: [&[engine.id()], &processes[..]].concat().into_iter().map(resident_kib).collect(),
    }
}

/// Processes that keep every core from going to sleep, at the lowest priority there is. Ended when dropped.
pub struct Wakeful(Vec<Child>);

impl Wakeful {
    /// Starts one for each core.
    pub fn start() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let start = |_| {
            let mut shell = Command::new("nice");
            shell.args(["-n", "19", "sh", "-c", "while :; do :; done"]).spawn().expect("a shell starts")
        };
        Self((0..cores).map(start).collect())
    }
}

impl Drop for Wakeful {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What kills cost in time.
pub struct Deaths {
    /// From the kill to the supervisor knowing of it, in microseconds.
    pub known_us: Figures,
    /// From the kill to both slots publishing the same block again, in milliseconds.
    pub redundant_ms: Figures,
    /// The last status.
    pub status: Value,
}

/// Kills one worker after the other.
pub fn deaths(kills: usize) -> Deaths {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    engine.send(&["/test"]);
    let (mut known, mut redundant) = (Vec::new(), Vec::new());
    let mut random = Random::new(1);
    for kill in 0..kills {
        let slot = kill % 2;
        let before = engine.wait_for_lockstep();
        // Anywhere in a block.
        std::thread::sleep(Duration::from_micros(random.below(5333)));
        let time = now();
        send(number(&before, &format!("slots.{slot}.pid")) as u32, Signal::SIGKILL);
        let after =
            engine.wait_until("redundancy", |status| status["slots"][slot]["redundant_ns"].as_u64() > Some(time));
        known.push((number(&after, &format!("slots.{slot}.death_known_ns")) - time) as f64 / 1e3);
        redundant.push((number(&after, &format!("slots.{slot}.redundant_ns")) - time) as f64 / 1e6);
    }
    Deaths { known_us: Figures::new(known), redundant_ms: Figures::new(redundant), status: engine.status() }
}

/// From a message leaving a client to the first sample it changes.
pub struct Commands {
    /// Latency, in frames.
    pub frames: Figures,
    /// Deviation from the median, in frames.
    pub jitter: Figures,
    /// The latency the engine promises, in frames.
    pub promised: u64,
}

/// Plays short notes at random moments and looks in the recording where they begin.
pub fn commands(notes: usize) -> Commands {
    let folder = Folder::new("bench-commands");
    let recording = folder.file("played.wav");
    let sink = format!("paced:{}", recording.display());
    let engine = Engine::start(Build::Release, &["--sink", &sink, "--osc", "127.0.0.1:0"]);
    for (address, value) in [
        ("/mod/adsr/attack", "0.1"),
        ("/mod/adsr/release", "1"),
        ("/mod/sine/freq", "5000"),
        ("/mod/filter/cutoff", "20000"),
    ] {
        assert_eq!(engine.send(&[address, value]).0, 0);
    }
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let gate = |on: i32| {
        let message = rosc::OscMessage { addr: "/gate/adsr".to_owned(), args: vec![rosc::OscType::Int(on)] };
        rosc::encoder::encode(&rosc::OscPacket::Message(message)).expect("a message encodes")
    };
    let (address, [on, off]) = (engine.address(), [gate(1), gate(0)]);
    let mut random = Random::new(2);
    let mut times = Vec::new();
    for _ in 0..notes {
        std::thread::sleep(Duration::from_micros(40_000 + random.below(10_667)));
        times.push(now());
        socket.send_to(&on, &address).expect("sent");
        std::thread::sleep(Duration::from_millis(10));
        socket.send_to(&off, &address).expect("sent");
    }
    std::thread::sleep(Duration::from_millis(200));
    let status = engine.status();
    let (origin, promised) = (number(&status, "audio.clock_origin_ns"), number(&status, "commands.latency_frames"));
    engine.stop();
    let onsets = Recording::read(&recording).onsets();
    assert_eq!(onsets.len(), notes, "as many notes are heard as were played");
    let frame_of = |time: u64| (time - origin) as f64 * 48_000.0 / 1e9;
    let frames: Vec<f64> = onsets.iter().zip(times).map(|(onset, time)| *onset as f64 - frame_of(time)).collect();
    let median = Figures::new(frames.clone()).quantile(0.5);
    let jitter = frames.iter().map(|frames| (frames - median).abs()).collect();
    Commands { frames: Figures::new(frames), jitter: Figures::new(jitter), promised }
}

/// How late a thread without any privilege wakes on this machine, in microseconds, with the engine's period.
pub fn wake_up_of_this_machine(seconds: u64) -> Figures {
    let late = (0..seconds * 1_000_000 / 5333).map(|_| {
        let due = now() + 5_333_333;
        std::thread::sleep(Duration::from_nanos(5_333_333));
        now().saturating_sub(due) as f64 / 1000.0
    });
    Figures::new(late.collect())
}
