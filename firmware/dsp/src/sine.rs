//! The polynomial behind every sine and cosine in f64.

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

/// sin(pi/2 * `quarters`) for `quarters` in -1..=1, within 1e-11, and within 1e-11 of its own size near 0.
/// Horner's rule in the square, so the result is odd to the last bit.
pub(crate) fn sine_of_quarters(quarters: f64) -> f64 {
    let angle = quarters * core::f64::consts::FRAC_PI_2;
    let square = angle * angle;
    let sum = SERIES.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * square);
    angle + angle * sum
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn the_polynomial_is_the_sine_over_half_a_turn() {
        for step in -50_000..=50_000 {
            let quarters = f64::from(step) / 50_000.0;
            let error = sine_of_quarters(quarters) - (quarters * core::f64::consts::FRAC_PI_2).sin();
            assert!(error.abs() < 1e-11, "{quarters}: {error}");
        }
        assert_eq!(sine_of_quarters(0.0), 0.0);
        assert_eq!(sine_of_quarters(0.25), -sine_of_quarters(-0.25));
    }
}
