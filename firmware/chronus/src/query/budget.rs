//! How much one client may ask, and how much it is told: a question costs some tenths of a millisecond of the control core.

use std::net::{IpAddr, SocketAddr};

use crate::control::ReplyBudget;
use crate::input::{Bucket, Limit, Table};

/// Requests of a host: a panel that asks for each value by itself when it is built, and then goes on with a few.
pub const REQUESTS: Limit = Limit { burst: 512, per_second: 50 };
/// Requests of all: of two such hosts. The dearest ones, for all of the largest patch, are 126 KB, and take some 1.2 ms of a
/// desk's core each; of those no host gets more than 32 a second, by their bytes.
pub const ALL_REQUESTS: Limit = Limit { burst: 1024, per_second: 100 };
/// Hosts in the table.
const HOSTS: usize = 256;

/// What was asked and told lately.
pub struct Budget {
    hosts: Table<IpAddr, Bucket>,
    all: Bucket,
    replies: ReplyBudget,
}

impl Budget {
    /// Nobody has asked anything yet.
    pub fn new() -> Self {
        Self { hosts: Table::new(HOSTS), all: Bucket::default(), replies: ReplyBudget::new() }
    }

    /// Whether a request is answered now, in nanoseconds of CLOCK_MONOTONIC; if so it is charged.
    pub fn may_ask(&mut self, host: IpAddr, now: u64) -> bool {
        self.hosts.entry(host, now).value.take(REQUESTS, 1, now) && self.all.take(ALL_REQUESTS, 1, now)
    }

    /// Whether so many bytes may be sent now; if so they are charged. The limits are those of replies to OSC, beside them.
    pub fn may_send(&mut self, to: SocketAddr, bytes: usize, now: u64) -> bool {
        self.replies.may_send(to, bytes, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_asks_so_often_and_all_of_them_together() {
        const SECOND: u64 = rt::clock::NANOSECONDS;
        let mut budget = Budget::new();
        let mut asked =
            |host: u8, now| (0..5000).filter(|_| budget.may_ask([10, 0, 0, host].into(), now)).count() as u64;
        assert_eq!([asked(1, SECOND), asked(2, SECOND), asked(3, SECOND)], [REQUESTS.burst, REQUESTS.burst, 0]);
        assert_eq!(asked(1, 2 * SECOND), REQUESTS.per_second);
    }
}
