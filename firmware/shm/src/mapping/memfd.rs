//! Mappings as the kernel gives them.

use std::io;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::{Access, Mapping, SharedLayout};

impl<T: SharedLayout> Mapping<T> {
    /// Makes a new memfd of the size of `T`, all zero, that can neither grow nor shrink (so that no access
    /// can fault), and maps it. The descriptor is inherited by workers.
    ///
    /// # Errors
    /// What the kernel says, usually that memory or descriptors are used up.
    pub fn create(name: &str) -> io::Result<Self> {
        let file = memfd_create(name, MFdFlags::MFD_ALLOW_SEALING)?;
        // Really there, not only promised: a page that cannot be had later would be a SIGBUS in the music.
        nix::fcntl::fallocate(&file, nix::fcntl::FallocateFlags::empty(), 0, size_of::<T>() as i64)?;
        fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
        Self::open(file, Access::ReadWrite)
    }

    /// Maps an existing memfd, made by [`Mapping::create`] with the same `T`. Its pages are mapped as they are touched: they
    /// are there, and a worker that mapped all of them first would be the later in lockstep.
    ///
    /// # Errors
    /// If the file has another size, or the kernel refuses to map it.
    pub fn open(file: OwnedFd, access: Access) -> io::Result<Self> {
        if nix::sys::stat::fstat(&file)?.st_size != size_of::<T>() as i64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "shared memory has the size of another build"));
        }
        let length = NonZeroUsize::new(size_of::<T>()).ok_or(io::ErrorKind::InvalidInput)?;
        let protection = match access {
            Access::ReadOnly => ProtFlags::PROT_READ,
            Access::ReadWrite => ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
        };
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let address = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, &file, 0)? };
        Ok(Self { address: address.cast(), file: Some(file), layout: PhantomData })
    }

    /// Maps a memfd that another process has made by [`Mapping::create`] and that was handed on to this one, for it and
    /// the workers it starts.
    ///
    /// # Errors
    /// If the file could shrink, has another size, or the kernel refuses to map it.
    pub fn adopt(file: OwnedFd) -> io::Result<Self> {
        let fixed = (SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW).bits();
        if fcntl(&file, FcntlArg::F_GET_SEALS)? & fixed != fixed {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is not memory of an engine"));
        }
        inherit(&file)?;
        Self::open(file, Access::ReadWrite)
    }

    /// The number of the descriptor, to hand to a worker; -1 once it was let go.
    pub fn descriptor(&self) -> RawFd {
        self.file.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// A further descriptor of the same memory.
    ///
    /// # Errors
    /// What the kernel says, usually that descriptors are used up; `EBADF` once the descriptor was let go.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.file.as_ref().ok_or(nix::errno::Errno::EBADF)?.try_clone()
    }

    /// Closes the descriptor and keeps the mapping: what this process may do with the memory is settled then.
    pub fn let_go(&mut self) {
        self.file = None;
    }

    /// Waits until no other process holds this memory by this call, and holds it until this process ends.
    ///
    /// It is a record lock of POSIX: the kernel gives it back at the death of its process and not before, whatever the
    /// death was, so that two who call this before they write never both write. It belongs to the process and the file,
    /// not to the descriptor: copies of descriptors do not multiply it, and **closing any descriptor of this file in
    /// this process drops it**. Whoever calls this closes none of them any more.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn hold_until_death(&self) -> io::Result<()> {
        loop {
            match fcntl(self.file.as_ref().ok_or(nix::errno::Errno::EBADF)?, FcntlArg::F_SETLKW(&whole_file())) {
                Ok(_) => return Ok(()),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The process that holds this memory, if another one than this does.
    pub fn holder(&self) -> Option<u32> {
        let mut lock = whole_file();
        fcntl(self.file.as_ref()?, FcntlArg::F_GETLK(&mut lock)).ok()?;
        (i32::from(lock.l_type) != nix::libc::F_UNLCK).then_some(lock.l_pid as u32)
    }
}

/// A lock on all of a file, for one process at a time.
fn whole_file() -> nix::libc::flock {
    nix::libc::flock {
        l_type: nix::libc::F_WRLCK as i16,
        l_whence: nix::libc::SEEK_SET as i16,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

/// Lets workers inherit a descriptor that was handed to this process.
pub(crate) fn inherit(file: &OwnedFd) -> nix::Result<()> {
    fcntl(file, FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).map(drop)
}

impl<T: SharedLayout> Drop for Mapping<T> {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `open`, and no reference to it outlives `self`.
        let _ = unsafe { munmap(self.address.cast(), size_of::<T>()) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::SlotMemory;
    use crate::bell::BellMemory;

    #[test]
    fn two_mappings_of_one_file_are_one_memory() {
        let first = Mapping::<BellMemory>::create("test").unwrap();
        let file = first.share().unwrap();
        let second = Mapping::<BellMemory>::open(file, Access::ReadOnly).unwrap();
        let before = second.rings();
        assert!(!first.ring(), "nobody waits");
        assert_eq!(second.rings(), before.wrapping_add(1));
    }

    #[test]
    fn memory_of_another_shape_is_refused() {
        let bell = Mapping::<BellMemory>::create("test").unwrap();
        let file = bell.share().unwrap();
        assert!(Mapping::<SlotMemory>::open(file, Access::ReadOnly).is_err());
    }

    #[test]
    fn memory_that_could_shrink_is_not_adopted() {
        let file = memfd_create("test", MFdFlags::MFD_ALLOW_SEALING).unwrap();
        nix::unistd::ftruncate(&file, size_of::<BellMemory>() as i64).unwrap();
        assert!(Mapping::<BellMemory>::adopt(file.try_clone().unwrap()).is_err());
        fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW)).unwrap();
        let adopted = Mapping::<BellMemory>::adopt(file).unwrap();
        adopted.hold_until_death().unwrap();
        // Its own hold is in nobody's way; the tests of restarts see that of another process.
        assert_eq!(adopted.holder(), None);
    }
}
