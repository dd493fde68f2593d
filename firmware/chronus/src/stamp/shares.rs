//! Who has how much of the room for commands, so that nobody takes up all of it.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};

use crate::input::{Bucket, Limit, Table, host_of};

/// Commands of one sender: three quarters of the log at once, so that another's always find room. They leave the log
/// some 20 ms after they came, in which this rate adds less than half of the rest.
pub const COMMANDS: Limit = Limit { burst: shm::LOG_RECORDS as u64 / 4 * 3, per_second: 300_000 };

/// Senders whose commands are counted: as many as may bring that many in one second.
const SENDERS: usize = 1024;

/// How many commands may wait, and how many of them may be one's own.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// In all.
    pub all: usize,
    /// Of one sender, by address and port: a quarter, so that three others have as much.
    pub sender: usize,
    /// Of all senders of one host: three quarters, so that other hosts have the room of one.
    pub host: usize,
}

impl Room {
    /// The shares of a table with so many places.
    pub const fn of(all: usize) -> Self {
        Self { all, sender: all / 4, host: all / 4 * 3 }
    }
}

/// The waiting commands of each sender and host, and how many each sender brought of late.
pub struct Shares {
    /// Who has none waiting is not in here, nor in the next, so they are no longer than what waits.
    senders: HashMap<SocketAddr, usize>,
    hosts: HashMap<IpAddr, usize>,
    brought: Table<SocketAddr, Bucket>,
}

impl Shares {
    /// Nobody has brought anything yet.
    pub fn new() -> Self {
        Self { senders: HashMap::new(), hosts: HashMap::new(), brought: Table::new(SENDERS) }
    }

    /// Whether this sender may bring one more command now, in nanoseconds of CLOCK_MONOTONIC; if so it is charged.
    pub fn may_bring(&mut self, sender: SocketAddr, now_ns: u64) -> bool {
        self.brought.entry(sender, now_ns).value.take(COMMANDS, 1, now_ns)
    }

    /// Adds a command of this sender.
    ///
    /// # Errors
    /// How many wait already, if there is no room for it, and whose they are; nothing is added then.
    pub fn add(&mut self, sender: SocketAddr, waiting: usize, room: Room) -> Result<(), String> {
        let host = host_of(sender.ip());
        let of = |count: Option<&usize>| count.copied().unwrap_or(0);
        let (own, hosts) = (of(self.senders.get(&sender)), of(self.hosts.get(&host)));
        if own >= room.sender {
            return Err(format!("{own} commands of yours, the most for one sender,"));
        }
        if hosts >= room.host {
            return Err(format!("{hosts} commands from your machine, the most for one,"));
        }
        if waiting >= room.all {
            return Err(format!("{waiting} commands"));
        }
        *self.senders.entry(sender).or_default() += 1;
        *self.hosts.entry(host).or_default() += 1;
        Ok(())
    }

    /// How many commands of this sender wait.
    pub fn waiting_of(&self, sender: SocketAddr) -> usize {
        self.senders.get(&sender).copied().unwrap_or(0)
    }

    /// Takes away one that was added.
    pub fn remove(&mut self, sender: SocketAddr) {
        decrease(&mut self.senders, sender);
        decrease(&mut self.hosts, host_of(sender.ip()));
    }
}

fn decrease<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room::of(16);

    fn sender(host: u8, port: u16) -> SocketAddr {
        ([10, 0, 0, host], port).into()
    }

    #[test]
    fn a_sender_has_a_quarter_a_host_three_and_nobody_more_than_there_is() {
        let mut shares = Shares::new();
        let mut waiting = 0;
        let mut fill = |shares: &mut Shares, sender| {
            let mut added = 0;
            while shares.add(sender, waiting, ROOM).is_ok() {
                (added, waiting) = (added + 1, waiting + 1);
            }
            added
        };
        let added: Vec<_> = (0..4).map(|port| fill(&mut shares, sender(1, port))).collect();
        assert_eq!(added, [4, 4, 4, 0]);
        assert_eq!((fill(&mut shares, sender(2, 0)), fill(&mut shares, sender(3, 0))), (4, 0));
    }

    #[test]
    fn who_has_nothing_waiting_is_forgotten() {
        let mut shares = Shares::new();
        for port in 0..4 {
            shares.add(sender(1, port), 0, ROOM).unwrap();
            shares.add(sender(1, port), 0, ROOM).unwrap();
        }
        for port in 0..4 {
            shares.remove(sender(1, port));
        }
        assert_eq!((shares.senders.len(), shares.hosts.len()), (4, 1));
        for port in 0..4 {
            shares.remove(sender(1, port));
        }
        assert_eq!((shares.senders.len(), shares.hosts.len()), (0, 0));
    }
}
