//! The checksum that tells whole data from torn or damaged data.

/// Odd, so that multiplying by it loses no bit; the 64-bit golden ratio, whose bits are evenly mixed.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// Independent chains, so that the processor's multiplier is kept busy: four are as fast as memory is.
const LANES: usize = 4;
/// Carries high bits, where a product is well mixed, down to where the next word is folded in.
const ROTATION: u32 = 29;

fn fold(state: u64, word: u64) -> u64 {
    (state ^ word).wrapping_mul(MULTIPLIER).rotate_left(ROTATION)
}

/// Checksum of `length` words published as `number`; `word` gives the word at each place, in order. So they are
/// touched once, whatever else is done with them.
///
/// Every step is a bijection of its input, so a change confined to one word always changes the result; anything
/// else goes unseen with a chance of 2^-64. Never 0 for memory that is all zero, which is how fresh shared memory
/// looks.
#[inline(always)]
pub(crate) fn checksum(number: u64, length: usize, mut word: impl FnMut(usize) -> u64) -> u64 {
    let mut lanes = [number ^ MULTIPLIER, !number, MULTIPLIER, length as u64];
    let whole = length / LANES * LANES;
    for place in (0..whole).step_by(LANES) {
        for (offset, lane) in lanes.iter_mut().enumerate() {
            *lane = fold(*lane, word(place + offset));
        }
    }
    let tail = (whole..length).fold(0, |state, place| fold(state, word(place)));
    lanes.iter().fold(tail, |state, lane| fold(state, *lane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_bit_counts() {
        let words = [0u64; 7];
        let good = checksum(3, 7, |place| words[place]);
        assert_ne!(good, 0);
        assert_ne!(good, checksum(4, 7, |place| words[place]));
        for place in 0..words.len() {
            for bit in 0..64 {
                let mut flipped = words;
                flipped[place] ^= 1 << bit;
                assert_ne!(checksum(3, 7, |place| flipped[place]), good, "word {place} bit {bit}");
            }
        }
    }
}
