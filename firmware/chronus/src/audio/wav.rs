//! WAV files being written.

mod header;
mod medium;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use abi::Block;

use super::quantise::{LARGEST_BLOCK, SampleFormat};
pub use header::WavForm;
use medium::Medium;

/// Bytes gathered before they are written: one write each 1/6 s at 48 kHz.
const BUFFER_BYTES: usize = 64 * 1024;

/// Bytes of a header that are read: more than any of ours has.
const MOST_HEADER: usize = 128;

/// A file being written. Its header is brought up to date by [`WavFile::update_header`] or [`WavFile::settle`].
pub struct WavFile<M = File> {
    medium: M,
    path: PathBuf,
    form: WavForm,
    /// Blocks added.
    blocks: u64,
    /// The last of them, which are not yet in the file.
    buffer: Vec<u8>,
    /// Bytes in the file.
    length: u64,
}

impl WavFile {
    /// Most blocks of a file made by [`WavFile::create`]. It counts its bytes in 32 bits; beyond that no reader understands
    /// it.
    pub const MOST_BLOCKS: u64 = (u32::MAX as u64 - 58) / size_of::<Block>() as u64;

    /// Makes a file of 32-bit floats that stays below 4 GiB, overwriting one of that name.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn create(path: &Path, rate: u32) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| said(path, &error))?;
        Self::on(file, path, WavForm { rate, samples: SampleFormat::Float32, large: false })
            .map_err(|error| said(path, &error))
    }

    /// Makes a file where there is none.
    ///
    /// # Errors
    /// What the kernel says; `AlreadyExists` if there is something of that name.
    pub fn create_new(path: &Path, form: WavForm) -> io::Result<Self> {
        Self::on(File::options().write(true).read(true).create_new(true).open(path)?, path, form)
    }

    /// Makes the header of a file whose writer was ended tell how long it is, and cuts off a begun frame. Gives its form
    /// and its blocks, a begun one not counted.
    ///
    /// # Errors
    /// What the kernel says; `InvalidData` if it is none of ours.
    pub fn mend(file: &mut File) -> io::Result<(WavForm, u64)> {
        let mut start = [0; MOST_HEADER];
        let read = file.read_at(&mut start, 0)?;
        let form = WavForm::of_large(&start[..read])
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "this is no recording of Chronus"))?;
        let header = form.header_bytes();
        let blocks = Medium::length(file)?.saturating_sub(header) / form.block_bytes();
        file.cut(header + blocks * form.block_bytes())?;
        file.sync()?;
        file.write_at(&form.header(blocks), 0)?;
        file.sync()?;
        Ok((form, blocks))
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.medium
    }
}

impl<M: Medium> WavFile<M> {
    fn on(mut medium: M, path: &Path, form: WavForm) -> io::Result<Self> {
        let header = form.header(0);
        medium.write_at(&header, 0)?;
        let buffer = Vec::with_capacity(BUFFER_BYTES + LARGEST_BLOCK);
        Ok(Self { medium, path: path.to_owned(), form, blocks: 0, buffer, length: header.len() as u64 })
    }

    /// Adds a block.
    ///
    /// # Errors
    /// In words: the disk is full. The header tells what is in the file then. Of more than
    /// [`WavFile::MOST_BLOCKS`] the header of a file that is not large would be wrong, so who may have more looks before.
    pub fn write(&mut self, block: &Block) -> Result<(), String> {
        self.buffer.extend(self.form.samples.quantise(block, &mut [0; LARGEST_BLOCK]));
        self.blocks += 1;
        if self.buffer.len() >= BUFFER_BYTES { self.write_buffer() } else { Ok(()) }
    }

    fn write_buffer(&mut self) -> Result<(), String> {
        let written = self.medium.write_at(&self.buffer, self.length);
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        written.map_err(|error| {
            // If this fails too there is nothing that could still be done, and the first error is the one to tell.
            let _ = self.rescue();
            said(&self.path, &error)
        })
    }

    /// After a failed write: cuts the file to whole blocks and makes the header tell how many.
    fn rescue(&mut self) -> io::Result<()> {
        let (header, block) = (self.form.header_bytes(), self.form.block_bytes());
        self.blocks = self.medium.length()?.saturating_sub(header) / block;
        self.length = header + self.blocks * block;
        self.medium.cut(self.length)?;
        self.medium.write_at(&self.form.header(self.blocks), 0)
    }

    /// Writes what is buffered and makes the header tell how long the file is now.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn update_header(&mut self) -> Result<(), String> {
        self.write_buffer()?;
        self.medium.write_at(&self.form.header(self.blocks), 0).map_err(|error| said(&self.path, &error))
    }

    /// Makes what was written outlive a power cut, and then the header tell of it: so the header never tells of more than
    /// there is, whatever the disk has kept of it. It may take as long as the disk pleases.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn settle(&mut self) -> Result<(), String> {
        self.write_buffer()?;
        self.medium.sync().map_err(|error| said(&self.path, &error))?;
        self.medium.write_at(&self.form.header(self.blocks), 0).map_err(|error| said(&self.path, &error))
    }

    /// The same at the end, after which the header outlives a power cut too.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn finish(&mut self) -> Result<(), String> {
        self.settle()?;
        self.medium.sync().map_err(|error| said(&self.path, &error))
    }

    /// The file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Blocks written.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }
}

fn said(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
#[path = "wav_tests.rs"]
mod tests;
