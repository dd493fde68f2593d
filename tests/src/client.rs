//! A client of the engine over UDP: one that asks and is told.

use std::net::UdpSocket;
use std::time::Duration;

use rosc::{OscMessage, OscPacket, OscType};

/// Longest wait for a message.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client.
pub struct Client(UdpSocket);

impl Client {
    /// One that talks to the engine at this address.
    pub fn of(address: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(address).expect("a connection");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        Self(socket)
    }

    /// Waits only so long for a message from now on.
    pub fn wait_at_most(&self, time: Duration) {
        self.0.set_read_timeout(Some(time)).expect("a time limit");
    }

    /// Sends a message.
    pub fn send(&self, address: &str, arguments: Vec<OscType>) {
        let message = OscMessage { addr: address.to_owned(), args: arguments };
        self.0.send(&rosc::encoder::encode(&OscPacket::Message(message)).expect("it encodes")).expect("it is sent");
    }

    /// All messages of the next datagram; `None` if none comes in time.
    pub fn messages(&self) -> Option<Vec<OscMessage>> {
        let mut bytes = [0; 65_536];
        let length = self.0.recv(&mut bytes).ok()?;
        Some(match rosc::decoder::decode_udp(&bytes[..length]).expect("it is OSC").1 {
            OscPacket::Message(message) => vec![message],
            OscPacket::Bundle(bundle) => bundle
                .content
                .into_iter()
                .map(|packet| match packet {
                    OscPacket::Message(message) => message,
                    OscPacket::Bundle(_) => panic!("a bundle in a bundle"),
                })
                .collect(),
        })
    }

    /// The arguments of the next message to an address; what comes before it is passed over.
    pub fn next(&self, address: &str) -> Vec<OscType> {
        loop {
            let messages = self.messages().unwrap_or_else(|| panic!("{address} never came"));
            if let Some(found) = messages.into_iter().find(|message| message.addr == address) {
                return found.args;
            }
        }
    }

    /// Asks, and gives the arguments of the reply; or the code and the text of the error.
    ///
    /// # Errors
    /// The code and the text.
    pub fn ask(&self, address: &str, arguments: Vec<OscType>) -> Result<Vec<OscType>, (String, String)> {
        self.send(address, arguments);
        let reply = format!("{address}.reply");
        loop {
            for message in self.messages().unwrap_or_else(|| panic!("{address} is not answered")) {
                if message.addr == reply {
                    return Ok(message.args);
                }
                if message.addr == "/error" && message.args[0] == OscType::String(address.to_owned()) {
                    let word = |place: usize| message.args[place].clone().string().expect("a string");
                    return Err((word(1), word(2)));
                }
            }
        }
    }
}
