//! Eight values side by side, and what can be done with all of them at once.
//!
//! Plain loops over arrays: the compiler makes two SSE2 or NEON instructions of each. Every operation is one IEEE 754
//! fixes to the last bit, or a choice between two values, so it gives the same bits on every machine.

use core::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};

use bytemuck::{Pod, Zeroable};

use super::{LARGEST, SMALLEST};

/// Values side by side: two vectors of SSE2 or NEON, so that two chains of arithmetic are under way at a time.
pub const LANES: usize = 8;

/// One value for each lane: eight voices, or left and right and six that nobody hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Lanes(pub [f32; LANES]);

/// 32 bits for each lane: whole numbers that wrap, or masks, in which a lane is all ones or all zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub struct Words(pub [u32; LANES]);

/// 1.5 * 2^23: added to a number of less than 2^22, it leaves the nearest whole number in the lowest bits.
const WHOLE: f32 = 12_582_912.0;

/// The sign of an f32.
const SIGN: u32 = 1 << 31;

impl Lanes {
    /// 0 in each lane.
    pub const ZERO: Self = Self([0.0; LANES]);

    /// The same value in each lane.
    #[inline(always)]
    pub const fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    /// What `f` makes of each lane.
    #[inline(always)]
    pub fn map(self, f: impl Fn(f32) -> f32) -> Self {
        let mut result = self;
        for value in &mut result.0 {
            *value = f(*value);
        }
        result
    }

    /// What `f` makes of each lane and the same lane of `other`.
    #[inline(always)]
    pub fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut result = self;
        for (value, other) in result.0.iter_mut().zip(other.0) {
            *value = f(*value, other);
        }
        result
    }

    /// A mask of the lanes for which `f` holds with the same lane of `other`.
    #[inline(always)]
    fn compare(self, other: Self, f: impl Fn(f32, f32) -> bool) -> Words {
        let mut mask = Words::ZERO;
        for ((bits, value), other) in mask.0.iter_mut().zip(self.0).zip(other.0) {
            *bits = if f(value, other) { u32::MAX } else { 0 };
        }
        mask
    }

    /// Mask of the lanes that are greater than in `other`; NaN is not.
    #[inline(always)]
    pub fn above(self, other: Self) -> Words {
        self.compare(other, |a, b| a > b)
    }

    /// Mask of the lanes that are at most what they are in `other`; NaN is not.
    #[inline(always)]
    pub fn at_most_mask(self, other: Self) -> Words {
        self.compare(other, |a, b| a <= b)
    }

    /// The size, without sign.
    #[inline(always)]
    pub fn abs(self) -> Self {
        self.map(f32::abs)
    }

    /// At least `bound`; NaN becomes `bound`.
    #[inline(always)]
    pub fn at_least(self, bound: f32) -> Self {
        self.map(|value| if value > bound { value } else { bound })
    }

    /// At most `bound`; NaN becomes `bound`.
    #[inline(always)]
    pub fn at_most(self, bound: f32) -> Self {
        self.map(|value| if value < bound { value } else { bound })
    }

    /// From `low` to `high`; NaN becomes `low`.
    #[inline(always)]
    pub fn within(self, low: f32, high: f32) -> Self {
        self.at_least(low).at_most(high)
    }

    /// The size of `self` with its sign turned where `other` is negative.
    #[inline(always)]
    pub fn signed_as(self, other: Self) -> Self {
        self.zip(other, |value, sign| f32::from_bits(value.to_bits() ^ (sign.to_bits() & SIGN)))
    }

    /// 0 where the size is below `SMALLEST` or the value is NaN. Infinities stay: whatever recirculates subtracts them
    /// from each other, which is NaN at the next frame.
    #[inline(always)]
    pub fn flush(self) -> Self {
        self.map(|value| if value.abs() >= SMALLEST { value } else { 0.0 })
    }

    /// 0 where the value is subnormal, damage or not a number: for whatever a state holds when a stretch begins, and
    /// for inputs.
    #[inline(always)]
    pub fn heal(self) -> Self {
        self.map(|value| if (SMALLEST..=LARGEST).contains(&value.abs()) { value } else { 0.0 })
    }

    /// The bits.
    #[inline(always)]
    pub fn to_bits(self) -> Words {
        Words(self.0.map(f32::to_bits))
    }

    /// The nearest whole numbers of values from -2^31 to 2^31, as they wrap. Vectorised, which the cast is not.
    #[inline(always)]
    pub fn to_words(self) -> Words {
        // In two steps, since only 23 bits can be read at a time. Each is exact: a float has no more than 24.
        let upper = (self * (1.0 / 65_536.0) + WHOLE) - WHOLE;
        let lower = self - upper * 65_536.0;
        let (upper, lower) = ((upper + WHOLE).to_bits(), (lower + WHOLE).to_bits());
        let mut result = Words::ZERO;
        for ((word, upper), lower) in result.0.iter_mut().zip(upper.0).zip(lower.0) {
            *word = (upper << 16).wrapping_add(lower.wrapping_sub(WHOLE.to_bits()));
        }
        result
    }

    /// The nearest whole number, as a float, of values of less than 2^22.
    #[inline(always)]
    pub fn round(self) -> Self {
        (self + WHOLE) - WHOLE
    }
}

impl Words {
    /// 0 in each lane.
    pub const ZERO: Self = Self([0; LANES]);

    /// The same bits in each lane.
    #[inline(always)]
    pub const fn splat(bits: u32) -> Self {
        Self([bits; LANES])
    }

    /// What `f` makes of each lane.
    #[inline(always)]
    pub fn map(self, f: impl Fn(u32) -> u32) -> Self {
        let mut result = self;
        for bits in &mut result.0 {
            *bits = f(*bits);
        }
        result
    }

    /// What `f` makes of each lane and the same lane of `other`.
    #[inline(always)]
    pub fn zip(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        let mut result = self;
        for (bits, other) in result.0.iter_mut().zip(other.0) {
            *bits = f(*bits, other);
        }
        result
    }

    /// Mask of the lanes that are as in `other`.
    #[inline(always)]
    pub fn equals(self, other: Self) -> Self {
        self.zip(other, |a, b| if a == b { u32::MAX } else { 0 })
    }

    /// Mask of the lanes that are below those of `other`, without sign.
    #[inline(always)]
    pub fn below(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { u32::MAX } else { 0 })
    }

    /// This mask's lanes of `yes`, the other lanes of `no`.
    #[inline(always)]
    pub fn select(self, yes: Lanes, no: Lanes) -> Lanes {
        let mut result = no;
        for ((value, yes), mask) in result.0.iter_mut().zip(yes.0).zip(self.0) {
            *value = f32::from_bits((yes.to_bits() & mask) | (value.to_bits() & !mask));
        }
        result
    }

    /// This mask's lanes of `yes`, the other lanes of `no`.
    #[inline(always)]
    pub fn choose(self, yes: Self, no: Self) -> Self {
        (self & yes) | (!self & no)
    }

    /// This mask's lanes of `value`, 0 in the others.
    #[inline(always)]
    pub fn keep(self, value: Lanes) -> Lanes {
        let mut result = value;
        for (value, mask) in result.0.iter_mut().zip(self.0) {
            *value = f32::from_bits(value.to_bits() & mask);
        }
        result
    }

    /// The floats of these bits.
    #[inline(always)]
    pub fn floats(self) -> Lanes {
        Lanes(self.0.map(f32::from_bits))
    }

    /// The whole numbers, with sign, rounded to what an f32 can hold.
    #[inline(always)]
    pub fn signed(self) -> Lanes {
        let mut result = Lanes::ZERO;
        for (value, bits) in result.0.iter_mut().zip(self.0) {
            *value = bits.cast_signed() as f32;
        }
        result
    }
}

macro_rules! arithmetic {
    ($($operator:ident $method:ident $symbol:tt),*) => {$(
        impl $operator for Lanes {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $symbol b)
            }
        }

        impl $operator<f32> for Lanes {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f32) -> Self {
                self.map(|a| a $symbol other)
            }
        }
    )*};
}
arithmetic!(Add add +, Sub sub -, Mul mul *, Div div /);

impl Neg for Lanes {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|value| -value)
    }
}

macro_rules! bitwise {
    ($($operator:ident $method:ident $expression:expr),*) => {$(
        impl $operator for Words {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, $expression)
            }
        }
    )*};
}
bitwise!(BitAnd bitand |a, b| a & b, BitOr bitor |a, b| a | b, BitXor bitxor |a, b| a ^ b,
    Add add u32::wrapping_add, Sub sub u32::wrapping_sub);

impl Not for Words {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        self.map(|bits| !bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_out_as_they_go_in() {
        for value in [0.0, 1.0, -1.0, 65_535.0, 65_536.0, 98_304.0, -98_304.0, 16_777_215.0, 2_105_540_608.0] {
            let words = Lanes::splat(value).to_words();
            assert_eq!(words.0[3].cast_signed() as f32, value);
            assert_eq!(words.signed().0[5], value);
        }
        assert_eq!(Lanes::splat(2.4).to_words().0[0], 2);
        assert_eq!(Lanes::splat(-2.6).round().0[0], -3.0);
    }

    #[test]
    fn not_a_number_never_passes_a_bound_and_damage_is_healed() {
        let damage = Lanes([f32::NAN, f32::INFINITY, -f32::INFINITY, 1e-40, 1e30, 0.5, -0.5, 0.0]);
        assert_eq!(damage.within(-1.0, 1.0).0, [-1.0, 1.0, -1.0, 1e-40, 1.0, 0.5, -0.5, 0.0]);
        assert_eq!(damage.heal().0, [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, -0.5, 0.0]);
        assert_eq!(damage.flush().0[0].to_bits(), 0);
        assert_eq!(damage.above(Lanes::ZERO).0[0], 0);
    }
}
