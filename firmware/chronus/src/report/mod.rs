//! What the engine tells about itself.

/// Stack of a control thread, in bytes. With all memory locked every page of it is real; none of these threads
/// recurses deeper than the levels a nested bundle may have.
pub const STACK_BYTES: usize = 512 * 1024;

mod card_choice;
mod counters;
mod data;
mod histogram;
mod light;
mod load;
mod logger;
mod patch;
pub mod printable;
mod query;
mod record;
mod selftest;
mod status;
mod status_line;
mod streams;

pub use card_choice::{CardChoice, PassedOver};
pub use counters::{Counters, SlotState, SoundCard, count};
pub use data::{data_word, keeps_nothing};
pub use light::LightState;
pub use logger::start_logging;
pub use patch::PatchState;
pub use selftest::SelftestSum;
pub use status::{Facts, status_pairs};
pub use status_line::StatusLine;
