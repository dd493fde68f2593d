//! `[engine]` and `[osc]`: what `chronus run --config` takes, less what would keep a box from playing.

use std::path::Path;

use toml::{Table, Value};

use super::bindings::on_the_box;
use crate::command_line::{QueryChoice, RunOptions, SinkChoice};

/// Cores of a Raspberry Pi 4 or 5.
const CORES: usize = 4;

/// The first port that a program without special rights may listen at.
const FIRST_PORT: u16 = 1024;

/// What a box has unless chronus.toml says otherwise, where it is not what the engine has by itself: real-time rights are
/// always there, and the patch is kept over power cuts.
const DEFAULTS: [(&str, &str); 4] = [
    ("sink", "auto"),
    ("real_time", "require"),
    ("patch", "/data/presets/last.toml"),
    ("recordings", "/data/recordings"),
];

/// Where the box says what became of DATA (`usr/lib/chronus/data`), for the engine's status and light.
pub const BOX_LINES: &str = "\n[box]\ndata = \"/run/chronus/data\"\n";

/// Checks one key of the engine's.
///
/// # Errors
/// In words: what is wrong, without the key.
pub fn check_setting(section: &str, key: &str, value: &Value) -> Result<(), String> {
    let options = RunOptions::of_configuration(&document(section, key, value)).map_err(|wrong| {
        // The engine names its option before what it says of it.
        let text = wrong.0;
        text.split_once(": ")
            .filter(|_| text.starts_with("--"))
            .map_or_else(|| "this number is out of range".to_owned(), |(_, reason)| reason.to_owned())
    });
    // The free sink is refused above all by the engine, for reasons a box does not have.
    let is_free = section == "engine" && key == "sink" && value.as_str().is_some_and(|sink| sink.starts_with("free"));
    if is_free {
        return Err("a box plays in time: there is auto, alsa, alsa:PCM, paced".to_owned());
    }
    playable(&options?, key, value)
}

/// Refuses what the engine would take and then not be able to start with, again and again.
fn playable(options: &RunOptions, key: &str, value: &Value) -> Result<(), String> {
    if matches!(options.sink, SinkChoice::Paced(Some(_))) {
        return Err("a box records into no file named here: there is auto, alsa, alsa:PCM, paced".to_owned());
    }
    if options.cores.is_some_and(|cores| cores.iter().any(|core| *core >= CORES)) {
        return Err(format!("a box has the cores 0 to {}", CORES - 1));
    }
    let query = match options.query {
        QueryChoice::At(address) => Some(address),
        QueryChoice::BesideOsc | QueryChoice::Off => None,
    };
    let said = if key == "listen" { options.osc } else { query.filter(|_| key == "query") };
    if let Some(address) = said {
        if !(address.ip().is_unspecified() || address.ip().is_loopback()) {
            return Err(
                "the box plays before it has an address in the network; 0.0.0.0 listens at all it will have".to_owned()
            );
        }
        if address.port() < FIRST_PORT {
            return Err(format!("the port must be {FIRST_PORT} to 65535"));
        }
    }
    let kept = matches!(key, "patch" | "recordings");
    if kept && !value.as_str().is_some_and(|path| path.starts_with("/data/") && !path.contains("..")) {
        return Err("only what is below /data is kept over power cuts".to_owned());
    }
    Ok(())
}

fn document(section: &str, key: &str, value: &Value) -> String {
    let keys = Table::from_iter([(key.to_owned(), value.clone())]);
    Table::from_iter([(section.to_owned(), Value::Table(keys))]).to_string()
}

/// Whether this engine has a key of this name, in this section.
pub fn engine_knows(section: &str, key: &str, example: &Value) -> bool {
    crate::command_line::parse_configuration(&document(section, key, example)).is_ok()
}

/// The file for `chronus run --config`: what was said, over the box's own defaults.
pub fn engine_file(engine: &Table, osc: &Table, controls: &[Table]) -> String {
    let defaults = DEFAULTS.map(|(key, value)| (key.to_owned(), Value::String(value.to_owned())));
    let mut keys: Table = defaults.into_iter().filter(|(key, value)| engine_knows("engine", key, value)).collect();
    if osc.get("listen").and_then(Value::as_str) == Some("off") && controls.is_empty() {
        // Nobody sets any values then, and the engine wants to know what there is to keep.
        keys.remove("patch");
    }
    keys.extend(engine.clone());
    let mut file = Table::from_iter([("engine".to_owned(), Value::Table(keys))]);
    if !osc.is_empty() {
        file.insert("osc".to_owned(), Value::Table(osc.clone()));
    }
    format!("# Made of chronus.toml at every start of the box; what is changed here is lost.\n{file}")
}

/// The part of that file about the controls: those that are right, and where learned bindings are kept.
pub fn controls_file(controls: &[Table], file: &Path) -> String {
    if controls.is_empty() {
        return String::new();
    }
    let file = on_the_box(file).map(|(key, path)| (key.to_owned(), Value::String(path))).into_iter().collect();
    let controls = controls.iter().cloned().map(Value::Table).collect();
    Table::from_iter([("surface".to_owned(), Value::Table(file)), ("control".to_owned(), Value::Array(controls))])
        .to_string()
}

/// Checks what was said as a whole: values that are right each for itself may not go together.
///
/// # Errors
/// In the engine's words.
pub fn check_together(engine: &Table, osc: &Table) -> Result<(), String> {
    RunOptions::of_configuration(&engine_file(engine, osc, &[])).map(drop).map_err(|wrong| wrong.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_keep_a_box_from_playing_is_refused() {
        for (section, key, value, said) in [
            ("engine", "sink", "free:/data/x.wav", "in time"),
            ("engine", "sink", "paced:/data/x.wav", "records"),
            ("engine", "sink", "jack", "there is auto"),
            ("engine", "cores", "1,2,4", "0 to 3"),
            ("engine", "cores", "1,2", "three core numbers"),
            ("engine", "recordings", "/box/x", "below /data"),
            ("engine", "recordings", "/data/../etc", "below /data"),
            ("engine", "recording_format", "16", "24"),
            ("osc", "listen", "192.168.1.5:5005", "0.0.0.0"),
            ("osc", "listen", "0.0.0.0:80", "1024"),
            ("osc", "listen", "here", "ADDR:PORT"),
        ] {
            let wrong = check_setting(section, key, &Value::String(value.to_owned())).expect_err(value);
            assert!(wrong.contains(said), "{key} = {value}: {wrong}");
        }
        for (key, value) in [("lead", 9), ("rate", 22_050), ("rate", -1), ("workers", 0), ("periods", 5)] {
            check_setting("engine", key, &Value::Integer(value)).expect_err(key);
        }
    }

    #[test]
    fn what_a_box_can_do_is_taken() {
        for (section, key, value) in [
            ("engine", "sink", "alsa:hw:CARD=Box"),
            ("engine", "sink", "paced"),
            ("engine", "cores", "3,2,1"),
            ("engine", "real_time", "auto"),
            ("osc", "listen", "[::]:5005"),
            ("osc", "listen", "127.0.0.1:6000"),
            ("osc", "listen", "off"),
        ] {
            check_setting(section, key, &Value::String(value.to_owned())).expect(value);
        }
        check_setting("engine", "rate", &Value::Integer(96_000)).unwrap();
    }

    #[test]
    fn the_file_is_what_the_engine_takes_and_what_was_said_wins() {
        let plain = engine_file(&Table::new(), &Table::new(), &[]);
        let options = RunOptions::of_configuration(&plain).expect(&plain);
        assert_eq!((options.sink, options.real_time), (SinkChoice::Auto, rt::scheduling::RealTime::Require));
        let said: Table = toml::from_str("real_time = \"off\"\nlead = 3").unwrap();
        let osc: Table = toml::from_str("listen = \"off\"").unwrap();
        let options = RunOptions::of_configuration(&engine_file(&said, &osc, &[])).unwrap();
        assert_eq!((options.lead, options.real_time, options.osc), (3, rt::scheduling::RealTime::Off, None));
    }
}
