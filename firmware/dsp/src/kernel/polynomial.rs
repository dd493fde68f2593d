//! Sine, tangent and power of two of eight lanes, of our own: the platform's differ from machine to machine.

use super::{Lanes, Words};

/// The sine of `x` turns / 2, as x * p(x^2) for |x| <= 0.5: minimax, highest power first, within 4e-9.
const HALF_TURNS: [f32; 5] = [0.077_220_12, -0.598_045_17, 2.550_031_4, -5.167_707, 3.141_592_6];

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

/// sin(2 pi `phase` / 2^32).
#[inline(always)]
pub(crate) fn sine_of_phase(phase: Words) -> Lanes {
    sine_of_half_turns(phase.signed() * (1.0 / 2_147_483_648.0))
}

/// tan(pi `x`) for `x` from 0 to 0.49.
#[inline(always)]
pub(crate) fn tangent_of_half_turns(x: Lanes) -> Lanes {
    sine_of_half_turns(x) / sine_of_half_turns(-x + 0.5)
}

/// 2^x as 1 + x p(x) for |x| <= 0.5: minimax, highest power first, within 2e-9.
const POWER_OF_TWO: [f32; 6] = [0.000_154_763, 0.001_340_027, 0.009_618_004, 0.055_503_277, 0.240_226_51, 0.693_147_2];

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
