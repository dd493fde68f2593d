//! The words for time in the music: the clock, and the tracks of the sequencer, checked against those there are.

mod lanes;
mod messages;

use abi::{Operation, TrackEdit, Transport};
use dsp::instrument::{Kind, Wiring, name_of, text_of};
use dsp::time::{BPM_MAXIMUM, BPM_MINIMUM, Pattern, STEPS, STEPS_PER_BEAT, TRACKS, Track};
use rosc::OscType;

use super::address::nearest_of;
use super::catalogue;
use super::edits::shown;
use super::refusal::Code;
use super::value::{Fault, check_finite, number, wrong_type};
pub use messages::{made_of, track_message, transport_message};

/// Which word an address stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrackWord {
    /// `/clock/tempo BPM`, `/seq/bpm [TRACK] BPM`.
    Tempo,
    /// `/clock/start`, `/clock/stop`, `/clock/continue`, `/seq/reset_all`.
    Transport(&'static Transport),
    /// `/seq/create TRACK`.
    Create,
    /// `/seq/delete TRACK`, and `/seq/start`, `/seq/stop`, `/seq/reset`.
    Plain(&'static TrackEdit),
    /// `/seq/config TRACK BPM STEPS DIVISION`, or with names: `/seq/config TRACK KEY VALUE ...`.
    Config,
    /// `/seq/gate_len TRACK PART`.
    GateLength,
    /// `/seq/pattern TRACK TEXT`.
    Pattern,
    /// `/seq/lane TRACK LANE`.
    Lane,
    /// `/seq/param_lane TRACK LANE VALUE ...`.
    ParamLane,
    /// `/seq/lane_part TRACK LANE PLACE OF VALUE ...`.
    LanePart,
    /// `/seq/assign TRACK gate MODULE`, `/seq/assign TRACK param LANE MODULE PARAMETER`.
    Assign,
    /// `/seq/list`.
    List,
}

/// Their addresses. Those of `/seq` but `delete`, `lane`, `lane_part` and `list` are the original's.
pub const TRACK_WORDS: [(&str, TrackWord); 19] = [
    ("/clock/tempo", TrackWord::Tempo),
    ("/clock/start", TrackWord::Transport(&Transport::Start)),
    ("/clock/stop", TrackWord::Transport(&Transport::Stop)),
    ("/clock/continue", TrackWord::Transport(&Transport::Continue)),
    ("/seq/create", TrackWord::Create),
    ("/seq/delete", TrackWord::Plain(&TrackEdit::Delete)),
    ("/seq/config", TrackWord::Config),
    ("/seq/pattern", TrackWord::Pattern),
    ("/seq/lane", TrackWord::Lane),
    ("/seq/param_lane", TrackWord::ParamLane),
    ("/seq/lane_part", TrackWord::LanePart),
    ("/seq/assign", TrackWord::Assign),
    ("/seq/start", TrackWord::Plain(&TrackEdit::Start)),
    ("/seq/stop", TrackWord::Plain(&TrackEdit::Stop)),
    ("/seq/reset", TrackWord::Plain(&TrackEdit::Reset)),
    ("/seq/reset_all", TrackWord::Transport(&Transport::Reset)),
    ("/seq/bpm", TrackWord::Tempo),
    ("/seq/gate_len", TrackWord::GateLength),
    ("/seq/list", TrackWord::List),
];

/// Ranges of swing, of probability and of the length of a gate.
pub const SWING: [f64; 2] = [0.5, 0.75];
/// See [`SWING`].
pub const PROBABILITY: [f64; 2] = [0.0, 1.0];
/// See [`SWING`].
pub const GATE_LENGTH: [f64; 2] = [0.05, 1.0];

/// What can be set by `/seq/config` by its name.
pub const KEYS: [&str; 5] = ["steps", "division", "swing", "probability", "seed"];

/// What a word does; nothing for what only asks.
///
/// # Errors
/// Why it cannot be done; nothing has changed then.
pub fn told(word: TrackWord, arguments: &[OscType], wiring: &Wiring) -> Result<Vec<Operation>, Fault> {
    let [first, rest @ ..] = arguments else {
        return match word {
            TrackWord::Transport(transport) => Ok(vec![Operation::Transport(*transport)]),
            TrackWord::List => Ok(Vec::new()),
            _ => Err((Code::NoArgument, format!("expected {}", expected(word)))),
        };
    };
    let wrong = || (Code::WrongType, format!("expected {}", expected(word)));
    match (word, rest) {
        (TrackWord::List, _) => Ok(Vec::new()),
        (TrackWord::Transport(transport), _) => Ok(vec![Operation::Transport(*transport)]),
        (TrackWord::Tempo, []) => Ok(vec![tempo(first)?]),
        (TrackWord::Tempo, [bpm]) => track(first, wiring).and_then(|_| Ok(vec![tempo(bpm)?])),
        (TrackWord::Create, []) => Ok(vec![create(first, wiring)?]),
        (TrackWord::Create | TrackWord::Tempo, _) => Err(wrong()),
        _ => {
            let (number, track) = track(first, wiring)?;
            let one = |edit| Ok(vec![Operation::Track(number, edit)]);
            match (word, rest) {
                (TrackWord::Plain(edit), []) => one(*edit),
                (TrackWord::Config, _) => config(number, rest),
                (TrackWord::GateLength, [part]) => one(TrackEdit::GateLength(within(part, GATE_LENGTH)?)),
                (TrackWord::Pattern, [OscType::String(text)]) => one(pattern(text)?),
                (TrackWord::Lane, [OscType::String(lane)]) => {
                    let (made, _) = lanes::lane(number, track, lane)?;
                    Ok(made.into_iter().collect())
                }
                (TrackWord::ParamLane, [OscType::String(lane), values @ ..]) if !values.is_empty() => {
                    lanes::values(number, track, lane, values)
                }
                (TrackWord::LanePart, [OscType::String(lane), place, of, values @ ..]) => {
                    lanes::part(number, track, lane, [place, of], values).map(|part| vec![part])
                }
                (TrackWord::Assign, [OscType::String(what), OscType::String(module)]) if what == "gate" => {
                    one(TrackEdit::AssignGate(gate(module, wiring)?))
                }
                (TrackWord::Assign, [OscType::String(what), OscType::String(lane), target @ ..]) if what == "param" => {
                    lanes::assign(number, track, lane, target, wiring)?.ok_or_else(wrong)
                }
                (_, []) => Err((Code::NoArgument, format!("expected {}", expected(word)))),
                _ => Err(wrong()),
            }
        }
    }
}

/// What arguments a word takes.
pub fn expected(word: TrackWord) -> &'static str {
    match word {
        TrackWord::Tempo => "the tempo in beats a minute; the name of a track may stand before it",
        TrackWord::Transport(_) | TrackWord::List => "nothing",
        TrackWord::Create => "a string: a name for the track",
        TrackWord::Plain(_) => "a string: the name of the track",
        TrackWord::Config => {
            "the name of the track, and then tempo, steps and division, three numbers; or pairs of a string and a number: \
             steps, division, swing, probability, seed"
        }
        TrackWord::GateLength => "the name of the track, and the length of a gate as a part of a step",
        TrackWord::Pattern => "two strings: the name of the track, and a pattern, such as \"X..x..x.\"",
        TrackWord::Lane => "two strings: the name of the track, and of a lane",
        TrackWord::ParamLane => {
            "the name of the track, the name of a lane, and its values: numbers, or one string with commas in between"
        }
        TrackWord::LanePart => {
            "the name of the track, the name of a lane, the place of the first of these values, how many there will be, and \
             up to four of them"
        }
        TrackWord::Assign => {
            "the name of the track and then \"gate\" and the name of an adsr or a voice; or \"param\", the name of a lane, \
             the name of a module and that of its parameter (or \"note\" of a voice); an empty name assigns to nothing"
        }
    }
}

/// The track that is meant.
fn track<'a>(argument: &OscType, wiring: &'a Wiring) -> Result<(u8, &'a Track), Fault> {
    let OscType::String(name) = argument else { return Err(wrong_type(argument, "the name of a track")) };
    let sequencer = wiring.sequencer();
    if let Some(found) = sequencer.tracks().find(|(_, track)| text_of(&track.name()) == name) {
        return Ok(found);
    }
    let names: Vec<_> = sequencer.tracks().map(|(_, track)| text_of(&track.name()).to_owned()).collect();
    let all =
        if names.is_empty() { "there are none yet".to_owned() } else { format!("there are {}", names.join(", ")) };
    let near = nearest_of(name, names).map(|near| format!(" did you mean {near}?")).unwrap_or_default();
    Err((
        Code::BadEdit,
        format!("{}: there is no such track;{near} {all}; /seq/create makes one; nothing changed", shown(name)),
    ))
}

fn create(argument: &OscType, wiring: &Wiring) -> Result<Operation, Fault> {
    let OscType::String(name) = argument else { return Err(wrong_type(argument, expected(TrackWord::Create))) };
    let bytes = name_of(name).map_err(|_| no_name(name))?;
    let sequencer = wiring.sequencer();
    if sequencer.tracks().any(|(_, track)| track.name() == bytes) {
        let text = "there is a track of this name already; /seq/delete takes it away; nothing changed";
        return Err((Code::BadEdit, format!("{}: {text}", shown(name))));
    }
    let full = || (Code::Full, format!("there are {TRACKS} tracks already, the most there may be; nothing changed"));
    sequencer.free_track().map(|track| Operation::Track(track, TrackEdit::Create(bytes))).ok_or_else(full)
}

fn no_name(name: &str) -> Fault {
    let text = "a name has 1 to 16 small letters, digits, - and _, a letter first; nothing changed";
    (Code::BadEdit, format!("{}: {text}", shown(name)))
}

fn tempo(argument: &OscType) -> Result<Operation, Fault> {
    within(argument, [BPM_MINIMUM, BPM_MAXIMUM]).map(|bpm| Operation::Transport(Transport::Tempo(bpm)))
}

/// A number, brought into a range.
fn within(argument: &OscType, [low, high]: [f64; 2]) -> Result<f64, Fault> {
    let value = number(argument).ok_or_else(|| wrong_type(argument, "a number (type i, f, h or d)"))?;
    check_finite(value).map(|()| value.clamp(low, high))
}

/// A whole number, brought into a range from `low` to `high`.
fn whole(argument: &OscType, low: usize, high: usize) -> Result<u8, Fault> {
    within(argument, [low as f64, high as f64]).map(|value| value.round() as u8)
}

fn config(number: u8, arguments: &[OscType]) -> Result<Vec<Operation>, Fault> {
    let track = |edit| Operation::Track(number, edit);
    let length = |steps: &OscType| whole(steps, 1, STEPS).map(TrackEdit::Length);
    let division = |steps: &OscType| whole(steps, 1, STEPS_PER_BEAT as usize).map(TrackEdit::Division);
    let wrong = || (Code::WrongType, format!("expected {}", expected(TrackWord::Config)));
    if let [bpm, steps, per_beat] = arguments {
        return Ok(vec![tempo(bpm)?, track(length(steps)?), track(division(per_beat)?)]);
    }
    let pairs = arguments.chunks_exact(2);
    if arguments.is_empty() || !pairs.remainder().is_empty() {
        return Err(wrong());
    }
    let edit = |pair: &[OscType]| {
        let [OscType::String(key), value] = pair else { return Err(wrong()) };
        Ok(track(match key.as_str() {
            "steps" => length(value)?,
            "division" => division(value)?,
            "swing" => TrackEdit::Swing(within(value, SWING)?),
            "probability" => TrackEdit::Probability(within(value, PROBABILITY)?),
            "seed" => TrackEdit::Seed(seed(value)?),
            _ => {
                let near = nearest_of(key, KEYS.map(str::to_owned));
                let near = near.map(|near| format!(" did you mean {near}?")).unwrap_or_default();
                let all = KEYS.join(", ");
                return Err((
                    Code::WrongType,
                    format!("{}: there is nothing of this name;{near} there are {all}", shown(key)),
                ));
            }
        }))
    };
    pairs.map(edit).collect()
}

/// Any whole number; one with a fraction is brought to the nearest.
fn seed(argument: &OscType) -> Result<u64, Fault> {
    match argument {
        OscType::Long(seed) => Ok(*seed as u64),
        other => within(other, [i64::MIN as f64, i64::MAX as f64]).map(|seed| seed.round() as i64 as u64),
    }
}

fn pattern(text: &str) -> Result<TrackEdit, Fault> {
    let pattern: Pattern = text.parse().map_err(|error| (Code::BadEdit, format!("{error}; nothing changed")))?;
    Ok(TrackEdit::Pattern(pattern.into()))
}

/// The row of what is played by notes; `None` for an empty name.
fn gate(module: &str, wiring: &Wiring) -> Result<Option<u8>, Fault> {
    if module.is_empty() {
        return Ok(None);
    }
    let found = catalogue::module(wiring, module);
    let plays = found.filter(|(_, row)| matches!(row.kind(), Some(Kind::Adsr | Kind::Voice)));
    plays.map(|(row, _)| Some(row)).ok_or_else(|| {
        let names = catalogue::modules(wiring)
            .filter(|(_, row)| matches!(row.kind(), Some(Kind::Adsr | Kind::Voice)))
            .map(|(_, row)| row.name().to_owned());
        let all: Vec<_> = names.collect();
        let text = format!("{} is no module of the type adsr or voice; there are {}", shown(module), all.join(", "));
        (Code::BadEdit, format!("{text}; nothing changed"))
    })
}

#[cfg(test)]
mod tests;
