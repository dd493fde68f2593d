//! A live performance: an engine that is played by OSC, keeps its score, and records what it played.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rosc::{OscMessage, OscPacket, OscTime, OscType};

use crate::build::Build;
use crate::engine::{Engine, Folder, render, told};
use crate::process::send;
use crate::random::Random;
use crate::recording::Recording;

/// A performance that is going on.
pub struct Live {
    /// The engine.
    pub engine: Engine,
    build: Build,
    folder: Folder,
    socket: UdpSocket,
}

/// What a performance came to.
pub struct Outcome {
    /// What the engine said.
    pub output: String,
    /// Blocks that came too late.
    pub late: u64,
    /// Blocks that are not those of the kept score.
    pub differing: Vec<usize>,
    /// Blocks in which something is to be heard.
    pub audible: usize,
    /// The frames at which sound begins after some silence.
    pub onsets: Vec<usize>,
    /// Commands in the kept score.
    pub kept: u64,
    /// These commands, each with its time tag.
    pub commands: Vec<(OscTime, OscMessage)>,
}

impl Outcome {
    /// Checks that nothing differs but what late blocks explain: two for each, the ramp and the ramp back.
    pub fn assert_explained(&self) -> &Self {
        let (differing, late) = (self.differing.len() as u64, self.late);
        let first = self.differing.first();
        assert!(differing <= 2 * late, "{differing} blocks differ, first {first:?}; {late} were late: {}", self.output);
        self
    }

    /// A number of the engine's last lines.
    pub fn told(&self, what: &str) -> u64 {
        told(&self.output, what)
    }
}

impl Live {
    /// Starts a build in real time with more arguments and environment variables.
    pub fn start(build: Build, name: &str, more: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new(name);
        let (kept, sink) = (folder.file("kept.osc"), format!("paced:{}", folder.file("played.wav").display()));
        let kept = kept.to_str().expect("a path of text");
        let mut arguments = vec!["--keep-score", kept, "--sink", &sink, "--osc", "127.0.0.1:0"];
        arguments.extend(more);
        let engine = Engine::start_with(build, &arguments, variables);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(engine.address()).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        engine.wait_for_lockstep();
        Self { engine, build, folder, socket }
    }

    /// Plays for so long what `next` gives, with pauses shorter than `pause`, while workers are killed. Checks that what was
    /// played sounds as its kept score, in which each of these addresses is. Gives how many blocks were late.
    pub fn play_under_kills(
        self,
        played: Duration,
        seed: u64,
        pause: Duration,
        next: impl Fn(&mut Random) -> Vec<OscMessage>,
        addresses: impl IntoIterator<Item = String>,
    ) -> u64 {
        let (mut random, mut killed, started) = (Random::new(seed), 0, Instant::now());
        while started.elapsed() < played {
            next(&mut random).into_iter().for_each(|message| self.send_message(message));
            let workers = self.engine.workers();
            if !workers.is_empty() && random.below(3) == 0 {
                killed += u64::from(send(workers[random.below(workers.len() as u64) as usize], Signal::SIGKILL));
            }
            std::thread::sleep(Duration::from_millis(random.below(pause.as_millis() as u64)));
        }
        let outcome = self.finish();
        let mut kept = BTreeMap::<&str, u64>::new();
        for (_, message) in &outcome.commands {
            *kept.entry(&message.addr).or_default() += 1;
        }
        for address in addresses {
            assert!(kept.contains_key(address.as_str()), "{address} was never taken: {kept:?}");
        }
        let (audible, blocks) = (outcome.audible as u64, outcome.told("played"));
        println!("{killed} kills, {audible} of {blocks} blocks audible, {kept:?}");
        assert!(killed > 30 && audible > blocks / 3, "{killed} kills, {audible}");
        assert_eq!(outcome.told("divergences"), 0, "{}", outcome.output);
        outcome.assert_explained().late
    }

    /// Sends a message.
    pub fn send(&self, address: &str, arguments: Vec<OscType>) {
        self.send_message(OscMessage { addr: address.to_owned(), args: arguments });
    }

    /// Sends a message.
    pub fn send_message(&self, message: OscMessage) {
        self.send_packet(&OscPacket::Message(message));
    }

    /// Sends a packet.
    pub fn send_packet(&self, packet: &OscPacket) {
        let bytes = rosc::encoder::encode(packet).expect("a packet encodes");
        let _ = self.socket.send(&bytes);
    }

    /// The arguments of the next message that the engine sends back, waited for, which is one at this address.
    pub fn answer(&self, address: &str) -> Vec<OscType> {
        let message = self.next_message();
        assert_eq!(message.addr, address, "{message:?}");
        message.args
    }

    /// The messages of the bundle that the engine sends back next, waited for.
    pub fn bundle(&self) -> Vec<OscMessage> {
        let OscPacket::Bundle(bundle) = self.next_packet() else { panic!("the answer is a bundle") };
        let message = |packet| match packet {
            OscPacket::Message(message) => message,
            OscPacket::Bundle(_) => panic!("it is flat"),
        };
        bundle.content.into_iter().map(message).collect()
    }

    fn next_message(&self) -> OscMessage {
        let OscPacket::Message(message) = self.next_packet() else { panic!("the answer is a message") };
        message
    }

    fn next_packet(&self) -> OscPacket {
        let mut reply = [0; 65_536];
        let length = self.socket.recv(&mut reply).expect("an answer");
        rosc::decoder::decode_udp(&reply[..length]).expect("the answer is OSC").1
    }

    /// The next error the engine sends back, waited for: address, code and text.
    pub fn error(&self) -> [String; 3] {
        let message = self.next_message();
        assert_eq!(message.addr, "/error");
        let words = message.args.into_iter().map(|word| word.string().expect("three words")).collect::<Vec<_>>();
        words.try_into().expect("three words")
    }

    /// Stops the engine and compares what it has recorded with what its score gives. The last block, which is faded
    /// out, is left out of it.
    pub fn finish(self) -> Outcome {
        let (code, output) = self.engine.stop();
        assert_eq!(code, 0, "{output}");
        let reference = self.folder.file("reference.wav");
        let blocks = told(&output, "played") - 1;
        let kept = self.folder.file("kept.osc");
        render(self.build, &kept, &reference, &["--blocks", &blocks.to_string()]);
        let played = Recording::read(&self.folder.file("played.wav"));
        let differing = played.differing_blocks(&Recording::read(&reference));
        let late = told(&output, "late blocks");
        let score = std::fs::read(&kept).expect("the kept score");
        let audible = played.frames.chunks(abi::FRAMES).filter(|block| block.iter().flatten().any(|bits| *bits != 0));
        let (audible, onsets) = (audible.count(), played.onsets());
        Outcome { output, late, differing, audible, onsets, kept: commands(&score), commands: bundles(&score) }
    }
}

/// Bytes of a bundle without content, which says how long the score is: the word for a bundle and a time tag.
const EMPTY_BUNDLE: usize = 16;

/// Commands in a kept score: a count of bytes each, and a bundle of so many bytes, with one command or none.
fn commands(mut file: &[u8]) -> u64 {
    let mut count = 0;
    while let Some((length, rest)) = file.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length) as usize;
        file = &rest[length..];
        count += u64::from(length > EMPTY_BUNDLE);
    }
    count
}

/// The commands in a kept score, with their time tags.
fn bundles(mut file: &[u8]) -> Vec<(OscTime, OscMessage)> {
    let mut all = Vec::new();
    while let Some((length, rest)) = file.split_first_chunk::<4>() {
        let (bundle, rest) = rest.split_at(i32::from_be_bytes(*length) as usize);
        file = rest;
        let (_, packet) = rosc::decoder::decode_udp(bundle).expect("a bundle");
        let OscPacket::Bundle(bundle) = packet else { panic!("a score is made of bundles") };
        all.extend(bundle.content.into_iter().map(|packet| match packet {
            OscPacket::Message(message) => (bundle.timetag, message),
            OscPacket::Bundle(_) => panic!("bundles in it are flat"),
        }));
    }
    all
}
