//! The light: that it blinks when it is asked to, and then shows what the engine says.

use std::time::Duration;

use rosc::OscMessage;

use super::terminal::{Answer, Terminal};
use super::{Engine, Verdict, text};
use crate::report::LightState;

/// Time between two looks whether it has stopped saying which box it is.
const LOOK: Duration = Duration::from_millis(200);

/// Looks at most: that takes five seconds, and a slow network some more.
const LOOKS: usize = 50;

fn led(engine: &mut dyn Engine) -> Result<OscMessage, String> {
    let replies = engine.ask("/led", &[])?;
    replies.into_iter().find(|reply| reply.addr == "/led.reply").ok_or_else(|| "the engine knows no /led".to_owned())
}

/// Walks through it.
///
/// # Errors
/// In words: that the engine or the builder does not answer.
pub fn walk(terminal: &mut Terminal, engine: &mut dyn Engine) -> Result<Verdict, String> {
    let lamp = text(&led(engine)?.args, 2).to_owned();
    if lamp == "off" {
        return Ok(Verdict::Skipped("none is configured ([led] status in chronus.toml, or --led)".to_owned()));
    }
    if let Some(reason) = lamp.strip_prefix("none: ") {
        return Ok(Verdict::Failed(reason.to_owned()));
    }
    loop {
        engine.ask("/identify", &[])?;
        terminal.say(&format!("  For five seconds {lamp} blinks evenly, twice a second."));
        match terminal.ask("Did it?")? {
            Answer::Yes => break,
            Answer::No => {
                let hint = "look at the pin, the direction of the LED (the long leg to the pin), and the resistor";
                return Ok(Verdict::Failed(format!("{lamp} did not blink: {hint}")));
            }
            Answer::Again => {}
        }
    }
    loop {
        let state = settled(engine)?;
        terminal.say(&format!("  Now it says \"{}\": {}.", state.name(), state.looks()));
        match terminal.ask("Does it?")? {
            Answer::Yes => return Ok(Verdict::Passed),
            Answer::No => return Ok(Verdict::Failed(format!("{lamp} did not show \"{}\"", state.name()))),
            Answer::Again => {}
        }
    }
}

/// What it says when it no longer says which box it is.
fn settled(engine: &mut dyn Engine) -> Result<LightState, String> {
    for _ in 0..LOOKS {
        let reply = led(engine)?;
        let code = if let Some(rosc::OscType::Int(code)) = reply.args.get(1) { *code as u8 } else { 0 };
        let name = text(&reply.args, 0);
        let state = LightState::all(code).into_iter().find(|state| state.name() == name);
        let state = state.ok_or_else(|| format!("the engine says \"{name}\"; is it of another version?"))?;
        if state != LightState::Identify {
            return Ok(state);
        }
        std::thread::sleep(LOOK);
    }
    Err("somebody else keeps asking which box this is".to_owned())
}
