//! Mappings under Miri, which knows no memfd: zeroed memory of this process alone, so that everything that uses a
//! mapping can be checked for undefined behaviour.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::{Mapping, SharedLayout};

impl<T: SharedLayout> Mapping<T> {
    /// Makes memory for a `T`, all zero.
    ///
    /// # Errors
    /// None; they are the kernel's.
    pub fn create(_name: &str) -> io::Result<Self> {
        const { assert!(size_of::<T>() > 0) };
        // SAFETY: the size is not 0.
        let address = unsafe { alloc_zeroed(Layout::new::<T>()) };
        let Some(address) = NonNull::new(address.cast()) else { handle_alloc_error(Layout::new::<T>()) };
        Ok(Self { address, layout: PhantomData })
    }
}

impl<T: SharedLayout> Drop for Mapping<T> {
    fn drop(&mut self) {
        // SAFETY: this is the memory made in `create` with this layout, and no reference to it outlives `self`.
        unsafe { dealloc(self.address.as_ptr().cast(), Layout::new::<T>()) };
    }
}
