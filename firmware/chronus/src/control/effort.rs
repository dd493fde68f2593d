//! How much of the control thread's time what somebody sends may take. Most messages take a microsecond; some may take a
//! thousand, such as a pattern in a large patch or a connection, and whoever sends many of those would keep all others from
//! being heard. So each is charged, after it was done, with the processor time that it took.

use std::net::{IpAddr, SocketAddr};

use crate::input::{Bucket, Limit, Table, host_of};

/// Microseconds of a host. At once: all modules and connections that there may be, on the box. In the long run a quarter of
/// the thread, so that three more such hosts find room.
const HOST: Limit = Limit { burst: 500_000, per_second: 250_000 };
/// What a sender has that is known when its host has used up all of that: notes and faders of a player, some 100 messages a
/// second of up to a tenth of a millisecond.
const PLAYER: Limit = Limit { burst: 20_000, per_second: 10_000 };
/// What all players have so.
const PLAYERS: Limit = Limit { burst: 250_000, per_second: 250_000 };

/// The limit of a host, in microseconds, for PROTOCOL.md.
#[cfg(test)]
pub const HOST_EFFORT: Limit = HOST;

/// Senders in the table, and hosts.
const SENDERS: usize = 1024;

/// Nanoseconds up to which a message is charged with the time that went by: some plain ones. To ask for the thread's own time
/// is a system call, and to do so twice for each message took a quarter of the time of all.
const BRIEF: u64 = 20_000;
/// Nanoseconds after which the thread's own time is asked for anew before a datagram: what the thread did meanwhile for nobody
/// is charged to somebody only if more than that time goes by with one message.
const RECENT: u64 = 100_000;

/// Measures how long one message after another takes.
pub struct Stopwatch {
    /// When it was last looked at, of CLOCK_MONOTONIC.
    time: u64,
    /// The thread's own time, and when that was asked for.
    thread_time: u64,
    asked: u64,
    /// What has been charged since.
    charged: u64,
}

impl Stopwatch {
    /// Runs from now on.
    pub fn start() -> Self {
        let time = rt::clock::monotonic();
        Self { time, thread_time: rt::clock::thread_time(), asked: time, charged: 0 }
    }

    /// Leaves out what went by since it was last looked at.
    pub fn skip(&mut self) {
        self.time = rt::clock::monotonic();
        if self.time - self.asked > RECENT {
            *self = Self::start();
        }
    }

    /// Nanoseconds of CLOCK_MONOTONIC when it was last looked at.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Nanoseconds of processor time since it was last looked at: what went by if that is brief, or else what of it the thread
    /// has used, to 0.1 ms.
    pub fn lap(&mut self) -> u64 {
        let now = rt::clock::monotonic();
        let went_by = now - self.time;
        self.time = now;
        if went_by <= BRIEF {
            self.charged += went_by;
            return went_by;
        }
        let used = rt::clock::thread_time();
        let taken = (used - self.thread_time).saturating_sub(self.charged).min(went_by);
        (self.thread_time, self.asked, self.charged) = (used, now, 0);
        taken
    }
}

/// What each host and each sender has taken.
pub struct Effort {
    hosts: Table<IpAddr, Bucket>,
    players: Table<SocketAddr, Bucket>,
    all_players: Bucket,
}

impl Effort {
    /// Nobody has taken anything yet.
    pub fn new() -> Self {
        Self { hosts: Table::new(SENDERS), players: Table::new(SENDERS), all_players: Bucket::default() }
    }

    /// Whether a message of this sender may be done now, in nanoseconds of CLOCK_MONOTONIC.
    pub fn may_take(&mut self, sender: SocketAddr, now_ns: u64) -> bool {
        let player = self.players.entry(sender, now_ns);
        let has_share = player.is_known(now_ns) && player.value.has_some(PLAYER, now_ns);
        self.hosts.entry(host_of(sender.ip()), now_ns).value.has_some(HOST, now_ns)
            || (has_share && self.all_players.has_some(PLAYERS, now_ns))
    }

    /// Charges a sender with the time that a message took, in nanoseconds of processor time.
    pub fn charge(&mut self, sender: SocketAddr, taken_ns: u64, now_ns: u64) {
        let microseconds = taken_ns.div_ceil(1000);
        let host = &mut self.hosts.entry(host_of(sender.ip()), now_ns).value;
        if host.has_some(HOST, now_ns) {
            host.spend(HOST, microseconds, now_ns);
        } else {
            self.all_players.spend(PLAYERS, microseconds, now_ns);
        }
        // Also what the host pays for: who needs much has no share besides.
        self.players.entry(sender, now_ns).value.spend(PLAYER, microseconds, now_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Uses so many nanoseconds of processor time, and at least as much time.
    fn work(nanoseconds: u64) {
        let before = rt::clock::thread_time();
        while rt::clock::thread_time() - before < nanoseconds {}
    }

    #[test]
    fn a_message_is_charged_with_its_own_processor_time() {
        let mut watch = Stopwatch::start();
        let worked = rt::clock::thread_time();
        let brief: u64 = (0..100_000).map(|_| watch.lap()).sum();
        let worked = rt::clock::thread_time() - worked;
        assert!(brief + RECENT >= worked, "brief ones add up: {brief} of {worked}");
        std::thread::sleep(std::time::Duration::from_millis(50));
        let slept = watch.lap();
        assert!(
            slept <= BRIEF + RECENT,
            "to sleep takes no time of the processor, and what others took was theirs: {slept}"
        );
        work(5_000_000);
        assert!(watch.lap() >= 5_000_000, "to work does");
        work(5_000_000);
        watch.skip();
        assert!(watch.lap() <= RECENT, "what is left out is nobody's");
    }

    fn sender(host: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], port))
    }

    /// Milliseconds that a sender gets at once, of messages of one each.
    fn taken(effort: &mut Effort, mut port: impl FnMut(u16) -> u16, host: u8, now: u64) -> u64 {
        (0..5000)
            .filter(|number| {
                let sender = sender(host, port(*number));
                let may = effort.may_take(sender, now);
                if may {
                    effort.charge(sender, 1_000_000, now);
                }
                may
            })
            .count() as u64
    }

    #[test]
    fn a_host_has_its_time_and_players_on_it_are_heard_all_the_same() {
        let mut effort = Effort::new();
        // A player that is known, and plays notes of some microseconds.
        assert!(effort.may_take(sender(1, 7), SECOND));
        effort.charge(sender(1, 7), 3000, SECOND);
        assert_eq!(taken(&mut effort, |_| 1, 1, 3 * SECOND), HOST.burst / 1000);
        assert!(!effort.may_take(sender(1, 1), 3 * SECOND), "who has taken so much has no share besides");
        for note in 0..100 {
            assert!(effort.may_take(sender(1, 7), 3 * SECOND), "note {note}");
            effort.charge(sender(1, 7), 100_000, 3 * SECOND);
        }
        assert!(effort.may_take(sender(2, 1), 3 * SECOND), "another host knows nothing of it");
        let later = taken(&mut effort, |_| 1, 1, 4 * SECOND);
        assert!(later.abs_diff(HOST.per_second / 1000) <= 1, "{later} ms");
    }

    #[test]
    fn many_ports_of_a_host_get_no_more_than_one() {
        let mut effort = Effort::new();
        assert_eq!(taken(&mut effort, |number| number, 1, SECOND), HOST.burst / 1000);
    }
}
