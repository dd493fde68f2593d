//! The audio thread: for each period, choose a block, hand it to the sink, seal the next, wake the workers.
//!
//! After its start it allocates nothing, takes no lock, logs nothing and makes two system calls a block: one
//! that waits and one that wakes.

mod alarm;
mod choose;
mod clock;
mod conceal;
mod doubt;
mod notes;
mod period;
mod quantise;
pub mod recorder;
pub mod sink;
mod tape;
mod trust;
mod watch;
mod wav;

pub use alarm::Alarm;
pub use clock::AudioClock;
pub use conceal::Concealment;
pub use doubt::{Doubt, Verdict};
pub use notes::{Note, NotesInput, NotesOutput, notes};
pub use period::{Period, SharedMemory, silence_what_is_no_number};
pub use quantise::SampleFormat;
pub use tape::{MOST_BOXES, REST, TapeInput, TapeOutput, tape};
pub use wav::{WavFile, WavForm};
