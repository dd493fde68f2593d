//! What is counted: plain atomics, written where things happen, read where they are told.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::card_choice::{NewestChoice, NewestRefusal};
use super::histogram::Histogram;
use super::light::LightCounters;
use super::load::LoadCounters;
use super::patch::PatchCounters;
use super::query::QueryCounters;
use super::record::RecordCounters;
use super::selftest::LastSelftest;
use super::streams::StreamCounters;

/// What a slot is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SlotState {
    /// Not used: the engine runs with one worker.
    Off = 0,
    /// No worker.
    Down = 1,
    /// A worker was started and has not yet published the right block.
    Joining = 2,
    /// Its newest due block was there and right.
    Lockstep = 3,
    /// Its newest due block was not there.
    Behind = 4,
}

impl SlotState {
    /// As it is told to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Down => "down",
            Self::Joining => "joining",
            Self::Lockstep => "lockstep",
            Self::Behind => "behind",
        }
    }

    fn from_number(number: u32) -> Self {
        [Self::Off, Self::Down, Self::Joining, Self::Lockstep, Self::Behind]
            .get(number as usize)
            .copied()
            .unwrap_or(Self::Down)
    }
}

/// What the sound card is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SoundCard {
    /// The engine plays without one, as it was told to, or because the machine has none.
    None = 0,
    /// It plays.
    Playing = 1,
    /// It was not there at the start, or busy, and is taken when it can be had.
    Waiting = 2,
    /// It was there, is gone, and is taken again when it is back.
    Lost = 3,
}

impl SoundCard {
    /// As it is told to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Playing => "playing",
            Self::Waiting => "waiting",
            Self::Lost => "lost",
        }
    }
}

/// What the sound card is doing, for those who tell of it. Written by the audio thread.
#[derive(Default)]
pub struct SoundCardState(AtomicU32);

impl SoundCardState {
    /// What it is doing.
    pub fn get(&self) -> SoundCard {
        [SoundCard::None, SoundCard::Playing, SoundCard::Waiting, SoundCard::Lost]
            .get(self.0.load(Ordering::Relaxed) as usize)
            .copied()
            .unwrap_or(SoundCard::None)
    }

    /// Sets what it is doing.
    pub fn set(&self, state: SoundCard) {
        self.0.store(state as u32, Ordering::Relaxed);
    }
}

/// Counters of one slot. Times are nanoseconds of CLOCK_MONOTONIC.
#[derive(Default)]
pub struct SlotCounters {
    /// Process id of the worker, 0 if there is none.
    pub pid: AtomicU32,
    /// How many workers the slot has had.
    pub epoch: AtomicU64,
    state: AtomicU32,
    /// Workers that ended without being asked to.
    pub deaths: AtomicU64,
    /// Workers that were declared hung and killed.
    pub declared: AtomicU64,
    /// Workers that had computed wrongly and were killed.
    pub wrong: AtomicU64,
    /// When the last death was known.
    pub death_known: AtomicU64,
    /// Block being played when the last death was known.
    pub death_block: AtomicU64,
    /// When the slot was last seen redundant again.
    pub redundant: AtomicU64,
}

impl SlotCounters {
    /// What the slot is doing.
    pub fn state(&self) -> SlotState {
        SlotState::from_number(self.state.load(Ordering::Relaxed))
    }

    /// Sets what the slot is doing. For the supervisor, who knows of life and death.
    pub fn set_state(&self, state: SlotState) {
        self.state.store(state as u32, Ordering::Relaxed);
    }

    /// Changes what the slot is doing, provided it still does `from`. For the audio thread, so that it never
    /// overrules the supervisor. True if it was changed.
    pub fn change_state(&self, from: SlotState, to: SlotState) -> bool {
        self.state.compare_exchange(from as u32, to as u32, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Something is being written to the card for as long as this lives.
pub struct Writing<'a>(&'a AtomicU32);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All counters of the engine.
#[derive(Default)]
pub struct Counters {
    /// Blocks played.
    pub blocks: AtomicU64,
    /// Blocks for which no slot had a copy in time.
    pub late_blocks: AtomicU64,
    /// Times the device ran dry.
    pub xruns: AtomicU64,
    /// Times the two workers differed, in a block or in their states.
    pub divergences: AtomicU64,
    /// Of these, how many ended without it being known which of the two was wrong.
    pub undecided: AtomicU64,
    /// Commands that workers died of and that nobody will apply any more.
    pub quarantined: AtomicU64,
    /// Twice the times the sound was started anew because no worker survived its state, and one more meanwhile.
    pub beginnings: AtomicU64,
    /// Copies whose checksum was wrong.
    pub damaged: AtomicU64,
    /// Samples that were not finite and were played as 0.
    pub not_finite: AtomicU64,
    /// Highest absolute sample since it was last asked for, as bits of an f32.
    peak: AtomicU32,
    /// How many are writing to the card.
    writing: AtomicU32,
    /// The slots.
    pub slots: [SlotCounters; 2],
    /// Commands that came in.
    pub received: AtomicU64,
    /// Commands that were refused.
    pub refused: AtomicU64,
    /// Commands that took effect later than their time tag said.
    pub late_commands: AtomicU64,
    /// Commands that wait for their time tag.
    pub waiting: AtomicU64,
    /// Datagrams that the kernel dropped because its buffer was full.
    pub kernel_drops: AtomicU64,
    /// Datagrams that were dropped because the control thread's queue was full.
    pub queue_drops: AtomicU64,
    /// Datagrams that were dropped because their senders flood.
    pub flood_drops: AtomicU64,
    /// Floods that have begun.
    pub floods: AtomicU64,
    /// Replies that were not sent: too many for one datagram or one sender, or replies to replies.
    pub replies_withheld: AtomicU64,
    /// OSC over TCP.
    pub streams: StreamCounters,
    /// What became of OSCQuery.
    pub query: QueryCounters,
    /// Messages that were not printed though somebody wanted to see what arrives: too many.
    pub dump_left_out: AtomicU64,
    /// What the sound card is doing.
    pub sound_card: SoundCardState,
    /// Which sound card was chosen, if the engine was to choose.
    pub card_choice: NewestChoice,
    /// Why the sound card could not be had, if it could not.
    pub card_refusal: NewestRefusal,
    /// Times the sound card was lost and the engine kept time without it.
    pub device_lost: AtomicU64,
    /// Times a sound card was taken that had not been there.
    pub device_reopened: AtomicU64,
    /// Blocks that the recorder could not take.
    pub recorder_drops: AtomicU64,
    /// Nanoseconds of the audio thread's own work on a block: choosing, comparing, checking, handing over,
    /// watching. Without the system calls that wait for the period and wake the workers.
    pub work: Histogram,
    /// Nanoseconds of sealing a block and waking the workers: one system call.
    pub waking: Histogram,
    /// The part of it that chooses and compares.
    pub choosing: Histogram,
    /// Nanoseconds by which the audio thread woke after it was due; paced sink only.
    pub wake_up: Histogram,
    /// Blocks from the death of a worker being known to its slot being redundant again.
    pub rejoin_blocks: Histogram,
    /// Sealed blocks that a worker had not published when it was declared hung.
    pub declared_lag: Histogram,
    /// The first lines of the run are written.
    pub announced: AtomicBool,
    /// What a block costs.
    pub load: LoadCounters,
    /// Whether the machine is as a box should be.
    pub selftest: LastSelftest,
    /// What the light on the box says.
    pub light: LightCounters,
    /// What becomes of the file in which the values are kept.
    pub patch: PatchCounters,
    /// What becomes of recordings.
    pub record: RecordCounters,
    /// Test builds: deaths at each kill point.
    pub kill_points: [AtomicU64; shm::KILL_POINTS.len()],
    /// Test builds: bits that workers have flipped.
    pub flips: AtomicU64,
    /// Test builds: workers named as wrong that had flipped a bit.
    pub rightly_named: AtomicU64,
    /// Test builds: workers named as wrong that had not.
    pub wrongly_named: AtomicU64,
}

impl Counters {
    /// Notes that something is being written to the card, until what it gives is gone.
    pub fn write(&self) -> Writing<'_> {
        self.writing.fetch_add(1, Ordering::Relaxed);
        Writing(&self.writing)
    }

    /// Whether something is being written to the card.
    pub fn is_writing(&self) -> bool {
        self.writing.load(Ordering::Relaxed) > 0
    }

    /// Notes the highest absolute sample of a block.
    pub fn note_peak(&self, peak: f32) {
        // Bits of non-negative floats are ordered as the floats are.
        if peak.to_bits() > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
        }
    }

    /// The highest absolute sample since the last call.
    pub fn take_peak(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }
}

/// Adds one. Counters order nothing, so relaxed.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
