//! One block of sound.

use bytemuck::{Pod, Zeroable};

/// Frames in a block. It is the ALSA period, fixed for the life of the project: every figure in
/// ARCHITECTURE.md, every golden hash and the hardware's interrupt rate rest on it.
pub const FRAMES: usize = 256;
/// Samples in a frame: left and right.
pub const CHANNELS: usize = 2;
/// Samples in a block, interleaved.
pub const SAMPLES: usize = FRAMES * CHANNELS;
/// 64-bit words a block fills in shared memory.
pub const WORDS_PER_BLOCK: usize = SAMPLES * size_of::<f32>() / size_of::<u64>();

/// `FRAMES` frames of interleaved stereo sound, full scale at -1.0 and 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C, align(8))]
pub struct Block {
    /// Left and right sample of frame 0, of frame 1, and so on.
    pub samples: [f32; SAMPLES],
}

impl Block {
    /// A block of digital silence.
    pub const SILENCE: Self = Self { samples: [0.0; SAMPLES] };

    /// The block as the words shared memory is made of.
    pub fn words(&self) -> &[u64; WORDS_PER_BLOCK] {
        bytemuck::cast_ref(self)
    }

    /// The same, to be filled; every bit pattern is some block.
    pub fn words_mut(&mut self) -> &mut [u64; WORDS_PER_BLOCK] {
        bytemuck::cast_mut(self)
    }
}

impl Default for Block {
    fn default() -> Self {
        Self::SILENCE
    }
}
