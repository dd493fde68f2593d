//! The generated music, sent as OSC: passages at a musician's pace, and much denser ones.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chronus_tests::random::Random;
use chronus_tests::score::Score;
use rosc::{OscPacket, OscType, encoder};

/// Blocks of one generated score, which give some thousands of messages; then comes the next.
const BLOCKS: u64 = 20_000;

/// Sends messages to the engine until it is over, and counts them.
pub fn play(target: &str, seed: u64, over: &AtomicBool, sent: &AtomicU64) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(target).expect("a connection");
    let mut random = Random::new(seed);
    let mut messages = Vec::new().into_iter();
    let (mut passage_ends, mut slowest) = (Instant::now(), 0);
    while !over.load(Ordering::Relaxed) {
        let Some(message) = messages.next() else {
            messages = Score::torture(48_000, BLOCKS, random.bits()).messages().into_iter();
            continue;
        };
        // A score for tests is silent for a third of its time, and a wrong sample is only seen in sound.
        let lets_go = message.addr == "/gate/adsr" && message.args[0] == OscType::Int(0);
        if lets_go && random.below(4) > 0 {
            continue;
        }
        if passage_ends <= Instant::now() {
            passage_ends = Instant::now() + Duration::from_secs(2 + random.below(5));
            // Microseconds between two messages at most: slow hands, quick hands, a sequencer gone mad.
            slowest = [300_000, 60_000, 2_000][random.below(3) as usize];
        }
        let bytes = encoder::encode(&OscPacket::Message(message)).expect("a message encodes");
        sent.fetch_add(u64::from(socket.send(&bytes).is_ok()), Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(random.below(slowest)));
    }
}
