//! One connection: requests one after the other, or a WebSocket.

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use rt::clock::NANOSECONDS;
use tungstenite::handshake::derive_accept_key;

use super::answer::{Answer, answer};
use super::budget::Budget;
use super::origin::may_set;
use super::request::{MOST_REQUEST_BYTES, Request, Status, Verb, take};
use super::server::{Counts, Shared};
use super::session::Session;
use crate::input::{Bucket, Client, Datagram, Failure, Limit, Outgoing};

/// How long a request may take to come, from its first byte: a browser sends it at once.
const REQUEST: u64 = 5 * NANOSECONDS;
/// How long a connection stays without a request, so that the next one needs no new connection; and how long one who does
/// not read has for that.
const IDLE: u64 = 15 * NANOSECONDS;
/// How long a connection stays whose client is to read why it is closed.
const FAREWELL: u64 = NANOSECONDS;
/// Bytes of a connection: those of OSC over TCP. What comes faster waits at its sender.
const BYTES: Limit = Limit { burst: 8192 * 128, per_second: 20_000 * 128 };
/// How long nothing more is read of one that has sent too many bytes.
const SHORT_REST: u64 = NANOSECONDS / 100;
/// The same where a message had to be dropped.
const LONG_REST: u64 = NANOSECONDS / 10;

/// Requests answered at a turn, after which the others have theirs.
const ANSWERS_OF_A_TURN: usize = 8;

/// What it is.
enum Stage {
    /// One that asks; what has come of the next request.
    Asking(Vec<u8>),
    /// A WebSocket.
    Session(Box<Session>),
    /// Nothing more is taken.
    Closing,
}

/// A connection.
pub struct Connection {
    outgoing: Arc<Outgoing>,
    sender: SocketAddr,
    /// The address of this machine that it came to.
    local: SocketAddr,
    stage: Stage,
    /// When it is closed; later, if something comes before.
    until: u64,
    bytes: Bucket,
    rest_until: u64,
    /// Its client has closed its own half.
    ended: bool,
    gone: bool,
    /// Of what has come there may be more to answer.
    more: bool,
}

impl Client for Connection {
    fn sender(&self) -> SocketAddr {
        self.sender
    }

    fn outgoing(&self) -> &Arc<Outgoing> {
        &self.outgoing
    }

    fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Closing)
    }

    /// Nothing while what was answered is to be sent before.
    fn rest(&self, now: u64) -> Option<u64> {
        let answering = matches!(self.stage, Stage::Asking(_)) && self.outgoing.is_waiting();
        (!self.ended && !answering && !self.more).then(|| self.rest_until.saturating_sub(now))
    }

    fn is_over(&self, now: u64) -> Option<Option<Failure>> {
        let failure = self.outgoing.failure().or(self.gone.then_some(Failure::Gone));
        let slow = self.outgoing.is_waiting().then_some(Failure::Slow);
        let closed = !self.is_open() && self.ended && !self.outgoing.is_waiting();
        // Who is told why is not slow.
        let late = now >= self.until && !self.is_session();
        (failure.is_some() || closed || late).then(|| failure.or(slow.filter(|_| self.is_open())))
    }

    fn refuse(&mut self, why: &str, now: u64) {
        self.dismiss(Status::Unavailable, &format!("{why}; close one, or try again in a while"), now);
    }
}

impl Connection {
    /// A new one.
    ///
    /// # Errors
    /// If it is gone again.
    pub fn new(socket: TcpStream, sender: SocketAddr, now: u64) -> std::io::Result<Self> {
        let local = socket.local_addr()?;
        Ok(Self {
            outgoing: Arc::new(Outgoing::new(socket)),
            sender,
            local,
            stage: Stage::Asking(Vec::new()),
            until: now + IDLE,
            bytes: Bucket::default(),
            rest_until: 0,
            ended: false,
            gone: false,
            more: false,
        })
    }

    /// The WebSocket, if it is one.
    pub fn session(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::Session(session) => Some(session),
            _ => None,
        }
    }

    /// Whether it is one.
    pub fn is_session(&self) -> bool {
        matches!(self.stage, Stage::Session(_))
    }

    /// Whether there is something to answer of what has come.
    pub fn has_more(&self) -> bool {
        self.more && !self.outgoing.is_waiting()
    }

    /// Sends what is kept for it.
    pub fn send_kept(&mut self) {
        self.outgoing.send_kept();
        self.part();
    }

    /// Notes that nothing comes and nothing goes any more, once all is read.
    pub fn hung_up(&mut self) {
        self.gone |= self.ended;
    }

    /// Says why it is closed, and takes nothing more.
    fn dismiss(&mut self, status: Status, why: &str, now: u64) {
        self.outgoing.send_bytes(&Answer::refused(status, why).to_bytes(Verb::Get, false));
        self.close(now);
    }

    /// Says so to a client whose request was too long on its way; true if it was.
    pub fn dismiss_if_slow(&mut self, now: u64) -> bool {
        let began = matches!(&self.stage, Stage::Asking(head) if !head.is_empty());
        let slow = began && now >= self.until && !self.outgoing.is_waiting();
        if slow {
            self.dismiss(Status::RequestTimeout, "the request took too long to come", now);
        }
        slow
    }

    /// Reads what is there, and answers it; `out` takes OSC, and says whether there is room for it.
    pub fn read(
        &mut self,
        shared: &mut Shared,
        budget: &mut Budget,
        counts: &mut Counts,
        out: &mut impl FnMut(Datagram) -> bool,
    ) {
        let now = rt::clock::monotonic();
        let bytes = match &mut self.stage {
            Stage::Session(session) => {
                let turn = session.turn(self.sender, shared.played.tree(), &shared.gate, out);
                counts.dropped += turn.dropped;
                if turn.dropped > 0 {
                    self.rest_until = now + LONG_REST;
                }
                if let Some(broken) = turn.over {
                    counts.broken += u64::from(broken);
                    self.close(now);
                }
                turn.bytes
            }
            Stage::Asking(_) | Stage::Closing => self.read_request(shared, budget, counts, now),
        };
        if !self.bytes.take(BYTES, bytes, now) {
            self.rest_until = self.rest_until.max(now + SHORT_REST);
        }
    }

    fn read_request(&mut self, shared: &mut Shared, budget: &mut Budget, counts: &mut Counts, now: u64) -> u64 {
        let mut piece = [0; MOST_REQUEST_BYTES];
        let length = match self.outgoing.socket().read(&mut piece) {
            Ok(0) => {
                self.ended = true;
                self.close(now);
                return 0;
            }
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => return 0,
            Err(_) => {
                self.gone = true;
                return 0;
            }
        };
        if let Stage::Asking(head) = &mut self.stage {
            if head.is_empty() {
                self.until = now + REQUEST;
            }
            head.extend_from_slice(&piece[..length]);
            // Only one who is not read any more, and has hung up, sends so much.
            self.gone |= head.len() > 2 * MOST_REQUEST_BYTES;
        }
        self.answer_all(shared, budget, counts, now);
        length as u64
    }

    /// Answers what is whole, one after the other, until an answer has to wait, or the others have their turn.
    pub fn answer_all(&mut self, shared: &mut Shared, budget: &mut Budget, counts: &mut Counts, now: u64) {
        self.more = false;
        for answered in 0.. {
            let Stage::Asking(head) = &mut self.stage else { return };
            if head.is_empty() {
                return;
            }
            if answered == ANSWERS_OF_A_TURN || self.outgoing.is_waiting() {
                self.more = true;
                return;
            }
            match take(head) {
                Ok(None) => return,
                Ok(Some((request, length))) => {
                    head.drain(..length);
                    self.until = now + if head.is_empty() { IDLE } else { REQUEST };
                    self.answer(&request, shared, budget, counts, now);
                }
                Err((status, why)) => {
                    counts.broken += 1;
                    self.dismiss(status, why, now);
                }
            }
        }
    }

    fn answer(&mut self, request: &Request, shared: &mut Shared, budget: &mut Budget, counts: &mut Counts, now: u64) {
        if !budget.may_ask(self.host(), now) {
            counts.dropped += 1;
            return self.dismiss(Status::TooManyRequests, "too many questions; ask again in a second", now);
        }
        counts.requests += 1;
        if let Some(key) = &request.key {
            return self.become_session(key, request.origin.as_deref(), shared);
        }
        shared.look(now);
        let bytes =
            answer(request, shared.played.tree(), &shared.host, self.local).to_bytes(request.verb, request.stays);
        if !budget.may_send(self.sender, bytes.len(), now) {
            counts.dropped += 1;
            return self.dismiss(Status::TooManyRequests, "too many and too long answers; ask again in a second", now);
        }
        self.outgoing.send_bytes(&bytes);
        if !request.stays {
            self.close(now);
        }
    }

    fn become_session(&mut self, key: &str, origin: Option<&str>, shared: &Shared) {
        let accept = derive_accept_key(key.as_bytes());
        let head = format!(
            "HTTP/1.1 {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n",
            Status::SwitchingProtocols.line()
        );
        self.outgoing.send_bytes(head.as_bytes());
        if let Stage::Asking(rest) = &mut self.stage {
            let may_set = may_set(origin, self.local.ip(), &shared.host.name);
            let session = Session::new(self.outgoing.clone(), std::mem::take(rest), may_set);
            self.stage = Stage::Session(Box::new(session));
        }
    }

    fn close(&mut self, now: u64) {
        if self.is_open() {
            (self.stage, self.until) = (Stage::Closing, now + FAREWELL);
        }
        self.part();
    }

    /// Who was told why hears that nothing follows. What it still sends is read and thrown away meanwhile: closed with
    /// something unread, the connection would be reset, and the reason lost.
    fn part(&self) {
        if !self.is_open() && !self.outgoing.is_waiting() {
            let _ = self.outgoing.socket().shutdown(Shutdown::Write);
        }
    }
}
