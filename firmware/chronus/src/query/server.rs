//! OSCQuery: one thread for all its connections, which are few. It reads what is played by itself, so that nobody who asks
//! costs the other threads anything.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use nix::poll::PollFlags;

use super::answer::Host;
use super::budget::Budget;
use super::connection::Connection;
use super::played::Played;
use super::tree::Tree;
use crate::audio::SharedMemory;
use crate::input::{Came, Client, Datagram, Gate, Listener, Places, Streams};

/// Connections at a time, WebSockets and others: those of OSC over TCP. Of a host as many as a browser opens to one, and a
/// WebSocket.
pub const QUERY_PLACES: Places = Places { all: 16, of_a_host: 7 };
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
    /// What became of others, and of who wanted to be one. Slow is also who sends too slowly.
    pub came: Came,
    /// Requests that were answered.
    pub requests: u64,
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
    listener: Listener<Connection>,
    shared: Shared,
    budget: Budget,
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
        let listener = Listener::bind(address, streams, QUERY_PLACES)?;
        // Without a name it is found by its address.
        let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let host = Host { name: name.unwrap_or_default(), osc };
        let shared = Shared { played: Played::new(memory, rate), host, gate, told: None };
        Ok(Self { listener, shared, budget: Budget::new(), looked: 0, counts: Counts::default() })
    }

    /// The address in use; its port is the real one where port 0 was asked for.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_address()
    }

    /// What became of all.
    pub fn counts(&self) -> Counts {
        let sockets = self.listener.open().filter(|connection| connection.is_session()).count() as u64;
        Counts { open: self.listener.open().count() as u64, sockets, came: self.listener.came, ..self.counts }
    }

    /// Waits up to 100 ms for something to do, and does it. `out` takes OSC and says whether there is room for it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn turn(&mut self, out: &mut impl FnMut(Datagram) -> bool) -> io::Result<()> {
        let Some(ready) = self.listener.wait(self.time_to_next())? else { return Ok(()) };
        let now = rt::clock::monotonic();
        let mut insists = false;
        for (connection, ready) in self.listener.connections.iter_mut().zip(&ready.connections) {
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
            insists |= self.counts.dropped > dropped && !connection.is_session();
            self.listener.came.slow += u64::from(connection.dismiss_if_slow(now));
        }
        if insists {
            self.listener.rest(now);
        }
        self.tell(now);
        self.listener.forget();
        if ready.knocks {
            self.listener.accept(Connection::new)?;
        }
        Ok(())
    }

    /// Nanoseconds until there is something to do that nobody asks for.
    fn time_to_next(&self) -> u64 {
        let connections = &self.listener.connections;
        if connections.iter().any(Connection::has_more) {
            return 0;
        }
        let has_sessions = connections.iter().any(Connection::is_session);
        if has_sessions { (self.looked + INTERVAL).saturating_sub(rt::clock::monotonic()) } else { u64::MAX }
    }

    /// Tells WebSockets what has changed, if it is time to look.
    fn tell(&mut self, now: u64) {
        let (shared, budget, connections) = (&mut self.shared, &mut self.budget, &mut self.listener.connections);
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
            let sender = connection.sender();
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
}
