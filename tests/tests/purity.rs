//! Promise 5: the audio thread and the workers allocate nothing, fault nothing in, and make at most two system
//! calls a block. (That the worst block costs at most 1.5 times the median one is in quality.rs.)

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::process::{page_faults, send, thread_named};
use chronus_tests::score::Score;
use chronus_tests::skipped;
use nix::sys::signal::Signal;

/// An engine in real time that is being played.
struct Played {
    engine: Engine,
    socket: UdpSocket,
    messages: Vec<rosc::OscMessage>,
    sent: usize,
}

impl Played {
    fn start(build: Build, sink: &str) -> Self {
        let engine = Engine::start(build, &["--sink", sink, "--osc", "127.0.0.1:0"]);
        engine.wait_for_lockstep();
        let messages = Score::torture(48_000, 20_000, 21).messages();
        Self { engine, socket: UdpSocket::bind("127.0.0.1:0").expect("a socket"), messages, sent: 0 }
    }

    fn block(&self) -> u64 {
        self.engine.number("block")
    }

    /// Plays for so many blocks.
    fn play(&mut self, blocks: u64) {
        let end = self.block() + blocks;
        while self.block() < end {
            for _ in 0..10 {
                let message = self.messages[self.sent % self.messages.len()].clone();
                let bytes = rosc::encoder::encode(&rosc::OscPacket::Message(message)).expect("a message encodes");
                self.socket.send_to(&bytes, self.engine.address()).expect("the message is sent");
                self.sent += 1;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The real-time threads: process and thread.
    fn threads(&self) -> [(u32, u32); 3] {
        let status = self.engine.status();
        let [first, second] = [0, 1].map(|slot| number(&status, &format!("slots.{slot}.pid")) as u32);
        let audio = thread_named(self.engine.id(), "audio").expect("the audio thread");
        [(self.engine.id(), audio), (first, first), (second, second)]
    }
}

#[test]
fn no_real_time_thread_allocates() {
    let folder = Folder::new("audit");
    let sink = format!("paced:{}", folder.file("played.wav").display());
    let mut played = Played::start(Build::Audit, &sink);
    played.play(300);
    // Also while workers die and come back.
    for kill in 0..20 {
        send(played.threads()[1 + kill % 2].0, Signal::SIGKILL);
        played.play(10);
        played.engine.wait_for_lockstep();
    }
    let status = played.engine.status();
    let both = |key: &str| (0..2).map(|slot| number(&status, &format!("slots.{slot}.{key}"))).sum::<u64>();
    // On a busy machine a worker may have been too slow and been replaced: that is no allocation.
    assert_eq!(both("deaths") - both("declared"), 20, "a worker ended by itself: see the audit's message above");
    let (code, output) = played.engine.stop();
    assert_eq!(code, 0, "{output}");
}

#[test]
fn no_real_time_thread_faults_a_page_in() {
    let mut played = Played::start(Build::Release, "paced");
    let granted = played.engine.status()["real_time"].as_str().is_some_and(|text| text.starts_with("granted"));
    if !granted {
        skipped("page faults", "memory cannot be locked here; run as root or with `memlock unlimited`");
        return;
    }
    played.play(100);
    let before = played.threads().map(|(process, thread)| page_faults(process, thread));
    played.play(500);
    let after = played.threads().map(|(process, thread)| page_faults(process, thread));
    println!("page faults (minor, major) of audio thread and workers: {before:?} -> {after:?}");
    assert_eq!(before, after);
}

#[test]
fn at_most_two_system_calls_a_block() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        skipped("system calls", "strace is not installed");
        return;
    }
    let folder = Folder::new("strace");
    let mut played = Played::start(Build::Release, "paced");
    played.play(50);
    for (place, what) in ["audio thread", "worker 0", "worker 1"].into_iter().enumerate() {
        let Some((calls, blocks)) = count_calls(&mut played, place, &folder.file("report")) else {
            skipped("system calls", "this kernel does not let strace attach (see /proc/sys/kernel/yama/ptrace_scope)");
            return;
        };
        println!("{what}: {calls} system calls in {blocks} blocks");
        assert!(calls >= blocks / 2 && calls <= 2 * blocks, "{what}: {calls} system calls in {blocks} blocks");
    }
}

/// The system calls of a thread, by its place in [`Played::threads`], and in how many blocks. If the machine was so
/// busy that the thread's worker was replaced meanwhile, it is counted again.
fn count_calls(played: &mut Played, place: usize, report: &Path) -> Option<(u64, u64)> {
    for _ in 0..3 {
        let _ = std::fs::remove_file(report);
        played.engine.wait_for_lockstep();
        let thread = played.threads()[place].1;
        let mut strace = Command::new("strace");
        strace.args(["-c", "-o"]).arg(report).args(["-p", &thread.to_string()]);
        let before = played.block();
        let mut strace = strace.stderr(Stdio::null()).spawn().expect("strace starts");
        played.play(300);
        send(strace.id(), Signal::SIGINT);
        strace.wait().expect("strace ends");
        // Strace was attached for these blocks or fewer.
        let blocks = played.block() - before + 1;
        if played.threads()[place].1 == thread {
            let report = std::fs::read_to_string(report).unwrap_or_default();
            println!("{report}");
            return Some((total_calls(&report)?, blocks));
        }
    }
    panic!("workers were replaced three times in a row");
}

/// The calls of the last line of `strace -c`.
fn total_calls(report: &str) -> Option<u64> {
    let total = report.lines().rev().find(|line| line.trim_end().ends_with("total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}
