//! Where learned bindings are kept: in the configuration file itself, or, on the box, where the engine may not write to
//! it, by a service that may. To that the binding is left in a folder, and it answers in a file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::control::{Pins, read_control};
use super::files::write_whole;
use super::learned::{lines, write_binding};
use crate::surface::Control;

/// The file in which bindings are left on the box: in the folder that RuntimeDirectory of chronus.service is, and what
/// chronus-learned.path looks for.
pub const LEFT: &str = "/run/chronus-learned/learned.toml";

/// The file in the folder of chronus.toml's results in which the service answers.
pub const ANSWER: &str = "learned";

/// The folder of these results on the box.
const RESULTS: &str = "/run/chronus";

/// Longest wait for the answer. A slow card has a new file within two seconds, and the service is given up after 20.
const PATIENCE: Duration = Duration::from_secs(25);

/// Between two looks for it: nobody waits for less.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where bindings go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bindings {
    /// The configuration file.
    pub file: PathBuf,
    /// Where a service takes them that writes the file, and where it answers; none where the engine writes it.
    pub service: Option<[PathBuf; 2]>,
}

impl Bindings {
    /// Has a binding written; waits until it is, or is refused.
    ///
    /// # Errors
    /// In words: why not, for how long it holds, and what to write by hand.
    pub fn keep(&self, control: &Control) -> Result<(), String> {
        if !may_be_written(control) {
            // With it in the file the next start would be refused, or go without this control.
            let words = control.words();
            return Err(format!(
                "the file has words for the patch at power-on only, and {words} is of another. It holds until the engine ends"
            ));
        }
        let (kept, holds) = match &self.service {
            None => (write_binding(&self.file, control), "until the engine ends"),
            Some([left, answer]) => (leave(left, answer, control, PATIENCE), "until the engine ends or the power goes"),
        };
        let (file, lines) = (self.file.display(), lines(control).join("; "));
        kept.map_err(|reason| {
            format!("{reason}. It holds {holds}. Write it into {file} by hand, in its [[control]]: {lines}")
        })
    }
}

/// Whether a file with this control in it is read again.
fn may_be_written(control: &Control) -> bool {
    let table = toml::from_str::<toml::Table>(&text(0, control)).ok();
    let table = table.as_ref().and_then(|table| table["control"].as_array()?.first()?.as_table());
    table.is_some_and(|table| read_control(1, table, &mut Pins::new()).0.is_some())
}

/// Where they go on a box, for the engine's configuration.
pub fn on_the_box(file: &Path) -> [(&'static str, String); 3] {
    [("file", file.display().to_string()), ("left", LEFT.to_owned()), ("answer", format!("{RESULTS}/{ANSWER}"))]
}

/// Leaves a binding for the service, and waits for what becomes of it.
fn leave(left: &Path, answer: &Path, control: &Control, patience: Duration) -> Result<(), String> {
    // Of all that was left since the power came no two have the same.
    let number = rt::clock::monotonic();
    let (folder, name) = (left.parent().unwrap_or(Path::new("/")), left.file_name().and_then(|name| name.to_str()));
    write_whole(folder, name.unwrap_or_default(), &text(number, control))?;
    let started = Instant::now();
    while started.elapsed() < patience {
        let said = std::fs::read_to_string(answer).unwrap_or_default();
        match answer_to(number, &said) {
            Some(Answer::Kept) => return Ok(()),
            Some(Answer::Refused(reason)) => return Err(reason.to_owned()),
            Some(Answer::NotYet) | None => std::thread::sleep(LOOK_AGAIN),
        }
    }
    // Taken or not, nobody knows what becomes of it.
    Err("nobody says that it was written (`systemctl status chronus-learned.path chronus-learned` tells more)"
        .to_owned())
}

/// What is left for the service: the number of the request, and the control with its pins and what it is for.
fn text(number: u64, control: &Control) -> String {
    let pins: Vec<_> = control.pins.iter().map(ToString::to_string).collect();
    let pins = if control.kind() == "encoder" {
        format!("pins = [{}]", pins.join(", "))
    } else {
        format!("pin = {}", pins.concat())
    };
    format!("request = {number}\n\n[[control]]\nkind = \"{}\"\n{pins}\n{}\n", control.kind(), lines(control).join("\n"))
}

enum Answer<'a> {
    Kept,
    /// It is being written.
    NotYet,
    Refused(&'a str),
}

/// What the service says of this request; `None` if it speaks of another one.
fn answer_to(number: u64, said: &str) -> Option<Answer<'_>> {
    let (of, words) = said.trim_end().split_once(' ')?;
    if of.parse() != Ok(number) {
        return None;
    }
    Some(match words {
        "kept" => Answer::Kept,
        "checked" => Answer::NotYet,
        reason => Answer::Refused(reason),
    })
}

#[cfg(test)]
#[path = "bindings_tests.rs"]
mod tests;
