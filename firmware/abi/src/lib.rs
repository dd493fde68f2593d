//! The words all parts of Chronus share: [`Block`], [`Stamp`], [`Command`], the [`Edit`],
//! what tracks are told, and the limits. No code here touches memory of other processes, the clock or a device.
#![no_std]
#![forbid(unsafe_code)]

mod block;
mod command;
mod edit;
mod maximum;
#[cfg(feature = "faults")]
mod poison;
mod stamp;
pub mod tape;
mod track;

pub use block::{Block, CHANNELS, FRAMES, SAMPLES, WORDS_PER_BLOCK};
pub use command::{COMMAND_WORDS, Command, Operation};
pub use edit::{Edit, Link, NAME_BYTES, Name, Place};
pub use maximum::Maximum;
#[cfg(feature = "faults")]
pub use poison::Poison;
pub use stamp::{BlockNumber, Stamp};
pub use track::{NOTE, PART, Part, Steps, TrackEdit, Transport};

/// Sample rates the engine runs at, in Hz. 48000 is the default; 44100 and 96000 are what other common
/// sound cards offer. Every ramp and filter is computed for the rate given, so adding one is a line here.
pub const RATES: [u32; 3] = [44_100, 48_000, 96_000];

/// Blocks the workers may render ahead of the block being written: at least 1, or a worker has no time at
/// all; at most 4, because each block is 5.3 ms of latency at 48 kHz that nobody would hear the good of.
pub const LEAD_RANGE: core::ops::RangeInclusive<u64> = 1..=4;
