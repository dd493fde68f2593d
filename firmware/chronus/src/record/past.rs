//! The last half hour: a state once a minute, the commands that followed, and which blocks were late. Who renders from one
//! to the other hears what was heard, bit for bit.
//!
//! The control thread keeps it, which alone writes the log: so no command of the log is written over that is not here. What
//! nobody has applied is not here.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use abi::{BlockNumber, Command, FRAMES};
use shm::CommandPlace;

use crate::audio::{Note, SharedMemory};
use crate::report::Counters;
use crate::worker::{EngineState, copy_tapes, read_newest_state};

/// Minutes that are kept.
pub const MOST_MINUTES: u64 = 30;

/// Commands that are kept, 8 MiB: 146 a second for half an hour. Of more the oldest minute is forgotten.
const MOST_COMMANDS: usize = 1 << 18;

/// Commands after which the next state is taken before the minute is over: so that not everything has to be forgotten for
/// one busy minute.
const MOST_OF_A_MINUTE: usize = MOST_COMMANDS / 8;

/// Words of tapes that are kept, 64 MiB: half an hour of two delays and a reverb at 48 kHz. Of more the oldest minute is
/// forgotten.
const MOST_TAPE: usize = 1 << 23;

/// Stretches of late blocks that are kept; as many as single late blocks every half second.
const MOST_STRETCHES: usize = 4096;

/// A state, and the commands of the blocks from it on to the next.
#[derive(Clone)]
pub struct Minute {
    /// The state before its first block.
    pub state: Box<EngineState>,
    /// What was on the tapes then.
    pub tapes: Vec<u64>,
    /// In the order of their frames.
    pub commands: Vec<Command>,
}

impl Minute {
    /// Its first block.
    pub fn start(&self) -> BlockNumber {
        self.state.next_block
    }
}

/// What is there to render from.
pub struct Kept {
    /// Without a gap; never empty.
    pub minutes: Vec<Arc<Minute>>,
    /// Late blocks, in order.
    pub late: Vec<Range<BlockNumber>>,
    /// The blocks that can be rendered as they were heard.
    pub blocks: Range<BlockNumber>,
}

/// The past.
pub struct Past {
    beat: bool,
    /// Blocks of a minute.
    minute: u64,
    minutes: VecDeque<Arc<Minute>>,
    current: Option<Minute>,
    /// The next record of the log.
    next: u64,
    /// Commands in all minutes.
    commands: usize,
    /// Of these blocks it is known whether they were late.
    known: Range<BlockNumber>,
    late: VecDeque<Range<BlockNumber>>,
    /// Twice the times the sound has begun anew.
    beginnings: u64,
}

impl Past {
    /// Nothing yet, at a sample rate in Hz. Without a beat nothing is late, and [`Past::hear`] is told nothing.
    pub fn new(rate: u32, beat: bool) -> Self {
        Self {
            beat,
            minute: 60 * u64::from(rate) / FRAMES as u64,
            minutes: VecDeque::new(),
            current: None,
            next: 0,
            commands: 0,
            known: 0..0,
            late: VecDeque::new(),
            beginnings: 0,
        }
    }

    /// Takes notice of a block that was played.
    pub fn hear(&mut self, note: Note) {
        if note.number != self.known.end {
            // The first of all, or some were not noted: what those were like is not known.
            if !self.known.is_empty() {
                self.forget("it is not known of some blocks whether they were late");
            }
            self.known.start = note.number;
        }
        self.known.end = note.number + 1;
        if !note.late {
            return;
        }
        match self.late.back_mut() {
            Some(stretch) if stretch.end == note.number => stretch.end += 1,
            _ => self.late.push_back(note.number..note.number + 1),
        }
    }

    /// Takes what is in the log by now and was applied, and once a minute a state.
    pub fn look(&mut self, memory: &SharedMemory, counters: &Counters) {
        let beginnings = counters.beginnings.load(Ordering::Acquire);
        if beginnings != self.beginnings {
            self.beginnings = beginnings;
            self.forget("the sound began anew by itself");
        }
        // Half way through a new beginning nobody knows which state is the last of before.
        if !beginnings.is_multiple_of(2) {
            return;
        }
        if self.current.is_none() {
            self.current = newest(memory);
            self.next = self.current.as_ref().map_or(0, |minute| minute.state.log_index);
        }
        self.take_commands(memory, memory.consumed());
        let played = counters.blocks.load(Ordering::Relaxed);
        if !self.beat {
            self.known.end = played;
        }
        let over =
            |minute: &Minute| played >= minute.start() + self.minute || minute.commands.len() >= MOST_OF_A_MINUTE;
        if self.current.as_ref().is_some_and(over)
            && let Some(next) = newest(memory)
        {
            self.take_commands(memory, next.state.log_index);
            self.end_minute(next);
        }
        self.bound(played);
        let reach = self.start().map_or(0, |start| self.known.end.saturating_sub(start));
        counters.record.past.store(reach * FRAMES as u64, Ordering::Relaxed);
    }

    /// What there is to render from, if it is anything.
    pub fn kept(&mut self, memory: &SharedMemory) -> Option<Kept> {
        // Of a block that was late the commands may not be applied by now, nor be here.
        let mut state = EngineState::room();
        read_newest(memory, &mut state).then_some(())?;
        self.take_commands(memory, state.log_index);
        let current = self.current.as_ref()?;
        let current = Arc::new(current.clone());
        let blocks = self.start()?..self.known.end.min(state.next_block);
        let minutes = self.minutes.iter().cloned().chain([current]).collect();
        (!blocks.is_empty()).then(|| Kept { minutes, late: self.late.iter().cloned().collect(), blocks })
    }

    /// The first block that can be rendered as it was heard. A late one ends in a ramp from the one before it, and the next
    /// begins with a ramp: so unless it is the first of all, the one before it has to be there, too.
    fn start(&self) -> Option<BlockNumber> {
        let oldest = self.minutes.front().map(|minute| minute.start()).or(self.current.as_ref().map(Minute::start))?;
        let behind = |first: BlockNumber| if first == 0 { 0 } else { first + 1 };
        Some(behind(oldest.max(self.known.start)))
    }

    fn take_commands(&mut self, memory: &SharedMemory, consumed: u64) {
        let Some(current) = &mut self.current else { return };
        while self.next < consumed {
            let Some(command) = memory.log.command_at(self.next) else {
                return self.forget("commands came faster than they could be kept");
            };
            // What is applied is never marked any more, so the mark is final.
            if !memory.log.skips(CommandPlace::Log(self.next)) {
                current.commands.push(command);
                self.commands += 1;
            }
            self.next += 1;
        }
    }

    /// Begins the next minute, with this state.
    fn end_minute(&mut self, next: Minute) {
        let Some(mut over) = self.current.take() else { return };
        let later = over.commands.partition_point(|command| command.stamp.block < next.start());
        let commands = over.commands.split_off(later);
        // A state that is not newer begins no minute.
        if next.start() > over.start() {
            self.minutes.push_back(Arc::new(over));
        }
        self.current = Some(Minute { commands, ..next });
    }

    /// Forgets what is older or more than is kept.
    fn bound(&mut self, played: BlockNumber) {
        let oldest_wanted = played.saturating_sub(MOST_MINUTES * self.minute);
        loop {
            let second = self.minutes.get(1).map(|minute| minute.start()).or(self.current.as_ref().map(Minute::start));
            let Some(second) = second.filter(|_| !self.minutes.is_empty()) else { break };
            let taped: usize = self.minutes.iter().map(|minute| minute.tapes.len()).sum();
            let too_much = self.commands > MOST_COMMANDS || self.late.len() > MOST_STRETCHES || taped > MOST_TAPE;
            // The one before the first that is wanted is there too: see `start`.
            if second >= oldest_wanted && !too_much {
                break;
            }
            self.commands -= self.minutes.pop_front().map_or(0, |minute| minute.commands.len());
            self.forget_late_before(second);
        }
        if self.late.len() > MOST_STRETCHES {
            self.forget("too many blocks were late");
        }
    }

    /// One block more than asked for stays: whoever comes after a late one is raised from silence.
    fn forget_late_before(&mut self, start: BlockNumber) {
        while self.late.front().is_some_and(|stretch| stretch.end < start) {
            self.late.pop_front();
        }
    }

    /// Begins anew.
    fn forget(&mut self, why: &str) {
        if self.current.is_some() {
            log::warn!("what was played until now cannot be kept with /record/keep any more: {why}");
        }
        self.minutes.clear();
        (self.current, self.commands) = (None, 0);
        self.forget_late_before(self.known.end);
    }
}

/// Looks at the newest states for one whose tapes are there too. They are, unless they were written over meanwhile: then there
/// is a newer one, and the next look will find it.
fn newest(memory: &SharedMemory) -> Option<Minute> {
    let mut state = EngineState::room();
    read_newest(memory, &mut state).then_some(())?;
    let tapes = copy_tapes(&state, memory.slots.each_ref().map(|slot| &**slot))?;
    Some(Minute { state, tapes, commands: Vec::new() })
}

fn read_newest(memory: &SharedMemory, state: &mut EngineState) -> bool {
    let [first, second] = &memory.slots;
    read_newest_state([first, second], memory.log.sealed().blocks(), state)
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
