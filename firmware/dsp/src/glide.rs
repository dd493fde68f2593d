//! The logarithm by which frequencies go from one to another.
//!
//! A cutoff falling from 8 kHz to 100 Hz in a straight line would pass its last two octaves in 20 frames of 480,
//! and a highpass would let the sound in with a click. By equal ratios each octave takes its fair share.

/// Natural logarithm of a positive normal number, within 1e-13.
///
/// The number is split into its power of two and a rest of 0.7 to 1.4, whose logarithm is
/// 2 (z + z^3 / 3 + z^5 / 5 ...) with z = (rest - 1) / (rest + 1): |z| is at most 0.172, so the first term left out,
/// the 17th power, is 1e-14.
pub(crate) fn logarithm(value: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn it_is_right_where_it_is_used() {
        for step in 1..100_000 {
            let value = f64::from(step) * 0.037;
            assert!((logarithm(value) - value.ln()).abs() < 1e-13, "{value}");
        }
    }
}
