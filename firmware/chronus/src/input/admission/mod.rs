//! Admission: who floods is kept out, so that the others are served. Each datagram is charged to its sender, to the
//! host it comes from, and to all together, before anything else is done with it.

mod bucket;
mod gate;
mod notice;
mod shut_out;
mod table;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::stream::is_stream;

pub use bucket::{Bucket, Limit};
pub use gate::Gate;
use notice::Notices;
pub use shut_out::ShutOut;
pub use table::Table;

/// Bytes of a unit, in which datagrams are charged: one for each begun 128. A single message is one; the largest
/// datagram is 256, and the largest burst of those is then an eighth of what the queue may have in bytes.
const UNIT_BYTES: usize = 128;

/// A sender, by address and port. The burst is half of what the queue behind holds, and more than half again the
/// largest promised (5,000). The rate is beyond music: 100 messages for each block, 20 times what a fader sends.
pub const SENDER: Limit = Limit { burst: 8192, per_second: 20_000 };
/// All senders of a host: two at their limit. The burst is three quarters of the queue, or two promised ones.
const HOST: Limit = Limit { burst: 12_288, per_second: 40_000 };
/// All senders: two hosts at their limit. A message takes the control thread 2.5 microseconds on a desk, so that is a fifth of
/// a core there. What a slower machine cannot work off is left out at the queue.
const EVERYONE: Limit = Limit { burst: 12_288, per_second: 80_000 };
/// What a sender that is known gets even if its host, or all together, exceed their limit: a player's share. A
/// fader sends some 100 messages a second. Who sends more owes it, up to twice as much: who does so all the time has no share,
/// or one host could be hundreds of players.
const PLAYER: Limit = Limit { burst: 250, per_second: 250 };
/// What all players get so: the last eighth of the queue. It takes a flood of 200 senders, each no faster than a player, to
/// use it up; then nothing tells them from players.
const PLAYERS: Limit = Limit { burst: 2048, per_second: 50_000 };

/// The limits of a sender, a host, all, and a player under pressure, for PROTOCOL.md.
#[cfg(test)]
pub const ADMISSION_LIMITS: [Limit; 4] = [SENDER, HOST, EVERYONE, PLAYER];

/// Senders in the table: more than one network of a stage has, 400 KB.
const SENDERS: usize = 4096;
/// Hosts in the table.
const HOSTS: usize = 1024;

/// How long who floods is shut out before it is looked at again, in nanoseconds: a second, so that who stops is soon
/// served, and who goes on costs the engine a few milliseconds of each.
const SHUT_OUT_NS: u64 = 1_000_000_000;
/// Units that a sender may have at once after having been shut out: an eighth of the burst tells who goes on.
const SECOND_LOOK: u64 = SENDER.burst / 8;
/// Time without a datagram too many after which a new flood is a new one, and told: ten seconds.
const CALM_NS: u64 = 10_000_000_000;

/// Whose place in the queue a datagram takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// One of those for all.
    Everyone,
    /// One of the last, if there is no other: its sender is known, and sends as little as a player does.
    Player,
}

/// What is to happen with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken.
    Take(Share),
    /// It is dropped.
    Drop,
    /// It is dropped, it is the first of a flood, and its sender is to be told.
    Tell,
    /// It is dropped, it is the first of a flood, and there is nobody to tell: its senders are many hosts.
    Note,
}

/// One flood after another.
#[derive(Clone, Debug, Default)]
struct Flood {
    over_at_ns: u64,
}

impl Flood {
    /// Counts a datagram too many; true if a flood begins with it.
    fn begins(&mut self, now_ns: u64) -> bool {
        let begins = now_ns >= self.over_at_ns;
        self.over_at_ns = now_ns + CALM_NS;
        begins
    }
}

#[derive(Clone, Debug, Default)]
struct Sender {
    bucket: Bucket,
    player: Bucket,
    flood: Flood,
    shut_out_until_ns: u64,
}

#[derive(Clone, Debug, Default)]
struct Group {
    bucket: Bucket,
    flood: Flood,
}

/// The host of an address: the address itself, or the network of 64 bits that a host with IPv6 has for itself.
pub fn host_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// Decides about each datagram.
pub struct Admission {
    senders: Table<SocketAddr, Sender>,
    hosts: Table<IpAddr, Group>,
    everyone: Group,
    players: Bucket,
    /// Those the kernel can be asked to keep away.
    pub shut_out: ShutOut,
}

impl Admission {
    /// Nobody has sent anything yet.
    pub fn new() -> Self {
        Self {
            senders: Table::new(SENDERS),
            hosts: Table::new(HOSTS),
            everyone: Group::default(),
            players: Bucket::default(),
            shut_out: ShutOut::default(),
        }
    }

    /// Charges a datagram of so many bytes that arrived at `now_ns` of CLOCK_MONOTONIC, and decides.
    pub fn judge(&mut self, address: SocketAddr, bytes: usize, now_ns: u64) -> Verdict {
        let units = bytes.div_ceil(UNIT_BYTES).max(1) as u64;
        let entry = self.senders.entry(address, now_ns);
        let known = entry.is_known(now_ns);
        let sender = &mut entry.value;
        if now_ns < sender.shut_out_until_ns {
            return Verdict::Drop;
        }
        if !sender.bucket.take(SENDER, units, now_ns) {
            let again = now_ns + SHUT_OUT_NS;
            sender.shut_out_until_ns = again;
            sender.bucket.leave(SENDER, SECOND_LOOK, again);
            let begins = sender.flood.begins(now_ns);
            // So that it is not told again because others made it be forgotten.
            entry.keep_until_ns = now_ns + CALM_NS;
            // A filter on the socket of the datagrams is nothing to a stream, which waits instead.
            if !is_stream(address) {
                self.shut_out.add(address, again);
            }
            return if begins { Verdict::Tell } else { Verdict::Drop };
        }
        // Charged always, so that it tells who sends little.
        let player = sender.player.has_some(PLAYER, now_ns) && known;
        sender.player.spend(PLAYER, units, now_ns);
        let host = &mut self.hosts.entry(host_of(address.ip()), now_ns).value;
        let host_has_room = host.bucket.take(HOST, units, now_ns);
        let has_room = host_has_room && self.everyone.bucket.take(EVERYONE, units, now_ns);
        if has_room || (player && self.players.take(PLAYERS, units, now_ns)) {
            return Verdict::Take(if player { Share::Player } else { Share::Everyone });
        }
        match host_has_room {
            false if host.flood.begins(now_ns) => Verdict::Tell,
            true if self.everyone.flood.begins(now_ns) => Verdict::Note,
            _ => Verdict::Drop,
        }
    }
}

#[cfg(test)]
mod tests;
