//! OSC over TCP: one thread for all connections, which are few. What comes is handed over as datagrams are, charged to
//! its sender and host as they are; what goes back never keeps anybody waiting.

mod connection;
mod framing;
mod outgoing;
mod sender;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};
use rt::clock::NANOSECONDS;

use super::admission::Gate;
use super::receive::Datagram;
use super::refusal::{Code, Refusal};
use connection::Connection;
pub use framing::Framing;
#[cfg(test)]
pub use outgoing::MOST_KEPT;
pub use outgoing::{Failure, Outgoing, Streams};
pub use sender::{is_stream, sender_name, sender_of_stream};

/// Connections at a time: a stage has some tablets and computers, not a crowd.
pub const MOST_CONNECTIONS: usize = 16;
/// Of these at most so many of one host, so that one cannot take the places of all.
pub const MOST_OF_A_HOST: usize = 4;
/// Connections that are being closed: as many again. The oldest of more is closed at once.
const MOST_CLOSING: usize = 16;
/// Connections accepted before those that are there have their turn again, all and more.
const MOST_ACCEPTED: usize = 32;
/// How long nobody is accepted after somebody was refused: whoever knocks without end costs some 600 refusals a second.
const KNOCK_REST: u64 = NANOSECONDS / 20;
/// Longest wait: how late, at most, the thread sees that it shall stop.
const WAIT: u64 = NANOSECONDS / 10;
/// Bytes that the kernel keeps for one who does not read (it doubles this).
const SEND_BUFFER: usize = 64 << 10;
/// Seconds of silence after which a client is asked whether it is still there, between two such questions, and how many: a
/// tablet that was carried away gives its place back after a minute and a half; one that is only quiet stays.
const KEEP_ALIVE: [u32; 3] = [60, 10, 3];

/// What became of connections and of what came by them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StreamCounts {
    /// Connections now.
    pub open: u64,
    /// Connections that were taken.
    pub accepted: u64,
    /// Connections that were refused: too many.
    pub refused: u64,
    /// Closed because their clients did not read.
    pub slow: u64,
    /// Closed because what came was neither of both framings.
    pub broken: u64,
    /// Messages dropped because they were too many.
    pub dropped: u64,
}

/// Takes connections, and what comes by them.
pub struct StreamReceiver {
    listener: TcpListener,
    streams: Streams,
    gate: Gate,
    connections: Vec<Connection>,
    accept_after: u64,
    counts: StreamCounts,
}

impl StreamReceiver {
    /// Listens at an address; `gate` is that of the datagrams, `streams` get the ends from which is answered.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn bind(address: SocketAddr, gate: Gate, streams: Streams) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let connections = Vec::new();
        Ok(Self { listener, streams, gate, connections, accept_after: 0, counts: StreamCounts::default() })
    }

    /// What became of all.
    pub fn counts(&self) -> StreamCounts {
        StreamCounts { open: self.open().count() as u64, ..self.counts }
    }

    /// Waits up to 100 ms for something to do, and does it. `out` takes a message and says whether there is room for it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn turn(&mut self, out: &mut impl FnMut(Datagram) -> bool) -> io::Result<()> {
        let Some(ready) = self.wait()? else { return Ok(()) };
        let _ = self.streams.bell().read();
        for (connection, ready) in self.connections.iter_mut().zip(&ready[2..]) {
            if ready.contains(PollFlags::POLLOUT) {
                connection.send_kept();
            }
            if ready.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR) {
                connection.read(&self.gate, &mut self.counts, out);
            }
            if ready.contains(PollFlags::POLLHUP) {
                connection.hung_up();
            }
        }
        self.forget();
        if ready[1].contains(PollFlags::POLLIN) {
            self.accept()?;
        }
        Ok(())
    }

    /// What there is to do with the bell, the listener and each connection; `None` if nothing came.
    fn wait(&self) -> io::Result<Option<Vec<PollFlags>>> {
        let now = rt::clock::monotonic();
        let accepting = self.accept_after.saturating_sub(now);
        let reading = |rest: u64| if rest == 0 { PollFlags::POLLIN } else { PollFlags::empty() };
        let mut watched = vec![
            PollFd::new(self.streams.bell().as_fd(), PollFlags::POLLIN),
            PollFd::new(self.listener.as_fd(), reading(accepting)),
        ];
        let mut wait = WAIT.min(if accepting == 0 { WAIT } else { accepting });
        for connection in &self.connections {
            let rest = connection.rest(now);
            let mut events = rest.map_or(PollFlags::empty(), reading);
            if connection.outgoing.is_waiting() {
                events |= PollFlags::POLLOUT;
            }
            wait = wait.min(rest.filter(|rest| *rest > 0).unwrap_or(WAIT));
            watched.push(PollFd::new(connection.outgoing.socket().as_fd(), events));
        }
        let wait = PollTimeout::try_from(Duration::from_nanos(wait)).unwrap_or(PollTimeout::ZERO);
        match poll(&mut watched, wait) {
            Err(Errno::EINTR) => Ok(None),
            Err(errno) => Err(errno.into()),
            Ok(_) => Ok(Some(watched.iter().map(|one| one.revents().unwrap_or(PollFlags::empty())).collect())),
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..MOST_ACCEPTED {
            let (socket, peer) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // It was gone again.
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => continue,
                Err(error) => {
                    self.accept_after = rt::clock::monotonic() + NANOSECONDS;
                    return Err(error);
                }
            };
            if prepare(&socket).is_err() {
                continue;
            }
            self.add(Connection::new(socket, sender_of_stream(peer, self.streams.next_number())));
        }
        Ok(())
    }

    fn add(&mut self, mut connection: Connection) {
        let of_host = self.open().filter(|other| other.host() == connection.host()).count();
        let reason = if self.open().count() >= MOST_CONNECTIONS {
            Some(format!("there are {MOST_CONNECTIONS} connections already"))
        } else if of_host >= MOST_OF_A_HOST {
            Some(format!("there are {MOST_OF_A_HOST} connections of your machine already"))
        } else {
            None
        };
        match reason {
            Some(reason) => {
                let now = rt::clock::monotonic();
                self.counts.refused += 1;
                self.accept_after = now + KNOCK_REST;
                let text = format!("{reason}; close one, or send over UDP");
                connection.dismiss(&Refusal::new("-", Code::Full, text), now);
            }
            None => {
                self.counts.accepted += 1;
                self.streams.add(connection.sender, connection.outgoing.clone());
            }
        }
        self.connections.push(connection);
        self.forget();
    }

    /// Closes what is over.
    fn forget(&mut self) {
        let now = rt::clock::monotonic();
        // Those that came last stay.
        let mut excess = self.connections.iter().filter(|one| !one.is_open()).count().saturating_sub(MOST_CLOSING);
        let (streams, counts) = (&self.streams, &mut self.counts);
        self.connections.retain(|one| {
            let over = one.is_over(now);
            let stays = over.is_none() && (one.is_open() || excess == 0);
            if !stays {
                streams.remove(one.sender);
                counts.slow += u64::from(over == Some(Some(Failure::Slow)));
                excess = excess.saturating_sub(usize::from(!one.is_open()));
            }
            stays
        });
    }

    fn open(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|connection| connection.is_open())
    }
}

/// Makes a socket that was accepted one that nobody waits for, and whose client is missed when it is gone.
///
/// # Errors
/// If it is no socket any more.
pub fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    let [idle, interval, count] = KEEP_ALIVE;
    // What the kernel refuses here is no reason not to be played.
    let _ = setsockopt(socket, sockopt::SndBuf, &SEND_BUFFER);
    let _ = setsockopt(socket, sockopt::KeepAlive, &true);
    let _ = setsockopt(socket, sockopt::TcpKeepIdle, &idle);
    let _ = setsockopt(socket, sockopt::TcpKeepInterval, &interval);
    let _ = setsockopt(socket, sockopt::TcpKeepCount, &count);
    Ok(())
}
