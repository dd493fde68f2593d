//! chronus-status.txt: what the box has made of chronus.toml, for whoever puts its card into a computer.
//!
//! It has no date and nothing else that changes by itself: the card is written to only when it says something new.

use std::fmt::Write;

use toml::Table;

use super::Settings;
use crate::report::printable::one_line;

/// Of the card on the pins: what was said of it may be what is damaged.
const LEFT_AS_IT_IS: &str =
    "the one on the pins is left as it is, until nothing is wrong with this file or it says [audio] hat";

/// The whole text.
pub(super) fn text(settings: &Settings) -> String {
    let mut text = format!("What this box found in chronus.toml (Chronus {}).\n\n", env!("CARGO_PKG_VERSION"));
    match settings.findings.len() {
        0 => text += "Nothing is wrong with it.\n",
        1 => text += "One thing is wrong with it; the rest holds:\n\n",
        many => _ = writeln!(text, "{many} things are wrong with it; the rest holds:\n"),
    }
    for finding in &settings.findings {
        let _ = writeln!(text, "  {finding}");
    }
    let keys = match settings.keys.len() {
        0 => "nobody can log in: there is no key".to_owned(),
        1 => "whoever has the one key can log in".to_owned(),
        many => format!("whoever has one of the {many} keys can log in"),
    };
    text.push('\n');
    for (what, is) in [
        ("name", format!("{}, in the network {}.local", settings.name, settings.name)),
        ("sound card", settings.hat.map_or_else(|| LEFT_AS_IT_IS.to_owned(), |hat| hat.words())),
        ("ssh", keys),
        ("engine", said(&settings.engine)),
        ("osc", said(&settings.osc)),
        ("light", light(settings)),
        ("controls", controls(&settings.controls)),
    ] {
        let _ = writeln!(text, "{what}: {}", one_line(&is));
    }
    text + "\nA change to chronus.toml holds from the next start on.\n"
}

fn light(settings: &Settings) -> String {
    match settings.code() {
        0 => settings.light.to_string(),
        times => format!("{}, which blinks {times} times, over and over, for what is wrong", settings.light),
    }
}

/// Those that are right: kinds and pins.
fn controls(tables: &[Table]) -> String {
    let controls = super::read_controls(tables).unwrap_or_default();
    let words = controls.iter().map(|control| {
        let pins = control.pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        format!("{} on GPIO {pins}", control.kind())
    });
    let words = words.collect::<Vec<_>>().join(", ");
    if words.is_empty() { "none".to_owned() } else { words }
}

fn said(section: &Table) -> String {
    let keys = section.iter().map(|(key, value)| format!("{key} = {value}"));
    let keys = keys.collect::<Vec<_>>().join(", ");
    if keys.is_empty() { "as it is by default".to_owned() } else { keys }
}
