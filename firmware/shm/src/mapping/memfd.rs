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

    /// Maps an existing memfd, made by [`Mapping::create`] with the same `T`.
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
        let address =
            unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE, &file, 0)? };
        Ok(Self { address: address.cast(), file: Some(file), layout: PhantomData })
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
}
