//! Chance by counting: whether a step is played depends on its number, not on what was played before.

use abi::Name;

/// What 1 is as a chance.
pub(super) const CERTAIN: u64 = 1 << 32;

/// Whether a step of the track of this name is played that has `chance` of [`CERTAIN`]. Of the name, which is kept with a patch;
/// its number may be another one when that is made again.
pub(super) fn happens(chance: u64, seed: u64, track: &Name, step: u64) -> bool {
    let words = track.chunks_exact(8).map(|word| word.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)));
    (random(seed, words.fold(0, |all, word| mixed(all ^ word)), step) >> 32) < chance
}

/// A number for each seed, track and step that knows nothing of the others: two rounds of SplitMix64 (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014), the first of which makes a stream for the track.
fn random(seed: u64, track: u64, step: u64) -> u64 {
    mixed(mixed(seed ^ mixed(track)).wrapping_add(step.wrapping_mul(GOLDEN)))
}

/// 2^64 by the golden section, odd: SplitMix64's own increment.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's output for a state: Stafford's thirteenth mix.
fn mixed(state: u64) -> u64 {
    let x = state.wrapping_add(GOLDEN);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
