//! From bytes to checked intents: OSC datagrams and score files. Nothing here knows blocks being played,
//! the command log or a worker; a bad input ends in a [`Refusal`] and leaves nothing behind.

mod address;
mod admission;
mod arrival;
pub mod catalogue;
mod drops;
mod edits;
mod interpret;
mod packet;
mod pattern;
#[cfg(test)]
mod property_tests;
mod question;
mod receive;
mod refusal;
mod score;
mod stream;
mod tracks;
mod value;
mod words;

pub use address::ALIASES;
#[cfg(test)]
pub use address::known_addresses;
#[cfg(test)]
pub use admission::ADMISSION_LIMITS;
pub use admission::{Bucket, Gate, Limit, Share, Table, host_of};
pub use arrival::Clocks;
#[cfg(test)]
pub use edits::PATCH_WORDS;
pub use edits::PresetAsked;
pub use interpret::{Intent, MAX_DATAGRAM_BYTES, Request, When, interpret_message, messages};
#[cfg(test)]
pub use packet::MAX_DEPTH;
pub use packet::read_packet;
pub use pattern::{is_pattern, pattern_matches};
pub use question::{Asked, RecordAsked, asks_for, explain_no_value};
pub use receive::{Datagram, Receiver, send_reply};
pub use refusal::{Code, Refusal};
#[cfg(test)]
pub use score::{MAX_COMMANDS, MAX_FILE_BYTES, MAX_SECONDS};
pub use score::{Score, ScoreRoom, read_score};
#[cfg(test)]
pub use stream::MOST_KEPT;
#[cfg(test)]
pub use stream::STREAM_PLACES;
pub use stream::{
    Came, Client, Failure, Framing, Listener, Outgoing, Places, StreamReceiver, Streams, is_stream, sender_name,
};
pub use tracks::made_of as tracks_made_of;
pub use tracks::{GATE_LENGTH, KEYS};
#[cfg(test)]
pub use tracks::{PROBABILITY, SWING, TRACK_WORDS};
pub use words::WORDS;
#[cfg(test)]
pub use words::rows;
