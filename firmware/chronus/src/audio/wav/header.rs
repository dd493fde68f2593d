//! The bytes before the samples of a WAV file.

use abi::{CHANNELS, FRAMES};

use crate::audio::SampleFormat;

/// WAVE_FORMAT_PCM and WAVE_FORMAT_IEEE_FLOAT of the RIFF registry.
const FORMAT_PCM: u16 = 1;
const FORMAT_FLOAT: u16 = 3;

/// Bytes behind the name and size of a `ds64` chunk: three sizes of 64 bits, and the length of an empty table.
const DS64_BYTES: u32 = 28;

/// Stands where a size does not fit into 32 bits, and the one in `ds64` holds.
const SEE_DS64: u32 = u32::MAX;

/// What a WAV file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavForm {
    /// Sample rate in Hz.
    pub rate: u32,
    /// [`SampleFormat::Float32`] or one of whole numbers.
    pub samples: SampleFormat,
    /// Whether it may become larger than 4 GiB. It has an empty chunk then, `JUNK`, as EBU Tech 3306 has it; once the file is
    /// too large for a RIFF it is a RF64, and in place of the chunk is `ds64` with the sizes.
    pub large: bool,
}

impl WavForm {
    /// Bytes of a block.
    pub fn block_bytes(self) -> u64 {
        self.samples.block_bytes() as u64
    }

    /// Bytes before the samples.
    pub fn header_bytes(self) -> u64 {
        self.header(0).len() as u64
    }

    /// The bytes before the samples of a file of so many blocks.
    pub fn header(self, blocks: u64) -> Vec<u8> {
        let (data, float) = (blocks * self.block_bytes(), self.samples == SampleFormat::Float32);
        let (junk, format, fact) = if float { (8 + DS64_BYTES, 18, 12) } else { (8 + DS64_BYTES, 16, 0) };
        let riff = u64::from(4 + if self.large { junk } else { 0 } + 8 + format + fact + 8) + data;
        let beyond = riff > u64::from(u32::MAX);
        let short = |size: u64| if beyond { SEE_DS64 } else { size as u32 }.to_le_bytes();
        let mut header = Vec::with_capacity(128);
        header.extend(if beyond { b"RF64" } else { b"RIFF" });
        header.extend(short(riff));
        header.extend(b"WAVE");
        if self.large {
            header.extend(if beyond { b"ds64" } else { b"JUNK" });
            header.extend(DS64_BYTES.to_le_bytes());
            let sizes = [riff, data, blocks * FRAMES as u64];
            header.extend(sizes.map(|size| if beyond { size } else { 0 }).into_iter().flat_map(u64::to_le_bytes));
            header.extend(0u32.to_le_bytes());
        }
        let frame_bytes = self.block_bytes() as u32 / FRAMES as u32;
        header.extend(b"fmt ");
        header.extend(format.to_le_bytes());
        header.extend(if float { FORMAT_FLOAT } else { FORMAT_PCM }.to_le_bytes());
        header.extend((CHANNELS as u16).to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend((self.rate * frame_bytes).to_le_bytes());
        header.extend((frame_bytes as u16).to_le_bytes());
        header.extend((frame_bytes as u16 / CHANNELS as u16 * 8).to_le_bytes());
        if float {
            header.extend(0u16.to_le_bytes());
            header.extend(b"fact");
            header.extend(4u32.to_le_bytes());
            header.extend(short(blocks * FRAMES as u64));
        }
        header.extend(b"data");
        header.extend(short(data));
        header
    }

    /// The form of a large file that begins with these bytes, if it is one of ours.
    pub fn of_large(header: &[u8]) -> Option<Self> {
        let word = |place: usize| Some(u32::from_le_bytes(header.get(place..place + 4)?.try_into().ok()?));
        // Behind the empty chunk, and of the format behind its name and size.
        let format = 12 + 8 + DS64_BYTES as usize + 8;
        let samples = match word(format)? as u16 {
            FORMAT_FLOAT => SampleFormat::Float32,
            _ => SampleFormat::Packed24,
        };
        let form = Self { rate: word(format + 4)?, samples, large: true };
        let ours = form.header(0);
        let same = |part: std::ops::Range<usize>| header.get(part.clone()) == ours.get(part);
        let begins = matches!(header.get(..4)?, b"RIFF" | b"RF64") && matches!(header.get(12..16)?, b"JUNK" | b"ds64");
        (abi::RATES.contains(&form.rate) && begins && same(8..12) && same(format - 8..format + 16)).then_some(form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(samples: SampleFormat) -> WavForm {
        WavForm { rate: 48_000, samples, large: true }
    }

    fn number(header: &[u8], place: usize) -> u64 {
        u64::from_le_bytes(header[place..place + 8].try_into().unwrap())
    }

    #[test]
    fn a_file_becomes_a_rf64_where_a_riff_ends_and_stays_as_long() {
        for samples in [SampleFormat::Packed24, SampleFormat::Float32] {
            let form = form(samples);
            let (bytes, header) = (form.block_bytes(), form.header_bytes());
            // RIFF tells the size of all that is behind its own eight bytes.
            let last = (u64::from(u32::MAX) - (header - 8)) / bytes;
            let riff = form.header(last);
            assert_eq!((&riff[..4], &riff[12..16]), (&b"RIFF"[..], &b"JUNK"[..]));
            assert_eq!(riff[4..8], ((header - 8 + last * bytes) as u32).to_le_bytes());
            assert_eq!(riff[riff.len() - 4..], ((last * bytes) as u32).to_le_bytes());
            let rf64 = form.header(last + 1);
            assert_eq!((&rf64[..4], &rf64[12..16], rf64.len()), (&b"RF64"[..], &b"ds64"[..], riff.len()));
            assert_eq!([&rf64[4..8], &rf64[rf64.len() - 4..]], [[0xFF; 4]; 2]);
            let sizes = [header - 8 + (last + 1) * bytes, (last + 1) * bytes, (last + 1) * 256];
            assert_eq!([20, 28, 36].map(|place| number(&rf64, place)), sizes);
            assert_eq!([WavForm::of_large(&riff), WavForm::of_large(&rf64)], [Some(form); 2]);
        }
    }

    #[test]
    fn what_is_not_ours_is_not_taken_for_it() {
        let header = form(SampleFormat::Packed24).header(7);
        for (place, byte) in [(0, b'X'), (12, b'f'), (50, b'x'), (56, 7), (58, 1), (61, 1), (70, 16)] {
            let mut other = header.clone();
            other[place] = byte;
            assert_eq!(WavForm::of_large(&other), None, "byte {place}");
        }
        assert_eq!(WavForm::of_large(&header[..40]), None);
        let small = WavForm { large: false, ..form(SampleFormat::Float32) };
        assert_eq!(WavForm::of_large(&small.header(7)), None);
    }
}
