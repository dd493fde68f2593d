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

/// Checksum of `words` published as `number`. Every step is a bijection of its input, so a change confined
/// to one word always changes the result; anything else goes unseen with a chance of 2^-64.
/// Never 0 for memory that is all zero, which is how fresh shared memory looks.
pub(crate) fn checksum(number: u64, words: &[u64]) -> u64 {
    let mut lanes = [number ^ MULTIPLIER, !number, MULTIPLIER, words.len() as u64];
    let mut chunks = words.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk) {
            *lane = fold(*lane, *word);
        }
    }
    let tail = chunks.remainder().iter().fold(0, |state, word| fold(state, *word));
    lanes.iter().fold(tail, |state, lane| fold(state, *lane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_bit_counts() {
        let words = [0u64; 7];
        let good = checksum(3, &words);
        assert_ne!(good, 0);
        assert_ne!(good, checksum(4, &words));
        for place in 0..words.len() {
            for bit in 0..64 {
                let mut flipped = words;
                flipped[place] ^= 1 << bit;
                assert_ne!(checksum(3, &flipped), good, "word {place} bit {bit}");
            }
        }
    }
}
