//! The commands that talk to a running Chronus: `chronus send` and `chronus status`. They know the protocol
//! and nothing of the engine.

mod argument;
mod exchange;
mod status;

pub use exchange::{run_send, send};
pub use status::run_status;
