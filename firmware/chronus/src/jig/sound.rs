//! The sound: a tone, and its end.

use rosc::OscType;

use super::terminal::{Answer, Terminal};
use super::{Engine, Verdict, text};

/// The value of a key of the status; empty if it has none.
fn status(engine: &mut dyn Engine, key: &str) -> Result<String, String> {
    let replies = engine.ask("/health", &[])?;
    let pairs =
        replies.iter().filter(|reply| reply.addr == "/health.reply").flat_map(|reply| reply.args.chunks_exact(2));
    let mut found = pairs.filter(|pair| pair[0] == OscType::String(key.to_owned()));
    Ok(found.next().map(|pair| text(pair, 1).to_owned()).unwrap_or_default())
}

/// Walks through it.
///
/// # Errors
/// In words: that the engine or the builder does not answer.
pub fn walk(terminal: &mut Terminal, engine: &mut dyn Engine) -> Result<Verdict, String> {
    let (card, sink) = (status(engine, "sound_card")?, status(engine, "sink")?);
    if card != "playing" {
        return Ok(Verdict::Failed(format!(
            "no sound card plays (sound_card {card}, sink {sink}); see TROUBLESHOOTING.md"
        )));
    }
    loop {
        engine.ask("/test", &[])?;
        terminal.say("  A tone of 440 Hz, from now on (it sets sine.freq and sine.gain). Loudspeakers on?");
        let heard = terminal.ask("Do you hear it, on both sides, without a crackle?");
        engine.ask("/gate/adsr", &["0"])?;
        match heard? {
            Answer::Yes => break,
            Answer::No => return Ok(Verdict::Failed(format!("the tone was not heard as it should be, on {sink}"))),
            Answer::Again => {}
        }
    }
    match terminal.ask("It has ended. Is it silent now, without a hum?")? {
        Answer::No => Ok(Verdict::Failed("it is not silent after the tone".to_owned())),
        Answer::Yes | Answer::Again => Ok(Verdict::Passed),
    }
}
