//! What the engine tells about itself.

mod counters;
mod histogram;
mod logger;
mod status;
mod status_line;

pub use counters::{Counters, SlotState, count};
pub use logger::start_logging;
pub use status::{Facts, status_pairs};
pub use status_line::StatusLine;
