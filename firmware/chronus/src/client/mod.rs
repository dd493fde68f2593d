//! The commands that talk to a running Chronus: `chronus send`, `chronus status`, `chronus controls` and `chronus record`. They know the protocol
//! and nothing of the engine.

mod argument;
mod controls;
mod exchange;
mod record;
mod status;

pub use argument::{parse as parse_argument, text as argument_text};
pub use controls::run_controls;
pub use exchange::{run_send, send};
pub use record::run_record;
pub use status::{nest, run_status};
