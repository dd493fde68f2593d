//! What is played when no slot has the block: a ramp to silence, and a ramp back. Never a repeated buffer.

use abi::{Block, CHANNELS, FRAMES};

/// Frames of the ramp to silence: 1.3 ms at 48 kHz, short enough to lose little of the music, long enough
/// not to click.
const RAMP_FRAMES: usize = 64;

/// Remembers what was last played.
#[derive(Default)]
pub struct Concealment {
    last: [f32; CHANNELS],
    silent: bool,
}

impl Concealment {
    /// The block arrived: passes it on, raised from silence if the one before it was late.
    pub fn arrived(&mut self, block: &mut Block) {
        if std::mem::take(&mut self.silent) {
            for (frame, samples) in block.samples.chunks_exact_mut(CHANNELS).take(RAMP_FRAMES).enumerate() {
                samples.iter_mut().for_each(|sample| *sample *= (frame + 1) as f32 / RAMP_FRAMES as f32);
            }
        }
        for (last, sample) in self.last.iter_mut().zip(&block.samples[(FRAMES - 1) * CHANNELS..]) {
            *last = *sample;
        }
    }

    /// The block is late: what to play instead.
    pub fn late(&mut self, block: &mut Block) {
        *block = Block::SILENCE;
        for (frame, samples) in block.samples.chunks_exact_mut(CHANNELS).take(RAMP_FRAMES).enumerate() {
            for (sample, last) in samples.iter_mut().zip(self.last) {
                *sample = last * (RAMP_FRAMES - 1 - frame) as f32 / RAMP_FRAMES as f32;
            }
        }
        self.last = [0.0; CHANNELS];
        self.silent = true;
    }
}

/// Lowers a block to silence over its whole length: the last one when the engine is stopped.
pub fn fade_out(block: &mut Block) {
    for (frame, samples) in block.samples.chunks_exact_mut(CHANNELS).enumerate() {
        samples.iter_mut().for_each(|sample| *sample *= (FRAMES - 1 - frame) as f32 / FRAMES as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_block_ramps_down_and_the_next_ramps_up_and_then_all_is_untouched() {
        let ones = Block { samples: [1.0; abi::SAMPLES] };
        let mut concealment = Concealment::default();
        let mut played = Vec::new();
        for late in [false, true, true, false, false] {
            let mut block = ones;
            if late {
                concealment.late(&mut block)
            } else {
                concealment.arrived(&mut block)
            }
            played.extend(block.samples.chunks(2).map(|frame| frame[0]));
        }
        let steepest = played.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(steepest <= 1.0 / RAMP_FRAMES as f32 + 1e-6, "{steepest}");
        assert_eq!(played[FRAMES + RAMP_FRAMES..3 * FRAMES], [0.0; 2 * FRAMES - RAMP_FRAMES]);
        assert_eq!(played[4 * FRAMES..], [1.0; FRAMES]);
    }

    #[test]
    fn the_last_block_ends_in_silence() {
        let mut block = Block { samples: [1.0; abi::SAMPLES] };
        fade_out(&mut block);
        assert_eq!(block.samples[abi::SAMPLES - 1], 0.0);
        assert!(block.samples[0] > 0.99);
    }
}
