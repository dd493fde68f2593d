//! The memory of a score as the kernel gives and seals it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;

use abi::{COMMAND_WORDS, Command};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::ScoreMemory;

const RECORD_BYTES: usize = COMMAND_WORDS * size_of::<u64>();

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
            return Ok(Self { records: NonNull::dangling(), length: 0, file: Some(file) });
        };
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let address = unsafe { mmap(None, bytes, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, &file, 0)? };
        Ok(Self { records: address.cast(), length: length / RECORD_BYTES, file: Some(file) })
    }

    /// Maps a score that another process has made and that was handed on to this one, for it and the workers it starts.
    ///
    /// # Errors
    /// As [`ScoreMemory::open`].
    pub fn adopt(file: OwnedFd) -> io::Result<Self> {
        crate::mapping::inherit(&file)?;
        Self::open(file)
    }

    /// The number of the descriptor, to hand to a worker; -1 once it was let go.
    pub fn descriptor(&self) -> RawFd {
        self.file.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Closes the descriptor and keeps the mapping.
    pub fn let_go(&mut self) {
        self.file = None;
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
