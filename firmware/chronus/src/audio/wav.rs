//! A WAV file of 32-bit float samples.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use abi::{Block, CHANNELS, SAMPLES};

/// WAVE_FORMAT_IEEE_FLOAT of the RIFF registry.
const FORMAT_FLOAT: u16 = 3;
const SAMPLE_BYTES: u16 = size_of::<f32>() as u16;
/// RIFF header, `fmt ` chunk with its (empty) extension, `fact` chunk, head of the `data` chunk.
const HEADER_BYTES: u32 = 58;
/// A RIFF file counts its bytes in 32 bits; beyond that no reader understands it.
const MOST_BLOCKS: u64 = (u32::MAX as u64 - HEADER_BYTES as u64) / (SAMPLES as u64 * SAMPLE_BYTES as u64);
/// Bytes gathered before they are written: one write each 1/6 s at 48 kHz.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file being written. Its header is brought up to date by [`WavFile::update_header`].
pub struct WavFile {
    file: BufWriter<File>,
    path: PathBuf,
    rate: u32,
    blocks: u64,
}

impl WavFile {
    /// Makes the file, overwriting one of that name.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn create(path: &Path, rate: u32) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| said(path, &error))?;
        let mut wav =
            Self { file: BufWriter::with_capacity(BUFFER_BYTES, file), path: path.to_owned(), rate, blocks: 0 };
        wav.file.write_all(&wav.header()).map_err(|error| said(path, &error))?;
        Ok(wav)
    }

    /// Adds a block.
    ///
    /// # Errors
    /// In words: the disk is full, or the file has reached the 4 GiB a WAV file can have.
    pub fn write(&mut self, block: &Block) -> Result<(), String> {
        if self.blocks == MOST_BLOCKS {
            return Err(format!("{}: a WAV file holds 4 GiB; the recording ends here", self.path.display()));
        }
        let mut bytes = [0; SAMPLES * SAMPLE_BYTES as usize];
        for (to, sample) in bytes.chunks_exact_mut(SAMPLE_BYTES as usize).zip(block.samples) {
            to.copy_from_slice(&sample.to_le_bytes());
        }
        self.file.write_all(&bytes).map_err(|error| said(&self.path, &error))?;
        self.blocks += 1;
        Ok(())
    }

    /// Writes what is buffered and makes the header tell how long the file is now.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn update_header(&mut self) -> Result<(), String> {
        let header = self.header();
        let mut update = || -> io::Result<()> {
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(&header)?;
            self.file.seek(SeekFrom::End(0))?;
            Ok(())
        };
        update().map_err(|error| said(&self.path, &error))
    }

    /// Blocks written.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    fn header(&self) -> Vec<u8> {
        let data = (self.blocks * SAMPLES as u64 * u64::from(SAMPLE_BYTES)) as u32;
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
    fn a_file_that_cannot_be_made_is_named() {
        let error = WavFile::create(Path::new("/nowhere/x.wav"), 48_000).err().unwrap();
        assert!(error.contains("/nowhere/x.wav"), "{error}");
    }
}
