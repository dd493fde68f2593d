//! The audio thread: for each period, choose a block, hand it to the sink, seal the next, wake the workers.
//!
//! After its start it allocates nothing, takes no lock, logs nothing and makes two system calls a block: one
//! that waits and one that wakes.

mod alarm;
mod choose;
mod clock;
mod conceal;
mod doubt;
mod period;
mod quantise;
pub mod recorder;
pub mod sink;
mod trust;
mod watch;
mod wav;

pub use alarm::Alarm;
pub use clock::AudioClock;
pub use doubt::{Doubt, Verdict};
pub use period::{Period, SharedMemory};
pub use wav::WavFile;
