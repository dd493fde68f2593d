//! A listening socket and the connections that came by it, whatever is spoken there: who has a place, how long is waited, and
//! which are over.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};
use rt::clock::NANOSECONDS;

use super::outgoing::{Failure, Outgoing, Streams};
use super::sender::sender_of_stream;
use crate::input::host_of;

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

/// A connection, as far as its listener must know it.
pub trait Client {
    /// Who is at the other end.
    fn sender(&self) -> SocketAddr;

    /// The end from which is answered.
    fn outgoing(&self) -> &Arc<Outgoing>;

    /// Whether what comes is taken.
    fn is_open(&self) -> bool;

    /// Nanoseconds until it is to be read again; `None` if there is nothing to read now.
    fn rest(&self, now: u64) -> Option<u64>;

    /// Whether it is to be forgotten, and why, if that was not its wish.
    fn is_over(&self, now: u64) -> Option<Option<Failure>>;

    /// Says why there is no place for it, and takes nothing more.
    fn refuse(&mut self, why: &str, now: u64);

    /// The host at the other end.
    fn host(&self) -> IpAddr {
        host_of(self.sender().ip())
    }
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// At a time.
    pub all: usize,
    /// Of these of one host, so that one cannot take the places of all.
    pub of_a_host: usize,
}

/// What became of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Came {
    /// Connections that were taken.
    pub accepted: u64,
    /// Connections that were refused: too many.
    pub refused: u64,
    /// Closed because their clients did not read.
    pub slow: u64,
}

/// What there is to do.
pub struct Ready {
    /// Somebody wants to come in.
    pub knocks: bool,
    /// For each connection, in their order.
    pub connections: Vec<PollFlags>,
}

/// A listening socket, and its connections.
pub struct Listener<C> {
    /// In the order of their coming.
    pub connections: Vec<C>,
    /// What became of them and of others.
    pub came: Came,
    socket: TcpListener,
    streams: Streams,
    places: Places,
    accept_after: u64,
}

impl<C: Client> Listener<C> {
    /// Listens at an address; `streams` get the ends from which is answered.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn bind(address: SocketAddr, streams: Streams, places: Places) -> io::Result<Self> {
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { connections: Vec::new(), came: Came::default(), socket, streams, places, accept_after: 0 })
    }

    /// The address in use; its port is the real one where port 0 was asked for.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Connections by which what comes is taken.
    pub fn open(&self) -> impl Iterator<Item = &C> {
        self.connections.iter().filter(|connection| connection.is_open())
    }

    /// Waits for something to do, so many nanoseconds at most and never more than 100 ms; `None` if a signal came.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn wait(&self, longest: u64) -> io::Result<Option<Ready>> {
        let now = rt::clock::monotonic();
        let accepting = self.accept_after.saturating_sub(now);
        let reading = |rest: u64| if rest == 0 { PollFlags::POLLIN } else { PollFlags::empty() };
        let bell = self.streams.bell();
        let mut watched =
            vec![PollFd::new(bell.as_fd(), PollFlags::POLLIN), PollFd::new(self.socket.as_fd(), reading(accepting))];
        let mut wait = WAIT.min(longest).min(if accepting == 0 { WAIT } else { accepting });
        for connection in &self.connections {
            let rest = connection.rest(now);
            let mut events = rest.map_or(PollFlags::empty(), reading);
            if connection.outgoing().is_waiting() {
                events |= PollFlags::POLLOUT;
            }
            wait = wait.min(rest.filter(|rest| *rest > 0).unwrap_or(WAIT));
            watched.push(PollFd::new(connection.outgoing().socket().as_fd(), events));
        }
        // Rounded up: a wait that ends just before its time would be followed by one of nothing.
        let wait = PollTimeout::try_from(Duration::from_millis(wait.div_ceil(NANOSECONDS / 1000)));
        match poll(&mut watched, wait.unwrap_or(PollTimeout::ZERO)) {
            Err(Errno::EINTR) => return Ok(None),
            Err(errno) => return Err(errno.into()),
            Ok(_) => {}
        }
        let mut events = watched.iter().map(|one| one.revents().unwrap_or(PollFlags::empty())).skip(1);
        let knocks = events.next().is_some_and(|events| events.contains(PollFlags::POLLIN));
        let connections = events.collect();
        let _ = bell.read();
        Ok(Some(Ready { knocks, connections }))
    }

    /// Lets in who waits at the door, as far as there are places; `new` makes a connection of a socket and its sender.
    ///
    /// # Errors
    /// What the kernel says, such as that there are no descriptors left; then nobody is let in for a second.
    pub fn accept(&mut self, new: impl Fn(TcpStream, SocketAddr, u64) -> io::Result<C>) -> io::Result<()> {
        for _ in 0..MOST_ACCEPTED {
            let (socket, peer) = match self.socket.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // It was gone again.
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => continue,
                Err(error) => {
                    self.accept_after = rt::clock::monotonic() + NANOSECONDS;
                    return Err(error);
                }
            };
            let (sender, now) = (sender_of_stream(peer, self.streams.next_number()), rt::clock::monotonic());
            if let Ok(connection) = prepare(&socket).and_then(|()| new(socket, sender, now)) {
                self.add(connection, now);
            }
        }
        Ok(())
    }

    /// Lets nobody in for a while: somebody was refused, or comes again and again.
    pub fn rest(&mut self, now: u64) {
        self.accept_after = self.accept_after.max(now + KNOCK_REST);
    }

    fn add(&mut self, mut connection: C, now: u64) {
        let Places { all, of_a_host } = self.places;
        let of_host = self.open().filter(|other| other.host() == connection.host()).count();
        if self.open().count() >= all {
            self.refuse(&mut connection, &format!("there are {all} connections already"), now);
        } else if of_host >= of_a_host {
            self.refuse(&mut connection, &format!("there are {of_a_host} connections of your machine already"), now);
        } else {
            self.came.accepted += 1;
            self.streams.add(connection.sender(), connection.outgoing().clone());
        }
        self.connections.push(connection);
        self.forget();
    }

    fn refuse(&mut self, connection: &mut C, why: &str, now: u64) {
        self.came.refused += 1;
        self.rest(now);
        connection.refuse(why, now);
    }

    /// Closes what is over.
    pub fn forget(&mut self) {
        let now = rt::clock::monotonic();
        // Of those that are being closed as many stay as there may be open, those that came last.
        let closing = self.connections.iter().filter(|one| !one.is_open()).count();
        let mut excess = closing.saturating_sub(self.places.all);
        let (streams, came) = (&self.streams, &mut self.came);
        self.connections.retain(|one| {
            let over = one.is_over(now);
            let stays = over.is_none() && (one.is_open() || excess == 0);
            if !stays {
                streams.remove(one.sender());
                came.slow += u64::from(over == Some(Some(Failure::Slow)));
                excess = excess.saturating_sub(usize::from(!one.is_open()));
            }
            stays
        });
    }
}

/// Makes a socket that was accepted one that nobody waits for, and whose client is missed when it is gone.
fn prepare(socket: &TcpStream) -> io::Result<()> {
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
