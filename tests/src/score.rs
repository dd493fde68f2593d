//! Scores, in the file format of scsynth -N.

use std::path::Path;

use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

use crate::random::Random;
use crate::tracks::Tracks;

/// A score being written: messages with the frame at which they take effect.
pub struct Score {
    rate: u32,
    messages: Vec<(u64, OscMessage)>,
}

/// Words after which the patch of the start is heard, whatever it was told before; each number has a pitch of its own.
pub fn audible_patch(number: u64) -> [(&'static str, OscType); 7] {
    [
        ("/mod/sine/gain", OscType::Float(0.5)),
        ("/mod/adsr/attack", OscType::Float(1.0)),
        ("/mod/adsr/sustain", OscType::Float(0.7)),
        ("/mod/filter/cutoff", OscType::Float(3000.0)),
        ("/mod/filter/mode", OscType::Int(0)),
        ("/mod/sine/freq", OscType::Float(200.0 + number as f32)),
        ("/gate/adsr", OscType::Int(1)),
    ]
}

/// Parameters a random score turns, with the range it uses; the ends go beyond what is allowed, to be clamped.
const TURNED: [(&str, f64, f64); 9] = [
    ("/mod/sine/freq", 0.05, 24_000.0),
    ("/mod/sine/gain", -0.1, 1.1),
    ("/mod/adsr/attack", 0.05, 300.0),
    ("/mod/adsr/decay", 0.05, 300.0),
    ("/mod/adsr/sustain", 0.0, 1.0),
    ("/mod/adsr/release", 0.05, 2000.0),
    ("/mod/filter/mode", 0.0, 2.0),
    ("/mod/filter/cutoff", 5.0, 24_000.0),
    ("/mod/filter/q", 0.05, 21.0),
];

impl Score {
    /// An empty score for a sample rate in Hz.
    pub fn new(rate: u32) -> Self {
        Self { rate, messages: Vec::new() }
    }

    /// Adds a message at a frame.
    pub fn at(&mut self, frame: u64, address: &str, arguments: Vec<OscType>) -> &mut Self {
        self.messages.push((frame, OscMessage { addr: address.to_owned(), args: arguments }));
        self
    }

    /// Takes away what is at this frame or later.
    pub fn end_at(&mut self, end: u64) {
        self.messages.retain(|(frame, _)| *frame < end);
    }

    /// Sample rate in Hz.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// A random score of so many blocks: every parameter over its whole range and beyond, thousands of gates, tracks
    /// that play and are told everything there is to tell, dense and sparse passages, long silent tails. The same seed
    /// gives the same score.
    pub fn torture(rate: u32, blocks: u64, seed: u64) -> Self {
        let (mut score, mut random) = (Self::new(rate), Random::new(seed));
        let (mut frame, end) = (0, blocks * 256);
        let mut tracks = Tracks::default();
        while frame < end {
            match random.below(10) {
                0..=3 => score.turn(frame, &mut random),
                8 | 9 => tracks.tell(&mut score, frame, &mut random),
                4..=6 => {
                    let on = i32::from(random.below(2) == 0);
                    score.at(frame, "/gate/adsr", vec![OscType::Int(on)]);
                }
                // On and off in one block.
                _ => {
                    score.at(frame, "/gate/adsr", vec![OscType::Int(1)]);
                    score.at(frame + random.below(200), "/gate/adsr", vec![OscType::Int(0)]);
                }
            }
            frame += match random.below(100) {
                // A silence in which filter and envelope die away.
                0 => {
                    score.at(frame, "/clock/stop", vec![]);
                    score.at(frame, "/gate/adsr", vec![OscType::Int(0)]);
                    u64::from(rate) * 3
                }
                1..=20 => random.below(4),
                _ => random.below(u64::from(rate) / 20),
            };
        }
        score.end_at(end);
        score
    }

    /// A random score in which there is something to be heard from the start, and again and again: where a sound is broken
    /// off can be told only of a sound.
    pub fn audible(rate: u32, blocks: u64, seed: u64) -> Self {
        let mut score = Self::torture(rate, blocks, seed);
        for block in (0..blocks).step_by(16) {
            for (address, value) in audible_patch(block) {
                score.at(block * 256, address, vec![value]);
            }
        }
        score
    }

    fn turn(&mut self, frame: u64, random: &mut Random) {
        let (address, low, high) = TURNED[random.below(TURNED.len() as u64) as usize];
        // Squared, so that low frequencies and short times get their share.
        let value = low + (high - low) * random.between(0.0, 1.0).powi(2);
        self.at(frame, address, vec![OscType::Float(value as f32)]);
    }

    /// Its messages, without their times.
    pub fn messages(&self) -> Vec<OscMessage> {
        self.messages.iter().map(|(_, message)| message.clone()).collect()
    }

    /// How many messages it has.
    pub fn length(&self) -> usize {
        self.messages.len()
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut messages: Vec<_> = self.messages.iter().collect();
        messages.sort_by_key(|(frame, _)| *frame);
        let mut file = Vec::new();
        for (frame, message) in messages {
            let bundle = OscBundle { timetag: self.tag(*frame), content: vec![OscPacket::Message(message.clone())] };
            let bytes = encoder::encode(&OscPacket::Bundle(bundle)).expect("a message encodes");
            file.extend((bytes.len() as i32).to_be_bytes());
            file.extend(bytes);
        }
        file
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.to_bytes()).expect("the score is written");
    }

    /// The time tag of a frame, rounded to the nearest of the 2^-32 seconds a tag can tell.
    fn tag(&self, frame: u64) -> OscTime {
        let rate = u64::from(self.rate);
        let fraction = ((u128::from(frame % rate) << 32) + u128::from(rate) / 2) / u128::from(rate);
        OscTime { seconds: (frame / rate) as u32, fractional: fraction as u32 }
    }
}
