//! What an emulated sound card of 16 bits has played, and what it should have.

use std::path::Path;

use crate::recording::Recording;

/// Left and right.
pub type Frame = [i16; 2];

/// What QEMU has kept of what a card played.
pub fn card_frames(path: &Path) -> Vec<Frame> {
    let bytes = std::fs::read(path).expect("a recording of the card");
    let sample = |bytes: &[u8]| i16::from_le_bytes([bytes[0], bytes[1]]);
    bytes[44..].chunks_exact(4).map(|frame| [sample(frame), sample(&frame[2..])]).collect()
}

/// A rendered file in 16 bits: to the nearest step, as `audio/quantise.rs` says.
pub fn quantised(path: &Path) -> Vec<Frame> {
    let step = |bits: u32| (f64::from(f32::from_bits(bits)) * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
    Recording::read(path).frames.into_iter().map(|frame| frame.map(step)).collect()
}

/// Where the first frame is that can be heard.
pub fn onset(frames: &[Frame]) -> usize {
    frames.iter().position(|frame| *frame != [0, 0]).expect("something can be heard")
}
