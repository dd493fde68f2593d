//! OSCQuery: one thread for all its connections, which are few. It reads what is played by itself, so that nobody who asks
//! costs the other threads anything.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rt::clock::NANOSECONDS;

use super::answer::Host;
use super::budget::Budget;
use super::connection::Connection;
use super::played::Played;
use super::request::Status;
use super::tree::Tree;
use crate::audio::SharedMemory;
use crate::input::{Datagram, Failure, Gate, Streams, prepare, sender_of_stream};

/// Connections at a time, WebSockets and others: those of OSC over TCP.
pub const MOST_CONNECTIONS: usize = 16;
/// Of these at most so many of one host: as many as a browser opens to one, and a WebSocket.
pub const MOST_OF_A_HOST: usize = 7;
/// Connections that are being closed: as many again. The oldest of more is closed at once.
const MOST_CLOSING: usize = 16;
/// Connections accepted before those that are there have their turn again, all and more.
const MOST_ACCEPTED: usize = 32;
/// How long nobody is accepted after somebody was refused.
const KNOCK_REST: u64 = NANOSECONDS / 20;
/// Longest wait: how late, at most, the thread sees that it shall stop.
const WAIT: u64 = NANOSECONDS / 10;
/// Nanoseconds between two looks for who listens: as often as subscribers of `/notify` are told.
const INTERVAL: u64 = 25_000_000;

/// Addresses that come or go at a time and are told one by one: those of some modules. A patch that is another one altogether
/// is to be read again as a whole.
pub const MOST_PATHS: usize = 64;

/// What became of connections and of what came by them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Connections now.
    pub open: u64,
    /// WebSockets of these.
    pub sockets: u64,
    /// Connections that were taken.
    pub accepted: u64,
    /// Connections that were refused: too many.
    pub refused: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// Closed because their clients did not read, or sent too slowly.
    pub slow: u64,
    /// Closed because what came was no request, or no WebSocket.
    pub broken: u64,
    /// Requests and messages that were too many.
    pub dropped: u64,
}

/// What all connections see.
pub struct Shared {
    /// The tree.
    pub played: Played,
    /// What is said of the engine.
    pub host: Host,
    /// Who decides about OSC that comes.
    pub gate: Gate,
    /// The tree that WebSockets were told of last, if there is another one by now.
    told: Option<Tree>,
}

impl Shared {
    /// Looks at what is played.
    pub fn look(&mut self, now: u64) {
        if let Some(before) = self.played.look(now) {
            self.told.get_or_insert(before);
        }
    }
}

/// Takes connections, and what comes by them.
pub struct Server {
    listener: TcpListener,
    streams: Streams,
    shared: Shared,
    budget: Budget,
    connections: Vec<Connection>,
    accept_after: u64,
    looked: u64,
    counts: Counts,
}

impl Server {
    /// Listens at an address. `gate` and `streams` are those of OSC, which is taken at `osc`.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn bind(
        address: SocketAddr,
        osc: SocketAddr,
        gate: Gate,
        streams: Streams,
        memory: Arc<SharedMemory>,
        rate: u32,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        // Without a name it is found by its address.
        let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let host = Host { name: name.unwrap_or_default(), osc };
        let shared = Shared { played: Played::new(memory, rate), host, gate, told: None };
        Ok(Self {
            listener,
            streams,
            shared,
            budget: Budget::new(),
            connections: Vec::new(),
            accept_after: 0,
            looked: 0,
            counts: Counts::default(),
        })
    }

    /// The address in use; its port is the real one where port 0 was asked for.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What became of all.
    pub fn counts(&self) -> Counts {
        let sockets = self.connections.iter().filter(|connection| connection.is_session()).count() as u64;
        Counts { open: self.open().count() as u64, sockets, ..self.counts }
    }

    /// Waits up to 100 ms for something to do, and does it. `out` takes OSC and says whether there is room for it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn turn(&mut self, out: &mut impl FnMut(Datagram) -> bool) -> io::Result<()> {
        let Some(ready) = self.wait()? else { return Ok(()) };
        let _ = self.streams.bell().read();
        let now = rt::clock::monotonic();
        for (connection, ready) in self.connections.iter_mut().zip(&ready[2..]) {
            let (shared, budget, counts) = (&mut self.shared, &mut self.budget, &mut self.counts);
            let (was_session, dropped) = (connection.is_session(), counts.dropped);
            if ready.contains(PollFlags::POLLOUT) {
                connection.send_kept();
            }
            if connection.has_more() {
                connection.answer_all(shared, budget, counts, now);
            }
            if ready.intersects(PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR) {
                connection.read(shared, budget, counts, out);
            }
            // What came right behind the request for it is no longer in the kernel.
            if connection.is_session() && !was_session {
                connection.read(shared, budget, counts, out);
            }
            if ready.contains(PollFlags::POLLHUP) {
                connection.hung_up();
            }
            // Who was told to ask later is not let in again at once.
            if self.counts.dropped > dropped && !connection.is_session() {
                self.accept_after = now + KNOCK_REST;
            }
            self.counts.slow += u64::from(connection.dismiss_if_slow(now));
        }
        self.tell(now);
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
        if self.connections.iter().any(Connection::is_session) {
            wait = wait.min((self.looked + INTERVAL).saturating_sub(now));
        }
        if self.connections.iter().any(Connection::has_more) {
            wait = 0;
        }
        for connection in &self.connections {
            let rest = connection.rest(now);
            let mut events = rest.map_or(PollFlags::empty(), reading);
            if connection.outgoing.is_waiting() {
                events |= PollFlags::POLLOUT;
            }
            wait = wait.min(rest.filter(|rest| *rest > 0).unwrap_or(WAIT));
            watched.push(PollFd::new(connection.outgoing.socket().as_fd(), events));
        }
        // Rounded up: a wait that ends just before its time would be followed by one of nothing.
        let wait = PollTimeout::try_from(Duration::from_millis(wait.div_ceil(NANOSECONDS / 1000)));
        match poll(&mut watched, wait.unwrap_or(PollTimeout::ZERO)) {
            Err(Errno::EINTR) => Ok(None),
            Err(errno) => Err(errno.into()),
            Ok(_) => Ok(Some(watched.iter().map(|one| one.revents().unwrap_or(PollFlags::empty())).collect())),
        }
    }

    /// Tells WebSockets what has changed, if it is time to look.
    fn tell(&mut self, now: u64) {
        let Self { shared, budget, connections, .. } = self;
        if !connections.iter().any(Connection::is_session) {
            // Whoever comes next begins with what is there.
            shared.told = None;
            return;
        }
        if now < self.looked + INTERVAL {
            return;
        }
        self.looked = now;
        shared.look(now);
        let tree = shared.played.tree();
        let told = shared.told.take();
        let (gone, come) = match &told {
            Some(told) => (told.beyond(tree).collect::<Vec<_>>(), tree.beyond(told).collect::<Vec<_>>()),
            None => Default::default(),
        };
        // Another one comes first each time: where there is not room for all that is told to a host, each gets some of it.
        let first = (now / INTERVAL) as usize % connections.len();
        let (later, sooner) = connections.split_at_mut(first);
        for connection in sooner.iter_mut().chain(later) {
            let sender = connection.sender;
            let Some(session) = connection.session() else { continue };
            match gone.len() + come.len() {
                0 => {}
                1..=MOST_PATHS => session.tell_paths(&gone, &come),
                _ => session.tell_paths(&[], &[]),
            }
            if session.listens() {
                session.tell_values(tree, |bytes| budget.may_send(sender, bytes, now));
            }
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
            let (sender, now) = (sender_of_stream(peer, self.streams.next_number()), rt::clock::monotonic());
            if let Ok(connection) = prepare(&socket).and_then(|()| Connection::new(socket, sender, now)) {
                self.add(connection, now);
            }
        }
        Ok(())
    }

    fn add(&mut self, mut connection: Connection, now: u64) {
        let of_host = self.open().filter(|other| other.host() == connection.host()).count();
        let many = self.open().count();
        if many >= MOST_CONNECTIONS || of_host >= MOST_OF_A_HOST {
            self.counts.refused += 1;
            self.accept_after = now + KNOCK_REST;
            let whose = if many >= MOST_CONNECTIONS { "" } else { " of your machine" };
            let number = if many >= MOST_CONNECTIONS { MOST_CONNECTIONS } else { MOST_OF_A_HOST };
            let why = format!("there are {number} connections{whose} already; close one, or try again in a while");
            connection.dismiss(Status::Unavailable, &why, now);
        } else {
            self.counts.accepted += 1;
            self.streams.add(connection.sender, connection.outgoing.clone());
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
