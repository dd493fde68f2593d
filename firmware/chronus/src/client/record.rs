//! `chronus record`: asks a running engine to record, and waits until it says that it does, or has.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType, encoder};

use super::argument;
use super::exchange::{FAILED, connect, explain_silence};
use crate::command_line::RecordOptions;
use crate::input::read_packet;

/// Longest wait for an engine that says nothing at all: a card may take seconds to make a file or to finish one.
const PATIENCE: Duration = Duration::from_secs(15);

/// Longest wait for half an hour of the past: several times what rendering takes on the slowest box.
const RENDERING: Duration = Duration::from_secs(30 * 60);

/// Largest reply that can come: a UDP datagram.
const REPLY_BYTES: usize = 65_536;

/// Does it and prints what came of it.
pub fn run_record(options: &RecordOptions) -> ExitCode {
    match record(options) {
        Ok(text) => {
            // Not println!: a closed pipe (`| head`) is no reason to panic.
            let _ = writeln!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("chronus record: {text}");
            ExitCode::from(FAILED)
        }
    }
}

fn record(options: &RecordOptions) -> Result<String, String> {
    let server = &options.server;
    let found = server.to_socket_addrs().map_err(|error| format!("'{server}' leads to no address: {error}"))?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    // An engine listens on IPv4 unless told otherwise.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let address = *addresses.first().ok_or_else(|| format!("'{server}' leads to no address"))?;
    let message = OscMessage { addr: options.address.to_owned(), args: options.arguments.clone() };
    let bytes = encoder::encode(&OscPacket::Message(message)).map_err(|error| error.to_string())?;
    let socket = connect(address).map_err(|error| format!("cannot reach {server}: {error}"))?;
    socket.send(&bytes).map_err(|error| explain_silence(address, &error))?;
    let (mut deadline, mut buffer) = (Instant::now() + PATIENCE, vec![0; REPLY_BYTES]);
    let reply = format!("{}.reply", options.address);
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        let size = match socket.recv(&mut buffer) {
            Ok(size) => size,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(explain_silence(address, &error)),
        };
        let packet = read_packet(&buffer[..size]).map_err(|error| format!("what came is not OSC: {}", error.text))?;
        for timed in packet.messages {
            let OscMessage { addr, args } = &timed.message;
            if addr == "/error" {
                return Err(args.get(2).and_then(|text| text.clone().string()).unwrap_or_else(|| "refused".to_owned()));
            }
            if *addr == reply && args.first() == Some(&OscType::String("keeping".to_owned())) {
                deadline = Instant::now() + RENDERING;
                eprintln!("{}", words(args));
            } else if *addr == reply {
                return Ok(words(args));
            }
        }
    }
}

/// A reply for a person; pairs of the status a line each.
fn words(arguments: &[OscType]) -> String {
    let is_key = |argument: &OscType| matches!(argument, OscType::String(key) if key.starts_with("record."));
    match arguments {
        [first, ..] if is_key(first) => {
            let lines = arguments.chunks(2).map(|pair| pair.iter().map(argument::text).collect::<Vec<_>>().join("  "));
            lines.collect::<Vec<_>>().join("\n")
        }
        [OscType::String(what), OscType::String(file), OscType::Float(seconds), _] => {
            format!("{what} {file}, {seconds:.1} s")
        }
        [OscType::String(file), OscType::Long(_)] => format!("recording {file}"),
        [OscType::String(file), OscType::Long(frames), OscType::Long(0)] => format!("{file} is whole, {frames} frames"),
        [OscType::String(file), OscType::Long(frames), OscType::Long(missing)] => {
            format!("{file} is whole, {frames} frames, {missing} of which are silence because the disk was too slow")
        }
        other => other.iter().map(argument::text).collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_said_in_words() {
        let text = |text: &str| OscType::String(text.to_owned());
        assert_eq!(words(&[text("a.wav"), OscType::Long(7)]), "recording a.wav");
        assert_eq!(words(&[text("a.wav"), OscType::Long(7), OscType::Long(0)]), "a.wav is whole, 7 frames");
        assert!(words(&[text("a.wav"), OscType::Long(7), OscType::Long(5)]).contains("5 of which are silence"));
        assert_eq!(words(&[text("kept"), text("a.wav"), OscType::Float(1.25), OscType::Long(0)]), "kept a.wav, 1.2 s");
        let status = [text("record.state"), text("off"), text("record.past_s"), OscType::Long(3)];
        assert_eq!(words(&status), "record.state  off\nrecord.past_s  3");
    }
}
