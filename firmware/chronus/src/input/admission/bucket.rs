//! A token bucket.

use rt::clock::NANOSECONDS;

/// What a bucket allows.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Units at once: what a full bucket holds.
    pub burst: u64,
    /// Units per second in the long run: how fast it fills.
    pub per_second: u64,
}

impl Limit {
    fn time_of(self, units: u64) -> u64 {
        units * NANOSECONDS / self.per_second
    }
}

/// A token bucket, as one number: the time at which it will be full again. Full at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    full_at_ns: u64,
}

impl Bucket {
    /// Takes so many units; false, and nothing taken, if there are not so many. The limit is the same at each call,
    /// and `now_ns` is on a clock that never goes back.
    pub fn take(&mut self, limit: Limit, units: u64, now_ns: u64) -> bool {
        let full_at = self.full_at_ns.max(now_ns) + limit.time_of(units);
        let enough = full_at - now_ns <= limit.time_of(limit.burst);
        if enough {
            self.full_at_ns = full_at;
        }
        enough
    }

    /// Whether there is anything in it.
    pub fn has_some(&self, limit: Limit, now_ns: u64) -> bool {
        self.full_at_ns.saturating_sub(now_ns) < limit.time_of(limit.burst)
    }

    /// Takes so many units, whether they are there or not: what is missing is owed, up to another burst.
    pub fn spend(&mut self, limit: Limit, units: u64, now_ns: u64) {
        let most = 2 * limit.time_of(limit.burst);
        self.full_at_ns = self.full_at_ns.max(now_ns).saturating_add(limit.time_of(units)).min(now_ns + most);
    }

    /// Leaves so many units in it, at the time `at_ns`.
    pub fn leave(&mut self, limit: Limit, units: u64, at_ns: u64) {
        self.full_at_ns = at_ns + limit.time_of(limit.burst.saturating_sub(units));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { burst: 10, per_second: 1000 };

    #[test]
    fn it_holds_its_burst_and_fills_at_its_rate() {
        let mut bucket = Bucket::default();
        let taken = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(LIMIT, 1, now)).count();
        assert_eq!(taken(&mut bucket, 5_000_000_000), 10);
        assert_eq!(taken(&mut bucket, 5_003_000_000), 3);
        assert_eq!(taken(&mut bucket, 9_000_000_000), 10, "it never holds more than its burst");
        assert!(!bucket.take(LIMIT, 4, 9_003_000_000) && bucket.take(LIMIT, 3, 9_003_000_000));
        bucket.leave(LIMIT, 2, 9_100_000_000);
        assert_eq!(taken(&mut bucket, 9_100_000_000), 2);
        bucket.spend(LIMIT, 1000, 9_200_000_000);
        assert!(
            !bucket.has_some(LIMIT, 9_210_000_000) && bucket.has_some(LIMIT, 9_210_000_001),
            "a burst is owed at most"
        );
        bucket.leave(LIMIT, 0, 9_100_000_000);
        bucket.spend(LIMIT, 5, 9_100_000_000);
        assert!(!bucket.has_some(LIMIT, 9_105_000_000) && bucket.has_some(LIMIT, 9_105_000_001), "five are owed");
    }
}
