//! What goes back to senders of streams. Whoever answers never waits: what the kernel does not take at once is kept, so
//! much and no more, and written by the thread of the streams.

use std::collections::HashMap;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::framing::Framing;

/// Bytes that are kept for one who does not read: thirty answers to `/health`. Whoever has more to read than that and what
/// the kernel keeps does not read, and is dropped.
pub const MOST_KEPT: usize = 256 << 10;

/// What is being sent to one of them.
struct Sending {
    /// What it was last known to send; before its first byte, what most clients send.
    framing: Framing,
    kept: Vec<u8>,
    failed: Option<Failure>,
}

/// Why nothing more is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does not read.
    Slow,
    /// It is gone.
    Gone,
}

/// The end from which is answered.
pub struct Outgoing {
    socket: TcpStream,
    sending: Mutex<Sending>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here is left half done by a thread that panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outgoing {
    /// To the other end of this socket, which does not block.
    pub fn new(socket: TcpStream) -> Self {
        let sending = Sending { framing: Framing::Size, kept: Vec::new(), failed: None };
        Self { socket, sending: Mutex::new(sending) }
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Says how its packets are framed.
    pub fn set_framing(&self, framing: Framing) {
        lock(&self.sending).framing = framing;
    }

    /// Sends a packet, or keeps it; true if there is something for the thread of the streams to do then.
    pub fn send(&self, packet: &[u8]) -> bool {
        let framing = lock(&self.sending).framing;
        self.send_bytes(&framing.wrap(packet))
    }

    /// The same with bytes that go into the stream as they are.
    pub fn send_bytes(&self, bytes: &[u8]) -> bool {
        let mut sending = lock(&self.sending);
        if sending.failed.is_some() {
            return false;
        }
        if sending.kept.len() + bytes.len() > MOST_KEPT {
            sending.failed = Some(Failure::Slow);
            return true;
        }
        sending.kept.extend(bytes);
        self.write(&mut sending)
    }

    /// Sends what is kept, as much as the kernel takes.
    pub fn send_kept(&self) {
        self.write(&mut lock(&self.sending));
    }

    /// Whether something is kept.
    pub fn is_waiting(&self) -> bool {
        !lock(&self.sending).kept.is_empty()
    }

    /// Why nothing more is sent, if nothing is.
    pub fn failure(&self) -> Option<Failure> {
        lock(&self.sending).failed
    }

    fn write(&self, sending: &mut Sending) -> bool {
        while !sending.kept.is_empty() {
            match (&self.socket).write(&sending.kept) {
                Ok(0) => sending.failed = Some(Failure::Gone),
                Ok(written) => {
                    sending.kept.drain(..written);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => sending.failed = Some(Failure::Gone),
            }
            return true;
        }
        false
    }
}

fn bell() -> nix::Result<Arc<EventFd>> {
    Ok(Arc::new(EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
}

/// All ends from which can be answered, and the bell of one of the threads that write for them.
#[derive(Clone)]
pub struct Streams {
    open: Arc<Mutex<HashMap<SocketAddr, End>>>,
    /// Of the last connection of any thread.
    number: Arc<AtomicU32>,
    wake: Arc<EventFd>,
}

/// Where it goes out, and the bell of the thread that writes what is kept of it.
#[derive(Clone)]
struct End {
    outgoing: Arc<Outgoing>,
    wake: Arc<EventFd>,
}

impl Streams {
    /// Nobody is there yet.
    ///
    /// # Errors
    /// If the kernel gives no descriptor.
    pub fn new() -> nix::Result<Self> {
        Ok(Self { open: Arc::default(), number: Arc::default(), wake: bell()? })
    }

    /// The same ends, for another thread that has connections.
    ///
    /// # Errors
    /// If the kernel gives no descriptor.
    pub fn beside(&self) -> nix::Result<Self> {
        Ok(Self { wake: bell()?, ..self.clone() })
    }

    /// A number that no other connection has, and never 0.
    pub fn next_number(&self) -> u32 {
        let next = || self.number.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        match next() {
            0 => next(),
            number => number,
        }
    }

    /// Adds somebody.
    pub fn add(&self, sender: SocketAddr, outgoing: Arc<Outgoing>) {
        lock(&self.open).insert(sender, End { outgoing, wake: self.wake.clone() });
    }

    /// Forgets somebody.
    pub fn remove(&self, sender: SocketAddr) {
        lock(&self.open).remove(&sender);
    }

    /// Sends a packet to a sender of a stream. Who is gone gets nothing.
    pub fn send(&self, sender: SocketAddr, packet: &[u8]) {
        let end = lock(&self.open).get(&sender).cloned();
        if let Some(end) = end.filter(|end| end.outgoing.send(packet)) {
            // It fails only if it was rung more often than a number can count, and then it rings.
            let _ = end.wake.write(1);
        }
    }

    /// Becomes readable when there is something to do.
    pub fn bell(&self) -> &EventFd {
        &self.wake
    }
}
