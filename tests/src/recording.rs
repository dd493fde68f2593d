//! WAV files of the engine, read and compared.

use std::path::Path;

/// Bytes before the samples.
const HEADER: usize = 58;

/// A recording.
pub struct Recording {
    /// Sample rate in Hz, as the header says.
    pub rate: u32,
    /// Frames of left and right, as bits: what counts is that they are the same.
    pub frames: Vec<[u32; 2]>,
}

impl Recording {
    /// Reads a file and checks that its header tells the truth.
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let word = |place: usize| u32::from_le_bytes(bytes[place..place + 4].try_into().expect("four bytes"));
        assert_eq!((&bytes[..4], &bytes[8..16], &bytes[50..54]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
        assert_eq!(word(4) as usize, bytes.len() - 8, "the header tells the size of the file");
        assert_eq!(word(54) as usize, bytes.len() - HEADER, "the header tells the size of the sound");
        let frames = bytes[HEADER..].chunks_exact(8).map(|frame| {
            let sample = |place: usize| u32::from_le_bytes(frame[place..place + 4].try_into().expect("four bytes"));
            [sample(0), sample(4)]
        });
        Self { rate: word(24), frames: frames.collect() }
    }

    /// Reads the whole blocks of a file whose writer was killed: its header is out of date.
    pub fn read_cut_off(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let samples = bytes.get(HEADER..).unwrap_or_default();
        let frames = samples[..samples.len() / 2048 * 2048].chunks_exact(8).map(|frame| {
            let sample = |place: usize| u32::from_le_bytes(frame[place..place + 4].try_into().expect("four bytes"));
            [sample(0), sample(4)]
        });
        Self { rate: 0, frames: frames.collect() }
    }

    /// The same without its first blocks.
    pub fn from_block(&self, first: u64) -> Self {
        let frames = self.frames.get(first as usize * 256..).unwrap_or_default();
        Self { rate: self.rate, frames: frames.to_vec() }
    }

    /// The left channel.
    pub fn left(&self) -> Vec<f64> {
        self.frames.iter().map(|frame| f64::from(f32::from_bits(frame[0]))).collect()
    }

    /// The frames at which sound begins after at least 480 frames of silence.
    pub fn onsets(&self) -> Vec<usize> {
        let mut quiet = 480;
        let mut onsets = Vec::new();
        for (frame, sample) in self.left().iter().enumerate() {
            // The tail of the filter is below this in a millisecond; the first sample of a note is above.
            if sample.abs() > 1e-6 {
                if quiet >= 480 {
                    onsets.push(frame);
                }
                quiet = 0;
            } else {
                quiet += 1;
            }
        }
        onsets
    }

    /// Blocks in which it differs from `other`, over the shorter of both.
    pub fn differing_blocks(&self, other: &Self) -> Vec<usize> {
        let blocks = self.frames.chunks(256).zip(other.frames.chunks(256));
        blocks.enumerate().filter(|(_, (a, b))| a != b).map(|(number, _)| number).collect()
    }
}

/// Checks that two files are the same, byte for byte, and says where not.
pub fn assert_identical(played: &Path, reference: &Path, what: &str) {
    let read = |path: &Path| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if read(played) == read(reference) {
        return;
    }
    let (played, reference) = (Recording::read(played), Recording::read(reference));
    let blocks = played.differing_blocks(&reference);
    panic!(
        "{what}: not the sound of the reference: {} of {} blocks differ, first {:?}; lengths {} and {} frames",
        blocks.len(),
        reference.frames.len() / 256,
        blocks.first(),
        played.frames.len(),
        reference.frames.len()
    );
}
