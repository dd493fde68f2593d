//! A memfd mapped as a value made of atomics.

use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

#[cfg(miri)]
mod heap;
#[cfg(not(miri))]
mod memfd;
#[cfg(not(miri))]
pub(crate) use memfd::inherit;

/// What a process may do with a mapping. The kernel enforces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Load only; a store ends the process.
    ReadOnly,
    /// Load and store.
    ReadWrite,
}

/// A type that may lie in memory shared with other processes.
///
/// # Safety
/// The type is `repr(C)` or `repr(transparent)`, consists of atomics only (or arrays and structures of such
/// types), has alignment of at most a page, and every bit pattern, all zero included, is a valid value.
pub unsafe trait SharedLayout: Sync {}

/// Owns a mapping of a whole memfd and the memfd. It is unmapped when dropped.
pub struct Mapping<T: SharedLayout> {
    address: NonNull<T>,
    /// `None` once it was let go: the mapping stays.
    #[cfg(not(miri))]
    file: Option<std::os::fd::OwnedFd>,
    layout: PhantomData<T>,
}

// SAFETY: the mapping is an owned piece of memory whose content is `Sync` (required by SharedLayout).
unsafe impl<T: SharedLayout> Send for Mapping<T> {}
// SAFETY: as above; only shared references to `T` are ever given out.
unsafe impl<T: SharedLayout> Sync for Mapping<T> {}

impl<T: SharedLayout> Deref for Mapping<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the address is of a live mapping of size_of::<T>() bytes, aligned; SharedLayout says
        // that any content is a valid `T` and that others may change it meanwhile (it is atomics).
        unsafe { self.address.as_ref() }
    }
}
