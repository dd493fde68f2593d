//! What a WAV file is written to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A file, or in tests something that forgets at a power cut what a disk may forget.
pub trait Medium {
    /// Writes all of this at a place.
    ///
    /// # Errors
    /// What the kernel says; a part may be written then.
    fn write_at(&mut self, bytes: &[u8], place: u64) -> io::Result<()>;

    /// Its length in bytes.
    ///
    /// # Errors
    /// What the kernel says.
    fn length(&self) -> io::Result<u64>;

    /// Cuts it.
    ///
    /// # Errors
    /// What the kernel says.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Waits until all that was written outlives a power cut.
    ///
    /// # Errors
    /// What the kernel says: something may be lost.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn write_at(&mut self, bytes: &[u8], place: u64) -> io::Result<()> {
        self.write_all_at(bytes, place)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
