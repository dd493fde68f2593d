//! Writes a learned binding into chronus.toml, and leaves all else as it is: comments, order, the editor's line ends.

use std::path::Path;

use rosc::OscMessage;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::files::write_whole;
use super::text::read_whole;
use crate::surface::{Control, Curve, Kind, in_words};

/// The mark that Windows editors put before the text.
const MARK: char = '\u{feff}';

/// Writes what a control is for into the file that names it, found by its pins: the old file or the new one is there, at
/// any time.
///
/// # Errors
/// In words: why not.
pub fn write_binding(file: &Path, control: &Control) -> Result<(), String> {
    // A link of the owner's stays one: what it leads to is the file.
    let file = &file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let text = read_whole(file)?;
    let bound = bind(&text, control).map_err(|reason| format!("{}: {reason}", file.display()))?;
    let (folder, name) = (file.parent().unwrap_or(Path::new("")), file.file_name().and_then(|name| name.to_str()));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    write_whole(folder, name.unwrap_or_default(), &bound)
}

/// The text with this binding in it.
///
/// # Errors
/// In words: why there can be none.
pub fn bind(text: &str, control: &Control) -> Result<String, String> {
    let marked = text.starts_with(MARK);
    let windows = text.contains("\r\n");
    let plain = text.trim_start_matches(MARK).replace("\r\n", "\n");
    let mut document: DocumentMut = plain.parse().map_err(|_| "it cannot be understood".to_owned())?;
    let tables = document.get_mut("control").and_then(Item::as_array_of_tables_mut);
    let table =
        tables.and_then(|tables| of_pins(tables, &control.pins)).ok_or("no [[control]] there has these pins")?;
    for (key, new) in keys(control) {
        match (new, table.get_mut(key)) {
            (Some(new), Some(item)) => {
                // The comment behind a value stays behind it.
                let decor = item.as_value().map(|old| old.decor().clone());
                *item = value(new);
                if let (Some(new), Some(decor)) = (item.as_value_mut(), decor) {
                    *new.decor_mut() = decor;
                }
            }
            (Some(new), None) => _ = table.insert(key, value(new)),
            (None, _) => _ = table.remove(key),
        }
    }
    let written = document.to_string();
    let written = if windows { written.replace('\n', "\r\n") } else { written };
    Ok(if marked { format!("{MARK}{written}") } else { written })
}

fn of_pins<'a>(tables: &'a mut ArrayOfTables, pins: &[u8]) -> Option<&'a mut Table> {
    let of = |table: &Table| -> Vec<i64> {
        let many =
            table.get("pins").and_then(Item::as_array).map(|pins| pins.iter().filter_map(Value::as_integer).collect());
        many.unwrap_or_else(|| table.get("pin").and_then(Item::as_integer).into_iter().collect())
    };
    tables.iter_mut().find(|table| of(table).iter().copied().eq(pins.iter().map(|pin| i64::from(*pin))))
}

/// What the binding of a control is in the file: keys and values; those without a value are not there.
pub fn keys(control: &Control) -> Vec<(&'static str, Option<Value>)> {
    let said = |message: &Option<OscMessage>| message.as_ref().map(|message| Value::from(in_words(message)));
    match &control.kind {
        Kind::Encoder(encoder) => {
            let travel = encoder.travel;
            let curve = if travel.curve == Curve::Linear { "lin" } else { "log" };
            vec![
                ("address", Some(Value::from(encoder.address.as_str()))),
                ("min", Some(Value::from(travel.minimum))),
                ("max", Some(Value::from(travel.maximum))),
                ("curve", Some(Value::from(curve))),
                ("steps", Some(Value::from(i64::from(travel.steps)))),
            ]
        }
        Kind::Button([press, release, ..]) => vec![("press", said(press)), ("release", said(release))],
        Kind::Switch([on, off]) => vec![("on", said(on)), ("off", said(off))],
    }
}

/// The same as the lines of the file.
pub fn lines(control: &Control) -> Vec<String> {
    keys(control)
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key} = {}", value?.to_string().trim())))
        .collect()
}

#[cfg(test)]
#[path = "learned_tests.rs"]
mod tests;
