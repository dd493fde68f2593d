//! When a command takes effect.

use crate::FRAMES;

/// Number of a block, from 0 at engine start. The only clock the DSP knows.
pub type BlockNumber = u64;

/// The frame at which a command takes effect. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The block.
    pub block: BlockNumber,
    /// The frame in that block, `0..FRAMES`.
    pub frame: u32,
}

impl Stamp {
    /// The stamp of a frame counted from engine start.
    pub const fn from_frame(frame: u64) -> Self {
        Self { block: frame / FRAMES as u64, frame: (frame % FRAMES as u64) as u32 }
    }

    /// The first frame of a block.
    pub const fn start_of(block: BlockNumber) -> Self {
        Self { block, frame: 0 }
    }

    /// This stamp as a count of frames from engine start.
    pub const fn to_frame(self) -> u64 {
        self.block * FRAMES as u64 + self.frame as u64
    }
}
