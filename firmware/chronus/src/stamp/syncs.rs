//! Who wants to know when all is applied that was sent before.

use std::net::SocketAddr;

use abi::{BlockNumber, Stamp};
use rosc::OscType;

use crate::input::host_of;

/// Questions of one sender that may wait for their answer. Who asks behind every bundle of a busy second has some ten.
pub const MOST_OF_A_SENDER: usize = 16;
/// Of all senders of a host: four of them.
const MOST_OF_A_HOST: usize = 64;
/// In all: each is looked at once for every block, so these are a few microseconds.
const MOST: usize = 256;

/// One who waits.
struct Waiting {
    sender: SocketAddr,
    id: OscType,
    /// Commands of this sender with a sequence below this one were there before the question.
    sequence: u64,
    /// Of these, those that still wait for their time tags.
    tagged: usize,
    /// The last frame at which anything takes effect that was sent before.
    stamp: Stamp,
    /// Records of the log, in which all of that is.
    length: u64,
}

/// What is answered.
#[derive(Debug, PartialEq)]
pub struct Synced {
    /// To whom.
    pub sender: SocketAddr,
    /// The number that came with the question.
    pub id: OscType,
    /// From which frame on all is applied.
    pub stamp: Stamp,
}

/// All who wait.
#[derive(Default)]
pub struct Syncs(Vec<Waiting>);

impl Syncs {
    /// Adds a question. `stamp` is the frame a command would get that came in its place, `length` that of the log, and
    /// `tagged` of its sender's commands wait for their time tags, all with a sequence below `sequence`.
    ///
    /// # Errors
    /// Who has too many, in words.
    pub fn add(
        &mut self,
        sender: SocketAddr,
        id: OscType,
        (stamp, length): (Stamp, u64),
        (sequence, tagged): (u64, usize),
    ) -> Result<(), String> {
        let of_host = |waiting: &&Waiting| host_of(waiting.sender.ip()) == host_of(sender.ip());
        if self.0.iter().filter(|waiting| waiting.sender == sender).count() >= MOST_OF_A_SENDER {
            return Err(format!("{MOST_OF_A_SENDER} of yours"));
        }
        if self.0.iter().filter(of_host).count() >= MOST_OF_A_HOST {
            return Err(format!("{MOST_OF_A_HOST} of your machine"));
        }
        if self.0.len() >= MOST {
            return Err(format!("{MOST} of all senders"));
        }
        self.0.push(Waiting { sender, id, sequence, tagged, stamp, length });
        Ok(())
    }

    /// Notes that a command of `sender` that waited for its time tag is in the log, which has `length` records by it.
    pub fn note_released(&mut self, sender: SocketAddr, sequence: u64, stamp: Stamp, length: u64) {
        for waiting in self.0.iter_mut().filter(|one| one.sender == sender && one.sequence > sequence) {
            waiting.tagged = waiting.tagged.saturating_sub(1);
            (waiting.stamp, waiting.length) = (waiting.stamp.max(stamp), length);
        }
    }

    /// Whether somebody waits for what is in the log already, and will be answered within some blocks.
    pub fn are_due(&self) -> bool {
        self.0.iter().any(|waiting| waiting.tagged == 0)
    }

    /// Takes out those for whom all is applied: `consumed` records of the log, in `played` blocks.
    pub fn take_done(&mut self, consumed: u64, played: BlockNumber) -> Vec<Synced> {
        let done = |one: &mut Waiting| one.tagged == 0 && one.length <= consumed && one.stamp.block < played;
        let taken = self.0.extract_if(.., done);
        taken.map(|Waiting { sender, id, stamp, .. }| Synced { sender, id, stamp }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(host: u8, port: u16) -> SocketAddr {
        ([10, 0, 0, host], port).into()
    }

    const AT: Stamp = Stamp { block: 5, frame: 7 };

    #[test]
    fn it_is_answered_when_the_log_is_applied_and_the_block_played() {
        let mut syncs = Syncs::default();
        syncs.add(sender(1, 1), OscType::Int(3), (AT, 10), (0, 0)).unwrap();
        assert!(syncs.are_due());
        assert_eq!(syncs.take_done(9, 6), []);
        assert_eq!(syncs.take_done(10, 5), []);
        let answer = Synced { sender: sender(1, 1), id: OscType::Int(3), stamp: AT };
        assert_eq!(syncs.take_done(10, 6), [answer]);
        assert_eq!(syncs.take_done(10, 6), []);
    }

    #[test]
    fn what_waits_for_its_time_tag_is_waited_for_and_what_came_later_is_not() {
        let mut syncs = Syncs::default();
        syncs.add(sender(1, 1), OscType::Int(3), (AT, 10), (4, 2)).unwrap();
        syncs.note_released(sender(1, 1), 4, Stamp::start_of(6), 11);
        syncs.note_released(sender(1, 2), 2, Stamp::start_of(7), 12);
        syncs.note_released(sender(1, 1), 3, Stamp::start_of(8), 13);
        assert!(!syncs.are_due() && syncs.take_done(99, 99).is_empty(), "one is still to come");
        syncs.note_released(sender(1, 1), 1, Stamp::start_of(9), 14);
        assert!(syncs.take_done(13, 99).is_empty() && syncs.take_done(14, 9).is_empty());
        assert_eq!(syncs.take_done(14, 10)[0].stamp, Stamp::start_of(9));
    }

    #[test]
    fn there_are_so_many_for_a_sender_a_host_and_in_all() {
        let mut syncs = Syncs::default();
        let mut fill = |host: u8, ports: u16| {
            let mut ask =
                |number: u16| syncs.add(sender(host, number % ports), OscType::Int(0), (AT, 0), (0, 0)).is_ok();
            (0..1000).filter(|number| ask(*number)).count()
        };
        assert_eq!((fill(1, 1), fill(1, 100)), (MOST_OF_A_SENDER, MOST_OF_A_HOST - MOST_OF_A_SENDER));
        let others: usize = (2..10).map(|host| fill(host, 100)).sum();
        assert_eq!(others, MOST - MOST_OF_A_HOST);
    }
}
