//! Tapes: what delays remember, which is too long for a state.
//!
//! A strip is the tape of one module. Each block it gets as many frames as the block has and they are never changed, so it
//! can be published block by block, in records of one size.

/// Strips for delays: left and right of two seconds. Four of them at 96 kHz are 8 MiB, in each of five places that need them.
pub const DELAYS: usize = 4;

/// Strips for reverbs: eight lines of an eighth of a second.
pub const REVERBS: usize = 2;

/// All strips, those for delays first.
pub const STRIPS: usize = DELAYS + REVERBS;

/// Words of a record: a block of a delay, 256 frames of two floats.
pub const RECORD_WORDS: usize = 256;

/// Records of a block of a reverb, whose frames are four times as wide.
pub const REVERB_RECORDS: usize = 4;

/// Milliseconds that a delay remembers: the two seconds it may be late.
pub const DELAY_MS: u32 = 2000;

/// Milliseconds that a reverb remembers: its longest line is 83.15 ms, in a room of 1.5 times the size, and sways by 0.7.
pub const REVERB_MS: u32 = 126;

/// Frames beyond those milliseconds: of what a value between frames is read from, and a stretch, for which is read before it
/// is written.
pub const MORE_FRAMES: u32 = 64;

/// Records of a block of a strip.
pub const fn records_of(strip: usize) -> usize {
    if strip < DELAYS { 1 } else { REVERB_RECORDS }
}

/// Frames that a strip remembers at a sample rate in Hz.
pub const fn reach_of(strip: usize, rate: u32) -> u32 {
    let milliseconds = if strip < DELAYS { DELAY_MS } else { REVERB_MS };
    // A damaged rate is none that overflows.
    ((milliseconds as u64 * rate as u64 / 1000) as u32).saturating_add(MORE_FRAMES)
}
