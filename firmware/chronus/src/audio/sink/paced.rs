//! A timer at the real rate: what a machine without a sound card runs on, and what a test listens to.

use abi::BlockNumber;

use crate::audio::AudioClock;
use crate::audio::choose::Patience;
use crate::report::{Counters, count};

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
    /// counted; the beat itself is not moved, so no block is lost and the latency stays.
    pub fn wait(&mut self, block: BlockNumber, clock: &AudioClock, counters: &Counters) -> Patience {
        let due = clock.time_of_block(block);
        rt::clock::sleep_until(due);
        let now = rt::clock::monotonic();
        counters.wake_up.add(now - due.min(now));
        if now > due + self.buffered {
            count(&counters.xruns);
        }
        Patience::Until(now.max(due) + patience(self.buffered))
    }
}

/// How much of what a device has in its buffer may be spent waiting for a worker: three quarters, so that
/// writing the block still comes in time.
pub fn patience(buffered: u64) -> u64 {
    buffered / 4 * 3
}
