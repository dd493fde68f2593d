//! Scores that play a whole instrument: a module of every type, its parameters, its notes, and edits of it while it sounds.

use dsp::instrument::Kind;
use dsp::kernel::Parameter;
use rosc::OscType;

use crate::random::Random;
use crate::score::Score;
use crate::tracks::{Targets, Tracks};

/// What is connected, and how much: voices two ways to the output, through a delay that hears itself and a reverb.
pub const CONNECTIONS: [(&str, &str, f32); 25] = [
    ("the-voice", "the-osc", 1.0),
    ("the-voice", "the-adsr", 1.0),
    ("the-voice", "the-sine", 1.0),
    ("the-voice", "the-noise", 1.0),
    ("the-voice", "the-lfo", 1.0),
    ("the-voice.velocity", "the-svf.cutoff", 2.0),
    ("the-voice.pitch", "the-ladder.cutoff", 1.0),
    ("the-osc", "the-mixer.in1", 0.5),
    ("the-sine", "the-mixer.in2", 0.5),
    ("the-noise", "the-mixer.in3", 0.1),
    ("the-lfo", "the-svf.cutoff", 1.5),
    ("the-lfo", "the-osc.width", 0.3),
    ("the-mixer", "the-svf", 1.0),
    ("the-svf", "the-ladder", 1.0),
    ("the-ladder", "the-vca", 1.0),
    ("the-adsr", "the-vca.level", 1.0),
    ("the-vca", "the-distortion", 1.0),
    ("the-distortion", "the-pan", 0.5),
    ("the-lfo", "the-pan.pan", 0.5),
    ("the-pan", "the-delay", 1.0),
    ("the-delay", "the-filter", 1.0),
    // The delay hears itself through the filter.
    ("the-filter", "the-delay.return", 0.3),
    ("the-filter", "the-reverb", 1.0),
    ("the-reverb", "out", 0.4),
    ("the-pan", "out", 0.2),
];

/// What tracks play: voices, with a lane for their notes.
const TARGETS: Targets = Targets {
    gate: "the-voice",
    lanes: [
        ("pitch", "the-voice note", 24.0, 96.0),
        ("level", "the-sine gain", 0.0, 1.0),
        ("color", "the-svf cutoff", 100.0, 9000.0),
        ("late", "the-delay time", 1.0, 2000.0),
    ],
};

/// The name of the module of a type.
fn name_of(kind: &str) -> String {
    format!("the-{kind}")
}

fn words(words: &[&str]) -> Vec<OscType> {
    words.iter().map(|word| OscType::from(*word)).collect()
}

/// The messages that make the patch, each an address and its arguments, without the commit.
pub fn patch() -> Vec<(&'static str, Vec<OscType>)> {
    let clear = [("/patch/clear", Vec::new())];
    let modules = Kind::names().map(|kind| ("/patch/create", words(&[&name_of(kind), kind])));
    let connects = CONNECTIONS.map(|(source, destination, amount)| {
        let mut arguments = words(&[source, destination]);
        arguments.push(OscType::Float(amount));
        ("/patch/connect", arguments)
    });
    clear.into_iter().chain(modules).chain(connects).collect()
}

/// All parameters of all types, by their addresses.
fn parameters() -> Vec<(String, &'static Parameter)> {
    let of_kind = |kind: &'static str| {
        let parameters = Kind::from_name(kind).map_or(&[][..], |kind| kind.row().parameters);
        parameters.iter().map(move |parameter| (format!("/mod/{}/{}", name_of(kind), parameter.name), parameter))
    };
    Kind::names().flat_map(of_kind).collect()
}

impl Score {
    /// A random score of so many blocks for the whole instrument: notes, gates, every parameter over its whole range and beyond,
    /// and edits every half second. The same seed gives the same score.
    pub fn instrument(rate: u32, blocks: u64, seed: u64) -> Self {
        let (mut score, mut random, parameters) = (Self::new(rate), Random::new(seed), parameters());
        for (address, arguments) in patch() {
            score.at(0, address, arguments);
        }
        score.at(0, "/patch/commit", vec![]);
        let (mut frame, mut edited, end) = (2048, 0, blocks * 256);
        let mut tracks = Tracks::of(TARGETS);
        while frame < end {
            if frame >= edited + u64::from(rate) / 2 {
                edited = frame;
                score.edit(frame, &mut random);
            }
            match random.below(8) {
                0 => tracks.tell(&mut score, frame, &mut random),
                _ => score.play(frame, &mut random, &parameters),
            }
            frame += match random.below(100) {
                0 => {
                    score.at(frame, "/panic", vec![]);
                    u64::from(rate)
                }
                1..=20 => random.below(8),
                _ => random.below(u64::from(rate) / 10),
            };
        }
        score.end_at(end);
        score
    }

    fn play(&mut self, frame: u64, random: &mut Random, parameters: &[(String, &Parameter)]) {
        let note = OscType::Int(24 + random.below(84) as i32);
        match random.below(8) {
            0..=2 => {
                let velocity = OscType::Float(random.between(0.05, 1.0) as f32);
                self.at(frame, "/note/on", vec![OscType::from("the-voice"), note, velocity]);
            }
            3 | 4 => {
                self.at(frame, "/note/off", vec![OscType::from("the-voice"), note]);
            }
            5 => {
                self.at(frame, "/gate/the-adsr", vec![OscType::Bool(random.below(2) == 0)]);
            }
            _ => {
                let (address, parameter) = &parameters[random.below(parameters.len() as u64) as usize];
                let (low, high) = (parameter.minimum, parameter.maximum_at(self.rate()));
                // Squared, so that what is small gets its share; a little beyond, to be clamped.
                let value = low + (high - low) * 1.02 * random.between(0.0, 1.0).powi(2);
                self.at(frame, address, vec![OscType::Float(value as f32)]);
            }
        }
    }

    /// A module that comes, is connected and goes again: what is heard of it fades.
    fn edit(&mut self, frame: u64, random: &mut Random) {
        let kinds = ["filter", "svf", "distortion", "delay", "reverb"];
        let (name, kind) = (format!("spare{}", random.below(3)), kinds[random.below(kinds.len() as u64) as usize]);
        // What is there already, or not any more, is refused, and by every renderer alike.
        match random.below(4) {
            0 => self.at(frame, "/patch/delete", words(&[&name])),
            1 => self.at(frame, "/patch/disconnect", words(&["the-pan", "out"])),
            _ => {
                self.at(frame, "/patch/create", words(&[&name, kind]));
                self.at(frame, "/patch/connect", words(&["the-pan", &name]));
                self.at(frame, "/patch/connect", words(&[&name, "out"]))
            }
        };
        self.at(frame, "/patch/commit", vec![]);
    }
}

/// For odd seeds the torture of the patch at power-on, for even ones that of a whole instrument, which takes several times as
/// long to render.
pub fn of_either(blocks: u64, seed: u64) -> Score {
    if seed % 2 == 1 { Score::torture(48_000, blocks, seed) } else { Score::instrument(48_000, blocks, seed) }
}
