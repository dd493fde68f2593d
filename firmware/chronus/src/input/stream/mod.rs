//! OSC over TCP: one thread for all connections, which are few. What comes is handed over as datagrams are, charged to
//! its sender and host as they are; what goes back never keeps anybody waiting.

mod connection;
mod framing;
mod listener;
mod outgoing;
mod sender;

use std::io;
use std::net::SocketAddr;

use nix::poll::PollFlags;

use super::admission::Gate;
use super::receive::Datagram;
use connection::Connection;
pub use framing::Framing;
pub use listener::{Came, Client, Listener, Places};
#[cfg(test)]
pub use outgoing::MOST_KEPT;
pub use outgoing::{Failure, Outgoing, Streams};
pub use sender::{is_stream, sender_name};

/// A stage has some tablets and computers, not a crowd.
pub const STREAM_PLACES: Places = Places { all: 16, of_a_host: 4 };

/// What became of connections and of what came by them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StreamCounts {
    /// Connections now.
    pub open: u64,
    /// What became of others, and of who wanted to be one.
    pub came: Came,
    /// Closed because what came was neither of both framings.
    pub broken: u64,
    /// Messages dropped because they were too many.
    pub dropped: u64,
}

/// Takes connections, and what comes by them.
pub struct StreamReceiver {
    listener: Listener<Connection>,
    gate: Gate,
    counts: StreamCounts,
}

impl StreamReceiver {
    /// Listens at an address; `gate` is that of the datagrams, `streams` get the ends from which is answered.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn bind(address: SocketAddr, gate: Gate, streams: Streams) -> io::Result<Self> {
        let listener = Listener::bind(address, streams, STREAM_PLACES)?;
        Ok(Self { listener, gate, counts: StreamCounts::default() })
    }

    /// What became of all.
    pub fn counts(&self) -> StreamCounts {
        StreamCounts { open: self.listener.open().count() as u64, came: self.listener.came, ..self.counts }
    }

    /// Waits up to 100 ms for something to do, and does it. `out` takes a message and says whether there is room for it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn turn(&mut self, out: &mut impl FnMut(Datagram) -> bool) -> io::Result<()> {
        let Some(ready) = self.listener.wait(u64::MAX)? else { return Ok(()) };
        for (connection, ready) in self.listener.connections.iter_mut().zip(&ready.connections) {
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
        self.listener.forget();
        if ready.knocks {
            self.listener.accept(|socket, sender, _| Ok(Connection::new(socket, sender)))?;
        }
        Ok(())
    }
}
