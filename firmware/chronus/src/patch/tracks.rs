//! Tempo and tracks in the file: a table for the clock, and one for each track, with one for each of its lanes. Whether the
//! clock runs is not in it.

use std::fmt::Write;

use abi::NOTE;
use dsp::instrument::{Wiring, text_of};
use dsp::time::{Lane, Track, place_of};
use rosc::{OscMessage, OscType};
use toml::{Table, Value};

use super::text::message;
use crate::input::catalogue;

/// Writes tempo and tracks behind the rest of a file.
pub fn write(text: &mut String, wiring: &Wiring) {
    let sequencer = wiring.sequencer();
    let _ = write!(text, "\n[clock]\ntempo = {:?} # beats a minute\n", sequencer.clock().bpm());
    for (_, track) in sequencer.tracks() {
        write_track(text, track, wiring);
    }
}

fn write_track(text: &mut String, track: &Track, wiring: &Wiring) {
    let config = track.config();
    let _ = write!(text, "\n[[track]]\nname = \"{}\"\n", text_of(&track.name()));
    if !track.pattern().is_empty() {
        let _ = writeln!(text, "pattern = \"{}\"", track.pattern());
    }
    let _ = writeln!(text, "division = {}\nswing = {:?}", config.steps_per_beat, config.swing);
    let _ = writeln!(text, "probability = {:?}\nseed = {}", config.probability, config.seed as i64);
    let _ = writeln!(text, "gate_len = {:?}\nstarted = {}", track.gate_length(), track.started());
    if let Some(name) = place_of(track.gate()).and_then(|place| committed(place.row, wiring)) {
        let _ = writeln!(text, "gate = \"{name}\"");
    }
    track.lanes().iter().filter(|lane| lane.name() != [0; abi::NAME_BYTES]).for_each(|lane| {
        write_lane(text, lane, wiring);
    });
}

fn write_lane(text: &mut String, lane: &Lane, wiring: &Wiring) {
    let _ = write!(text, "\n[[track.lane]]\nname = \"{}\"\n", text_of(&lane.name()));
    if !lane.values().is_empty() {
        let _ = writeln!(text, "values = {:?}", lane.values());
    }
    let Some(place) = place_of(lane.target()) else { return };
    let Some(module) = committed(place.row, wiring) else { return };
    let parameter = match place.parameter {
        NOTE => Some("note"),
        _ => catalogue::at(wiring, place).map(|(_, parameter)| parameter.name),
    };
    if let Some(parameter) = parameter {
        let _ = writeln!(text, "module = \"{module}\"\nparameter = \"{parameter}\"");
    }
}

/// The name of a module, if it is in what is kept.
fn committed(row: u8, wiring: &Wiring) -> Option<&str> {
    wiring.committed().find(|(number, _)| *number == row).map(|(_, row)| row.name())
}

/// The messages that make a track of its table, each with what it is about. What is of no use is told by `leave_out`.
pub fn read(table: Table, mut leave_out: impl FnMut(&str, &str)) -> Vec<OscMessage> {
    let Some(Value::String(name)) = table.get("name").cloned() else {
        leave_out("track", "it needs a name, such as name = \"kick\"");
        return Vec::new();
    };
    let mut all = vec![message("/seq/create", &[&name])];
    let (mut lanes, mut started) = (Vec::new(), false);
    for (key, value) in table {
        match (key.as_str(), value) {
            ("name", _) => {}
            ("pattern", Value::String(text)) => all.push(message("/seq/pattern", &[&name, &text])),
            ("gate", Value::String(module)) => all.push(message("/seq/assign", &[&name, "gate", &module])),
            ("division" | "swing" | "probability" | "seed", value) if argument(&value).is_some() => {
                all.push(with("/seq/config", &[&name, &key], argument(&value)));
            }
            ("gate_len", value) if argument(&value).is_some() => {
                all.push(with("/seq/gate_len", &[&name], argument(&value)));
            }
            ("started", Value::Boolean(on)) => started = on,
            ("lane", Value::Array(found)) => lanes = found,
            (key, _) => {
                leave_out(&format!("{name}.{key}"), "nothing of a track is called so, or it is of another type")
            }
        }
    }
    for lane in lanes {
        all.extend(read_lane(&name, &lane).unwrap_or_else(|| {
            leave_out(&format!("{name}.lane"), "it needs a name; values are a list of numbers");
            Vec::new()
        }));
    }
    all.extend(started.then(|| message("/seq/start", &[&name])));
    all
}

fn read_lane(track: &str, lane: &Value) -> Option<Vec<OscMessage>> {
    let word = |key: &str| lane.get(key).and_then(Value::as_str);
    let name = word("name")?;
    let mut all = vec![message("/seq/lane", &[track, name])];
    if let Some(values) = lane.get("values") {
        let values = values.as_array()?.iter().map(argument).collect::<Option<Vec<_>>>()?;
        all.push(with("/seq/param_lane", &[track, name], values));
    }
    if let (Some(module), Some(parameter)) = (word("module"), word("parameter")) {
        all.push(message("/seq/assign", &[track, "param", name, module, parameter]));
    }
    Some(all)
}

fn with(address: &str, words: &[&str], more: impl IntoIterator<Item = OscType>) -> OscMessage {
    let mut message = message(address, words);
    message.args.extend(more);
    message
}

fn argument(value: &Value) -> Option<OscType> {
    match value {
        Value::Float(value) => Some(OscType::Double(*value)),
        Value::Integer(value) => Some(OscType::Long(*value)),
        _ => None,
    }
}
