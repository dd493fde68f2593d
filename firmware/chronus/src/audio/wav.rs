//! A WAV file of 32-bit float samples.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use abi::{Block, CHANNELS, SAMPLES};

/// WAVE_FORMAT_IEEE_FLOAT of the RIFF registry.
const FORMAT_FLOAT: u16 = 3;
const SAMPLE_BYTES: u16 = size_of::<f32>() as u16;
/// RIFF header, `fmt ` chunk with its (empty) extension, `fact` chunk, head of the `data` chunk.
const HEADER_BYTES: u32 = 58;
const BLOCK_BYTES: usize = SAMPLES * SAMPLE_BYTES as usize;
/// Bytes gathered before they are written: one write each 1/6 s at 48 kHz.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file being written. Its header is brought up to date by [`WavFile::update_header`].
pub struct WavFile {
    file: File,
    path: PathBuf,
    rate: u32,
    /// Blocks added.
    blocks: u64,
    /// The last of them, which are not yet in the file.
    buffer: Vec<u8>,
}

impl WavFile {
    /// Most blocks of a file. It counts its bytes in 32 bits; beyond that no reader understands it.
    pub const MOST_BLOCKS: u64 = (u32::MAX as u64 - HEADER_BYTES as u64) / BLOCK_BYTES as u64;

    /// Makes the file, overwriting one of that name.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn create(path: &Path, rate: u32) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| said(path, &error))?;
        let buffer = Vec::with_capacity(BUFFER_BYTES + BLOCK_BYTES);
        let mut wav = Self { file, path: path.to_owned(), rate, blocks: 0, buffer };
        let header = wav.header();
        wav.file.write_all(&header).map_err(|error| said(path, &error))?;
        Ok(wav)
    }

    /// Adds a block.
    ///
    /// # Errors
    /// In words: the disk is full. The header tells what is in the file then. Of more than
    /// [`WavFile::MOST_BLOCKS`] the header would be wrong, so who may have more looks before.
    pub fn write(&mut self, block: &Block) -> Result<(), String> {
        self.buffer.extend(block.samples.iter().flat_map(|sample| sample.to_le_bytes()));
        self.blocks += 1;
        if self.buffer.len() >= BUFFER_BYTES { self.write_buffer() } else { Ok(()) }
    }

    fn write_buffer(&mut self) -> Result<(), String> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| {
            // If this fails too there is nothing that could still be done, and the first error is the one to tell.
            let _ = self.rescue();
            said(&self.path, &error)
        })
    }

    /// After a failed write: cuts the file to whole blocks and makes the header tell how many.
    fn rescue(&mut self) -> io::Result<()> {
        let sound = self.file.metadata()?.len().saturating_sub(u64::from(HEADER_BYTES));
        self.blocks = sound / BLOCK_BYTES as u64;
        self.file.set_len(u64::from(HEADER_BYTES) + self.blocks * BLOCK_BYTES as u64)?;
        self.file.write_all_at(&self.header(), 0)
    }

    /// Writes what is buffered and makes the header tell how long the file is now.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn update_header(&mut self) -> Result<(), String> {
        self.write_buffer()?;
        self.file.write_all_at(&self.header(), 0).map_err(|error| said(&self.path, &error))
    }

    /// The file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Blocks written.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    fn header(&self) -> Vec<u8> {
        let data = (self.blocks * BLOCK_BYTES as u64) as u32;
        let frame_bytes = CHANNELS as u16 * SAMPLE_BYTES;
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        header.extend(b"RIFF");
        header.extend((HEADER_BYTES - 8 + data).to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend(18u32.to_le_bytes());
        header.extend(FORMAT_FLOAT.to_le_bytes());
        header.extend((CHANNELS as u16).to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend((self.rate * u32::from(frame_bytes)).to_le_bytes());
        header.extend(frame_bytes.to_le_bytes());
        header.extend((SAMPLE_BYTES * 8).to_le_bytes());
        header.extend(0u16.to_le_bytes());
        header.extend(b"fact");
        header.extend(4u32.to_le_bytes());
        header.extend((data / u32::from(frame_bytes)).to_le_bytes());
        header.extend(b"data");
        header.extend(data.to_le_bytes());
        header
    }
}

fn said(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_what_follows_it() {
        let path = std::env::temp_dir().join(format!("chronus-wav-{}.wav", std::process::id()));
        let mut wav = WavFile::create(&path, 48_000).unwrap();
        wav.write(&Block { samples: [0.5; SAMPLES] }).unwrap();
        wav.update_header().unwrap();
        wav.write(&Block::SILENCE).unwrap();
        wav.update_header().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bytes.len(), HEADER_BYTES as usize + 2 * SAMPLES * 4);
        assert_eq!(bytes[4..8], (bytes.len() as u32 - 8).to_le_bytes());
        assert_eq!(bytes[46..50], (2 * 256u32).to_le_bytes());
        assert_eq!(bytes[54..58], (2 * SAMPLES as u32 * 4).to_le_bytes());
        assert_eq!(bytes[58..62], 0.5f32.to_le_bytes());
    }

    #[test]
    fn the_longest_file_fits_its_header() {
        assert!(HEADER_BYTES as usize + WavFile::MOST_BLOCKS as usize * BLOCK_BYTES <= u32::MAX as usize);
    }

    #[test]
    fn after_a_failed_write_the_header_tells_what_is_there() {
        let path = std::env::temp_dir().join(format!("chronus-wav-cut-{}.wav", std::process::id()));
        let mut wav = WavFile::create(&path, 48_000).unwrap();
        (0..5).for_each(|_| wav.write(&Block::SILENCE).unwrap());
        wav.update_header().unwrap();
        // As a disk leaves it that became full inside the fourth block.
        wav.file.set_len(u64::from(HEADER_BYTES) + 3 * BLOCK_BYTES as u64 + 77).unwrap();
        wav.rescue().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((wav.blocks(), bytes.len()), (3, HEADER_BYTES as usize + 3 * BLOCK_BYTES));
        assert_eq!(bytes[54..58], (3 * BLOCK_BYTES as u32).to_le_bytes());
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named() {
        let error = WavFile::create(Path::new("/nowhere/x.wav"), 48_000).err().unwrap();
        assert!(error.contains("/nowhere/x.wav"), "{error}");
    }
}
