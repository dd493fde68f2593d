//! The command log: one writer, read-only for workers, append-only, sorted by stamp.

use abi::{BlockNumber, COMMAND_WORDS, Command, Operation, Stamp};

use crate::kill_point::{KillPoint, kill_point};
use crate::mapping::SharedLayout;
use crate::place::CommandPlace;
use crate::seal::{SealWord, Sealed};
use crate::skip::SkipList;
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence};

/// Records kept. Thirteen times the largest burst promised (5,000 messages), and at a record of 64 bytes
/// 4 MiB, which every worker can afford to keep locked in memory. Fewer in simulations, which make and throw away many
/// logs, and in models and in the interpreter Miri, where the log shall wrap soon.
pub const LOG_RECORDS: usize = if cfg!(loom) {
    4
} else if cfg!(miri) {
    64
} else if cfg!(feature = "simulation") {
    4096
} else {
    65_536
};

/// The log as it lies in shared memory.
#[repr(C, align(64))]
pub struct LogMemory {
    seal: SealWord,
    /// Changes with every seal; the futex on which workers wait.
    wake: AtomicU32,
    /// The slot whose worker applies commands that nobody has applied yet.
    first: AtomicU32,
    _line: [AtomicU64; 6],
    records: [[AtomicU64; COMMAND_WORDS]; LOG_RECORDS],
    score_skips: SkipList,
}

/// The word of a record that says that it is skipped: its index plus one, so that the mark of a record that was there
/// before means nothing.
const MARK: usize = COMMAND_WORDS - 1;

/// A record of the log as a reader finds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// The command.
    pub command: Command,
    /// It is not to be applied: a worker died of it.
    pub skipped: bool,
}

// SAFETY: repr(C), atomics only; all zero is an empty log with nothing sealed.
unsafe impl SharedLayout for LogMemory {}

/// The log is full of commands that no snapshot has behind it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFull;

/// The record asked for was overwritten: the reader is further behind than the log reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLost;

impl LogMemory {
    /// Both counts.
    pub fn sealed(&self) -> Sealed {
        self.seal.read()
    }

    /// Seals one more block; the caller then wakes the futex of [`LogMemory::wake_word`].
    /// Only the audio thread calls it.
    pub fn seal_one(&self) -> Sealed {
        let sealed = self.seal.seal_one();
        // SYNC: release: who sees the new wake count sees the seal.
        self.wake.fetch_add(1, Ordering::Release);
        sealed
    }

    /// The futex word; read it (with acquire) before looking at [`LogMemory::sealed`], then wait on it.
    pub fn wake_word(&self) -> &AtomicU32 {
        &self.wake
    }

    /// The slot whose worker may apply commands that nobody has applied yet, 0 or 1. The other one lets it go first, so
    /// that a command no worker survives costs one worker and not two.
    pub fn first(&self) -> usize {
        // SYNC: acquire pairs with `set_first`: marks set before are seen.
        self.first.load(Ordering::Acquire) as usize
    }

    /// Says who goes first. Only the supervisor calls it, and then wakes who waits.
    pub fn set_first(&self, slot: usize) {
        self.first.store(slot as u32, Ordering::Release);
    }

    /// Marks a command as one that nobody shall apply. Only the supervisor calls it, while no worker may apply the
    /// command: before anyone else goes first, and before the slot that does has another worker.
    pub fn skip(&self, place: CommandPlace) {
        match place {
            CommandPlace::Log(index) => self.record(index)[MARK].store(index + 1, Ordering::Release),
            CommandPlace::Score(index) => self.score_skips.add(index),
        }
    }

    /// Whether this command is marked so.
    pub fn skips(&self, place: CommandPlace) -> bool {
        match place {
            CommandPlace::Log(index) => self.record(index)[MARK].load(Ordering::Acquire) == index + 1,
            CommandPlace::Score(index) => self.skips_score(index),
        }
    }

    /// Whether a command of the score is skipped.
    pub fn skips_score(&self, index: u64) -> bool {
        self.score_skips.contains(index)
    }

    /// The command of the log at `index`, if it is there already and still there.
    pub fn command_at(&self, index: u64) -> Option<Command> {
        // The count before the words, as `peek` does it: words of a record that is not counted may be half written.
        LogReader::new(self, index).peek(BlockNumber::MAX).ok()?.map(|entry| entry.command)
    }

    fn record(&self, index: u64) -> &[AtomicU64; COMMAND_WORDS] {
        &self.records[(index % LOG_RECORDS as u64) as usize]
    }
}

/// The one writer's place in the log. There is one per engine: the stamp.
pub struct LogWriter {
    length: u64,
    last: Stamp,
}

impl LogWriter {
    /// A writer for an empty log.
    pub fn new() -> Self {
        Self { length: 0, last: Stamp::start_of(0) }
    }

    /// The writer's place in a log whose writer is dead, given a number of records `known` to have been added (as many
    /// as a state has behind it). What was being written and was not counted is no record, and is written over. `None`
    /// if the last record is not readable: then nothing in this log can be trusted.
    pub fn recover(log: &LogMemory, known: u64) -> Option<Self> {
        let length = log.sealed().length(known);
        let Some(newest) = length.checked_sub(1) else { return Some(Self::new()) };
        Some(Self { length, last: log.command_at(newest)?.stamp })
    }

    /// Adds a command for the frame `wanted`, or the first later one that is neither sealed nor before a
    /// command already added. Gives the stamp it got. `consumed` is how many records the newest snapshot has
    /// behind it: those may be overwritten.
    ///
    /// # Errors
    /// [`LogFull`], and nothing was added.
    pub fn add(
        &mut self,
        log: &LogMemory,
        wanted: Stamp,
        operation: Operation,
        consumed: u64,
    ) -> Result<Stamp, LogFull> {
        // One place stays free: it is the one being written, which readers must not take for a record.
        if self.length - consumed.min(self.length) >= LOG_RECORDS as u64 - 1 {
            return Err(LogFull);
        }
        let mut seen = log.sealed();
        loop {
            let stamp = wanted.max(self.last).max(Stamp::start_of(seen.blocks()));
            // SYNC: keeps the stores of the words behind the count that made this place old; see `record`
            // of the reader, whose acquire fence pairs with it.
            fence(Ordering::Release);
            for (to, from) in log.record(self.length).iter().zip(Command { stamp, operation }.to_words(self.length)) {
                to.store(from, Ordering::Relaxed);
            }
            match log.seal.add_record(seen) {
                Ok(()) => {
                    self.length += 1;
                    self.last = stamp;
                    return Ok(stamp);
                }
                Err(now) => seen = now,
            }
        }
    }

    /// How many records were ever added.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Default for LogWriter {
    fn default() -> Self {
        Self::new()
    }
}

/// A reader's place in the log.
pub struct LogReader<'a> {
    log: &'a LogMemory,
    /// The next record to take; part of the snapshot.
    next: u64,
}

impl<'a> LogReader<'a> {
    /// A reader that has taken `next` records.
    pub fn new(log: &'a LogMemory, next: u64) -> Self {
        Self { log, next }
    }

    /// How many records were taken.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// The next record if it is a command for `block`, which is sealed. It is taken with [`LogReader::take`].
    ///
    /// # Errors
    /// [`RecordLost`] if it was overwritten or is no command.
    pub fn peek(&self, block: BlockNumber) -> Result<Option<Entry>, RecordLost> {
        let length = self.log.sealed().length(self.next);
        kill_point(KillPoint::LogLengthRead);
        if length == self.next {
            return Ok(None);
        }
        let entry = self.record()?;
        kill_point(KillPoint::LogRecordRead);
        Ok((entry.command.stamp.block <= block).then_some(entry))
    }

    /// Takes the record last peeked at.
    pub fn take(&mut self) {
        self.next += 1;
    }

    fn record(&self) -> Result<Entry, RecordLost> {
        let mut words = [0; COMMAND_WORDS];
        for (to, from) in words.iter_mut().zip(self.log.record(self.next)) {
            *to = from.load(Ordering::Relaxed);
        }
        // SYNC: pairs with the release fence in `add`: had a word of a later record been read above, the
        // count read below would say that this place is old.
        fence(Ordering::Acquire);
        let length = self.log.sealed().length(self.next);
        if length - self.next >= LOG_RECORDS as u64 {
            return Err(RecordLost);
        }
        let command = Command::from_words(&words, self.next).ok_or(RecordLost)?;
        Ok(Entry { command, skipped: words[MARK] == self.next + 1 })
    }
}

#[cfg(all(test, loom))]
impl LogMemory {
    /// As shared memory is at first: all zero.
    pub(crate) fn fresh() -> Self {
        let zero = || AtomicU64::new(0);
        // The supervisor stores the mark because of what a worker has loaded; nobody loads the rest who writes it.
        let word = |place| if place == MARK { zero() } else { AtomicU64::never_loaded_before_a_store(0) };
        Self {
            seal: SealWord::fresh(),
            wake: AtomicU32::new(0),
            first: AtomicU32::new(0),
            _line: core::array::from_fn(|_| zero()),
            records: core::array::from_fn(|_| core::array::from_fn(word)),
            score_skips: SkipList::fresh(),
        }
    }
}

#[cfg(all(test, loom))]
mod model;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::mapping::Mapping;

    const OPEN: Operation = Operation::Gate(2, true);

    fn log() -> Mapping<LogMemory> {
        Mapping::create("test log").unwrap()
    }

    #[test]
    fn commands_come_back_at_their_blocks_in_order() {
        let log = log();
        let mut writer = LogWriter::new();
        let at = |block, frame| Stamp { block, frame };
        assert_eq!(writer.add(&log, at(1, 7), OPEN, 0), Ok(at(1, 7)));
        // Never before the one before it.
        assert_eq!(writer.add(&log, at(0, 3), OPEN, 0), Ok(at(1, 7)));
        log.seal_one();
        log.seal_one();
        // Never into a sealed block.
        assert_eq!(writer.add(&log, at(1, 200), OPEN, 0), Ok(at(2, 0)));
        let mut reader = LogReader::new(&log, 0);
        assert_eq!(reader.peek(0), Ok(None));
        for _ in 0..2 {
            assert_eq!(reader.peek(1).unwrap().unwrap().command.stamp, at(1, 7));
            reader.take();
        }
        assert_eq!(reader.peek(1), Ok(None));
        assert_eq!(reader.peek(2).unwrap().unwrap().command.stamp, at(2, 0));
    }

    #[test]
    fn a_mark_is_for_one_record_and_gone_with_it() {
        let log = log();
        let mut writer = LogWriter::new();
        let mut add = |consumed| writer.add(&log, Stamp::start_of(0), OPEN, consumed).unwrap();
        (0..3).for_each(|_| _ = add(0));
        log.skip(CommandPlace::Log(1));
        let skipped = |index| LogReader::new(&log, index).peek(0).unwrap().unwrap().skipped;
        assert_eq!([0, 1, 2].map(skipped), [false, true, false]);
        (0..LOG_RECORDS as u64).for_each(|index| _ = add(index));
        assert!(!skipped(LOG_RECORDS as u64 + 1));
        log.skip(CommandPlace::Score(1));
        assert_eq!([0, 1, 2].map(|index| log.skips_score(index)), [false, true, false]);
    }

    #[test]
    fn a_successor_goes_on_behind_the_last_record_and_never_before_it() {
        let log = log();
        let mut dead = LogWriter::recover(&log, 0).unwrap();
        // More than the log holds, so that the place of the last record is not its number.
        for number in 0..LOG_RECORDS as u64 + 9 {
            dead.add(&log, Stamp::start_of(number), OPEN, number).unwrap();
        }
        // Killed while it wrote the next one, which it had not counted.
        log.record(dead.length())[0].store(u64::MAX, Ordering::Relaxed);
        let mut writer = LogWriter::recover(&log, dead.length() - 3).unwrap();
        assert_eq!((writer.length(), writer.last), (dead.length(), dead.last));
        assert_eq!(writer.add(&log, Stamp::start_of(0), OPEN, dead.length()), Ok(dead.last));
        assert_eq!(log.command_at(dead.length()).unwrap().stamp, dead.last);
        log.record(dead.length())[0].store(0, Ordering::Relaxed);
        assert!(LogWriter::recover(&log, dead.length()).is_none(), "the last record is damaged");
    }

    #[test]
    fn a_full_log_refuses_and_an_old_reader_is_told() {
        let log = log();
        let mut writer = LogWriter::new();
        for _ in 0..LOG_RECORDS - 1 {
            writer.add(&log, Stamp::start_of(0), OPEN, 0).unwrap();
        }
        assert_eq!(writer.add(&log, Stamp::start_of(0), OPEN, 0), Err(LogFull));
        writer.add(&log, Stamp::start_of(0), OPEN, 2).unwrap();
        let old = LogReader::new(&log, 0);
        assert_eq!(old.peek(0), Err(RecordLost));
        assert!(LogReader::new(&log, 1).peek(0).unwrap().is_some());
    }
}
