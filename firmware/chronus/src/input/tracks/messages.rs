//! The messages that do again what the clock and the tracks were told, exactly.

use abi::{NOTE, PART, Place, TrackEdit, Transport};
use dsp::instrument::{Wiring, text_of};
use dsp::time::{NONE, Pattern, Track, place_of};
use rosc::{OscMessage, OscType};

use super::lanes::NOTE_NAME;
use crate::input::catalogue;

type Told = (String, Vec<OscType>);

fn message((addr, args): Told) -> OscMessage {
    OscMessage { addr, args }
}

/// The message for the clock.
pub fn transport_message(transport: Transport) -> Told {
    let (word, args) = match transport {
        Transport::Tempo(bpm) => ("/clock/tempo", vec![OscType::Double(bpm)]),
        Transport::Start => ("/clock/start", Vec::new()),
        Transport::Stop => ("/clock/stop", Vec::new()),
        Transport::Continue => ("/clock/continue", Vec::new()),
        Transport::Reset => ("/seq/reset_all", Vec::new()),
    };
    (word.to_owned(), args)
}

/// The message for a track; `None` if there is none of what it is about.
pub fn track_message(number: u8, edit: &TrackEdit, wiring: &Wiring) -> Option<Told> {
    let created = wiring.sequencer().tracks().find(|(found, _)| *found == number).map(|(_, track)| track);
    if let TrackEdit::Create(name) = edit {
        return Some(("/seq/create".to_owned(), vec![OscType::from(text_of(name))]));
    }
    told(created?, edit, wiring)
}

fn told(track: &Track, edit: &TrackEdit, wiring: &Wiring) -> Option<Told> {
    let lane = |lane: u8| Some(OscType::from(text_of(&track.lanes().get(usize::from(lane))?.name())));
    let key = |key: &str, value| ("config", vec![OscType::from(key), value]);
    let (word, more) = match *edit {
        TrackEdit::Create(_) => ("create", Vec::new()),
        TrackEdit::Delete => ("delete", Vec::new()),
        TrackEdit::Division(steps) => key("division", OscType::Int(steps.into())),
        TrackEdit::Length(steps) => key("steps", OscType::Int(steps.into())),
        TrackEdit::Swing(part) => key("swing", OscType::Double(part)),
        TrackEdit::Probability(part) => key("probability", OscType::Double(part)),
        TrackEdit::Seed(seed) => key("seed", OscType::Long(seed as i64)),
        TrackEdit::GateLength(part) => ("gate_len", vec![OscType::Double(part)]),
        TrackEdit::Pattern(steps) => ("pattern", vec![OscType::String(Pattern::from(steps).to_string())]),
        TrackEdit::Lane(_, name) => ("lane", vec![OscType::from(text_of(&name))]),
        TrackEdit::Values(number, part) => {
            let places = [part.place, part.of].map(|place| OscType::Int(place.into()));
            let left = usize::from(part.of.saturating_sub(part.place)).min(PART);
            let values = part.values.into_iter().take(left).map(OscType::Float);
            ("lane_part", [lane(number)?].into_iter().chain(places).chain(values).collect())
        }
        TrackEdit::AssignGate(row) => {
            let module = row.map_or(Some(""), |row| wiring.row(row).map(|row| row.name()))?;
            ("assign", vec![OscType::from("gate"), OscType::from(module)])
        }
        TrackEdit::AssignLane(number, place) => {
            let target = place.map_or_else(|| Some(vec![OscType::from("")]), |place| ends(place, wiring))?;
            ("assign", [OscType::from("param"), lane(number)?].into_iter().chain(target).collect())
        }
        TrackEdit::Start => ("start", Vec::new()),
        TrackEdit::Stop => ("stop", Vec::new()),
        TrackEdit::Reset => ("reset", Vec::new()),
    };
    let name = OscType::from(text_of(&track.name()));
    Some((format!("/seq/{word}"), [name].into_iter().chain(more).collect()))
}

/// A module and its parameter.
fn ends(place: Place, wiring: &Wiring) -> Option<Vec<OscType>> {
    let module = wiring.row(place.row)?.name();
    let parameter = if place.parameter == NOTE {
        NOTE_NAME
    } else {
        catalogue::at(wiring, place).map(|(_, parameter)| parameter.name)?
    };
    Some(vec![OscType::from(module), OscType::from(parameter)])
}

/// The messages that make the tempo and the tracks as they are.
pub fn made_of(wiring: &Wiring) -> Vec<OscMessage> {
    let tempo = transport_message(Transport::Tempo(wiring.sequencer().clock().bpm()));
    let tracks = wiring.sequencer().tracks().flat_map(|(_, track)| made_of_track(track, wiring));
    [tempo].into_iter().chain(tracks).map(message).collect()
}

fn made_of_track(track: &Track, wiring: &Wiring) -> Vec<Told> {
    let (config, pattern) = (track.config(), track.pattern());
    let row = |target: u32| (target != NONE).then(|| place_of(target)).flatten();
    let mut edits = vec![
        TrackEdit::Create(track.name()),
        TrackEdit::Division(config.steps_per_beat as u8),
        TrackEdit::Swing(config.swing),
        TrackEdit::Probability(config.probability),
        TrackEdit::Seed(config.seed),
        TrackEdit::GateLength(track.gate_length()),
    ];
    edits.extend((!pattern.is_empty()).then(|| TrackEdit::Pattern(pattern.into())));
    edits.extend(row(track.gate()).map(|place| TrackEdit::AssignGate(Some(place.row))));
    let mut all: Vec<_> = edits.iter().filter_map(|edit| told(track, edit, wiring)).collect();
    for (number, lane) in (0u8..).zip(track.lanes()).filter(|(_, lane)| lane.name() != [0; abi::NAME_BYTES]) {
        let names = [text_of(&track.name()), text_of(&lane.name())].map(OscType::from);
        all.extend(told(track, &TrackEdit::Lane(number, lane.name()), wiring));
        if !lane.values().is_empty() {
            let values = lane.values().iter().map(|value| OscType::Float(*value));
            all.push(("/seq/param_lane".to_owned(), names.into_iter().chain(values).collect()));
        }
        let assigned = row(lane.target()).map(|place| TrackEdit::AssignLane(number, Some(place)));
        all.extend(assigned.and_then(|edit| told(track, &edit, wiring)));
    }
    all.extend(track.started().then(|| told(track, &TrackEdit::Start, wiring)).flatten());
    all
}
