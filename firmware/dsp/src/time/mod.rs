//! Time in the music: a [`Clock`] that counts beats, and a [`Sequencer`] whose tracks play patterns by it.
//!
//! Nothing here knows what time it is: frames are counted as they are rendered. A renderer does this, again and again:
//!
//! ```text
//! sequencer.take(|event| ...)             what happens before the next frame, applied to gates and parameters
//! let frames = sequencer.wait(most)       how many frames nothing happens then
//! ... render that many, or fewer ...
//! sequencer.advance(frames)
//! ```
//!
//! Commands are applied before what happens at their frame is taken. Into how many stretches time is cut does not matter.
//!
//! # Why nothing drifts
//!
//! A beat has [`units_per_beat`] units, a number with so many divisors that a frame at any tempo of at most three
//! decimals, every step of every track, and swing of six decimals are whole numbers of units. So all of it is counted,
//! and nothing is ever rounded but to the frame: a step that begins at the time t (in frames, a fraction) is in frame
//! floor(t), after a thousand million steps as at the first.

mod chance;
mod clock;
mod event;
mod grid;
mod lane;
mod pattern;
mod refusal;
mod sequencer;
mod tell;
mod track;

#[cfg(test)]
mod clock_tests;
#[cfg(test)]
mod command_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod pattern_tests;
#[cfg(test)]
mod play_tests;
#[cfg(test)]
mod sequencer_tests;
#[cfg(test)]
mod tell_tests;

pub use clock::{BPM_MAXIMUM, BPM_MINIMUM, Clock, Position, units_per_beat};
pub use event::{Config, Event, NONE, VELOCITY_ACCENT, VELOCITY_NORMAL};
pub use grid::STEPS_PER_BEAT;
pub use lane::{LANES, Lane};
pub use pattern::{Pattern, PatternError, STEPS, Step};
pub use refusal::Refusal;
pub use sequencer::{Sequencer, TRACKS};
pub use tell::{lane_target, place_of};
pub use track::Track;
