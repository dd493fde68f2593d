//! WAV and RF64 files, read by their chunks, as any program reads them.

use std::path::Path;

/// A file.
pub struct Wav {
    /// Its size is told in 64 bits.
    pub rf64: bool,
    /// Sample rate in Hz.
    pub rate: u32,
    /// Bits of a sample: 24 are integers, 32 floats.
    pub bits: u16,
    /// Frames that the header tells of, left and right: the value of 24 bits, or the bits of a float.
    pub frames: Vec<[u32; 2]>,
    /// Bytes before the sound.
    pub header: u64,
    /// Bytes behind those that the header tells of.
    pub untold: usize,
}

impl Wav {
    /// Reads a file; fails if the header tells of more than there is, or of anything unknown.
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let word = |place: usize| u32::from_le_bytes(bytes[place..place + 4].try_into().expect("four bytes"));
        let long = |place: usize| u64::from_le_bytes(bytes[place..place + 8].try_into().expect("eight bytes"));
        let rf64 = &bytes[..4] == b"RF64";
        assert!((rf64 || &bytes[..4] == b"RIFF") && &bytes[8..12] == b"WAVE", "{}", path.display());
        let (mut place, mut format, mut sizes) = (12, None, None);
        loop {
            let (name, size, body) = (&bytes[place..place + 4], word(place + 4) as usize, place + 8);
            match name {
                b"ds64" => sizes = Some([long(body), long(body + 8), long(body + 16)]),
                b"fmt " => format = Some((word(body) as u16, word(body) >> 16, word(body + 4), word(body + 12))),
                b"fact" => assert!(size == 4),
                b"JUNK" => assert!(!rf64 && size == 28),
                b"data" => {
                    let (tag, channels, rate, alignment) = format.expect("a format before the sound");
                    let bits = (alignment >> 16) as u16;
                    assert!(matches!((tag, bits), (1, 24) | (3, 32)) && channels == 2, "format {tag}, {bits} bits");
                    assert_eq!(alignment as u16, bits / 4, "bytes of a frame");
                    let told = sizes.map_or(size as u64, |sizes| sizes[1]) as usize;
                    let riff = sizes.map_or(u64::from(word(4)), |sizes| sizes[0]) as usize;
                    assert_eq!(riff, body - 8 + told, "both sizes say the same");
                    assert_eq!(sizes.is_some(), rf64);
                    assert!(body + told <= bytes.len(), "{told} bytes told of, {} there", bytes.len() - body);
                    let sample = usize::from(bits / 8);
                    let value = |bytes: &[u8]| {
                        let mut word = [0; 4];
                        word[..bytes.len()].copy_from_slice(bytes);
                        u32::from_le_bytes(word)
                    };
                    let sound = bytes[body..body + told].chunks_exact(2 * sample);
                    assert!(sound.remainder().is_empty(), "whole frames");
                    let frames = sound.map(|frame| [value(&frame[..sample]), value(&frame[sample..])]).collect();
                    return Self { rf64, rate, bits, frames, header: body as u64, untold: bytes.len() - body - told };
                }
                other => panic!("a chunk {other:?}"),
            }
            place = body + size + size % 2;
        }
    }
}
