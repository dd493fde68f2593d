//! Which frame is when: the one thing the audio thread tells the stamp.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::FRAMES;
use rt::clock::NANOSECONDS;

/// Share of a block's deviation taken over into the clock. The device's crystal differs from the processor's
/// by some 100 millionths, half a microsecond a block; wake-ups jitter by tens of microseconds. A hundredth
/// follows the first within 50 us and lets a frame's worth of the second through at most.
const SMOOTHING: i64 = 100;

/// The time of frame 0 on CLOCK_MONOTONIC, as best known; 0 while nothing plays in real time.
pub struct AudioClock {
    origin: AtomicU64,
    restarted: AtomicBool,
    rate: u32,
}

/// Periods of deviation that are no jitter but a jump: a suspended machine. A late wake-up, or waiting for a
/// worker, is less than one.
const JUMP_PERIODS: u64 = 2;

impl AudioClock {
    /// A clock for a sample rate in Hz that is not yet running.
    pub fn new(rate: u32) -> Self {
        Self { origin: AtomicU64::new(0), restarted: AtomicBool::new(false), rate }
    }

    /// The time of frame 0 on CLOCK_MONOTONIC, as best known; 0 while nothing plays in real time.
    pub fn origin(&self) -> u64 {
        self.origin.load(Ordering::Acquire)
    }

    /// Time from frame 0 to the start of a block, in nanoseconds.
    pub fn offset_of_block(&self, block: u64) -> u64 {
        (u128::from(block) * FRAMES as u128 * u128::from(NANOSECONDS) / u128::from(self.rate)) as u64
    }

    /// Nanoseconds of one block.
    pub fn period(&self) -> u64 {
        self.offset_of_block(1)
    }

    /// When a block is due, on CLOCK_MONOTONIC.
    pub fn time_of_block(&self, block: u64) -> u64 {
        self.origin.load(Ordering::Relaxed) + self.offset_of_block(block)
    }

    /// Says that a block is due at `now`.
    pub fn start(&self, block: u64, now: u64) {
        // Never 0, which would be no beat. It is reached if blocks were caught up with, on a machine just started.
        self.origin.store(now.saturating_sub(self.offset_of_block(block)).max(1), Ordering::Release);
    }

    /// Says that the device was restarted after an underrun: its next observation is taken as it is.
    pub fn restart(&self) {
        self.restarted.store(true, Ordering::Relaxed);
    }

    /// Notes that the device took `block` at `now`. A jump is followed at once, a smaller deviation is smoothed.
    pub fn observe(&self, block: u64, now: u64) {
        let before = self.origin.load(Ordering::Relaxed);
        let observed = now.saturating_sub(self.offset_of_block(block));
        let deviation = observed as i64 - before as i64;
        let restarted = self.restarted.swap(false, Ordering::Relaxed);
        let jump = before == 0 || restarted || deviation.unsigned_abs() > JUMP_PERIODS * self.period();
        let origin = if jump { observed } else { before.wrapping_add_signed(deviation / SMOOTHING) };
        self.origin.store(origin, Ordering::Release);
    }

    /// The frame that is due at a time on CLOCK_MONOTONIC; `None` while nothing plays in real time.
    pub fn frame_at(&self, time: u64) -> Option<u64> {
        let origin = self.origin.load(Ordering::Acquire);
        let elapsed = u128::from(time.saturating_sub(origin));
        let half = u128::from(NANOSECONDS / 2);
        (origin != 0).then(|| ((elapsed * u128::from(self.rate) + half) / u128::from(NANOSECONDS)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_times_agree_after_a_year() {
        let clock = AudioClock::new(44_100);
        assert_eq!(clock.frame_at(5), None);
        clock.start(0, 1000);
        let block = 365 * 86_400 * 44_100 / 256;
        assert_eq!(clock.frame_at(1000 + clock.offset_of_block(block)), Some(block * 256));
    }

    #[test]
    fn a_clock_may_begin_with_any_block() {
        let clock = AudioClock::new(48_000);
        clock.start(9_000, 500_000_000_000);
        assert_eq!(clock.frame_at(500_000_000_000), Some(9_000 * 256));
        // More was played than the machine is old: it runs all the same.
        clock.start(9_000, 5);
        assert_eq!(clock.origin(), 1);
    }

    #[test]
    fn jitter_is_smoothed_and_a_jump_is_followed() {
        let clock = AudioClock::new(48_000);
        clock.observe(0, 1_000_000_000);
        clock.observe(1, 1_000_000_000 + clock.offset_of_block(1) + 100_000);
        assert_eq!(clock.frame_at(1_000_000_000), Some(0));
        clock.observe(2, 2_000_000_000);
        assert_eq!(clock.frame_at(2_000_000_000), Some(512));
        clock.restart();
        clock.observe(3, 2_000_000_000 + clock.period() + 3_000_000);
        assert_eq!(clock.frame_at(2_000_000_000 + clock.period() + 3_000_000), Some(768));
    }
}
