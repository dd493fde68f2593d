//! Random numbers of eight lanes, by counting.

use super::{Lanes, Words};

/// Numbers from -1 to 1 that know nothing of each other, one for each count and seed: the integer hash `lowbias32` (Wellons,
/// "Prospecting for Hash Functions", 2018), whose bits are all but free of bias. A count cannot be damaged for good, and
/// has no forbidden value.
#[inline(always)]
pub(crate) fn random(count: Words, seed: Words) -> Lanes {
    // An odd number near the golden section of 2^32: seeds that follow each other begin far apart.
    const APART: u32 = 0x9E37_79B9;
    let mixed = (count ^ seed.map(|seed| seed.wrapping_mul(APART))).map(|x| {
        let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^ (x >> 16)
    });
    mixed.signed() * (1.0 / 2_147_483_648.0)
}
