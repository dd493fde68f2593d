//! The memory of a score under Miri, which knows no memfd: memory of this process alone.

use std::io;
use std::ptr::NonNull;

use abi::Command;

use super::ScoreMemory;

impl ScoreMemory {
    /// Makes the memory of `commands`, which are sorted by stamp.
    ///
    /// # Errors
    /// None; they are the kernel's.
    pub fn create(commands: &[Command]) -> io::Result<Self> {
        let records: Vec<_> = commands.iter().zip(0..).map(|(command, index)| command.to_words(index)).collect();
        let length = records.len();
        let records = NonNull::from(Box::leak(records.into_boxed_slice()));
        Ok(Self { records: records.cast(), length })
    }
}

impl Drop for ScoreMemory {
    fn drop(&mut self) {
        let records = NonNull::slice_from_raw_parts(self.records, self.length);
        // SAFETY: this is the slice leaked in `create`, and no reference to it outlives `self`.
        drop(unsafe { Box::from_raw(records.as_ptr()) });
    }
}
