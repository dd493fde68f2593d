//! Memory shared between the processes of Chronus.
//!
//! Four pieces, each a memfd that lives as long as the supervisor, or longer if a service manager keeps it: the
//! command log (supervisor writes, workers read), the score (written once, then read-only for all), a bell (anyone
//! rings) and one [`SlotMemory`] per slot (its worker writes, the others read). Two more are the supervisor's alone, for
//! its successor: [`ContinuationMemory`] and [`WaitingMemory`].
//!
//! Three rules make it sound although any process may be killed between any two instructions:
//!
//! 1. Shared memory is only ever seen as atomics. No reference to plain data in it exists, so a torn or
//!    stale read is a wrong number, never undefined behaviour.
//! 2. Each word has one writer. What several words say together is published by one final store, and is
//!    checked by number and checksum when read.
//! 3. No lock: nothing here waits for anybody, so nobody's death can make it wait for ever.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod bell;
mod checksum;
mod continuation;
mod kill_point;
mod log;
mod mapping;
#[cfg(loom)]
mod model;
mod place;
mod score;
mod seal;
mod seqlock;
mod skip;
mod slot;
mod sync;
mod tape;
mod waiting;

pub use bell::{BellMemory, Waiter};
pub use continuation::{ContinuationMemory, Terms};
pub use kill_point::{Fate, KILL_POINTS, KillPoint, arm, kill_point};
#[cfg(feature = "simulation")]
pub use kill_point::{Killed, panic_after};
pub use log::{Entry, LOG_RECORDS, LogFull, LogMemory, LogReader, LogWriter, RecordLost};
pub use mapping::{Access, Mapping, SharedLayout};
pub use place::CommandPlace;
pub use score::ScoreMemory;
pub use seal::{SealWord, Sealed};
pub use seqlock::{Comparison, Reading, Seqlock};
pub use slot::{NO_BLOCK, RING_BLOCKS, SNAPSHOT_WORDS, SlotMemory};
pub use tape::tape_checksum;
pub use waiting::{WAITING_PLACES, WaitingCommand, WaitingMemory};
