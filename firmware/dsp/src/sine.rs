//! The oscillator, and the polynomial behind every sine and cosine of this crate.

use abi::ParameterId;
use bytemuck::{Pod, Zeroable};

use crate::ramp::Ramp;
use crate::state::{Clock, default_of};

/// Signed reciprocals of the odd factorials, highest first: the Taylor series of the sine up to the 15th power.
/// The first term left out is (pi/2)^17 / 17! = 6e-12, 75 dB below what an f32 can tell apart at full scale.
const SERIES: [f64; 7] = [
    -1.0 / 1_307_674_368_000.0,
    1.0 / 6_227_020_800.0,
    -1.0 / 39_916_800.0,
    1.0 / 362_880.0,
    -1.0 / 5_040.0,
    1.0 / 120.0,
    -1.0 / 6.0,
];

/// Quarter turns in a unit of phase: the 32 bits are one turn, so 2^30 units are a quarter.
const QUARTERS_PER_UNIT: f64 = 1.0 / 1_073_741_824.0;

/// sin(pi/2 * `quarters`) for `quarters` in -1..=1, within 1e-11, and within 1e-11 of its own size near 0.
/// Horner's rule in the square, so the result is odd to the last bit.
pub(crate) fn sine_of_quarters(quarters: f64) -> f64 {
    let angle = quarters * core::f64::consts::FRAC_PI_2;
    let square = angle * angle;
    let sum = SERIES.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * square);
    angle + angle * sum
}

/// Sine of a phase whose 32 bits are one turn.
fn sine_of_phase(phase: u32) -> f64 {
    let signed = phase.cast_signed();
    // The outer two quarters, where the two highest bits differ, mirror the inner two: sin(x) = sin(pi - x).
    let outer = (signed ^ (signed << 1)) < 0;
    let folded = if outer { i32::MIN.wrapping_sub(signed) } else { signed };
    sine_of_quarters(f64::from(folded) * QUARTERS_PER_UNIT)
}

/// The sine oscillator.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Sine {
    /// Hz.
    pub(crate) frequency: Ramp,
    /// Peak level.
    pub(crate) gain: Ramp,
    /// Phase of the next frame, one turn in 32 bits: it wraps exactly and never drifts.
    phase: u32,
    /// Always 0; stands where the compiler would leave padding.
    reserved: u32,
}

/// Test builds: from here on down the frames are counted until the state kills. Three bits of a pattern that no single
/// flipped bit makes of 0.
#[cfg(feature = "faults")]
const CURSED: u32 = 0x1110_0000;

impl Sine {
    /// At phase 0 with the table's defaults.
    pub(crate) fn new() -> Self {
        Self {
            frequency: Ramp::at(default_of(ParameterId::SineFreq)),
            gain: Ramp::at(default_of(ParameterId::SineGain)),
            phase: 0,
            reserved: 0,
        }
    }

    /// Test builds: the frame that follows a block later panics.
    #[cfg(feature = "faults")]
    pub(crate) fn curse(&mut self) {
        self.reserved = CURSED + abi::FRAMES as u32 + 9;
    }

    /// One frame. The phase is carried over every change of frequency, so there is nothing to click.
    pub(crate) fn frame(&mut self, clock: &Clock) -> f64 {
        #[cfg(feature = "faults")]
        if (CURSED..CURSED + 0x1000).contains(&self.reserved) {
            self.reserved -= 1;
            assert!(self.reserved > CURSED, "the state is cursed");
        }
        let sample = sine_of_phase(self.phase) * self.gain.next();
        // Rounded to a unit: 48000 / 2^32 Hz, a hundred-thousandth of a hertz. The cast saturates.
        let increment = (self.frequency.next() * clock.phase_per_hertz + 0.5) as u32;
        self.phase = self.phase.wrapping_add(increment);
        sample
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn the_polynomial_is_the_sine_all_around_the_circle() {
        for step in 0..100_000u32 {
            let phase = step.wrapping_mul(42_949);
            let turn = f64::from(phase) / 4_294_967_296.0;
            let error = sine_of_phase(phase) - (turn * core::f64::consts::TAU).sin();
            assert!(error.abs() < 1e-11, "phase {phase}: {error}");
        }
        assert_eq!((sine_of_phase(0), sine_of_phase(1 << 31)), (0.0, 0.0));
        assert!((sine_of_phase(1 << 30) - 1.0).abs() < 1e-11);
        assert_eq!(sine_of_phase(12_345), -sine_of_phase(12_345u32.wrapping_neg()));
    }

    #[test]
    fn the_phase_goes_round_once_per_period_and_frequency_ramps_do_not_touch_it() {
        let clock = Clock::of(48_000);
        let mut sine = Sine::new();
        sine.frequency = Ramp::at(1500.0);
        (0..32).for_each(|_| _ = sine.frame(&clock));
        assert_eq!(sine.phase, 0);
        (0..8).for_each(|_| _ = sine.frame(&clock));
        sine.frequency.aim(3000.0, 1);
        assert_eq!(sine.phase, 1 << 30);
        _ = sine.frame(&clock);
        assert_eq!(sine.phase, (1 << 30) + (1 << 28));
    }
}
