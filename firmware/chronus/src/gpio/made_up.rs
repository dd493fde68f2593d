//! Test builds: pins that somebody else moves, by datagrams to a Unix socket, each with lines `PIN LEVEL TIME SEQUENCE`
//! (0 or 1, nanoseconds of CLOCK_MONOTONIC, from 1).

use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Edge, Gpio, Output, Pull};

/// Names the socket.
const VARIABLE: &str = "CHRONUS_GPIO";

/// Largest datagram that is read: a thousand edges.
const MOST_BYTES: usize = 65_536;

/// Made-up pins.
pub struct MadeUp {
    socket: UnixDatagram,
    inputs: Vec<u8>,
}

/// Opens them, if the environment names them.
///
/// # Errors
/// In words, if the socket cannot be had.
pub fn open() -> Result<Option<MadeUp>, String> {
    let Some(path) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let _ = std::fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    socket.map(|socket| Some(MadeUp { socket, inputs: Vec::new() })).map_err(|error| format!("{VARIABLE}: {error}"))
}

fn edge(line: &str) -> Option<Edge> {
    let mut words = line.split_whitespace().map(|word| word.parse::<u64>().ok());
    let mut next = || words.next().flatten();
    Some(Edge { pin: next()? as u8, high: next()? != 0, time_ns: next()?, sequence: next()? as u32 })
}

/// An output nobody looks at.
struct Nowhere;

impl Output for Nowhere {
    fn set(&mut self, _: bool) {}
}

impl Gpio for MadeUp {
    fn input(&mut self, pin: u8, pull: Pull) -> Result<bool, String> {
        self.inputs.push(pin);
        Ok(pull != Pull::Down)
    }

    fn output(&mut self, _: u8, _: bool) -> Result<Box<dyn Output>, String> {
        Ok(Box::new(Nowhere))
    }

    fn wait(&mut self, limit: Option<Duration>, edges: &mut Vec<Edge>) -> Result<(), String> {
        let limit = limit.map_or(PollTimeout::NONE, |limit| {
            PollTimeout::try_from(limit.as_nanos().div_ceil(1_000_000) as u64).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)], limit) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.to_string()),
        }
        let mut bytes = vec![0; MOST_BYTES];
        while let Ok(length) = self.socket.recv(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]);
            edges.extend(text.lines().filter_map(edge).filter(|edge| self.inputs.contains(&edge.pin)));
        }
        Ok(())
    }
}
