//! The text of the file: TOML, a table for each module with its type and what is set there, one for each connection, and tempo
//! and tracks.

use std::fmt::Write;

use dsp::instrument::{OUT, Wiring};
use dsp::kernel::Parameter;
use rosc::{OscMessage, OscType};

use crate::input::catalogue;

/// The form of the file. Another one would have another number.
pub(super) const SCHEMA: i64 = 3;

/// The patch that was committed last, as a file.
pub fn write(wiring: &Wiring) -> String {
    let mut text = format!(
        "# The patch as it was last played. Chronus writes this file, and reads it when it starts.\n\
         schema = {SCHEMA}\n"
    );
    // By name, as whoever reads it gets them.
    let mut modules: Vec<_> = wiring.committed().filter(|(number, _)| *number != OUT).map(|(_, row)| row).collect();
    modules.sort_by_key(|row| row.name);
    for row in modules {
        let Some(kind) = row.kind().map(|kind| kind.row()) else { continue };
        let _ = write!(text, "\n[module.{}]\ntype = \"{}\"\n", row.name(), kind.name);
        for (place, parameter) in kind.parameters.iter().enumerate() {
            let Some(value) = row.committed_value(place) else { continue };
            let _ = write!(text, "{} = {}", parameter.name, word(parameter, value));
            let _ = if parameter.unit.is_empty() { writeln!(text) } else { writeln!(text, " # {}", parameter.unit) };
        }
    }
    for (_, connection) in wiring.committed_connections() {
        let Some([from, to]) = catalogue::ends(wiring, &connection.link) else { continue };
        let _ = write!(text, "\n[[connection]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
        if connection.amount != 1.0 {
            let _ = writeln!(text, "amount = {:?}", connection.amount);
        }
    }
    super::tracks::write(&mut text, wiring);
    text
}

/// A value as it stands in the file: the name of a choice, or the shortest number that is read as the same.
fn word(parameter: &Parameter, value: f64) -> String {
    match parameter.choices.get(value as usize) {
        Some(choice) => format!("\"{choice}\""),
        None => format!("{value:?}"),
    }
}

/// A message with words as its arguments.
pub(super) fn message(address: &str, words: &[&str]) -> OscMessage {
    OscMessage { addr: address.to_owned(), args: words.iter().map(|word| OscType::from(*word)).collect() }
}
