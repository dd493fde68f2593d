//! A WebSocket: commands as text, OSC both ways in binary messages.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use rosc::{OscPacket, OscType, encoder};
use serde::Deserialize;
use serde_json::{Value, json};
use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use super::tree::Tree;
use crate::input::{Code, Datagram, Framing, Gate, MAX_DATAGRAM_BYTES, Outgoing, Refusal, Share};

/// Bytes taken from the kernel at a turn, after which the others have theirs.
const BYTES_OF_A_TURN: usize = 64 << 10;
/// Bytes read at a time: an OSC message has far fewer.
const READ_BUFFER: usize = 4 << 10;

/// The connection as the WebSocket sees it: what it writes is kept where it cannot be sent.
struct Ends {
    outgoing: Arc<Outgoing>,
    /// Bytes that may still be read at this turn.
    left: usize,
    /// Bytes that were read at this turn.
    taken: u64,
}

impl Read for Ends {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let most = room.len().min(self.left);
        let length = self.outgoing.socket().read(&mut room[..most])?;
        self.left -= length;
        self.taken += length as u64;
        Ok(length)
    }
}

impl Write for Ends {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.send_bytes(bytes);
        if self.outgoing.failure().is_some() { Err(ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a client sends as text.
#[derive(Deserialize)]
struct Command {
    #[serde(rename = "COMMAND")]
    command: String,
    #[serde(rename = "DATA", default)]
    data: Value,
}

/// What became of a turn.
pub struct Turn {
    /// Bytes that were read.
    pub bytes: u64,
    /// Messages that were dropped: a flood, or a full queue.
    pub dropped: u64,
    /// It is over, and whether that is because of what the client sent.
    pub over: Option<bool>,
}

/// An open one.
pub struct Session {
    socket: WebSocket<Ends>,
    /// What its client listens to, and what it was told last.
    listens: HashMap<String, Option<OscType>>,
    may_set: bool,
    /// Its client was told that it may set nothing.
    told: bool,
}

impl Session {
    /// On a connection that was asked to become one; `rest` came behind that.
    pub fn new(outgoing: Arc<Outgoing>, rest: Vec<u8>, may_set: bool) -> Self {
        outgoing.set_framing(Framing::WebSocket);
        // What is written is kept by `Ends`, so nothing is kept here.
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(MAX_DATAGRAM_BYTES))
            .max_frame_size(Some(MAX_DATAGRAM_BYTES));
        let ends = Ends { outgoing, left: BYTES_OF_A_TURN, taken: 0 };
        let socket = WebSocket::from_partially_read(ends, rest, Role::Server, Some(config));
        Self { socket, listens: HashMap::new(), may_set, told: false }
    }

    /// Whether there is something to look for on its behalf.
    pub fn listens(&self) -> bool {
        !self.listens.is_empty()
    }

    /// Reads what is there; `out` takes OSC, and says whether there is room for it.
    pub fn turn(
        &mut self,
        sender: SocketAddr,
        tree: &Tree,
        gate: &Gate,
        out: &mut impl FnMut(Datagram) -> bool,
    ) -> Turn {
        let ends = self.socket.get_mut();
        (ends.left, ends.taken) = (BYTES_OF_A_TURN, 0);
        let mut turn = Turn { bytes: 0, dropped: 0, over: None };
        while turn.over.is_none() {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    if self.admit(gate, sender, text.len()).is_none() {
                        turn.dropped += 1;
                    } else if !self.obey(&text, tree) {
                        turn.over = Some(true);
                        self.close(CloseCode::Invalid, "this is no command: {\"COMMAND\": ..., \"DATA\": ...}");
                    }
                }
                Ok(Message::Binary(bytes)) => turn.dropped += u64::from(!self.take(bytes.into(), sender, gate, out)),
                // Pings are answered by the library, and cost as much as a message.
                Ok(_) if self.admit(gate, sender, 0).is_some() => {}
                Ok(_) => {
                    turn.dropped += 1;
                    break;
                }
                Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock) => break,
                Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::Interrupted) => {}
                Err(Error::Capacity(_)) => {
                    turn.over = Some(true);
                    self.close(CloseCode::Size, "a message has at most 32 KiB");
                }
                // It went without a word.
                Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => turn.over = Some(false),
                Err(Error::Protocol(_) | Error::Utf8(_)) => {
                    turn.over = Some(true);
                    self.close(CloseCode::Protocol, "this is no WebSocket");
                }
                Err(_) => turn.over = Some(false),
            }
        }
        turn.bytes = self.socket.get_ref().taken;
        turn
    }

    /// Tells what has changed of what its client listens to; `may_send` says whether so many bytes may be sent.
    pub fn tell_values(&mut self, tree: &Tree, mut may_send: impl FnMut(usize) -> bool) {
        let mut told_now = Vec::new();
        // Those first that were never told: where there is not room for all, each is heard of.
        for never in [true, false] {
            self.listens.retain(|path, told| {
                let Some(message) = tree.method(path).and_then(|method| method.message()) else { return false };
                if told.is_none() == never && told.as_ref() != message.args.first() {
                    let value = message.args.first().cloned();
                    let bytes = encoder::encode(&OscPacket::Message(message)).unwrap_or_default();
                    // What is not sent is told at the next look, as it is then.
                    if may_send(bytes.len()) {
                        told_now.extend(Framing::WebSocket.wrap(&bytes));
                        *told = value;
                    }
                }
                true
            });
        }
        // At one go: with a hundred values that move, each by itself would be a hundred system calls.
        if !told_now.is_empty() {
            self.socket.get_ref().outgoing.send_bytes(&told_now);
        }
    }

    /// Tells that addresses have gone and others have come; of none that the tree is another one.
    pub fn tell_paths(&mut self, gone: &[&str], come: &[&str]) {
        for (command, paths) in [("PATH_REMOVED", gone), ("PATH_ADDED", come), ("PATH_CHANGED", &["/"])] {
            for path in paths {
                let text = json!({ "COMMAND": command, "DATA": path }).to_string();
                // One that is gone is found out at the next turn.
                let _ = self.socket.send(Message::text(text));
            }
        }
    }

    fn close(&mut self, code: CloseCode, reason: &'static str) {
        let _ = self.socket.close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = self.socket.flush();
    }

    fn admit(&self, gate: &Gate, sender: SocketAddr, bytes: usize) -> Option<Share> {
        let outgoing = &self.socket.get_ref().outgoing;
        gate.admit(sender, bytes, rt::clock::monotonic(), |reply| _ = outgoing.send(reply))
    }

    /// Does what a text says; false if it says nothing. A word that nobody knows is one of a later version.
    fn obey(&mut self, text: &str, tree: &Tree) -> bool {
        let Ok(Command { command, data }) = serde_json::from_str(text) else { return false };
        if let Some(path) = data.as_str() {
            // So there are never more than addresses that have a value.
            let has_value = tree.method(path).is_some_and(|method| method.value.is_some());
            match command.as_str() {
                "LISTEN" if has_value => _ = self.listens.insert(path.to_owned(), None),
                "IGNORE" => _ = self.listens.remove(path),
                _ => {}
            }
        }
        true
    }

    /// Hands over OSC; false if it was dropped.
    fn take(
        &mut self,
        bytes: Vec<u8>,
        sender: SocketAddr,
        gate: &Gate,
        out: &mut impl FnMut(Datagram) -> bool,
    ) -> bool {
        let Some(share) = self.admit(gate, sender, bytes.len()) else { return false };
        if !self.may_set {
            // Once: it will not change.
            if !std::mem::replace(&mut self.told, true) {
                let text =
                    "a web page that was not loaded from this box may look and not touch; send OSC from a program";
                self.refuse(Code::Forbidden, text);
            }
            return false;
        }
        let taken = out(Datagram { bytes, sender, arrival_ns: rt::clock::monotonic(), truncated: false, share });
        if !taken {
            self.refuse(
                Code::Full,
                "more messages than the engine can take in at once; this one is lost, send it again",
            );
        }
        taken
    }

    fn refuse(&self, code: Code, text: &str) {
        if let Some(packet) = Refusal::new("-", code, text).to_packet() {
            self.socket.get_ref().outgoing.send(&packet);
        }
    }
}
