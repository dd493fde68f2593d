//! The OSC socket: takes datagrams out of the kernel fast, with the time of their arrival, and hands them
//! over. Interpreting them is another thread's work, so that a burst never waits for it in the kernel.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage, recvmmsg, sendto, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use rt::socket_filter::drop_senders;

use super::admission::{Gate, Share};
use super::arrival::Clocks;
use super::drops::Drops;
use super::interpret::MAX_DATAGRAM_BYTES;

/// Receive buffer asked of the kernel: 8 MiB hold about 10,000 small datagrams, which the kernel counts
/// with some 800 bytes each: twice the burst of 5,000 that must not lose one.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;
/// Datagrams taken per system call: enough to make its cost small beside copying them.
const BATCH: usize = 64;
/// Times the socket is emptied before the caller is let look at its stop flag: 100 ms of a sender that
/// never pauses, as long as the wait for one that is silent.
const MAX_ROUNDS: usize = 500;
/// Batches taken at a time before a pause: four times what a sender at full speed sends during one.
const MAX_BATCHES: usize = 8;
/// Pause after each round that found something. Waiting in poll() instead would be woken by each datagram of
/// a burst, often behind the sender on the sender's own core, and a default buffer (some 550 datagrams, 1.6 ms
/// of a sender at full speed) runs over meanwhile: measured beside a compiler on two cores, 60 bursts of 60
/// lost some without this pause and 43 with it. Datagrams lose nothing by it: the first of a burst is not
/// delayed, and for the others counts the kernel's time of arrival.
const PAUSE: Duration = Duration::from_micros(200);
/// Longest wait for a datagram: how late, at most, the thread sees that it shall stop.
const WAIT_MS: u16 = 100;
/// Room per datagram: one word more than is accepted, so that what is too large is still too large when cut.
const BUFFER_BYTES: usize = MAX_DATAGRAM_BYTES + 4;

/// A datagram as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Datagram {
    /// Its bytes, at most [`MAX_DATAGRAM_BYTES`]; none if it is oversized.
    pub bytes: Vec<u8>,
    /// Where a reply goes.
    pub sender: SocketAddr,
    /// Nanoseconds of `CLOCK_MONOTONIC` at which the kernel had it; never before the datagram in front.
    pub arrival_ns: u64,
    /// It is oversized. Its bytes are not kept: they would only fill the queue to be refused.
    pub truncated: bool,
    /// The place it takes where it waits.
    pub share: Share,
}

/// The OSC socket.
pub struct Receiver {
    socket: UdpSocket,
    buffers: Vec<u8>,
    drops: Drops,
    gate: Gate,
    /// Time of arrival of the datagram handed over last.
    last_arrival_ns: u64,
}

/// Sends a datagram by the socket with this descriptor. A reply is a courtesy: if it cannot be sent at once, it is not sent,
/// for a client that is gone or does not read must not hold anything up.
pub fn send_reply(socket: RawFd, packet: &[u8], to: SocketAddr) {
    let _ = sendto(socket, packet, &SockaddrStorage::from(to), MsgFlags::MSG_DONTWAIT);
}

impl Receiver {
    /// Opens the socket; an error says what was wrong and what to do.
    pub fn bind(address: SocketAddr) -> Result<Self, String> {
        Self::bind_with_buffer(address, RECEIVE_BUFFER_BYTES, true)
    }

    fn bind_with_buffer(address: SocketAddr, bytes: usize, force: bool) -> Result<Self, String> {
        let socket = UdpSocket::bind(address).map_err(|error| explain_bind(address, &error))?;
        Self::with_buffer(socket, bytes, force)
    }

    /// Takes over the socket of an engine that was ended, with the datagrams that wait in it.
    ///
    /// # Errors
    /// In words: what the kernel refused.
    pub fn adopt(socket: UdpSocket) -> Result<Self, String> {
        // Whom the other one had shut out is not known here.
        let _ = drop_senders(socket.as_fd(), &[]);
        let receiver = Self::with_buffer(socket, RECEIVE_BUFFER_BYTES, true)?;
        Ok(Self { drops: Drops::of_used_socket(), ..receiver })
    }

    fn with_buffer(socket: UdpSocket, bytes: usize, force: bool) -> Result<Self, String> {
        let failed = |what: &str, errno: Errno| format!("cannot set {what} of the OSC socket: {errno}");
        // Past the limit of net.core.rmem_max, which takes CAP_NET_ADMIN; without it, as much as there is.
        if !force || setsockopt(&socket, sockopt::RcvBufForce, &bytes).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &bytes).map_err(|errno| failed("the receive buffer", errno))?;
        }
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true).map_err(|errno| failed("timestamps", errno))?;
        setsockopt(&socket, sockopt::RxqOvfl, &1).map_err(|errno| failed("drop counting", errno))?;
        let buffers = vec![0; BATCH * BUFFER_BYTES];
        Ok(Self { socket, buffers, drops: Drops::default(), gate: Gate::new(), last_arrival_ns: 0 })
    }

    /// The address in use; its port is the real one where port 0 was asked for.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The socket, to send replies from.
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Who decides about what comes, by whatever way.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Datagrams the kernel threw away because the receive buffer was full. The kernel tells with the next
    /// datagram that does arrive.
    pub fn kernel_drops(&self) -> u64 {
        self.drops.overrun
    }

    /// Datagrams dropped because their senders flood.
    pub fn flood_drops(&self) -> u64 {
        self.drops.flood
    }

    /// Floods that have begun.
    pub fn floods(&self) -> u64 {
        self.gate.floods()
    }

    /// Waits up to 100 ms for datagrams and hands over all that are there, but for those of who floods.
    pub fn receive_batch(&mut self, out: &mut impl FnMut(Datagram)) -> io::Result<()> {
        self.filter();
        let mut ready = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, WAIT_MS) {
            Ok(0) | Err(Errno::EINTR) => return Ok(()),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        for _ in 0..MAX_ROUNDS {
            if !self.take_all(out)? {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Has the kernel drop what those send that are shut out now.
    fn filter(&mut self) {
        let now = rt::clock::monotonic();
        let Some(senders) = self.gate.shut_out(now) else { return };
        // Where the kernel refuses, what they send is dropped all the same, here, which takes more time.
        if drop_senders(self.socket.as_fd(), &senders).is_ok() {
            self.drops.filter(!senders.is_empty(), now);
        }
    }

    /// Empties the socket; tells whether there was anything in it.
    fn take_all(&mut self, out: &mut impl FnMut(Datagram)) -> io::Result<bool> {
        let mut found = false;
        for _ in 0..MAX_BATCHES {
            let taken = self.take_batch(out);
            // At once: what floods takes others the room in the kernel's buffer.
            self.filter();
            match taken {
                Ok(BATCH) => found = true,
                // Fewer than asked for: the socket was empty a moment ago.
                Ok(_) => return Ok(true),
                Err(Errno::EAGAIN) => return Ok(found),
                Err(errno) if is_passing(errno) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(found)
    }

    fn take_batch(&mut self, out: &mut impl FnMut(Datagram)) -> nix::Result<usize> {
        // New headers for each call: nix does not restore the lengths that the kernel wrote into them, so
        // with used ones the timestamps are cut off as soon as a drop count comes along.
        let control = nix::cmsg_space!(TimeSpec, u32);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, Some(control));
        let mut slices: Vec<_> = self.buffers.chunks_mut(BUFFER_BYTES).map(|room| [IoSliceMut::new(room)]).collect();
        let fd = self.socket.as_raw_fd();
        let received = recvmmsg(fd, &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
        // Read after the datagrams came in, so that none of them is from the future.
        let clocks = Clocks::read()?;
        let mut count = 0;
        for message in received {
            count += 1;
            let (stamp, drops) = read_control(&message);
            // The order of the socket is the order of the commands. Timestamps may disagree by a little: they
            // are taken on several cores, some are missing just after the socket was opened, and the distance
            // of the clocks is measured anew for each batch.
            self.last_arrival_ns = self.last_arrival_ns.max(clocks.arrival(stamp));
            self.drops.update(drops, self.last_arrival_ns);
            let Some(sender) = message.address.as_ref().and_then(sender_of) else { continue };
            let bytes = message.iovs().next().unwrap_or_default();
            let reply = |reply: &[u8]| send_reply(fd, reply, sender);
            let Some(share) = self.gate.admit(sender, bytes.len(), self.last_arrival_ns, reply) else {
                self.drops.flood += 1;
                continue;
            };
            let truncated = message.flags.contains(MsgFlags::MSG_TRUNC) || bytes.len() > MAX_DATAGRAM_BYTES;
            let bytes = if truncated { Vec::new() } else { bytes.to_vec() };
            out(Datagram { bytes, sender, arrival_ns: self.last_arrival_ns, truncated, share });
        }
        Ok(count)
    }
}

fn read_control(message: &RecvMsg<SockaddrStorage>) -> (Option<TimeSpec>, Option<u32>) {
    let (mut stamp, mut drops) = (None, None);
    for control in message.cmsgs().into_iter().flatten() {
        match control {
            ControlMessageOwned::ScmTimestampns(time) => stamp = Some(time),
            ControlMessageOwned::RxqOvfl(count) => drops = Some(count),
            _ => {}
        }
    }
    (stamp, drops)
}

fn sender_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|&v4| SocketAddr::from(v4));
    v4.or_else(|| address.as_sockaddr_in6().map(|&v6| SocketAddr::from(v6)))
}

/// Errors that are not the socket's own: an interruption, or the network's answer to an earlier reply whose
/// receiver has gone. The next call works.
fn is_passing(errno: Errno) -> bool {
    use Errno::*;
    matches!(errno, EINTR | ECONNREFUSED | EHOSTUNREACH | ENETUNREACH | EHOSTDOWN | ENETDOWN | ENOPROTOOPT | EPROTO)
}

fn explain_bind(address: SocketAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => {
            "another program, perhaps another Chronus, has this port: stop it or choose another with --osc ADDR:PORT"
        }
        ErrorKind::AddrNotAvailable => {
            "no interface of this machine has this address: choose one with --osc ADDR:PORT, 0.0.0.0 being all"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 are for the administrator: choose another with --osc ADDR:PORT"
        }
        _ => "choose another address with --osc ADDR:PORT",
    };
    format!("cannot receive OSC at {address}: {error}; {advice}")
}

#[cfg(test)]
#[path = "receive_tests.rs"]
mod tests;
