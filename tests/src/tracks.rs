//! Random words for the clock and tracks, as part of a score.

use rosc::OscType;

use crate::random::Random;
use crate::score::Score;

/// Names of the tracks.
const NAMES: [&str; 3] = ["kick", "hat", "bass"];

/// What tracks play.
#[derive(Clone, Copy)]
pub struct Targets {
    /// The module whose gate or notes they play.
    pub gate: &'static str,
    /// What lanes set: the lane, the module and its parameter, and the least and greatest value.
    pub lanes: [(&'static str, &'static str, f64, f64); 4],
}

/// In the patch at power-on.
const POWER_ON: Targets = Targets {
    gate: "adsr",
    lanes: [
        ("pitch", "sine freq", 30.0, 2000.0),
        ("level", "sine gain", 0.0, 1.0),
        ("color", "filter cutoff", 100.0, 9000.0),
        ("edge", "filter q", 0.1, 9.0),
    ],
};

/// Which tracks there are in a score so far.
pub struct Tracks {
    made: [bool; NAMES.len()],
    targets: Targets,
}

impl Default for Tracks {
    fn default() -> Self {
        Self::of(POWER_ON)
    }
}

impl Tracks {
    /// None yet, which will play these.
    pub fn of(targets: Targets) -> Self {
        Self { made: Default::default(), targets }
    }

    /// Tells the clock or a track something at a frame: a track that is not there yet is made, and plays.
    pub fn tell(&mut self, score: &mut Score, frame: u64, random: &mut Random) {
        let number = random.below(NAMES.len() as u64) as usize;
        let track = NAMES[number];
        if !std::mem::replace(&mut self.made[number], true) {
            self.make(score, frame, track, random);
            return;
        }
        let mut say = |address: &str, more: Vec<OscType>| {
            score.at(frame, address, [OscType::from(track)].into_iter().chain(more).collect());
        };
        let key = |key: &str, value: OscType| vec![OscType::from(key), value];
        match random.below(14) {
            0 | 1 => say("/seq/bpm", vec![float(random, 0.5, 1100.0)]),
            2 => say("/seq/pattern", vec![pattern(random)]),
            3 => say("/seq/gate_len", vec![float(random, 0.0, 1.1)]),
            4 => say("/seq/config", key("swing", float(random, 0.4, 0.8))),
            5 => say("/seq/config", key("probability", float(random, 0.0, 1.1))),
            6 => say("/seq/config", key("division", OscType::Int(random.below(17) as i32))),
            7 => {
                let numbers = [float(random, 40.0, 300.0), OscType::Int(random.below(65) as i32), OscType::Int(4)];
                say("/seq/config", numbers.into());
            }
            8 | 9 => {
                let (lane, _, low, high) = self.targets.lanes[random.below(4) as usize];
                let values = (0..1 + random.below(64)).map(|_| float(random, low, high));
                say("/seq/param_lane", [OscType::from(lane)].into_iter().chain(values).collect());
            }
            10 => say(["/seq/stop", "/seq/reset"][random.below(2) as usize], vec![]),
            11 => say("/seq/start", vec![]),
            12 if random.below(8) == 0 => {
                say("/seq/delete", vec![]);
                self.made[number] = false;
            }
            _ => {
                let address =
                    ["/clock/start", "/clock/continue", "/clock/stop", "/seq/reset_all"][random.below(4) as usize];
                score.at(frame, address, vec![]);
            }
        }
    }

    /// A track with a lane, that plays its target if the clock runs.
    fn make(&self, score: &mut Score, frame: u64, track: &str, random: &mut Random) {
        let mut say = |address: &str, more: Vec<OscType>| {
            score.at(frame, address, [OscType::from(track)].into_iter().chain(more).collect());
        };
        say("/seq/create", vec![]);
        say("/seq/pattern", vec![pattern(random)]);
        say("/seq/assign", vec![OscType::from("gate"), OscType::from(self.targets.gate)]);
        let (lane, target, low, high) = self.targets.lanes[random.below(4) as usize];
        let (module, parameter) = target.split_once(' ').expect("a module and its parameter");
        say("/seq/assign", ["param", lane, module, parameter].map(OscType::from).into());
        let values = (0..1 + random.below(64)).map(|_| float(random, low, high));
        say("/seq/param_lane", [OscType::from(lane)].into_iter().chain(values).collect());
        say("/seq/config", vec![OscType::from("seed"), OscType::Int(random.below(1000) as i32)]);
        say("/seq/start", vec![]);
        score.at(frame, "/clock/start", vec![]);
    }
}

fn float(random: &mut Random, low: f64, high: f64) -> OscType {
    OscType::Float(random.between(low, high) as f32)
}

fn pattern(random: &mut Random) -> OscType {
    let step = |random: &mut Random| ['X', 'x', '.', '.'][random.below(4) as usize];
    OscType::String((0..1 + random.below(64)).map(|_| step(random)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_in_a_minute_of_torture() {
        let score = Score::torture(48_000, 11_250, 1).messages();
        let clock = ["start", "stop", "continue"].map(|word| format!("/clock/{word}"));
        let words = "create delete config pattern param_lane assign start stop reset reset_all bpm gate_len";
        for address in clock.into_iter().chain(words.split(' ').map(|word| format!("/seq/{word}"))) {
            assert!(score.iter().any(|message| message.addr == address), "{address}");
        }
    }
}
