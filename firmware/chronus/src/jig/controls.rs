//! Knobs, buttons and switches: that each counts what the builder does, and nothing else.

use rosc::OscType;
use serde_json::Value;

use super::terminal::{Answer, Terminal};
use super::{Engine, Verdict};
use crate::client::nest;

/// Detents and presses that are asked for: a quarter of a turn of the usual knob, and few enough to be counted by hand.
const TIMES: u64 = 6;

/// What the engine tells of its controls now.
fn controls(engine: &mut dyn Engine) -> Result<Vec<Value>, String> {
    let replies = engine.ask("/controls", &[])?;
    let pairs: Vec<OscType> =
        replies.into_iter().filter(|reply| reply.addr == "/controls.reply").flat_map(|reply| reply.args).collect();
    Ok(nest(&pairs)["controls"].as_array().cloned().unwrap_or_default())
}

/// How much these counts of a control have grown.
fn grown<const N: usize>(before: &Value, after: &Value, counts: [&str; N]) -> [u64; N] {
    counts.map(|count| {
        let [before, after] = [before, after].map(|control| control[count].as_u64().unwrap_or(0));
        after.saturating_sub(before)
    })
}

/// Walks through all of them.
///
/// # Errors
/// In words: that the engine or the builder does not answer.
pub fn walk(terminal: &mut Terminal, engine: &mut dyn Engine) -> Result<Verdict, String> {
    let all = controls(engine)?;
    if all.is_empty() {
        return Ok(Verdict::Skipped("none is configured ([[control]] in chronus.toml)".to_owned()));
    }
    let mut wrong = Vec::new();
    for (place, control) in all.iter().enumerate() {
        let [kind, pins, does] = ["kind", "pins", "does"].map(|key| control[key].as_str().unwrap_or("?"));
        terminal.say(&format!("  {kind} at GPIO {pins}, for {does}"));
        let steps: &[Step] = match kind {
            "encoder" => &[Step::Right, Step::Left],
            "button" => &[Step::Press],
            _ => &[Step::Switch],
        };
        for step in steps {
            if let Some(reason) = tried(terminal, engine, place, *step)? {
                terminal.say(&format!("  {reason}"));
                wrong.push(format!("{kind} at GPIO {pins}: {reason}"));
                break;
            }
        }
    }
    Ok(if wrong.is_empty() { Verdict::Passed } else { Verdict::Failed(wrong.join("; ")) })
}

/// What the builder is to do.
#[derive(Clone, Copy)]
enum Step {
    Right,
    Left,
    Press,
    Switch,
}

impl Step {
    fn request(self) -> String {
        match self {
            Self::Right => format!("Turn it to the right, clockwise, slowly, by {TIMES} detents."),
            Self::Left => format!("Turn it back to the left by {TIMES} detents."),
            Self::Press => format!("Press it and let it go, {TIMES} times, unhurriedly."),
            Self::Switch => "Put it the other way, and back.".to_owned(),
        }
    }

    /// What is wrong with what was counted; `None` if nothing is.
    fn fault(self, before: &Value, after: &Value) -> Option<String> {
        let [lost, illegal] = grown(before, after, ["lost", "illegal"]);
        if lost + illegal > 0 {
            return Some(format!(
                "{lost} edges lost, {illegal} impossible ones: a loose contact, or a wire beside a motor"
            ));
        }
        let [right, left] = grown(before, after, ["right", "left"]);
        let [closed, opened] = grown(before, after, ["closed", "opened"]);
        let (counted, against) = if matches!(self, Self::Left) { (left, right) } else { (right, left) };
        match self {
            Self::Right | Self::Left => match (counted, against) {
                (TIMES, 0) => None,
                (0, 0) => Some("nothing was counted: look at its wires, and at the pins in chronus.toml".to_owned()),
                (0, TIMES) => Some("it counts the wrong way: exchange the two numbers in pins".to_owned()),
                (counted, 0) if counted == 2 * TIMES => {
                    Some("it counts two for each detent: resolution = \"half\"".to_owned())
                }
                (counted, 0) if counted == 4 * TIMES => {
                    Some("it counts four for each detent: resolution = \"quarter\"".to_owned())
                }
                (counted, 0) if 2 * counted == TIMES => {
                    Some("it counts every second detent: resolution = \"half\"".to_owned())
                }
                _ => Some(format!("of {TIMES} detents {counted} were counted that way, and {against} the other way")),
            },
            Self::Press => match (closed, opened) {
                (TIMES, TIMES) => None,
                _ => Some(format!("of {TIMES} presses {closed} were counted, and {opened} times that it was let go")),
            },
            Self::Switch => match (closed, opened) {
                (1, 1) => None,
                _ => Some(format!("it was closed {closed} times and opened {opened} times, not once each")),
            },
        }
    }
}

/// Has the builder do something until it is right, or is said to be wrong; gives what is wrong then.
fn tried(terminal: &mut Terminal, engine: &mut dyn Engine, place: usize, step: Step) -> Result<Option<String>, String> {
    loop {
        let before = controls(engine)?.get(place).cloned().unwrap_or(Value::Null);
        terminal.say(&format!("  {}", step.request()));
        match terminal.ask("Done? (n if it cannot be done)")? {
            Answer::No => return Ok(Some("it could not be moved".to_owned())),
            Answer::Again => {}
            Answer::Yes => {
                let after = controls(engine)?.get(place).cloned().unwrap_or(Value::Null);
                return Ok(step.fault(&before, &after));
            }
        }
    }
}
