//! From float to the device's format: the only place where sound stops being float.

use abi::{Block, SAMPLES};

/// A format a device may take. Little-endian, as every machine Chronus runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// 32-bit integer.
    Integer32,
    /// 24-bit integer in the low bits of 32.
    Integer24,
    /// 24-bit integer in three bytes, as many USB cards take it.
    Packed24,
    /// 16-bit integer.
    Integer16,
    /// 32-bit float.
    Float32,
}

/// Bytes of a block in the widest format.
pub const LARGEST_BLOCK: usize = SAMPLES * 4;

impl SampleFormat {
    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::Integer16 => SAMPLES * 2,
            Self::Packed24 => SAMPLES * 3,
            Self::Integer24 | Self::Integer32 | Self::Float32 => SAMPLES * 4,
        }
    }

    /// Writes `block` into `bytes` and gives the part that was filled. Samples beyond full scale are clipped,
    /// the others rounded to the nearest step, so that equal samples give equal bytes on every machine.
    pub fn quantise<'a>(self, block: &Block, bytes: &'a mut [u8; LARGEST_BLOCK]) -> &'a [u8] {
        match self {
            Self::Integer16 => fill::<2>(block, bytes, |sample| (round(sample, 15) as i16).to_le_bytes()),
            Self::Integer24 => fill::<4>(block, bytes, |sample| round(sample, 23).to_le_bytes()),
            Self::Packed24 => fill::<3>(block, bytes, |sample| {
                let [low, middle, high, _] = round(sample, 23).to_le_bytes();
                [low, middle, high]
            }),
            Self::Integer32 => fill::<4>(block, bytes, |sample| round(sample, 31).to_le_bytes()),
            Self::Float32 => fill::<4>(block, bytes, f32::to_le_bytes),
        }
        &bytes[..self.block_bytes()]
    }
}

fn fill<const N: usize>(block: &Block, bytes: &mut [u8; LARGEST_BLOCK], convert: impl Fn(f32) -> [u8; N]) {
    for (to, sample) in bytes.chunks_exact_mut(N).zip(block.samples) {
        to.copy_from_slice(&convert(sample));
    }
}

/// `sample` as an integer of `bits` bits and a sign.
fn round(sample: f32, bits: u32) -> i32 {
    let scale = f64::from(1u32 << bits);
    // In f64 the product is exact; the cast saturates and makes 0 of a NaN.
    (f64::from(sample) * scale).round().clamp(-scale, scale - 1.0) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_clips_and_steps_round() {
        assert_eq!((round(1.0, 15), round(-1.0, 15), round(7.0, 15)), (32767, -32768, 32767));
        assert_eq!((round(1.0, 31), round(-1.0, 31)), (i32::MAX, i32::MIN));
        assert_eq!((round(0.5, 23), round(0.4 / 32768.0, 15), round(0.6 / 32768.0, 15)), (1 << 22, 0, 1));
        assert_eq!(round(f32::NAN, 15), 0);
    }

    #[test]
    fn every_format_fills_its_bytes() {
        let mut block = Block::SILENCE;
        block.samples[1] = -0.5;
        let mut bytes = [0; LARGEST_BLOCK];
        assert_eq!(&SampleFormat::Integer16.quantise(&block, &mut bytes)[..4], &[0, 0, 0, 0xC0]);
        assert_eq!(&SampleFormat::Integer24.quantise(&block, &mut bytes)[4..8], &[0, 0, 0xC0, 0xFF]);
        let packed = SampleFormat::Packed24.quantise(&block, &mut bytes);
        assert_eq!((&packed[..6], packed.len()), (&[0, 0, 0, 0, 0, 0xC0][..], 256 * 2 * 3));
        assert_eq!(&SampleFormat::Float32.quantise(&block, &mut bytes)[4..8], &(-0.5f32).to_le_bytes());
    }
}
