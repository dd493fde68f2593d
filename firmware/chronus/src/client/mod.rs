//! The commands that talk to a running Chronus: `chronus send` and `chronus status`. They know the protocol
//! and nothing of the engine.

mod argument;
mod exchange;
mod status;

pub use argument::{parse as parse_argument, text as argument_text};
pub use exchange::run_send;
pub use status::run_status;
