//! What was played, kept as a score: every command with the frame it got, to be rendered again bit for bit.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use abi::{BlockNumber, Stamp};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, encoder};

/// How often the file is brought up to date, so that little is lost if the engine is killed or the power fails.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// Bytes that are not kept from the file until the interval is over: a second of 1,500 commands.
const MOST_BUFFERED: usize = 64 << 10;

/// A command that is not in the file yet: its place in the log, its stamp, and what would do it again.
type Ahead = (u64, Stamp, OscMessage);

/// A score file being written.
pub struct KeptScore {
    file: File,
    /// Whole bundles that are to be written at once: what is in the file, and what is not, is then known.
    buffer: Vec<u8>,
    path: PathBuf,
    rate: u32,
    flushed: Instant,
    broken: bool,
    /// Commands of blocks that are not yet played, or that no worker has survived yet, with their places in the log. If
    /// the engine ends before, they were never heard, and the score must not be longer than the performance.
    ahead: VecDeque<Ahead>,
    /// Log records that were given to this score, and of these how many are in the file or never will be.
    given: u64,
    written: u64,
}

impl KeptScore {
    /// Makes the file, overwriting one of that name.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn create(path: &Path, rate: u32) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            file,
            buffer: Vec::new(),
            path: path.to_owned(),
            rate,
            flushed: Instant::now(),
            broken: false,
            ahead: VecDeque::new(),
            given: 0,
            written: 0,
        })
    }

    /// Adds the command at `index` of the log; their stamps never go back.
    pub fn add(&mut self, index: u64, stamp: Stamp, message: OscMessage) {
        if !self.broken {
            self.ahead.push_back((index, stamp, message));
            self.given = index + 1;
        }
    }

    /// Begins with this record of the log: those before it are in the file of a predecessor.
    pub fn begin_at(&mut self, index: u64) {
        (self.given, self.written) = (index, index);
    }

    /// Log records that are in the file, or never will be: what comes behind them is lost with this process.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Forgets the command at `index` of the log: nobody applies it.
    pub fn leave_out(&mut self, index: u64) {
        self.ahead.retain(|(ahead, ..)| *ahead != index);
    }

    /// Writes the commands of the first `played` blocks among the first `consumed` of the log, and brings the file up
    /// to date when it is time.
    pub fn update(&mut self, played: BlockNumber, consumed: u64) {
        let due = self.flushed.elapsed() > FLUSH_INTERVAL;
        let written = self.write_played(played, consumed);
        let due = due || self.buffer.len() > MOST_BUFFERED;
        let written = written.and_then(|()| if due { self.mark(played).and_then(|()| self.flush()) } else { Ok(()) });
        self.check(written);
    }

    /// The same at the end, when no block follows the first `played`: with a last bundle, which holds nothing and
    /// says how long it was.
    pub fn finish(&mut self, played: BlockNumber, consumed: u64) {
        let end = Stamp::start_of(played).to_frame();
        let written = self
            .write_played(played, consumed)
            .and_then(|()| self.write_bundle(end, Vec::new()))
            .and_then(|()| self.flush());
        self.check(written);
        self.ahead.clear();
    }

    /// If the file cannot be written that is said once, and the music goes on.
    fn check(&mut self, written: std::io::Result<()>) {
        if let (Err(error), false) = (written, self.broken) {
            log::error!("{}: {error}; the performance is no longer kept", self.path.display());
            self.broken = true;
            self.ahead.clear();
        }
    }

    fn write_played(&mut self, played: BlockNumber, consumed: u64) -> std::io::Result<()> {
        let heard = |(index, stamp, _): &Ahead| stamp.block < played && *index < consumed;
        while self.ahead.front().is_some_and(heard) {
            let Some((_, stamp, message)) = self.ahead.pop_front() else { break };
            self.write_bundle(stamp.to_frame(), vec![OscPacket::Message(message)])?;
        }
        Ok(())
    }

    /// An empty bundle says how long it is so far, should this be the last that is written: a note may be held. Not
    /// beyond what is still to be written, for times must not run backwards.
    fn mark(&mut self, played: BlockNumber) -> std::io::Result<()> {
        let end = self.ahead.front().map_or(played, |(_, stamp, _)| stamp.block.min(played));
        self.write_bundle(Stamp::start_of(end).to_frame(), Vec::new())
    }

    fn write_bundle(&mut self, frame: u64, content: Vec<OscPacket>) -> std::io::Result<()> {
        let bundle = OscPacket::Bundle(OscBundle { timetag: self.tag(frame), content });
        let bytes = encoder::encode(&bundle).map_err(std::io::Error::other)?;
        self.buffer.extend((bytes.len() as i32).to_be_bytes());
        self.buffer.extend(bytes);
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.flushed = Instant::now();
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        self.written = self.ahead.front().map_or(self.given, |(index, ..)| *index);
        Ok(())
    }

    /// The time tag of a frame: the nearest of the 2^-32 seconds a tag can tell, which leads back to this frame.
    fn tag(&self, frame: u64) -> OscTime {
        let rate = u64::from(self.rate);
        let fraction = ((u128::from(frame % rate) << 32) + u128::from(rate) / 2) / u128::from(rate);
        OscTime { seconds: (frame / rate) as u32, fractional: fraction as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::catalogue::{message_of, power_on};
    use crate::input::read_score;
    use abi::{Command, Operation, Place};

    fn add(kept: &mut KeptScore, index: u64, command: Command) {
        kept.add(index, command.stamp, message_of(command.operation, power_on()).unwrap());
    }

    fn command(frame: u64, operation: Operation) -> Command {
        Command { stamp: Stamp::from_frame(frame), operation }
    }

    #[test]
    fn a_kept_score_holds_what_was_played_and_is_as_long() {
        for rate in abi::RATES {
            let path = std::env::temp_dir().join(format!("chronus-kept-{rate}-{}.osc", std::process::id()));
            let played = [
                command(3, Operation::Gate(2, true)),
                command(1000, Operation::Set(Place { row: 3, parameter: 2 }, 0.3)),
            ];
            let mut kept = KeptScore::create(&path, rate).unwrap();
            (0..).zip(played).for_each(|(index, command)| add(&mut kept, index, command));
            add(&mut kept, 2, command(100_000, Operation::Gate(2, false)));
            let read = || read_score(&std::fs::read(&path).unwrap(), rate, usize::MAX).unwrap();
            kept.update(10, 2);
            assert!(read().commands.is_empty(), "not at every call");
            kept.flushed -= 2 * FLUSH_INTERVAL;
            // Nothing new has come, and what has is written all the same.
            kept.update(10, 2);
            // And how long it was so far: an engine that is killed now leaves a note that is held.
            assert_eq!((read().commands, read().end_frame), (played.to_vec(), 10 * 256));
            kept.finish(20, 3);
            // What would have been later was never heard.
            assert_eq!((read().commands, read().end_frame), (played.to_vec(), 20 * 256));
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn what_no_worker_survived_is_not_in_it() {
        let path = std::env::temp_dir().join(format!("chronus-kept-left-out-{}.osc", std::process::id()));
        let mut kept = KeptScore::create(&path, 48_000).unwrap();
        let gate = |frame, on| command(frame, Operation::Gate(2, on));
        let commands = [gate(3, true), gate(4, false), gate(5, true)];
        (0..).zip(commands).for_each(|(index, command)| add(&mut kept, index, command));
        // Its block is over, but nobody has rendered it: it was late.
        kept.update(10, 1);
        kept.leave_out(1);
        kept.finish(20, 3);
        let read = read_score(&std::fs::read(&path).unwrap(), 48_000, usize::MAX).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read.commands, [commands[0], commands[2]]);
    }

    #[test]
    fn a_full_disk_ends_the_score_and_not_the_music() {
        let mut kept = KeptScore::create(Path::new("/dev/full"), 48_000).unwrap();
        add(&mut kept, 0, command(3, Operation::Gate(2, true)));
        kept.finish(1, 1);
        assert!(kept.broken);
        add(&mut kept, 1, command(3, Operation::Gate(2, true)));
        assert!(kept.ahead.is_empty());
    }
}
