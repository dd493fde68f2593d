//! The commands that talk to a running Chronus: `chronus send`, `chronus status` and `chronus controls`. They know the protocol
//! and nothing of the engine.

mod argument;
mod controls;
mod exchange;
mod status;

pub use argument::{parse as parse_argument, text as argument_text};
pub use controls::run_controls;
pub use exchange::{run_send, send};
pub use status::{nest, run_status};
