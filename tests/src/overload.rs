//! A performance with passages that need more than the period, and live notes between them.

use std::net::UdpSocket;
use std::ops::Range;
use std::process::Stdio;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use rosc::{OscMessage, OscPacket, OscType};

use crate::build::Build;
use crate::engine::{Engine, Folder, number, render, told};
use crate::process::processor_time;
use crate::recording::Recording;
use crate::score::Score;

/// Commands that one message of a passage is: it turns all parameters at once.
const EVERYTHING: (&str, u64) = ("/mod/*/*", 11);

/// Blocks of music before the first passage and after the last.
const MUSIC: u64 = 200;

/// Live notes in a row, 40 to 60 ms apart, and the blocks they may take at 48 kHz: a second and a half.
pub const NOTES: usize = 15;
const BLOCKS_OF_NOTES: u64 = 300;

/// The engine on which passages are played.
#[derive(Clone, Copy)]
pub struct Instrument {
    /// The build.
    pub build: Build,
    /// Environment variables.
    pub variables: &'static [(&'static str, &'static str)],
    /// Sample rate in Hz.
    pub rate: u32,
}

impl Instrument {
    fn start(self, folder: &Folder, more: &[&str]) -> Engine {
        let (rate, messages) = (self.rate.to_string(), std::fs::File::create(folder.file("messages")).expect("a file"));
        let arguments = [&["--rate", &rate, "--osc", "127.0.0.1:0"], more].concat();
        Engine::start_telling(self.build, &arguments, self.variables, Stdio::from(messages))
    }

    /// Nanoseconds of a block.
    pub fn period(self) -> f64 {
        256e9 / f64::from(self.rate)
    }

    /// Processor time in nanoseconds that a worker takes for a command of a passage here. `commands` is how many are
    /// tried in each of forty blocks: few enough to be in time, so many that they cost far more than the blocks.
    pub fn cost_of_a_command(self, commands: u64) -> f64 {
        let folder = Folder::new("overload-calibration");
        let (path, begin, blocks) = (folder.file("score.osc"), MUSIC * 2, 40);
        let mut score = Score::new(self.rate);
        add_passage(&mut score, begin..begin + blocks, commands);
        score.write(&path);
        let engine =
            self.start(&folder, &["--sink", "paced", "--score", path.to_str().expect("text"), "--seconds", "60"]);
        engine.wait_for_lockstep();
        let workers = engine.workers();
        let used = |block: u64| {
            let now = number(&engine.wait_until("a block", |status| number(status, "block") >= block), "block");
            (now as f64, workers.iter().map(|worker| processor_time(*worker)).sum::<u64>() as f64)
        };
        let (before, after, later) = (used(begin - 50), used(begin + blocks + 50), used(begin + blocks + 250));
        let quiet = (later.1 - after.1) / (later.0 - after.0);
        let extra = after.1 - before.1 - quiet * (after.0 - before.0);
        assert!(extra > 0.0, "the workers were replaced, or used nothing for the commands");
        extra / (workers.len() as u64 * blocks * messages_for(commands) * EVERYTHING.1) as f64
    }
}

/// Messages that are at least so many commands.
fn messages_for(commands: u64) -> u64 {
    commands.div_ceil(EVERYTHING.1)
}

fn add_passage(score: &mut Score, blocks: Range<u64>, commands: u64) {
    let messages = messages_for(commands);
    for block in blocks {
        for message in 0..messages {
            let value = 100.0 + (message % 7) as f32;
            score.at(block * 256 + message * 256 / messages, EVERYTHING.0, vec![OscType::Float(value)]);
        }
    }
}

/// A note for each ten blocks, of another pitch.
fn add_music(score: &mut Score, blocks: Range<u64>) {
    for (number, block) in blocks.step_by(10).enumerate() {
        score.at(block * 256 + 17, "/mod/sine/freq", vec![OscType::Float(200.0 + 31.0 * (number % 12) as f32)]);
        score.at(block * 256 + 17, "/gate/adsr", vec![OscType::Int(1)]);
        score.at(block * 256 + 1200, "/gate/adsr", vec![OscType::Int(0)]);
    }
}

/// Silence, in which a note begins sharply.
fn add_silence(score: &mut Score, block: u64) {
    score.at(block * 256, "/gate/adsr", vec![OscType::Int(0)]);
    for (address, value) in [
        ("/mod/adsr/attack", 0.1),
        ("/mod/adsr/release", 1.0),
        ("/mod/sine/freq", 5000.0),
        ("/mod/sine/gain", 0.5),
        ("/mod/filter/mode", 0.0),
        ("/mod/filter/cutoff", 20_000.0),
        ("/mod/filter/q", 0.7),
    ] {
        score.at(block * 256, address, vec![OscType::Float(value)]);
    }
}

/// A passage that needs more than the period.
#[derive(Clone, Debug)]
pub struct Passage {
    /// Its blocks.
    pub blocks: Range<u64>,
    /// Commands of each.
    pub commands: u64,
    /// The block at which the workers must have caught up.
    pub caught_up: u64,
}

/// What is heard of live notes.
#[derive(Debug)]
pub struct Notes {
    /// Median of the frames from a note being sent to its first sample.
    pub latency: f64,
    /// The latency the engine promises, in frames.
    pub promised: u64,
}

/// What a performance came to.
pub struct Outcome {
    /// The passages.
    pub passages: Vec<Passage>,
    /// Late blocks from the beginning of each passage to where the workers must have caught up.
    pub late: Vec<u64>,
    /// Late blocks elsewhere: something else on this machine.
    pub stray: u64,
    /// Blocks that are not those of the reference.
    pub differing: Vec<u64>,
    /// Workers replaced.
    pub replaced: u64,
    /// Notes before the first passage and after each.
    pub notes: Vec<Notes>,
    /// The last status.
    pub status: serde_json::Value,
    /// What the engine said.
    pub messages: String,
}

/// Plays passages of so many blocks, each block with `commands` commands, whose rendering takes `factor` periods.
pub fn perform(instrument: Instrument, lengths: &[u64], commands: u64, factor: f64) -> Outcome {
    let folder = Folder::new("overload");
    let (score, passages, blocks) = piece(instrument, lengths, commands, factor);
    let [written, kept, played, reference] =
        ["score.osc", "kept.osc", "played.wav", "reference.wav"].map(|name| folder.file(name));
    score.write(&written);
    let text = |path: &std::path::Path| path.to_str().expect("a path of text").to_owned();
    let (sink, length) = (format!("paced:{}", text(&played)), blocks.to_string());
    let files = ["--sink", &sink, "--score", &text(&written), "--keep-score", &text(&kept), "--blocks", &length];
    let engine = instrument.start(&folder, &files);
    let mut sent = vec![play_notes(&engine, MUSIC + 20)];
    let (mut late, mut late_before) = (Vec::new(), vec![engine.number("late_blocks")]);
    for passage in &passages {
        let status =
            engine.wait_until("the end of the overload", |status| number(status, "block") >= passage.caught_up);
        late.push(number(&status, "late_blocks") - late_before.last().expect("one"));
        engine.wait_for_lockstep();
        sent.push(play_notes(&engine, passage.caught_up + 40));
        late_before.push(engine.number("late_blocks"));
    }
    let status = engine.wait_until("the last blocks", |status| number(status, "block") + 30 > blocks);
    let (code, output) = engine.wait();
    assert_eq!(code, 0, "{output}");
    // What was played live, merged with the score: the score comes first in a frame, as in the engine.
    let merged = [&written, &kept].map(|path| std::fs::read(path).expect("a score")).concat();
    std::fs::write(folder.file("merged.osc"), merged).expect("a file");
    let rate = instrument.rate.to_string();
    render(instrument.build, &folder.file("merged.osc"), &reference, &["--rate", &rate, "--blocks", &length]);
    let played = Recording::read(&played);
    let differing = played.differing_blocks(&Recording::read(&reference));
    let onsets = played.onsets();
    Outcome {
        stray: told(&output, "late blocks") - late.iter().sum::<u64>(),
        late,
        differing: differing.into_iter().map(|block| block as u64).collect(),
        replaced: (0..2).map(|slot| number(&status, &format!("slots.{slot}.epoch")) - 1).sum(),
        notes: sent.iter().map(|sent| sent.heard(&onsets, instrument.rate)).collect(),
        messages: std::fs::read_to_string(folder.file("messages")).expect("its messages"),
        passages,
        status,
    }
}

/// Music; then silence for notes and a passage, again and again; silence for notes, music. With the number of blocks.
fn piece(instrument: Instrument, lengths: &[u64], commands: u64, factor: f64) -> (Score, Vec<Passage>, u64) {
    let mut score = Score::new(instrument.rate);
    let silence = BLOCKS_OF_NOTES * u64::from(instrument.rate) / 48_000;
    add_music(&mut score, 0..MUSIC);
    add_silence(&mut score, MUSIC);
    let (mut passages, mut block) = (Vec::new(), MUSIC + silence);
    for length in lengths {
        let blocks = block..block + length;
        // A block before, so that all blocks of the passage have the same number of commands.
        score.at((block - 1) * 256, "/gate/adsr", vec![OscType::Int(1)]);
        add_passage(&mut score, blocks.clone(), commands);
        // What is left when the passage is over; twice that, for the machine is shared, and half a second besides.
        let caught_up = block + (2.0 * factor * *length as f64) as u64 + (0.5e9 / instrument.period()) as u64;
        add_silence(&mut score, blocks.end);
        passages.push(Passage { blocks, commands: messages_for(commands) * EVERYTHING.1, caught_up });
        block = caught_up + silence;
    }
    add_music(&mut score, block..block + MUSIC);
    (score, passages, block + MUSIC)
}

/// Notes that were sent, and what the engine says of time.
struct Sent {
    /// When, on CLOCK_MONOTONIC.
    times: Vec<u64>,
    origin: u64,
    promised: u64,
}

/// Waits for a block and plays notes.
fn play_notes(engine: &Engine, block: u64) -> Sent {
    engine.wait_until("the time for notes", |status| number(status, "block") >= block);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(engine.address()).expect("a connection");
    let gate = |on: i32| {
        let message = OscMessage { addr: "/gate/adsr".to_owned(), args: vec![OscType::Int(on)] };
        socket.send(&rosc::encoder::encode(&OscPacket::Message(message)).expect("a message encodes")).expect("sent");
    };
    let times = (0..NOTES).map(|note| {
        // Anywhere in a block.
        std::thread::sleep(Duration::from_micros(40_000 + 1_234 * note as u64));
        let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
        gate(1);
        std::thread::sleep(Duration::from_millis(10));
        gate(0);
        time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
    });
    let times = times.collect();
    let status = engine.status();
    Sent {
        times,
        origin: number(&status, "audio.clock_origin_ns"),
        promised: number(&status, "commands.latency_frames"),
    }
}

impl Sent {
    /// Finds each note in the recording: the first sound that begins after it was sent.
    fn heard(&self, onsets: &[usize], rate: u32) -> Notes {
        let latencies = self.times.iter().map(|time| {
            let sent = (time - self.origin) as f64 * f64::from(rate) / 1e9;
            let onset = onsets.iter().find(|onset| **onset as f64 > sent).expect("the note is heard");
            *onset as f64 - sent
        });
        let mut latencies: Vec<f64> = latencies.collect();
        latencies.sort_by(f64::total_cmp);
        Notes { latency: latencies[latencies.len() / 2], promised: self.promised }
    }
}
