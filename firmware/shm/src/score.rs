//! The score: commands known before the engine starts, in memory that is written once and then read-only.
//!
//! They do not pass through the log, so that no delay of any thread can make one of them late.

use std::ptr::NonNull;

use abi::{BlockNumber, COMMAND_WORDS, Command};

#[cfg(miri)]
mod heap;
#[cfg(not(miri))]
mod memfd;

/// The records of a score, sealed against any change by anybody.
pub struct ScoreMemory {
    records: NonNull<[u64; COMMAND_WORDS]>,
    length: usize,
    /// `None` once it was let go: the mapping stays.
    #[cfg(not(miri))]
    file: Option<std::os::fd::OwnedFd>,
}

// SAFETY: the mapping is owned, and immutable for as long as it is mapped: its file lives as long (see `memfd.rs`).
unsafe impl Send for ScoreMemory {}
// SAFETY: as above; it is only ever read.
unsafe impl Sync for ScoreMemory {}

impl ScoreMemory {
    fn records(&self) -> &[[u64; COMMAND_WORDS]] {
        // SAFETY: so many records are mapped there, page aligned (or there are none), of a type that every bit
        // pattern is valid for. The write and shrink seals make them immutable for as long as the file lives, which the
        // mapping keeps alive, so
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::{Operation, Stamp};

    #[test]
    fn a_score_is_read_back_and_cannot_be_written() {
        let command = |block| Command { stamp: Stamp::start_of(block), operation: Operation::Gate(2, true) };
        let score = ScoreMemory::create(&[command(1), command(5)]).unwrap();
        assert_eq!(score.peek(0, 0), None);
        assert_eq!(score.peek(0, 1), Some(command(1)));
        assert_eq!(score.peek(1, 9), Some(command(5)));
        assert_eq!(score.peek(2, 9), None);
        #[cfg(not(miri))]
        assert!(nix::unistd::write(score.file.as_ref().unwrap(), b"x").is_err(), "the write seal holds");
    }

    #[test]
    fn an_empty_score_is_a_score() {
        assert_eq!(ScoreMemory::create(&[]).unwrap().peek(0, u64::MAX), None);
    }
}
