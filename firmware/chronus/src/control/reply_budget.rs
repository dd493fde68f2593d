//! How many replies a sender gets in a second. A reply can be larger than what asked for it, and the sender's address
//! can be forged: without a limit the engine would be a weapon against a third party.

use std::net::{IpAddr, SocketAddr};

use crate::input::{Bucket, Limit, Table, host_of};

/// Error replies to one sender. Whoever tries out addresses by hand or by a script of some hundred lines gets them
/// all; a program that is wrong all the time gets enough to see why.
const ERRORS: Limit = Limit { burst: 256, per_second: 64 };
/// Answers to questions of one sender: ten times what a display needs that shows each of them.
const ANSWERS: Limit = Limit { burst: 1000, per_second: 600 };
/// All replies to one host, however many ports it asks from.
const HOST: Limit = Limit { burst: 2000, per_second: 2000 };
/// Bytes of all replies to one sender: a status has some 8 KB, so these are 250 of them a second, ten times what a display
/// needs; and a subscriber is told of half a megabyte of changes in its lease.
const SENDER_BYTES: Limit = Limit { burst: 4 << 20, per_second: 2 << 20 };
/// Bytes of all replies to one host: a third of what a slow network of a stage carries, 100 Mbit/s.
const HOST_BYTES: Limit = Limit { burst: 8 << 20, per_second: 4 << 20 };

/// The limits of errors and answers to a sender, and of replies to a host, for PROTOCOL.md; then those of their bytes.
#[cfg(test)]
pub const REPLY_LIMITS: [Limit; 5] = [ERRORS, ANSWERS, HOST, SENDER_BYTES, HOST_BYTES];

/// Senders in the table: as many as may have their share in one second.
const SENDERS: usize = 1024;

#[derive(Default)]
struct Sender {
    errors: Bucket,
    answers: Bucket,
    bytes: Bucket,
}

#[derive(Default)]
struct Host {
    replies: Bucket,
    bytes: Bucket,
}

/// The replies of a while, for each sender and host.
pub struct ReplyBudget {
    senders: Table<SocketAddr, Sender>,
    hosts: Table<IpAddr, Host>,
}

impl ReplyBudget {
    /// Nobody has got a reply yet.
    pub fn new() -> Self {
        Self { senders: Table::new(SENDERS), hosts: Table::new(SENDERS) }
    }

    /// Whether an error reply may be sent now, in nanoseconds of CLOCK_MONOTONIC; if so it is charged.
    pub fn may_tell_error(&mut self, sender: SocketAddr, now_ns: u64) -> bool {
        self.senders.entry(sender, now_ns).value.errors.take(ERRORS, 1, now_ns) && self.host_may(sender, now_ns)
    }

    /// Whether a question may be answered now; if so it is charged.
    pub fn may_answer(&mut self, sender: SocketAddr, now_ns: u64) -> bool {
        self.senders.entry(sender, now_ns).value.answers.take(ANSWERS, 1, now_ns) && self.host_may(sender, now_ns)
    }

    /// Whether a reply of so many bytes may be sent now; if so they are charged. Asked when it is known how long the reply
    /// is, after one of the others.
    pub fn may_send(&mut self, sender: SocketAddr, bytes: usize, now_ns: u64) -> bool {
        let bytes = bytes as u64;
        self.senders.entry(sender, now_ns).value.bytes.take(SENDER_BYTES, bytes, now_ns)
            && self.hosts.entry(host_of(sender.ip()), now_ns).value.bytes.take(HOST_BYTES, bytes, now_ns)
    }

    fn host_may(&mut self, sender: SocketAddr, now_ns: u64) -> bool {
        self.hosts.entry(host_of(sender.ip()), now_ns).value.replies.take(HOST, 1, now_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn replies_are_few_for_a_sender_and_for_all_its_ports() {
        let mut budget = ReplyBudget::new();
        let sender = |host: u8, port: u16| SocketAddr::from(([10, 0, 0, host], port));
        let mut told = |host, ports: u16, now| {
            (0..20_000_u16).filter(|number| budget.may_tell_error(sender(host, number % ports), now)).count() as u64
        };
        assert_eq!(told(1, 1, SECOND), ERRORS.burst);
        assert_eq!(told(1, 1, 2 * SECOND), ERRORS.per_second);
        assert_eq!(told(2, 100, 2 * SECOND), HOST.burst);
        assert_eq!(told(3, 1, 2 * SECOND), ERRORS.burst, "another host is told all the same");
        // Errors and answers do not take each other's place.
        assert!(budget.may_answer(sender(1, 0), 2 * SECOND));
    }

    #[test]
    fn replies_are_charged_by_their_bytes_too() {
        const REPLY: usize = 8192;
        let mut budget = ReplyBudget::new();
        let sender = |host: u8, port: u16| SocketAddr::from(([10, 0, 0, host], port));
        let mut sent = |host, ports: u16, now| {
            (0..5000_u16).filter(|number| budget.may_send(sender(host, number % ports), REPLY, now)).count() as u64
        };
        assert_eq!(sent(1, 1, SECOND), SENDER_BYTES.burst / REPLY as u64);
        assert_eq!(sent(1, 1, 2 * SECOND), SENDER_BYTES.per_second / REPLY as u64);
        assert_eq!(sent(2, 100, 2 * SECOND), HOST_BYTES.burst / REPLY as u64);
        assert_eq!(sent(2, 100, 3 * SECOND), HOST_BYTES.per_second / REPLY as u64);
        // Many small ones are not fewer for it.
        assert!((0..1000).all(|_| budget.may_send(sender(3, 1), 400, SECOND)));
    }
}
