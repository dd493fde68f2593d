//! A value on its way to another by equal ratios, frame by frame: the ramp of what the ear hears in octaves.
//!
//! A cutoff falling from 8 kHz to 100 Hz in a straight line would pass its last two octaves in 20 frames of 480,
//! and a highpass would let the sound in with a click. By equal ratios each octave takes its fair share.

use bytemuck::{Pod, Zeroable};

/// Natural logarithm of a positive normal number, within 1e-13.
///
/// The number is split into its power of two and a rest of 0.7 to 1.4, whose logarithm is
/// 2 (z + z^3 / 3 + z^5 / 5 ...) with z = (rest - 1) / (rest + 1): |z| is at most 0.172, so the first term left out,
/// the 17th power, is 1e-14.
fn logarithm(value: f64) -> f64 {
    /// Where the exponent stands in an f64, and the bias IEEE 754 gives it.
    const EXPONENT: (u32, i32) = (52, 1023);
    const FRACTION: u64 = (1 << EXPONENT.0) - 1;

    let bits = value.to_bits();
    let exponent = (bits >> EXPONENT.0) as i32 - EXPONENT.1;
    let fraction = f64::from_bits((bits & FRACTION) | 1f64.to_bits());
    let upper = fraction > core::f64::consts::SQRT_2;
    let rest = if upper { fraction / 2.0 } else { fraction };
    let z = (rest - 1.0) / (rest + 1.0);
    let square = z * z;
    let sum = [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0].iter().fold(0.0, |sum, odd| sum * square + 1.0 / odd);
    f64::from(exponent + i32::from(upper)) * core::f64::consts::LN_2 + 2.0 * z * sum
}

/// e to the power of `value`, for magnitudes up to 0.02, within 1e-13: the Taylor series to the 5th power. The step
/// of the longest glide, 10 Hz to 24 kHz in 441 frames, is 0.018; the first term left out is 0.02^6 / 720.
fn exponential(value: f64) -> f64 {
    [5.0, 4.0, 3.0, 2.0, 1.0].iter().fold(1.0, |sum, divisor| 1.0 + value * sum / divisor)
}

/// A geometric ramp between positive values, advanced once per frame.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Glide {
    /// The value of the frame last rendered.
    value: f64,
    /// Where it ends.
    target: f64,
    /// What a frame multiplies by.
    ratio: f64,
    /// Frames until it is at its target; 0 at rest. 64 bits wide so that the struct has no padding.
    remaining: u64,
}

impl Glide {
    /// At rest on `value`.
    pub(crate) const fn at(value: f64) -> Self {
        Self { value, target: value, ratio: 1.0, remaining: 0 }
    }

    /// From the present value to `target` in `frames` frames (at least 1), whether or not under way already.
    pub(crate) fn aim(&mut self, target: f64, frames: u32) {
        let frames = frames.max(1);
        self.target = target;
        self.ratio = exponential(logarithm(target / self.value) / f64::from(frames));
        self.remaining = u64::from(frames);
    }

    /// Where it ends, or has ended.
    pub(crate) const fn target(&self) -> f64 {
        self.target
    }

    /// Advances one frame and gives its value; the last frame assigns the target, as in a linear ramp.
    pub(crate) fn next(&mut self) -> f64 {
        self.value = if self.remaining <= 1 { self.target } else { self.value * self.ratio };
        self.remaining = self.remaining.saturating_sub(1);
        self.value
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn logarithm_and_exponential_are_right_where_they_are_used() {
        for step in 1..100_000 {
            let value = f64::from(step) * 0.037;
            assert!((logarithm(value) - value.ln()).abs() < 1e-13, "{value}");
            let small = f64::from(step - 50_000) * 4e-7;
            assert!((exponential(small) - small.exp()).abs() < 1e-13, "{small}");
        }
    }

    #[test]
    fn a_glide_takes_equal_ratios_and_ends_exactly_on_its_target_at_its_last_frame() {
        let mut glide = Glide::at(8000.0);
        glide.aim(125.0, 480);
        let half = (0..240).fold(0.0, |_, _| glide.next());
        assert!((half - 1000.0).abs() < 1e-6, "three octaves of six: {half}");
        let before = (0..239).fold(0.0, |_, _| glide.next());
        assert!((before / 125.0 - 64f64.powf(1.0 / 480.0)).abs() < 1e-9);
        assert_eq!((glide.next(), glide.next()), (125.0, 125.0));
        glide.aim(1.0, 1);
        assert_eq!(glide.next(), 1.0);
    }
}
