//! A timer at the real rate: what a machine without a sound card runs on, and what a test listens to.

use abi::BlockNumber;
use rt::clock::NANOSECONDS;

use crate::audio::AudioClock;
use crate::audio::choose::Patience;
use crate::report::{Counters, count};

/// Furthest that a beat may be behind and still be caught up with. After more than a second the machine was
/// suspended, and nobody wants to hear what was missed.
const LONGEST_CATCH_UP: u64 = NANOSECONDS;

/// The beat of a device with a buffer of some periods.
pub struct PacedSink {
    /// Nanoseconds a device with this buffer could go on by itself after a block is due.
    buffered: u64,
}

impl PacedSink {
    /// The beat of a device with a buffer of `periods` periods.
    pub fn new(periods: u32, clock: &AudioClock) -> Self {
        Self { buffered: u64::from(periods.saturating_sub(1)) * clock.period() }
    }

    /// Waits until `block` is due. If this thread comes so late that a device would have run dry, that is
    /// counted, and the beat is caught up with, so that the latency stays; after more than a second it begins anew.
    pub fn wait(&mut self, block: BlockNumber, clock: &AudioClock, counters: &Counters) -> Patience {
        let (behind, patience) = self.keep_time(block, clock, counters);
        if behind > self.buffered {
            count(&counters.xruns);
        }
        patience
    }

    /// The same in place of a device that is not there: nothing runs dry. Also tells by how many nanoseconds this thread
    /// came late.
    pub fn keep_time(&mut self, block: BlockNumber, clock: &AudioClock, counters: &Counters) -> (u64, Patience) {
        let due = clock.time_of_block(block);
        rt::clock::sleep_until(due);
        let now = rt::clock::monotonic();
        let behind = now.saturating_sub(due);
        counters.wake_up.add(behind);
        if now > due + LONGEST_CATCH_UP {
            clock.start(block, now);
        }
        (behind, deadline(due, now, self.buffered, clock))
    }
}

/// How long a worker may be waited for with a block that was due at `due`. Of the time a device can go on by itself
/// three quarters, counted from when it was due, so that waiting for one block is not granted again to the next.
/// Whatever happened before, a worker has half a period, or a thread that comes late would find every block late.
pub fn deadline(due: u64, now: u64, buffered: u64, clock: &AudioClock) -> Patience {
    Patience::Until((due + buffered / 4 * 3).max(now + clock.period() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_one_block_takes_from_the_time_of_the_next() {
        let clock = AudioClock::new(48_000);
        let (period, buffered) = (clock.period(), 3 * clock.period());
        let until = |due, now| match deadline(due, now, buffered, &clock) {
            Patience::Until(time) => time,
            Patience::Unlimited => unreachable!("a deadline is a deadline"),
        };
        let first = until(0, 0);
        assert_eq!(first, buffered / 4 * 3);
        assert!(until(period, first) < first + buffered / 4 * 3);
        assert_eq!(until(0, 10 * period), 10 * period + period / 2);
    }
}
