//! `chronus controls`: the knobs and buttons of a running engine, as they are moved.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use rosc::OscType;
use serde_json::Value;

use super::exchange::send;
use super::status::nest;
use crate::report::printable::one_line;

/// Time between two looks: a hand sees no delay in it, and an engine is asked ten times a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// Times that an engine is asked before it is said not to answer: datagrams get lost, and one that is started anew is there
/// again within a second.
const ATTEMPTS: usize = 4;

/// From the top left of the terminal on, without what was there.
const FROM_THE_TOP: &str = "\x1b[H\x1b[J";

/// What of a control is shown, in this order, where it has it.
const COLUMNS: [&str; 11] =
    ["right", "left", "closed", "opened", "long", "double", "edges", "lost", "floods", "illegal", "value"];

/// `chronus controls`.
pub fn run_controls(server: &str, json: bool) -> ExitCode {
    let terminal = std::io::stdout().is_terminal();
    let mut shown = String::new();
    loop {
        let pairs = match ask(server) {
            Ok(pairs) => pairs,
            Err(text) => {
                eprintln!("chronus controls: {}", one_line(&text));
                return ExitCode::FAILURE;
            }
        };
        let text = if json { format!("{:#}\n", nest(&pairs)) } else { table(&nest(&pairs)) };
        if text != shown {
            let start = if terminal && !json { FROM_THE_TOP } else { "" };
            // A reader that has seen enough (`| head`) is no failure, and ends it.
            let mut out = std::io::stdout();
            if out.write_all(format!("{start}{text}").as_bytes()).and_then(|()| out.flush()).is_err() {
                return ExitCode::SUCCESS;
            }
            shown = text;
        }
        if json || pairs.is_empty() {
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(INTERVAL);
    }
}

fn ask(server: &str) -> Result<Vec<OscType>, String> {
    let asked = |attempt| {
        if attempt > 0 {
            // Where nobody listens that is told at once.
            std::thread::sleep(INTERVAL);
        }
        send(server, "/controls", &[])
    };
    let mut silence = String::new();
    let replies = (0..ATTEMPTS).find_map(|attempt| asked(attempt).map_err(|text| silence = text).ok());
    let replies = replies.ok_or(silence)?;
    let reply = replies.into_iter().find(|reply| reply.addr == "/controls.reply");
    reply
        .map(|reply| reply.args)
        .ok_or_else(|| format!("{server} has no controls to tell of; is it of another version?"))
}

/// A line for each control, and what is to be learned.
fn table(told: &Value) -> String {
    let none = Vec::new();
    let controls = told["controls"].as_array().unwrap_or(&none);
    if controls.is_empty() {
        return "There are no controls: they are named in chronus.toml, in [[control]].\n".to_owned();
    }
    let mut text: String = (0..).zip(controls).map(|(place, control)| line(place, control)).collect();
    if let Some(address) = told["learning"].as_str() {
        text += &format!("The one that is moved next will be for {address}.\n");
    }
    text
}

fn line(place: usize, control: &Value) -> String {
    let word = |key: &str| match &control[key] {
        Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    let counts = COLUMNS.iter().filter(|key| !control[**key].is_null()).map(|key| format!("  {key} {}", word(key)));
    format!("{place}  {} on GPIO {}: {}{}\n", word("kind"), word("pins"), word("does"), counts.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_control_has_its_line() {
        let told = json!({
            "controls": [
                {"kind": "encoder", "pins": "17 27", "does": "/mod/filter/q", "value": 0.5, "right": 3, "left": 1,
                 "illegal": 0, "edges": 40, "lost": 0},
                {"kind": "switch", "pins": "5", "does": "nothing", "value": "open", "closed": 1, "opened": 1, "edges": 9,
                 "lost": 2},
            ],
            "learning": "/panic",
        });
        assert_eq!(
            table(&told),
            "0  encoder on GPIO 17 27: /mod/filter/q  right 3  left 1  edges 40  lost 0  illegal 0  value 0.5\n\
             1  switch on GPIO 5: nothing  closed 1  opened 1  edges 9  lost 2  value open\n\
             The one that is moved next will be for /panic.\n"
        );
        assert!(table(&json!({})).contains("no controls"));
    }

    #[test]
    fn silence_is_a_failure() {
        assert_eq!(run_controls("127.0.0.1:9", false), ExitCode::FAILURE);
    }

    #[test]
    fn a_lost_datagram_is_not_the_end() {
        let engine = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = engine.local_addr().unwrap().to_string();
        let answering = std::thread::spawn(move || {
            let mut asked = 0;
            let mut bytes = [0; 1024];
            // Two messages each time; what answers the first two times gets lost.
            loop {
                let (length, client) = engine.recv_from(&mut bytes).unwrap();
                let controls = bytes[..length].starts_with(b"/controls\0");
                asked += usize::from(controls);
                let address = if controls { "/controls.reply" } else { "/status.reply" };
                let reply = rosc::OscPacket::Message(rosc::OscMessage { addr: address.to_owned(), args: vec![] });
                if asked > 2 {
                    engine.send_to(&rosc::encoder::encode(&reply).unwrap(), client).unwrap();
                }
                if asked > 2 && !controls {
                    return asked;
                }
            }
        });
        assert_eq!(ask(&server), Ok(vec![]));
        assert_eq!(answering.join().unwrap(), 3);
    }
}
