//! The stamp: gives each command its frame, once. The only reader of the clock for commands, and the only
//! writer of the command log.

mod answers;
mod current;
mod edits;
mod kept_score;
mod shares;
mod syncs;
mod waiting;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use abi::{Edit, FRAMES, Operation, Stamp};
use dsp::instrument::Wiring;
use rosc::OscTime;
use rt::clock::NANOSECONDS;
use shm::{CommandPlace, LogFull, LogWriter};

use crate::audio::{AudioClock, SharedMemory};
use crate::input::{Clocks, Code, When, catalogue};
use crate::report::{Counters, count};
use answers::Late;
use current::Current;
pub use edits::COMMIT_FRAMES;
use edits::Lapsed;
pub use kept_score::KeptScore;
#[cfg(test)]
pub use shares::COMMANDS as COMMAND_LIMIT;
#[cfg(test)]
pub use syncs::MOST_OF_A_SENDER as MOST_SYNCS;
use syncs::Syncs;
#[cfg(test)]
use waiting::ROOM;
use waiting::WaitingRoom;

/// Frames on top of the lead between a command's arrival and its effect: the time a datagram may take from the
/// network card to the log. Arrival is the kernel's time stamp, so within this margin it costs no jitter.
/// 64 frames are 1.3 ms at 48 kHz; measured are 0.1 ms in 99 of 100 cases.
const MARGIN_FRAMES: u64 = 64;

/// Frames before its turn at which a command with a time tag goes into the log. The log is sorted, so a message
/// that arrives within this window is put behind it; a thread that wakes up to 2.7 ms late still is in time.
const RELEASE_FRAMES: u64 = 128;

/// Furthest block after the first unsealed one that a command is stamped for: 85 ms at 48 kHz. In a normal run
/// none gets beyond lead + 1 blocks. But a device that stands still for seconds seals nothing while the clock
/// goes on, and as the log is sorted, one command far ahead would make all later ones late.
const MOST_BLOCKS_AHEAD: u64 = 16;

/// How often it is looked whether the beat has begun, while commands wait for it: a fraction of a block.
const BEAT_INTERVAL: Duration = Duration::from_millis(1);

/// Records for which it is remembered who sent them after a state has them behind it: those of the tenth of a second
/// that may go by until a quarantine is told, at the rate one sender may keep up.
const SENDERS_KEPT: u64 = 30_000;

/// How far ahead a time tag may be. Beyond it a wrong clock is likelier than a plan.
const FURTHEST: u64 = 3600 * NANOSECONDS;

/// Deviation from which on the offset between wall clock and monotonic clock is taken anew. Below it the offset
/// is kept, so that two tags keep their distance to the frame; a step of the wall clock is followed.
const CLOCK_STEP: u64 = NANOSECONDS / 2000;

/// Seconds from the epoch of OSC time (1900) to that of the wall clock (1970).
const SECONDS_1900_TO_1970: u64 = 2_208_988_800;

/// Frames from a message's arrival to the frame at which it takes effect: all blocks that may be sealed when it
/// comes, and the margin.
pub fn command_latency(lead: u64) -> u64 {
    (lead + 1) * FRAMES as u64 + MARGIN_FRAMES
}

/// Stamps and logs.
pub struct Stamper {
    memory: Arc<SharedMemory>,
    clock: Arc<AudioClock>,
    counters: Arc<Counters>,
    rate: u32,
    latency: u64,
    log: LogWriter,
    /// The stamp of the newest record that was added here.
    last: Stamp,
    kept: Option<KeptScore>,
    waiting: WaitingRoom,
    /// The frame of the commit that was logged last.
    committed: Option<u64>,
    /// Who has sent what could not be done any more when its time had come, and why.
    lapsed: Vec<Lapsed>,
    /// Who wants to know when all is applied.
    syncs: Syncs,
    /// Whose bundles came too late, and who is not told yet.
    late: Vec<Late>,
    /// Whether there is a beat, or will be soon.
    beat: bool,
    /// Who has sent the records of the log that no state has behind it yet, with their indices.
    senders: VecDeque<(u64, SocketAddr)>,
    /// What is set by now.
    current: Current,
    /// Wall clock less monotonic clock, in nanoseconds.
    wall_offset: u64,
}

impl Stamper {
    /// A stamper for a log that has no other writer any more, which also keeps what it logs in a score if there is one.
    /// Without a `beat`, now and later, nothing waits for its time.
    ///
    /// # Panics
    /// If the log is one that was damaged; that is found out before it is taken over.
    pub fn new(
        memory: Arc<SharedMemory>,
        clock: Arc<AudioClock>,
        counters: Arc<Counters>,
        rate: u32,
        lead: u64,
        beat: bool,
        mut kept: Option<KeptScore>,
    ) -> Self {
        let log = LogWriter::recover(&memory.log, memory.consumed()).expect("a log whose last record is readable");
        let current = Current::new(&memory, rate, log.length());
        if let Some(kept) = &mut kept {
            keep_unwritten(kept, &memory, log.length(), current.wiring());
        }
        Self {
            clock,
            counters,
            rate,
            latency: command_latency(lead),
            waiting: WaitingRoom::new(memory.clone(), log.length()),
            memory,
            log,
            last: Stamp::start_of(0),
            committed: None,
            lapsed: Vec::new(),
            syncs: Syncs::default(),
            late: Vec::new(),
            kept,
            beat,
            senders: VecDeque::new(),
            current,
            wall_offset: 0,
        }
    }

    /// Stamps a command of `sender` and logs it, or keeps it until it is due.
    ///
    /// # Errors
    /// Why it cannot be taken; nothing has changed then.
    pub fn accept(&mut self, operation: Operation, when: When, sender: SocketAddr) -> Result<(), (Code, String)> {
        if !self.waiting.shares.may_bring(sender, rt::clock::monotonic()) {
            let text = "more commands than one sender may send at once; nothing changed, send it again";
            return Err((Code::Full, text.to_owned()));
        }
        self.may_edit(operation, when)?;
        match when {
            When::Arrival(time) => self.accept_arrived(operation, time, Some(sender)),
            When::TimeTag(tag, _) => self.accept_tagged(operation, tag, sender),
        }
    }

    /// Stamps and logs a command that somebody has given by hand, at a time of CLOCK_MONOTONIC in nanoseconds, as one that
    /// was sent and arrived then. Hands are not as quick as senders: they have no share.
    ///
    /// # Errors
    /// If the log is full.
    pub fn accept_by_hand(&mut self, operation: Operation, time: u64) -> Result<(), (Code, String)> {
        self.may_edit(operation, When::Arrival(time))?;
        self.accept_arrived(operation, time, None)
    }

    /// The sound has begun anew: what was logged before it is gone.
    pub fn forget(&mut self) {
        self.current.forget();
        self.refresh();
    }

    /// The patch by now: also what is in the log and not played yet has been done to it.
    pub fn wiring(&self) -> &Wiring {
        self.current.wiring()
    }

    /// Looks at what a score has made of the patch by now.
    pub fn follow_score(&mut self) {
        self.current.follow_score(&self.memory, rt::clock::monotonic());
    }

    /// The same, with what has been done to it by others: a score, or what was left out.
    pub fn refresh(&mut self) -> &Wiring {
        self.current.refresh(&self.memory)
    }

    fn accept_arrived(
        &mut self,
        operation: Operation,
        time: u64,
        sender: Option<SocketAddr>,
    ) -> Result<(), (Code, String)> {
        // Without a beat there is no time either: the next frame that is free.
        let frame = self.clock.frame_at(time).map_or(0, |frame| frame + self.latency);
        self.log(frame.min(self.furthest()), operation, sender).map(drop)
    }

    fn accept_tagged(&mut self, operation: Operation, tag: OscTime, sender: SocketAddr) -> Result<(), (Code, String)> {
        let now = rt::clock::monotonic();
        let due = self.monotonic_time_of(tag);
        if due > now + FURTHEST {
            let text = "the time tag is more than an hour ahead; is the sender's clock right? nothing changed";
            return Err((Code::TooFar, text.to_owned()));
        }
        self.waiting
            .add(operation, due, sender, self.current.edits())
            .map_err(|who| (Code::Full, format!("{who} wait for their time tags already; send later")))?;
        // It is taken, so the answer is yes: if the log is full now, it waits.
        let _ = self.release_due();
        Ok(())
    }

    /// Stamps and logs a command that nobody has sent, for the first frame that is free.
    ///
    /// # Errors
    /// If the log is full.
    pub fn set_at_once(&mut self, operation: Operation) -> Result<(), (Code, String)> {
        self.log(0, operation, None).map(drop)
    }

    /// Logs the waiting commands whose time has come.
    ///
    /// # Errors
    /// If the log is full; the command stays waiting.
    pub fn release_due(&mut self) -> Result<(), (Code, String)> {
        if !self.beat || self.clock.origin() != 0 {
            self.waiting.frame_all(|due| self.clock.frame_at(due).unwrap_or(0));
        }
        // Without a beat nothing is waited for.
        let reach = self.reach().unwrap_or(u64::MAX);
        let mut logged = Ok(());
        while self.waiting.next().is_some_and(|(frame, _)| frame <= reach) && logged.is_ok() {
            logged = self.log_next_waiting();
        }
        self.counters.waiting.store(self.waiting.length() as u64, Ordering::Relaxed);
        logged
    }

    /// Brings the kept score up to date, if there is one, with the first `consumed` records of the log at most.
    pub fn keep(&mut self, consumed: u64) {
        if let Some(kept) = &mut self.kept {
            kept.update(self.counters.blocks.load(Ordering::Relaxed), consumed);
            self.memory.continuation.note_kept(kept.written());
        }
    }

    /// Ends the kept score, if there is one, with the last block that was played. The audio thread has ended.
    pub fn finish(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.finish(self.counters.blocks.load(Ordering::Relaxed), self.memory.consumed());
        }
    }

    /// Notes that a command is left out for ever; tells who sent it, if it was sent.
    pub fn leave_out(&mut self, place: CommandPlace) -> Option<SocketAddr> {
        let CommandPlace::Log(index) = place else { return None };
        if let Some(kept) = &mut self.kept {
            kept.leave_out(index);
        }
        self.current.leave_out(index);
        let found = self.senders.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        Some(self.senders[found].1)
    }

    /// The time of frame 0 on CLOCK_MONOTONIC, in nanoseconds; 0 while nothing plays in real time.
    pub fn clock_origin(&self) -> u64 {
        self.clock.origin()
    }

    /// How long until a waiting command is due; `None` if none waits.
    pub fn time_to_next(&self) -> Option<Duration> {
        if self.waiting.waits_for_a_beat() {
            return Some(BEAT_INTERVAL);
        }
        let frames = self.waiting.next()?.0.saturating_sub(self.reach()?);
        Some(Duration::from_nanos(frames * NANOSECONDS / u64::from(self.rate)))
    }

    /// The frame up to which commands with a time tag go into the log by now; `None` while nothing plays in real
    /// time.
    fn reach(&self) -> Option<u64> {
        let now = self.clock.frame_at(rt::clock::monotonic())?;
        Some((now + self.latency + RELEASE_FRAMES).min(self.furthest()))
    }

    fn log_next_waiting(&mut self) -> Result<(), (Code, String)> {
        let Some((frame, (next, edits))) = self.waiting.next() else { return Ok(()) };
        if let Some(why) = self.lapse(frame, next.operation, edits) {
            let message = catalogue::message_of(next.operation, self.current.wiring());
            let address = message.map_or_else(|| "-".to_owned(), |message| message.addr);
            self.lapsed.push((next.sender, address, why));
            self.waiting.take_next();
            return Ok(());
        }
        self.memory.waiting.begin_move(next.place, self.log.length());
        let logged = self.log(frame, next.operation, Some(next.sender));
        match &logged {
            Ok(stamp) => {
                self.waiting.take_next();
                self.syncs.note_released(next.sender, next.sequence, *stamp, self.log.length());
                // Without a beat nothing is late.
                if stamp.to_frame() > frame && self.clock.origin() != 0 {
                    self.note_late(next.sender, stamp.to_frame() - frame);
                }
            }
            Err(_) => self.memory.waiting.cancel_move(),
        }
        logged.map(drop)
    }

    fn furthest(&self) -> u64 {
        Stamp::start_of(self.memory.log.sealed().blocks() + MOST_BLOCKS_AHEAD).to_frame()
    }

    fn log(&mut self, frame: u64, operation: Operation, sender: Option<SocketAddr>) -> Result<Stamp, (Code, String)> {
        let wanted = Stamp::from_frame(frame);
        let consumed = self.memory.consumed();
        let stamp = self.log.add(&self.memory.log, wanted, operation, consumed).map_err(|LogFull| {
            (Code::Full, "more commands than the engine can take in at once; nothing changed, send it again".to_owned())
        })?;
        self.last = stamp;
        if operation == Operation::Edit(Edit::Commit) {
            self.committed = Some(stamp.to_frame());
        }
        let index = self.log.length() - 1;
        let message = self.kept.is_some().then(|| catalogue::message_of(operation, self.current.wiring())).flatten();
        if let (Some(kept), Some(message)) = (&mut self.kept, message) {
            kept.add(index, stamp, message);
        }
        self.current.note(index, operation);
        if self.current.is_long() {
            self.refresh();
        }
        // What was quarantined a moment ago is passed over by now, and its sender is still to be told.
        while self.senders.front().is_some_and(|(index, _)| *index + SENDERS_KEPT < consumed) {
            self.senders.pop_front();
        }
        self.senders.extend(sender.map(|sender| (self.log.length() - 1, sender)));
        if stamp > wanted && frame != 0 {
            count(&self.counters.late_commands);
        }
        Ok(stamp)
    }

    /// How far the wall clock is ahead of CLOCK_MONOTONIC, in nanoseconds.
    fn follow_wall_clock(&mut self) -> u64 {
        // Both clocks always exist; if reading fails all the same, the offset stays as it was.
        let offset = Clocks::read().map_or(self.wall_offset, |clocks| clocks.wall_offset());
        if offset.abs_diff(self.wall_offset) > CLOCK_STEP {
            self.wall_offset = offset;
        }
        self.wall_offset
    }

    fn monotonic_time_of(&mut self, tag: OscTime) -> u64 {
        let offset = self.follow_wall_clock();
        let seconds = u64::from(tag.seconds).saturating_sub(SECONDS_1900_TO_1970);
        let fraction = (u64::from(tag.fractional) * NANOSECONDS) >> 32;
        (seconds * NANOSECONDS + fraction).saturating_sub(offset)
    }
}

/// Adds to a score what a predecessor had logged and not yet written into its own.
fn keep_unwritten(kept: &mut KeptScore, memory: &SharedMemory, length: u64, wiring: &Wiring) {
    kept.begin_at(memory.continuation.kept());
    for index in memory.continuation.kept()..length {
        let skipped = memory.log.skips(CommandPlace::Log(index));
        let Some(command) = memory.log.command_at(index).filter(|_| !skipped) else { continue };
        if let Some(message) = catalogue::message_of(command.operation, wiring) {
            kept.add(index, command.stamp, message);
        }
    }
}

#[cfg(test)]
mod tests;
