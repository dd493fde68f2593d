//! The way replies go: from the socket of the datagrams, or by the connection that the question came by.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use crate::input::{Streams, is_stream, send_reply};

/// Both ways.
pub struct WayBack {
    /// The socket of the datagrams.
    pub datagrams: UdpSocket,
    /// The connections; `None` if none are taken.
    pub streams: Option<Streams>,
}

impl WayBack {
    /// Where nothing is received, and nobody is answered.
    ///
    /// # Errors
    /// In words, if there is no descriptor for it.
    pub fn to_nobody() -> Result<Self, String> {
        let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("a socket: {error}"))?;
        Ok(Self { datagrams, streams: None })
    }

    /// Sends a packet, or does not: nobody is waited for.
    pub fn send(&self, packet: &[u8], to: SocketAddr) {
        if is_stream(to) {
            if let Some(streams) = &self.streams {
                streams.send(to, packet);
            }
            return;
        }
        send_reply(self.datagrams.as_raw_fd(), packet, to);
    }

    /// A further way back, for another thread.
    ///
    /// # Errors
    /// If there is no descriptor for it.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        Ok(Self { datagrams: self.datagrams.try_clone()?, streams: self.streams.clone() })
    }
}
