//! Sine, tangent and power of two of eight lanes, of our own: the platform's differ from machine to machine.

use super::Lanes;

/// The sine of `x` turns / 2, as x * p(x^2) for |x| <= 0.5: minimax, highest power first, within 4e-9.
const HALF_TURNS: [f32; 5] = [0.077_220_12, -0.598_045_2, 2.550_031_4, -5.167_707, core::f32::consts::PI];

/// sin(pi `x`) for `x` from -1 to 1.
#[inline(always)]
pub(crate) fn sine_of_half_turns(x: Lanes) -> Lanes {
    // The outer quarters mirror the inner ones; both differences are exact.
    let size = x.abs();
    let folded = (-((size - 0.5).abs()) + 0.5).signed_as(x);
    let square = folded * folded;
    let [ninth, seventh, fifth, third, first] = HALF_TURNS;
    let sum = (((square * ninth + seventh) * square + fifth) * square + third) * square + first;
    sum * folded
}

/// tan(pi `x`) for `x` from 0 to 0.49.
#[inline(always)]
pub(crate) fn tangent_of_half_turns(x: Lanes) -> Lanes {
    sine_of_half_turns(x) / sine_of_half_turns(-x + 0.5)
}

/// 2^x as 1 + x p(x) for |x| <= 0.5: minimax, highest power first, within 2e-9.
const POWER_OF_TWO: [f32; 6] =
    [0.000_154_763, 0.001_340_027, 0.009_618_004, 0.055_503_277, 0.240_226_5, core::f32::consts::LN_2];

/// 2^`x`, for `x` brought to -126..=126: neither end is subnormal or infinite.
#[inline(always)]
pub(crate) fn power_of_two(x: Lanes) -> Lanes {
    let x = x.within(-126.0, 126.0);
    let whole = x.round();
    let part = x - whole;
    let sum = POWER_OF_TWO.iter().fold(Lanes::ZERO, |sum, coefficient| sum * part + *coefficient);
    let exponent = whole.to_words().map(|whole| whole.wrapping_add(127) << 23);
    let mut result = sum * part + 1.0;
    for (value, bits) in result.0.iter_mut().zip(exponent.0) {
        *value *= f32::from_bits(bits);
    }
    result
}

/// Coefficients of ln(2)^n / n!, highest power first, n from 13 to 1: the Taylor series of 2^x for |x| <= 0.5, whose first
/// term left out is 4e-18.
const TAYLOR: [f64; 13] = {
    let mut coefficients = [0.0; 13];
    let (mut term, mut place) = (1.0, 0);
    while place < 13 {
        term = term * core::f64::consts::LN_2 / (place + 1) as f64;
        coefficients[12 - place] = term;
        place += 1;
    }
    coefficients
};

/// 2^`x` to the last digits of an f64, for `x` brought to -1000..=1000; NaN becomes -1000.
pub(crate) fn precise_power_of_two(x: f64) -> f64 {
    let x = if x > -1000.0 { x } else { -1000.0 };
    let x = if x < 1000.0 { x } else { 1000.0 };
    let whole = (if x < 0.0 { x - 0.5 } else { x + 0.5 }) as i64;
    let part = x - whole as f64;
    let sum = TAYLOR.iter().fold(0.0, |sum, coefficient| sum * part + coefficient);
    (sum * part + 1.0) * f64::from_bits(((whole + 1023) as u64) << 52)
}

/// tan(pi `x`) in f64, for `x` brought to 1e-9..=0.4999.
pub(crate) fn precise_tangent_of_half_turns(x: f64) -> f64 {
    let x = if x > 1e-9 { x } else { 1e-9 };
    let quarters = 2.0 * if x < 0.4999 { x } else { 0.4999 };
    crate::sine::sine_of_quarters(quarters) / crate::sine::sine_of_quarters(1.0 - quarters)
}
