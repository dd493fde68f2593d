//! One connection: reads, takes apart, hands over.

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use rt::clock::NANOSECONDS;

use super::StreamCounts;
use super::framing::Deframer;
use super::listener::Client;
use super::outgoing::{Failure, Outgoing};
use crate::input::Bucket;
use crate::input::admission::{Gate, Limit};
use crate::input::receive::Datagram;
use crate::input::refusal::{Code, Refusal};

/// Bytes read at a time.
const PIECE: usize = 16 << 10;
/// Pieces read of one connection before the others have their turn.
const PIECES: usize = 4;
/// Bytes of a connection, with all that is no message: as many as the units of a sender may have, so it slows down nobody
/// whose messages are taken. What comes faster waits in the kernel, and then at its sender.
const BYTES: Limit = Limit { burst: 8192 * 128, per_second: 20_000 * 128 };
/// How long nothing more is read of a connection that has sent too many bytes: what it may have in that time is two pieces.
const SHORT_REST: u64 = NANOSECONDS / 100;
/// The same where a message had to be dropped: a tenth of the time for which a sender is shut out.
const LONG_REST: u64 = NANOSECONDS / 10;
/// How long a connection stays for replies when its client sends no more, or is to read why it is closed.
const FAREWELL: u64 = NANOSECONDS;

/// What becomes of it.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// What comes is taken.
    Open,
    /// Nothing more is taken; it is closed at that time.
    Closing(u64),
}

/// A connection.
pub struct Connection {
    outgoing: Arc<Outgoing>,
    sender: SocketAddr,
    deframer: Deframer,
    bytes: Bucket,
    stage: Stage,
    /// Its client has closed its own half.
    ended: bool,
    /// It was told why it is closed, and hears no more.
    dismissed: bool,
    gone: bool,
    rest_until: u64,
}

impl Client for Connection {
    fn sender(&self) -> SocketAddr {
        self.sender
    }

    fn outgoing(&self) -> &Arc<Outgoing> {
        &self.outgoing
    }

    fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    fn rest(&self, now: u64) -> Option<u64> {
        (!self.ended).then(|| self.rest_until.saturating_sub(now))
    }

    fn is_over(&self, now: u64) -> Option<Option<Failure>> {
        let failure = self.outgoing.failure().or(self.gone.then_some(Failure::Gone));
        let late = matches!(self.stage, Stage::Closing(until) if now >= until);
        let parted = self.dismissed && self.ended && !self.outgoing.is_waiting();
        (failure.is_some() || late || parted).then_some(failure)
    }

    fn refuse(&mut self, why: &str, now: u64) {
        self.dismiss(&Refusal::new("-", Code::Full, format!("{why}; close one, or send over UDP")), now);
    }
}

impl Connection {
    /// A new one.
    pub fn new(socket: TcpStream, sender: SocketAddr) -> Self {
        Self {
            outgoing: Arc::new(Outgoing::new(socket)),
            sender,
            deframer: Deframer::default(),
            bytes: Bucket::default(),
            stage: Stage::Open,
            ended: false,
            dismissed: false,
            gone: false,
            rest_until: 0,
        }
    }

    /// Tells why it is closed, and takes nothing more.
    fn dismiss(&mut self, refusal: &Refusal, now: u64) {
        self.tell(refusal);
        (self.stage, self.dismissed) = (Stage::Closing(now + FAREWELL), true);
        self.part();
    }

    /// Sends what is kept for it.
    pub fn send_kept(&mut self) {
        self.outgoing.send_kept();
        self.part();
    }

    /// Reads what is there, and hands over what is whole by it; `out` says whether there is room for it.
    pub fn read(&mut self, gate: &Gate, counts: &mut StreamCounts, out: &mut impl FnMut(Datagram) -> bool) {
        let mut piece = [0; PIECE];
        for _ in 0..PIECES {
            let now = rt::clock::monotonic();
            match self.outgoing.socket().read(&mut piece) {
                Ok(0) => {
                    self.ended = true;
                    if self.is_open() {
                        self.stage = Stage::Closing(now + FAREWELL);
                    }
                    return;
                }
                Ok(length) => {
                    if !self.bytes.take(BYTES, length as u64, now) {
                        self.rest_until = self.rest_until.max(now + SHORT_REST);
                    }
                    if self.is_open() {
                        self.take(&piece[..length], now, gate, counts, out);
                    }
                    if self.rest_until > now {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.gone = true;
                    return;
                }
            }
        }
    }

    fn take(
        &mut self,
        bytes: &[u8],
        arrival_ns: u64,
        gate: &Gate,
        counts: &mut StreamCounts,
        out: &mut impl FnMut(Datagram) -> bool,
    ) {
        let mut packets = Vec::new();
        let taken = self.deframer.take(bytes, |packet| packets.push(packet));
        if let Some(framing) = self.deframer.framing() {
            self.outgoing.set_framing(framing);
        }
        let (sender, mut full) = (self.sender, false);
        for bytes in packets {
            let reply = |reply: &[u8]| _ = self.outgoing.send(reply);
            let Some(share) = gate.admit(sender, bytes.len(), arrival_ns, reply) else {
                counts.dropped += 1;
                self.rest_until = arrival_ns + LONG_REST;
                continue;
            };
            if !out(Datagram { bytes, sender, arrival_ns, truncated: false, share }) {
                counts.dropped += 1;
                full = true;
            }
        }
        if full {
            let text =
                "more messages than the engine can take in at once; what you sent is lost in part, send it again";
            self.tell(&Refusal::new("-", Code::Full, text));
            self.rest_until = arrival_ns + LONG_REST;
        }
        if let Err(refusal) = taken {
            counts.broken += 1;
            self.dismiss(&refusal, arrival_ns);
        }
    }

    /// Notes that nothing comes and nothing goes any more, once all is read.
    pub fn hung_up(&mut self) {
        self.gone |= self.ended;
    }

    fn tell(&self, refusal: &Refusal) {
        if let Some(bytes) = refusal.to_packet() {
            self.outgoing.send(&bytes);
        }
    }

    /// Who was told why hears that nothing follows. What it still sends is read and thrown away meanwhile: closed with
    /// something unread, the connection would be reset, and the reason lost.
    fn part(&self) {
        if self.dismissed && !self.outgoing.is_waiting() {
            let _ = self.outgoing.socket().shutdown(Shutdown::Write);
        }
    }
}
