//! Sends one message and collects what comes back.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType, encoder};

use super::argument;
use crate::input::{pattern_matches, read_packet};
use crate::report::printable::one_line;

/// Longest wait for an answer: the engine answers within a millisecond, a busy network within a few dozen.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same where a disk has to do its part, which may be a slow card's.
const PATIENCE_WITH_A_DISK: Duration = Duration::from_secs(15);
/// Largest reply that can come: a UDP datagram.
const REPLY_BYTES: usize = 65_536;
/// Exit code of a command that failed at its work.
pub const FAILED: u8 = 1;
/// Exit code of wrong usage.
const WRONG_USAGE: u8 = 2;

/// Sends one message and returns the replies it caused, in order. A good command is answered by nothing,
/// so `/status` is sent behind it: once that is answered, so is everything before it, but for what waits for a disk.
pub fn send(server: &str, address: &str, arguments: &[String]) -> Result<Vec<OscMessage>, String> {
    let arguments = arguments.iter().map(|word| argument::parse(word)).collect::<Result<_, _>>()?;
    exchange_with_any(server, &OscMessage { addr: address.to_string(), args: arguments })
}

/// `chronus send`: prints replies, error replies to the error output.
pub fn run_send(server: &str, address: &str, words: &[String]) -> ExitCode {
    let arguments: Result<Vec<OscType>, _> = words.iter().map(|word| argument::parse(word)).collect();
    let arguments = match arguments {
        Ok(arguments) if address.starts_with('/') => arguments,
        Ok(_) => {
            let address = one_line(address);
            eprintln!("chronus send: {address} is not an OSC address; addresses begin with /, as in /mod/sine/freq");
            return ExitCode::from(WRONG_USAGE);
        }
        Err(text) => {
            eprintln!("chronus send: {}", one_line(&text));
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let guessed = words.iter().zip(&arguments).any(|(word, argument)| is_guessed(word, argument));
    let replies = match exchange_with_any(server, &OscMessage { addr: address.to_string(), args: arguments }) {
        Ok(replies) => replies,
        Err(text) => {
            eprintln!("chronus send: {}", one_line(&text));
            return ExitCode::from(FAILED);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for reply in &replies {
        if reply.addr == "/error" {
            eprintln!("{}", argument::line(reply));
            if reply.args.get(1) == Some(&OscType::from("wrong_type")) && guessed {
                eprintln!("(what looks like a number, or is true or false, is sent as that; as text it is s:WORD)");
            }
            code = ExitCode::from(FAILED);
        } else {
            // Not println!: a closed pipe (`| head`) is no reason to panic.
            let _ = writeln!(std::io::stdout(), "{}", argument::line(reply));
        }
    }
    code
}

/// Whether a word is sent as something else than text without saying so (`i:5` does).
fn is_guessed(word: &str, argument: &OscType) -> bool {
    !matches!(argument, OscType::String(_)) && word.as_bytes().get(1) != Some(&b':')
}

/// Why there are no replies.
#[derive(Debug, PartialEq)]
enum Failure {
    /// Nobody is there, or it is no Chronus.
    Silence(String),
    /// It took the message, and has not done what it asks for yet.
    Unfinished(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Silence(text)
    }
}

/// Asks every address that the name has until one answers.
fn exchange_with_any(server: &str, message: &OscMessage) -> Result<Vec<OscMessage>, String> {
    let found = server.to_socket_addrs().map_err(|error| format!("'{server}' leads to no address: {error}"))?;
    let mut addresses: Vec<_> = found.collect();
    // An engine listens on IPv4 unless told otherwise, and many names lead to IPv6 first.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    let mut silence = format!("'{server}' leads to no address");
    for address in addresses {
        let patience = if is_answered_later(message, &[]) { PATIENCE_WITH_A_DISK } else { PATIENCE };
        match exchange(address, message, patience) {
            Ok(replies) => return Ok(replies),
            // Sent to another address of the same engine it would be done twice.
            Err(Failure::Unfinished(text)) => return Err(text),
            Err(Failure::Silence(text)) => silence = text,
        }
    }
    Err(silence)
}

fn exchange(server: SocketAddr, message: &OscMessage, patience: Duration) -> Result<Vec<OscMessage>, Failure> {
    // What the message itself asks for, and the one behind it.
    let mut statuses = 1 + usize::from(pattern_matches(&message.addr, "/status"));
    let socket = connect(server).map_err(|error| format!("cannot reach {server}: {error}"))?;
    for message in [message.clone(), OscMessage::from("/status")] {
        let bytes = encoder::encode(&OscPacket::Message(message)).map_err(|error| error.to_string())?;
        socket.send(&bytes).map_err(|error| explain_silence(server, &error))?;
    }
    let mut replies = Vec::new();
    let deadline = Instant::now() + patience;
    let mut buffer = vec![0; REPLY_BYTES];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A timeout of zero would mean none.
        socket.set_read_timeout(Some(left.max(Duration::from_millis(1)))).map_err(|error| error.to_string())?;
        let size = match socket.recv(&mut buffer) {
            Ok(size) => size,
            Err(error) if error.kind() == ErrorKind::Interrupted && !left.is_zero() => continue,
            Err(_) if statuses == 0 => return Err(unfinished(server, message, patience)),
            Err(error) => return Err(explain_silence(server, &error).into()),
        };
        let packet = read_packet(&buffer[..size])
            .map_err(|error| format!("{server} answers something that is not OSC: {}", error.text))?;
        for timed in packet.messages {
            statuses = statuses.saturating_sub(usize::from(timed.message.addr == "/status.reply"));
            if statuses > 0 || timed.message.addr != "/status.reply" {
                replies.push(timed.message);
            }
        }
        if statuses == 0 && !is_answered_later(message, &replies) {
            return Ok(replies);
        }
        if left.is_zero() {
            return Err(format!("{server} keeps talking and never answers /status; is it a Chronus?").into());
        }
    }
}

fn unfinished(server: SocketAddr, message: &OscMessage, patience: Duration) -> Failure {
    let seconds = patience.as_secs();
    Failure::Unfinished(format!(
        "{server} is there and has not finished {} within {seconds} s; its disk may be slow: see `chronus status {server}`",
        message.addr
    ))
}

/// What is answered when a disk has done its part, or when what was sent before has taken effect.
const ANSWERED_LATER: [&str; 7] =
    ["/patch/save", "/patch/load", "/patch/presets", "/record/start", "/record/stop", "/record/keep", "/sync"];

/// Whether a message is one that is answered later, and the answer is not here yet.
fn is_answered_later(message: &OscMessage, replies: &[OscMessage]) -> bool {
    let answer = if message.addr == "/sync" { "/synced".to_owned() } else { format!("{}.reply", message.addr) };
    let is_answer = |reply: &OscMessage| reply.addr == answer || reply.addr == "/error";
    ANSWERED_LATER.contains(&message.addr.as_str()) && !replies.iter().any(is_answer)
}

/// A socket that talks to this address alone.
///
/// # Errors
/// What the kernel says.
pub fn connect(server: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    // Only a connected socket is told at once that nobody is there.
    socket.connect(server)?;
    Ok(socket)
}

/// Why nothing came from there, for a person.
pub fn explain_silence(server: SocketAddr, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionRefused => {
            format!("no Chronus answers at {server}; is it running? start it with: chronus run")
        }
        _ => format!("cannot talk to {server}: {error}"),
    }
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
