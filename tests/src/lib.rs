//! What the tests of the promises share: builds of the engine, scores, running engines, recordings.

pub mod abuse;
pub mod analysis;
pub mod build;
pub mod card;
pub mod client;
pub mod engine;
pub mod guest;
pub mod instrument_score;
pub mod light;
pub mod live;
pub mod made_up_box;
pub mod names;
pub mod other_host;
pub mod overload;
pub mod patch;
pub mod pins;
pub mod power_on;
pub mod process;
pub mod query;
pub mod random;
pub mod recording;
pub mod score;
pub mod script;
pub mod service;
pub mod sound_card;
pub mod stream;
pub mod tracks;
pub mod undisturbed;
pub mod wav;

/// Says that a test, or a part of it, could not be run here, and how it could be.
pub fn skipped(what: &str, reason: &str) {
    println!("SKIPPED {what}: {reason}");
}
