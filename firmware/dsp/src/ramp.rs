//! A value on its way to another, in a straight line, frame by frame.

use bytemuck::{Pod, Zeroable};

/// Frames in `milliseconds` at `rate` Hz, rounded, at least 1. Saturates; NaN gives 1.
pub(crate) fn frames_in(milliseconds: f64, rate: u32) -> u32 {
    ((milliseconds * f64::from(rate) / 1000.0 + 0.5) as u32).max(1)
}

/// A linear ramp, advanced once per frame.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Ramp {
    /// The value of the frame last rendered.
    value: f64,
    /// Where it ends.
    target: f64,
    /// What a frame adds.
    step: f64,
    /// Frames until it is at its target; 0 at rest. 64 bits wide so that the struct has no padding.
    remaining: u64,
}

impl Ramp {
    /// At rest on `value`.
    pub(crate) const fn at(value: f64) -> Self {
        Self { value, target: value, step: 0.0, remaining: 0 }
    }

    /// From the present value to `target` in `frames` frames (at least 1), whether or not under way already.
    pub(crate) fn aim(&mut self, target: f64, frames: u32) {
        let frames = frames.max(1);
        self.target = target;
        self.step = (target - self.value) / f64::from(frames);
        self.remaining = u64::from(frames);
    }

    /// Where it ends, or has ended.
    pub(crate) const fn target(&self) -> f64 {
        self.target
    }

    /// Whether the target has been reached.
    pub(crate) const fn is_at_rest(&self) -> bool {
        self.remaining == 0
    }

    /// Advances one frame and gives its value. The last frame assigns the target, because a sum of steps
    /// only comes near it; at rest the target is assigned again, which costs what a step costs.
    pub(crate) fn next(&mut self) -> f64 {
        self.value = if self.remaining <= 1 { self.target } else { self.value + self.step };
        self.remaining = self.remaining.saturating_sub(1);
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_to_frames_and_are_never_none() {
        assert_eq!((frames_in(5.0, 48_000), frames_in(5.0, 44_100), frames_in(5.0, 96_000)), (240, 221, 480));
        assert_eq!((frames_in(0.0, 48_000), frames_in(f64::NAN, 48_000), frames_in(1.0, 0)), (1, 1, 1));
        assert_eq!(frames_in(f64::INFINITY, 48_000), u32::MAX);
    }

    #[test]
    fn a_ramp_ends_exactly_on_its_target_at_its_last_frame_and_not_before() {
        let mut ramp = Ramp::at(0.1);
        ramp.aim(0.7, 240);
        for frame in 1..=239 {
            let value = ramp.next();
            assert!((value - (0.1 + 0.6 * f64::from(frame) / 240.0)).abs() < 1e-13, "frame {frame}: {value}");
            assert!(!ramp.is_at_rest());
        }
        assert_eq!(ramp.next(), 0.7);
        assert!(ramp.is_at_rest());
        assert_eq!(ramp.next(), 0.7);
    }

    #[test]
    fn a_new_target_starts_a_fresh_ramp_of_full_length_from_where_it_is() {
        let mut ramp = Ramp::at(0.0);
        ramp.aim(1.0, 10);
        (0..5).for_each(|_| _ = ramp.next());
        ramp.aim(0.0, 10);
        assert!((ramp.next() - 0.45).abs() < 1e-12);
        (0..8).for_each(|_| _ = ramp.next());
        assert!(!ramp.is_at_rest());
        assert_eq!(ramp.next(), 0.0);
    }
}
