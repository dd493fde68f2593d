//! A recording on its way into its file.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use abi::{Block, BlockNumber};
use nix::sys::statvfs::fstatvfs;

use super::mark::{Mark, Marked};
use super::name;
use crate::audio::{WavFile, WavForm};

/// How often the file is made to outlive a power cut: what is lost by one is as much again at the most, twice.
const SETTLE_INTERVAL: Duration = Duration::from_secs(1);

/// Bytes that are left free on the disk: presets and settings are kilobytes, and are to be kept beside the fullest
/// recording.
const RESERVE: u64 = 16 << 20;

/// Names that are tried until one is free. Others may make files in the folder at the same time.
const TRIES: usize = 100;

/// How a recording is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// So, or not at all.
    File(String),
    /// As nobody has said.
    Numbered,
    /// As the next part of this file.
    Continuing(String),
}

/// A file that is being written.
pub struct Take {
    wav: WavFile,
    mark: Mark,
    file: String,
    /// The block that comes next.
    next: Option<BlockNumber>,
    /// Blocks that were silenced because they never came.
    missing: u64,
    settled: Instant,
}

impl Take {
    /// Makes the file, in a folder that is made if only it is missing. What is there already is left alone.
    ///
    /// # Errors
    /// In words.
    pub fn create(folder: &Path, wanted: &Wanted, form: WavForm, what: Marked) -> Result<Self, String> {
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(format!("the folder {} is not there and cannot be made: {error}", folder.display()));
            }
            _ => {}
        }
        let mut names: Box<dyn Iterator<Item = String>> = match wanted {
            Wanted::File(file) => Box::new(std::iter::once(file.clone())),
            Wanted::Numbered => Box::new(name::numbered(folder, name::beginning(std::time::SystemTime::now()))),
            Wanted::Continuing(file) => Box::new(name::continued(file)),
        };
        let mut refused = String::new();
        for file in names.by_ref().take(TRIES) {
            match WavFile::create_new(&folder.join(&file), form) {
                Ok(wav) => return Self::begin(folder, file, wav, what),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    refused = format!("{file} is there already, and is never overwritten; choose another name");
                }
                Err(error) => return Err(format!("{}: {error}", folder.join(&file).display())),
            }
        }
        Err(refused)
    }

    fn begin(folder: &Path, file: String, wav: WavFile, what: Marked) -> Result<Self, String> {
        let made = |what: &str, error: std::io::Error| format!("{file}: {what}: {error}");
        check_room(&wav)?;
        let mark = Mark::set(folder, &file, what).map_err(|error| made("noting that it is being written", error))?;
        // The name, too, is to outlive a power cut.
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| made("its folder", error))?;
        Ok(Self { wav, mark, file, next: None, missing: 0, settled: Instant::now() })
    }

    /// Its file, without the folder.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Blocks in it, those that never came among them.
    pub fn blocks(&self) -> u64 {
        self.wav.blocks()
    }

    /// Blocks of silence in it, for blocks that never came.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Adds a block. Where others have not come before it there is silence, so that the file stays in time.
    ///
    /// # Errors
    /// In words: the disk is full.
    pub fn write(&mut self, number: BlockNumber, block: &Block) -> Result<(), String> {
        self.silence_until(number)?;
        self.next = Some(number + 1);
        self.wav.write(block)
    }

    /// Puts silence in the place of all blocks before this one that have not come; nothing if none has come.
    ///
    /// # Errors
    /// In words: the disk is full.
    pub fn silence_until(&mut self, number: BlockNumber) -> Result<(), String> {
        let gap = number.saturating_sub(self.next.unwrap_or(number));
        for _ in 0..gap {
            self.wav.write(&Block::SILENCE)?;
        }
        self.missing += gap;
        self.next = self.next.map(|next| next + gap);
        Ok(())
    }

    /// Makes it outlive a power cut, when it is time.
    ///
    /// # Errors
    /// In words, if the disk is full or nearly so, or fails.
    pub fn settle(&mut self) -> Result<(), String> {
        if self.settled.elapsed() < SETTLE_INTERVAL {
            return Ok(());
        }
        self.wav.settle()?;
        self.settled = Instant::now();
        check_room(&self.wav)
    }

    /// Ends it: it is whole, and stays so whatever happens.
    ///
    /// # Errors
    /// In words: of what was not settled yet something may be missing.
    pub fn finish(mut self) -> Result<(), String> {
        let finished = self.wav.finish();
        if finished.is_ok() {
            self.mark.remove();
        }
        finished
    }
}

/// Refuses to fill the last of the disk.
fn check_room(wav: &WavFile) -> Result<(), String> {
    // Where the kernel does not say, the disk says so itself when it is full.
    let Ok(disk) = fstatvfs(wav.file()) else { return Ok(()) };
    let free = disk.blocks_available() * disk.fragment_size();
    if free >= RESERVE {
        return Ok(());
    }
    Err(format!(
        "the disk is full: the last {} MiB are left for what else is kept; delete or fetch recordings",
        RESERVE >> 20
    ))
}
