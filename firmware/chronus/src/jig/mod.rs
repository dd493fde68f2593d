//! `chronus jig`: walks whoever built a box through what is on it, one station after the other, and ends with PASS or
//! with what failed. Eyes and ears are the builder's; all else is asked of the engine.

mod controls;
mod light;
mod sound;
mod terminal;

use std::io::{BufRead, Write};
use std::process::ExitCode;

use rosc::{OscMessage, OscType};

use terminal::Terminal;

/// What became of a station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// Not there, for this reason; that is no failure.
    Skipped(String),
    /// This is wrong.
    Failed(String),
}

/// The engine of the box.
pub trait Engine {
    /// Sends a message and gives the replies to it.
    ///
    /// # Errors
    /// In words: that it does not answer, or what it refuses.
    fn ask(&mut self, address: &str, arguments: &[&str]) -> Result<Vec<OscMessage>, String>;
}

/// An engine that is reached by OSC.
struct Remote(String);

impl Engine for Remote {
    fn ask(&mut self, address: &str, arguments: &[&str]) -> Result<Vec<OscMessage>, String> {
        let words: Vec<_> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let replies = crate::client::send(&self.0, address, &words)?;
        let refused = replies.iter().find(|reply| reply.addr == "/error");
        refused.map_or(Ok(replies.clone()), |reply| Err(format!("{address} was refused: {}", text(&reply.args, 2))))
    }
}

/// A text among the arguments of a reply; empty if there is none at that place.
fn text(arguments: &[OscType], place: usize) -> &str {
    match arguments.get(place) {
        Some(OscType::String(text)) => text,
        _ => "",
    }
}

/// What is looked at. A station says what it does, asks what was seen or heard, and gives its verdict.
type Walk = fn(&mut Terminal, &mut dyn Engine) -> Result<Verdict, String>;

/// The stations, in the order of the walk: first what tells of all else.
const STATIONS: [(&str, Walk); 3] = [("light", light::walk), ("sound", sound::walk), ("controls", controls::walk)];

/// `chronus jig`.
pub fn run(server: &str) -> ExitCode {
    let (input, output) = (std::io::stdin().lock(), std::io::stdout());
    match walk(&mut Remote(server.to_owned()), input, output) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The whole walk; true if nothing failed.
fn walk(engine: &mut dyn Engine, input: impl BufRead, output: impl Write) -> bool {
    let (mut input, mut output) = (input, output);
    let mut terminal = Terminal::new(&mut input, &mut output);
    terminal.say("A walk through this box. Answer y (yes), n (no), or a (again).");
    if let Err(reason) = engine.ask("/version", &[]) {
        terminal.say(&format!("FAIL: engine: {reason}"));
        return false;
    }
    let (mut passed, mut skipped, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for (name, station) in STATIONS {
        terminal.say(&format!("\n{name}"));
        match station(&mut terminal, engine).unwrap_or_else(Verdict::Failed) {
            Verdict::Passed => passed.push(name.to_owned()),
            Verdict::Skipped(reason) => {
                terminal.say(&format!("  left out: {reason}"));
                skipped.push(name.to_owned());
            }
            Verdict::Failed(reason) => failed.push(format!("{name}: {reason}")),
        }
    }
    let left_out = if skipped.is_empty() { String::new() } else { format!(" (left out: {})", skipped.join(", ")) };
    terminal.say("");
    match failed.is_empty() {
        // A walk on which nothing was looked at has shown nothing.
        true if passed.is_empty() => terminal.say(&format!("FAIL: nothing was looked at{left_out}")),
        true => terminal.say(&format!("PASS: {}{left_out}", passed.join(", "))),
        false => failed.iter().for_each(|what| terminal.say(&format!("FAIL: {what}"))),
    }
    failed.is_empty() && !passed.is_empty()
}

#[cfg(test)]
mod tests;
