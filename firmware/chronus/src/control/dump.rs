//! `/dumpOSC`: prints what arrives, for who looks for a mistake in what is sent. Bounded, for a log lies on a card.

use rosc::{OscMessage, OscType};

use crate::input::{Bucket, Datagram, Limit, read_packet};

/// Lines: as many as a screen or two at once, and then as many in a second as somebody can still follow.
const LINES: Limit = Limit { burst: 100, per_second: 50 };

/// Arguments of a message that are printed. A hand-made message has a few.
const MOST_ARGUMENTS: usize = 16;

/// Characters of an address or a string that are printed; longer ones are no sensible ones.
const MOST_CHARACTERS: usize = 80;

/// Prints, or does not.
#[derive(Default)]
pub struct Dump {
    on: bool,
    lines: Bucket,
    /// Messages that were not printed since the last line.
    unprinted: u64,
}

impl Dump {
    /// Begins or ends it; gives what is to be said of that.
    pub fn set(&mut self, on: bool, sender: &str) -> String {
        self.on = on;
        let left_out = self.left_out();
        let what =
            if on { "what arrives is printed from now on, /dumpOSC 0 ends it" } else { "nothing more is printed" };
        format!("OSC dump: {what} ({sender} wants it so){left_out}")
    }

    /// Whether anybody wants to see what arrives.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The lines to print for a datagram that arrived at `now` of CLOCK_MONOTONIC, in nanoseconds; and how many of its
    /// messages are left out.
    pub fn lines(&mut self, datagram: &Datagram, sender: &str, now: u64) -> (Vec<String>, u64) {
        if !self.is_on() {
            return (Vec::new(), 0);
        }
        let texts: Vec<String> = match read_packet(&datagram.bytes) {
            Ok(packet) => packet.messages.iter().map(|timed| words(&timed.message, timed.tag)).collect(),
            Err(error) => vec![format!("{} bytes that are not OSC: {}", datagram.bytes.len(), error.text)],
        };
        let (count, mut lines) = (texts.len() as u64, Vec::new());
        for text in texts {
            if !self.lines.take(LINES, 1, now) {
                break;
            }
            let left_out = self.left_out();
            lines.push(format!("OSC from {sender}: {text}{left_out}"));
        }
        let left_out = count - lines.len() as u64;
        self.unprinted += left_out;
        (lines, left_out)
    }

    fn left_out(&mut self) -> String {
        match std::mem::take(&mut self.unprinted) {
            0 => String::new(),
            number => format!(" ({number} before it were not printed: more than {} a second)", LINES.per_second),
        }
    }
}

/// A message as a person reads it: address, type tags, arguments, and its time tag.
fn words(message: &OscMessage, tag: Option<u64>) -> String {
    let mut text = shortened(&message.addr);
    for argument in message.args.iter().take(MOST_ARGUMENTS) {
        text += " ";
        text += &match argument {
            OscType::String(word) => format!("s:\"{}\"", shortened(word)),
            OscType::Blob(bytes) => format!("b:{} bytes", bytes.len()),
            OscType::Array(array) => format!("[{} values]", array.content.len()),
            OscType::Int(number) => format!("i:{number}"),
            OscType::Long(number) => format!("h:{number}"),
            OscType::Float(number) => format!("f:{number}"),
            OscType::Double(number) => format!("d:{number}"),
            OscType::Bool(on) => format!("{on}"),
            OscType::Time(time) => format!("t:{}.{:08x}", time.seconds, time.fractional),
            other => format!("{other:?}"),
        };
    }
    if message.args.len() > MOST_ARGUMENTS {
        text += &format!(" and {} more", message.args.len() - MOST_ARGUMENTS);
    }
    // 1 is "at once", which is what a message without a tag is too.
    match tag.filter(|tag| *tag > 1) {
        Some(tag) => text + &format!(" at {}.{:08x}", tag >> 32, tag as u32),
        None => text,
    }
}

/// Without what would be no text in a log, and cut.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MOST_CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        short += "...";
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Share;
    use rosc::{OscBundle, OscPacket, OscTime, encoder};

    const SECOND: u64 = rt::clock::NANOSECONDS;

    fn datagram(count: usize) -> Datagram {
        let message =
            OscMessage { addr: "/a\nb".to_owned(), args: vec![OscType::Int(4), OscType::String("x\n".to_owned())] };
        let content = vec![OscPacket::Message(message); count];
        let bundle = OscBundle { timetag: OscTime { seconds: 2, fractional: 16 }, content };
        let bytes = encoder::encode(&OscPacket::Bundle(bundle)).unwrap();
        Datagram { bytes, sender: ([127, 0, 0, 1], 9).into(), arrival_ns: 0, truncated: false, share: Share::Everyone }
    }

    #[test]
    fn nothing_is_printed_until_somebody_wants_it() {
        let mut dump = Dump::default();
        assert_eq!(dump.lines(&datagram(3), "x", SECOND), (vec![], 0));
        dump.set(true, "x");
        let (lines, left_out) = dump.lines(&datagram(1), "x", SECOND);
        assert_eq!(lines, [r#"OSC from x: /a\nb i:4 s:"x\n" at 2.00000010"#]);
        assert_eq!(left_out, 0);
        dump.set(false, "x");
        assert_eq!(dump.lines(&datagram(3), "x", SECOND), (vec![], 0));
    }

    #[test]
    fn lines_are_few_and_what_is_left_out_is_counted_and_told() {
        let mut dump = Dump::default();
        dump.set(true, "x");
        let printed = |(lines, left_out): (Vec<String>, u64)| (lines.len() as u64, left_out);
        assert_eq!(printed(dump.lines(&datagram(500), "x", SECOND)), (LINES.burst, 500 - LINES.burst));
        assert_eq!(printed(dump.lines(&datagram(3), "x", SECOND)), (0, 3));
        let (lines, _) = dump.lines(&datagram(1), "x", 2 * SECOND);
        assert!(lines[0].contains("(403 before it were not printed"), "{lines:?}");
        let (lines, _) = dump.lines(&Datagram { bytes: b"junk".to_vec(), ..datagram(0) }, "x", 2 * SECOND);
        assert!(lines[0].contains("4 bytes that are not OSC"), "{lines:?}");
    }
}
