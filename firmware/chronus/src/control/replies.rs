//! What goes back to the sender of a datagram: little, however much it asked for.

use std::net::SocketAddr;

use rosc::{OscMessage, OscPacket, OscType};

use super::WayBack;
use super::reply_budget::ReplyBudget;
use crate::input::Refusal;
use crate::report::{Counters, count};

/// Error replies to one datagram. A hand-made message or a small bundle gets all of its errors. A bundle of 2,000
/// bad messages would get 2,000 datagrams: with a forged sender address a weapon against a third party.
const MOST_ERRORS: usize = 16;

/// Answers to questions that may be asked several times in one datagram, each for something else. As many as somebody asks
/// who wants to know all parameters one by one; with a forged sender address no more than the status is.
const MOST_TOLD: usize = 64;

/// The replies to one datagram. What is too much or would be answered in turn is counted and not sent.
pub struct Replies<'a> {
    way: &'a WayBack,
    sender: SocketAddr,
    counters: &'a Counters,
    budget: &'a mut ReplyBudget,
    errors: usize,
    /// Packets sent by [`Replies::tell`].
    told: usize,
    /// Addresses of the answers given.
    answered: Vec<&'static str>,
}

impl<'a> Replies<'a> {
    /// Replies to a datagram of `sender`.
    pub fn to(sender: SocketAddr, way: &'a WayBack, counters: &'a Counters, budget: &'a mut ReplyBudget) -> Self {
        Self { way, sender, counters, budget, errors: 0, told: 0, answered: Vec::new() }
    }

    /// Whether a question is answered at `address`: once, as the second answer would be the same, and if the sender
    /// has not had too many. If not, that is counted.
    pub fn may_answer(&mut self, address: &'static str) -> bool {
        if self.answered.contains(&address) || !self.budget.may_answer(self.sender, rt::clock::monotonic()) {
            count(&self.counters.replies_withheld);
            return false;
        }
        self.answered.push(address);
        true
    }

    /// Answers a question, if the receiver has not had too many bytes.
    pub fn answer(&mut self, address: &str, arguments: Vec<OscType>) {
        self.send(OscMessage { addr: address.to_owned(), args: arguments });
    }

    /// Sends what nobody has asked for at this moment, if the receiver has not had too much; says whether it did.
    pub fn tell(&mut self, packet: OscPacket) -> bool {
        if self.told < MOST_TOLD && self.budget.may_answer(self.sender, rt::clock::monotonic()) {
            self.told += 1;
            return self.send_packet(&packet);
        }
        count(&self.counters.replies_withheld);
        false
    }

    /// Tells of a refusal.
    pub fn refuse(&mut self, refusal: &Refusal) {
        let may = !is_reply(&refusal.address)
            && self.errors < MOST_ERRORS
            && self.budget.may_tell_error(self.sender, rt::clock::monotonic());
        if !may {
            return count(&self.counters.replies_withheld);
        }
        self.errors += 1;
        self.send(refusal.to_message());
    }

    fn send(&mut self, message: OscMessage) {
        let _ = self.send_packet(&OscPacket::Message(message));
    }

    /// Sends it if so many bytes may be sent; says whether they may.
    fn send_packet(&mut self, packet: &OscPacket) -> bool {
        let Ok(bytes) = rosc::encoder::encode(packet) else { return false };
        if !self.budget.may_send(self.sender, bytes.len(), rt::clock::monotonic()) {
            count(&self.counters.replies_withheld);
            return false;
        }
        self.way.send(&bytes, self.sender);
        true
    }
}

/// Whether this address is that of a reply. Answering it could mean that two engines answer each other for ever:
/// it takes one datagram with a forged sender.
fn is_reply(address: &str) -> bool {
    address == "/error" || address.ends_with(".reply")
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use super::*;
    use crate::input::Code;

    /// How many datagrams `work` sends, and how many replies it counts as withheld.
    fn sent(work: impl FnOnce(&mut Replies)) -> (usize, u64) {
        let [datagrams, client] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let engine = WayBack { datagrams, streams: None };
        let counters = Counters::default();
        work(&mut Replies::to(client.local_addr().unwrap(), &engine, &counters, &mut ReplyBudget::new()));
        client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let received = std::iter::from_fn(|| client.recv(&mut [0; 1024]).ok()).count();
        (received, counters.replies_withheld.load(Ordering::Relaxed))
    }

    #[test]
    fn replies_are_never_answered() {
        for address in ["/error", "/status.reply", "/version.reply", "/anything.reply"] {
            let refusal = Refusal::new(address, Code::UnknownAddress, "no such address");
            assert_eq!(sent(|replies| replies.refuse(&refusal)), (0, 1), "{address}");
        }
        assert_eq!(sent(|replies| replies.refuse(&Refusal::new("/errors", Code::UnknownAddress, ""))), (1, 0));
    }

    #[test]
    fn one_datagram_gets_few_replies() {
        let refusal = Refusal::new("/nothing", Code::UnknownAddress, "no such address");
        assert_eq!(sent(|replies| (0..1000).for_each(|_| replies.refuse(&refusal))), (16, 984));
        let ask = |replies: &mut Replies| {
            for address in ["/status.reply", "/version.reply", "/status.reply", "/version.reply", "/status.reply"] {
                if replies.may_answer(address) {
                    replies.answer(address, vec![]);
                }
            }
        };
        assert_eq!(sent(ask), (2, 3));
    }

    #[test]
    fn what_is_long_is_sent_less_often() {
        let long = "x".repeat(60_000);
        let tell = |replies: &mut Replies, times: usize| {
            let packet = || OscPacket::Message(OscMessage { addr: long.clone(), args: vec![] });
            (0..times)
                .filter(|_| {
                    replies.told = 0;
                    replies.tell(packet())
                })
                .count()
        };
        let mut told = 0;
        let (_, withheld) = sent(|replies| told = tell(replies, 500));
        // Far fewer than the thousand short ones that may be sent at once.
        assert!((69..200).contains(&told) && withheld == 500 - told as u64, "{told} {withheld}");
    }
}
