//! The score: commands known before the engine starts, in memory that is written once and then read-only.
//!
//! They do not pass through the log, so that no delay of any thread can make one of them late.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr::NonNull;

use abi::{BlockNumber, COMMAND_WORDS, Command};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

const RECORD_BYTES: usize = COMMAND_WORDS * size_of::<u64>();

/// The records of a score, sealed against any change by anybody.
pub struct ScoreMemory {
    records: NonNull<[u64; COMMAND_WORDS]>,
    length: usize,
    file: OwnedFd,
}

// SAFETY: the mapping is owned, and immutable for as long as its file lives (see `open`).
unsafe impl Send for ScoreMemory {}
// SAFETY: as above; it is only ever read.
unsafe impl Sync for ScoreMemory {}

impl ScoreMemory {
    /// Makes the memory of `commands`, which are sorted by stamp.
    ///
    /// # Errors
    /// What the kernel says, usually that memory is used up.
    pub fn create(commands: &[Command]) -> io::Result<Self> {
        let file = memfd_create("chronus-score", MFdFlags::MFD_ALLOW_SEALING)?;
        let mut words = io::BufWriter::new(std::fs::File::from(file.try_clone()?));
        for (index, command) in commands.iter().enumerate() {
            for word in command.to_words(index as u64) {
                io::Write::write_all(&mut words, &word.to_ne_bytes())?;
            }
        }
        io::Write::flush(&mut words)?;
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
        Self::open(file)
    }

    /// Maps a score made by [`ScoreMemory::create`].
    ///
    /// # Errors
    /// If the file is not sealed or not made of records, or the kernel refuses to map it.
    pub fn open(file: OwnedFd) -> io::Result<Self> {
        let length = usize::try_from(nix::sys::stat::fstat(&file)?.st_size).unwrap_or(usize::MAX);
        let immutable = (SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SHRINK).bits();
        let sealed = fcntl(&file, FcntlArg::F_GET_SEALS)? & immutable == immutable;
        if !sealed || !length.is_multiple_of(RECORD_BYTES) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is not the memory of a score"));
        }
        let Some(bytes) = std::num::NonZeroUsize::new(length) else {
            return Ok(Self { records: NonNull::dangling(), length: 0, file });
        };
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let address = unsafe { mmap(None, bytes, ProtFlags::PROT_READ, flags, &file, 0)? };
        Ok(Self { records: address.cast(), length: length / RECORD_BYTES, file })
    }

    /// Maps a score that another process has made and that was handed on to this one, for it and the workers it starts.
    ///
    /// # Errors
    /// As [`ScoreMemory::open`].
    pub fn adopt(file: OwnedFd) -> io::Result<Self> {
        crate::mapping::inherit(&file)?;
        Self::open(file)
    }

    fn records(&self) -> &[[u64; COMMAND_WORDS]] {
        // SAFETY: so many records are mapped there, page aligned (or there are none), of a type that every bit
        // pattern is valid for. The write and shrink seals make them immutable for as long as the file lives, so
        // plain shared references are right; none outlives `self`, which unmaps when dropped.
        unsafe { std::slice::from_raw_parts(self.records.as_ptr(), self.length) }
    }

    /// The command at `index` if it is for `block` or an earlier one.
    pub fn peek(&self, index: u64, block: BlockNumber) -> Option<Command> {
        let words = self.records().get(usize::try_from(index).ok()?)?;
        Command::from_words(words, index).filter(|command| command.stamp.block <= block)
    }

    /// How many commands it has.
    pub fn length(&self) -> u64 {
        self.length as u64
    }

    /// The number of the descriptor, to hand to a worker.
    pub fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl AsFd for ScoreMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for ScoreMemory {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: this is the mapping made in `open`, and no reference to it outlives `self`.
            let _ = unsafe { munmap(self.records.cast(), self.length * RECORD_BYTES) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::{GateId, Operation, Stamp};

    #[test]
    fn a_score_is_read_back_and_cannot_be_written() {
        let command = |block| Command { stamp: Stamp::start_of(block), operation: Operation::Gate(GateId::Adsr, true) };
        let score = ScoreMemory::create(&[command(1), command(5)]).unwrap();
        assert_eq!(score.peek(0, 0), None);
        assert_eq!(score.peek(0, 1), Some(command(1)));
        assert_eq!(score.peek(1, 9), Some(command(5)));
        assert_eq!(score.peek(2, 9), None);
        assert!(nix::unistd::write(&score.file, b"x").is_err(), "the write seal holds");
    }

    #[test]
    fn an_empty_score_is_a_score() {
        assert_eq!(ScoreMemory::create(&[]).unwrap().peek(0, u64::MAX), None);
    }
}
