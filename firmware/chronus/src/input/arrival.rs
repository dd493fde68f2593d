//! When a datagram arrived, on the clock of the engine.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// Furthest a kernel timestamp may lie behind now. A datagram does not wait a second in the socket unless
/// the machine is in deep trouble; an older one means that the wall clock was set meanwhile.
const OLDEST_NS: i128 = 1_000_000_000;
/// Readings of the two clocks of which the tightest pair is used: being interrupted between the two clocks
/// three times in a row does not happen, and a reading costs about 50 ns.
const READINGS: usize = 3;

/// Both clocks, read at the same moment. The kernel stamps datagrams with `CLOCK_REALTIME`, which can be
/// set; the engine counts `CLOCK_MONOTONIC`, which cannot.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    realtime_ns: i128,
    monotonic_ns: i128,
}

impl Clocks {
    /// Reads both clocks.
    pub fn read() -> nix::Result<Self> {
        let mut tightest: Option<(i128, Self)> = None;
        for _ in 0..READINGS {
            let before = nanoseconds(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
            let realtime_ns = nanoseconds(clock_gettime(ClockId::CLOCK_REALTIME)?);
            let after = nanoseconds(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
            if tightest.is_none_or(|(width, _)| after - before < width) {
                let monotonic_ns = before + (after - before) / 2;
                tightest = Some((after - before, Self { realtime_ns, monotonic_ns }));
            }
        }
        tightest.map(|(_, clocks)| clocks).ok_or(nix::errno::Errno::EINVAL)
    }

    /// How far the wall clock is ahead of `CLOCK_MONOTONIC`, in nanoseconds.
    pub fn wall_offset(&self) -> u64 {
        u64::try_from(self.realtime_ns - self.monotonic_ns).unwrap_or(0)
    }

    /// The `CLOCK_MONOTONIC` nanoseconds of a kernel timestamp: never after now, and now itself where there
    /// is no believable timestamp.
    pub fn arrival(&self, stamp: Option<TimeSpec>) -> u64 {
        let age = match stamp.map(|stamp| self.realtime_ns - nanoseconds(stamp)) {
            Some(age) if (0..=OLDEST_NS).contains(&age) => age,
            _ => 0,
        };
        u64::try_from(self.monotonic_ns - age).unwrap_or(0)
    }
}

fn nanoseconds(time: TimeSpec) -> i128 {
    i128::from(time.tv_sec()) * 1_000_000_000 + i128::from(time.tv_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_moved_to_the_other_clock_and_never_to_the_future() {
        let clocks = Clocks { realtime_ns: 1_700_000_000_000_000_500, monotonic_ns: 9_000_000_000 };
        let at = |seconds, nanoseconds| clocks.arrival(Some(TimeSpec::new(seconds, nanoseconds)));
        assert_eq!(at(1_700_000_000, 100), 9_000_000_000 - 400);
        assert_eq!(at(1_699_999_999, 500), 8_000_000_000);
        assert_eq!(at(1_699_999_999, 499), 9_000_000_000, "too old to be true");
        assert_eq!(at(1_700_000_000, 501), 9_000_000_000, "from the future");
        assert_eq!(clocks.arrival(None), 9_000_000_000);
        assert_eq!(clocks.wall_offset(), 1_699_999_991_000_000_500);
        let young = Clocks { realtime_ns: 5_000_000_000, monotonic_ns: 10 };
        assert_eq!(young.arrival(Some(TimeSpec::new(4, 500_000_000))), 0, "before the machine started");
    }

    #[test]
    fn readings_follow_the_clocks() {
        let first = Clocks::read().unwrap();
        let second = Clocks::read().unwrap();
        assert!(second.monotonic_ns > first.monotonic_ns);
    }
}
