//! `chronus keep-learned`: takes a binding that the engine has left, as root, and makes of it what is to be written to BOX.
//!
//! What was left is distrusted: whoever has taken over the engine may have left it. Nothing of it but what one control is
//! for ever reaches chronus.toml.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use toml::{Table, Value};

use super::bindings::ANSWER;
use super::control::{Pins, read_control};
use super::files::write_whole;
use super::finding::Severity;
use super::learned::{bind, keys, lines};
use super::{Settings, text};
use crate::appliance::Machine;
use crate::command_line::RunOptions;
use crate::surface::Control;

/// Longest binding that is read, in bytes. The longest that the engine leaves has a third of it.
const MOST_BYTES: u64 = 1024;

/// What a binding that was left may say of a control: which one it is, and what it is for.
const WHICH: [&str; 3] = ["kind", "pin", "pins"];
const WHAT_FOR: [&str; 9] = ["address", "min", "max", "curve", "steps", "press", "release", "on", "off"];

/// Name in the folder of results: the new text of chronus.toml.
const NEW: &str = "learned.toml";

/// Takes what was left in `left`, and where it is right writes into `folder` the whole new text for `file` and, so that it
/// holds for the engine's next start too, the engine's configuration. The answer is there either way.
///
/// # Errors
/// In words: why nothing is to be written.
pub fn keep_learned(left: &Path, file: &Path, folder: &Path) -> Result<(), String> {
    let mut number = 0;
    // What nobody has left is nobody's; where it says no number nobody waits for an answer.
    let made = take(left).and_then(|text| {
        let (request, control) = read_left(&text)?;
        number = request;
        let new = new_text(file, folder, &control);
        // Where BOX is gone it is to hold until the power goes.
        if new.is_ok() || !file.exists() {
            bind_for_the_engine(folder, &control)?;
        }
        write_whole(folder, NEW, &new?)
    });
    let words = made.as_ref().map_or_else(|reason| reason.as_str(), |()| "checked");
    if number > 0 {
        write_whole(folder, ANSWER, &format!("{number} {words}\n"))?;
    }
    made
}

/// Reads the file and takes it away. What is no plain file of its own is none. (Not by renaming: the service sees the
/// engine's folder as a file system of its own.)
fn take(left: &Path) -> Result<String, String> {
    // A link leads somewhere else, and a pipe that nobody writes to would be waited for.
    let opened = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(left);
    let which = |of: &std::fs::Metadata| (of.dev(), of.ino());
    let was = opened.as_ref().ok().and_then(|file| file.metadata().ok()).map(|of| which(&of));
    let read = opened.and_then(text_of);
    // Whatever it is: for as long as it is there the service is started again. But for one that came meanwhile.
    let gone = match left.symlink_metadata() {
        Ok(of) if of.is_dir() => std::fs::remove_dir_all(left),
        Ok(of) if was.is_none_or(|was| was == which(&of)) => std::fs::remove_file(left),
        _ => Ok(()),
    };
    match read {
        Ok(Some(text)) => gone.map(|()| text).map_err(|error| format!("what was left cannot be taken away: {error}")),
        Ok(None) => Err("what was left is no file of at most 1024 bytes of text".to_owned()),
        Err(error) => Err(format!("what was left cannot be read: {error}")),
    }
}

fn text_of(file: File) -> std::io::Result<Option<String>> {
    let of = file.metadata()?;
    // A second name would be that of somebody's file.
    if !of.is_file() || of.nlink() != 1 {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= MOST_BYTES))
}

/// The number of the request, and the control with what it is for. Nothing of the text is told in what is said of it.
fn read_left(text: &str) -> Result<(u64, Control), String> {
    let table: Table = toml::from_str(text).map_err(|_| "what was left is no TOML".to_owned())?;
    let number = table.get("request").and_then(Value::as_integer).and_then(|number| u64::try_from(number).ok());
    let number = number.filter(|number| *number > 0);
    let controls = table.get("control").and_then(Value::as_array);
    let (Some(number), Some([Value::Table(control)]), 2) = (number, controls.map(Vec::as_slice), table.len()) else {
        return Err("what was left is not one [[control]] with its request".to_owned());
    };
    if control.keys().any(|key| WHICH.iter().chain(&WHAT_FOR).all(|known| known != key)) {
        return Err("what was left says more than what a control is for".to_owned());
    }
    match read_control(1, control, &mut Pins::new()) {
        (Some(control), remarks) if remarks.is_empty() => Ok((number, control)),
        _ => Err("what was left is no right [[control]]".to_owned()),
    }
}

/// The whole text of chronus.toml with this binding: the same, but for what that control is for, and with no more mistakes.
fn new_text(file: &Path, folder: &Path, control: &Control) -> Result<String, String> {
    let name = file.display();
    let old = text::read_whole(file)?;
    let new = bind(&old, control).map_err(|reason| format!("{name}: {reason}"))?;
    let (before, after) = (table(&old)?, table(&new)?);
    let place = controls(&before).iter().position(|one| is_of(one, control));
    let place = place.ok_or_else(|| format!("{name}: the [[control]] with these pins is of another kind"))?;
    let apart = |mut table: Table| {
        let of = table.get_mut("control").and_then(Value::as_array_mut).and_then(|controls| controls.get_mut(place));
        if let Some(Value::Table(of)) = of {
            of.retain(|key, _| !keys(control).iter().any(|(own, _)| *own == key));
        }
        table
    };
    let bound = controls(&after).get(place).and_then(Value::as_table);
    let bound = bound.and_then(|bound| read_control(1, bound, &mut Pins::new()).0);
    let is_bound = bound.is_some_and(|bound| lines(&bound) == lines(control));
    if apart(before) != apart(after) || !is_bound {
        return Err(format!("{name}: the binding would change something else"));
    }
    // As check-config reads them: each from a file.
    write_whole(folder, NEW, &new)?;
    let mistakes = |file: &Path| errors(&Settings::read(file, &Machine::here()));
    if mistakes(&folder.join(NEW)) > mistakes(file) {
        return Err(format!("{name}: the binding would be a mistake there"));
    }
    Ok(new)
}

fn errors(settings: &Settings) -> usize {
    settings.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
}

fn table(text: &str) -> Result<Table, String> {
    toml::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| "chronus.toml cannot be understood".to_owned())
}

fn controls(table: &Table) -> &[Value] {
    table.get("control").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether this is the control: the same kind, at the same pins.
fn is_of(table: &Value, control: &Control) -> bool {
    let of = |key: &str| table.get(key);
    let pins: Vec<_> = match (of("pins").and_then(Value::as_array), of("pin").and_then(Value::as_integer)) {
        (Some(pins), _) => pins.iter().filter_map(Value::as_integer).collect(),
        (None, pin) => pin.into_iter().collect(),
    };
    let same = pins.iter().copied().eq(control.pins.iter().map(|pin| i64::from(*pin)));
    same && of("kind").and_then(Value::as_str) == Some(control.kind())
}

/// Has the next engine of this start know it as well. One that was started with defaults has no such control.
fn bind_for_the_engine(folder: &Path, control: &Control) -> Result<(), String> {
    const FILE: &str = "engine.toml";
    let Ok(old) = std::fs::read_to_string(folder.join(FILE)) else { return Ok(()) };
    let Ok(new) = bind(&old, control) else { return Ok(()) };
    match RunOptions::of_configuration(&new) {
        Ok(_) => write_whole(folder, FILE, &new),
        // Never in place of one that it can start with.
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "taken_tests.rs"]
mod tests;
