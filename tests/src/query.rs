//! A client of OSCQuery: asks over HTTP, listens by a WebSocket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message, WebSocket};

use crate::engine::Engine;
use crate::stream::message;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where an engine is asked.
pub fn query_address(engine: &Engine) -> String {
    engine.status()["query"]["address"].as_str().expect("OSCQuery is on").to_owned()
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head.
    pub head: String,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection over which is asked.
pub struct Asker(pub TcpStream);

impl Asker {
    /// A new connection.
    pub fn connect(address: &str) -> Self {
        let socket = TcpStream::connect(address).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        Self(socket)
    }

    /// Sends bytes as they are; false if the other end takes none any more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Asks with GET.
    pub fn get(&mut self, target: &str) -> Answer {
        assert!(self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()));
        self.answer().expect("an answer")
    }

    /// The next answer; `None` at the end of the connection.
    pub fn answer(&mut self) -> Option<Answer> {
        let head = self.head()?;
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map(|length| length.parse());
        let mut body = vec![0; length.map_or(0, |length| length.expect("a length"))];
        self.0.read_exact(&mut body).expect("the body");
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a status");
        Some(Answer { status, head, body: String::from_utf8(body).expect("text") })
    }

    /// The head of an answer.
    pub fn head(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Ok(_) => return None,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer: {error}"),
            }
        }
        Some(String::from_utf8(head).expect("text"))
    }
}

/// Asks once.
pub fn get(address: &str, target: &str) -> Answer {
    Asker::connect(address).get(target)
}

/// What a WebSocket brings.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// OSC.
    Osc(OscMessage),
    /// COMMAND and DATA.
    Command(String, String),
    /// It was closed, with this code.
    Closed(Option<u16>),
}

/// A panel: a WebSocket.
pub struct Panel {
    socket: WebSocket<TcpStream>,
}

impl Panel {
    /// Connects as a program does, or as a page of an origin.
    pub fn connect(address: &str, origin: Option<&str>) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let mut request = format!("ws://{address}/").into_client_request().expect("a request");
        if let Some(origin) = origin {
            request.headers_mut().insert("Origin", origin.parse().expect("an origin"));
        }
        Self { socket: tungstenite::client(request, stream).expect("a WebSocket").0 }
    }

    /// The connection below it.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }

    /// Sends a text.
    pub fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).expect("it is sent");
    }

    /// Sends a command.
    pub fn command(&mut self, command: &str, path: &str) {
        self.send_text(&json!({ "COMMAND": command, "DATA": path }).to_string());
    }

    /// Sends bytes as a binary message.
    pub fn send_binary(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::binary(bytes)).expect("it is sent");
    }

    /// Sends OSC.
    pub fn send(&mut self, address: &str, arguments: Vec<OscType>) {
        self.send_binary(message(address, arguments));
    }

    /// What comes next; `None` if nothing comes within so long.
    pub fn hear_within(&mut self, time: Duration) -> Option<Heard> {
        self.socket.get_ref().set_read_timeout(Some(time)).expect("a time limit");
        loop {
            return match self.socket.read() {
                Ok(Message::Binary(bytes)) => match rosc::decoder::decode_udp(&bytes).expect("it is OSC").1 {
                    OscPacket::Message(message) => Some(Heard::Osc(message)),
                    OscPacket::Bundle(bundle) => panic!("{bundle:?}"),
                },
                Ok(Message::Text(text)) => {
                    let value: Value = serde_json::from_str(&text).expect("JSON");
                    let word = |key: &str| value[key].as_str().expect("a word").to_owned();
                    Some(Heard::Command(word("COMMAND"), word("DATA")))
                }
                Ok(Message::Close(frame)) => Some(Heard::Closed(frame.map(|frame| frame.code.into()))),
                Ok(_) => continue,
                Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
                Err(_) => Some(Heard::Closed(None)),
            };
        }
    }

    /// What comes next.
    pub fn hear(&mut self) -> Heard {
        self.hear_within(PATIENCE).expect("something comes")
    }

    /// Hears until something is as wanted, and gives all of it.
    pub fn hear_until(&mut self, wanted: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        let (mut all, started) = (Vec::new(), Instant::now());
        while !all.last().is_some_and(&wanted) {
            assert!(started.elapsed() < PATIENCE, "it never came: {all:?}");
            all.extend(self.hear_within(PATIENCE));
        }
        all
    }

    /// The next message at an address; what comes before it is passed over.
    pub fn next(&mut self, address: &str) -> OscMessage {
        let heard = self.hear_until(|heard| matches!(heard, Heard::Osc(message) if message.addr == address));
        let Some(Heard::Osc(message)) = heard.into_iter().next_back() else { unreachable!("it was heard") };
        message
    }

    /// Waits until all that was sent is applied.
    pub fn sync(&mut self) {
        self.send("/sync", vec![OscType::Int(1)]);
        self.next("/synced");
    }
}
