//! Why a command to the sequencer changes nothing.

use core::fmt;

use super::{LANES, STEPS, TRACKS};

/// What is wrong with a command. It has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The track's number is too high.
    NoSuchTrack,
    /// Nobody has created it.
    NotCreated,
    /// It has been created already.
    Exists,
    /// The lane's number is too high.
    NoSuchLane,
    /// No value, or more than a lane holds.
    LaneLength,
    /// An infinite number or none at all.
    NotFinite,
}

impl Refusal {
    /// `value`, if it is a number.
    pub(super) fn unless_finite(value: f64) -> Result<f64, Self> {
        if value.is_finite() { Ok(value) } else { Err(Self::NotFinite) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NoSuchTrack => write!(f, "there are {TRACKS} tracks, with the numbers 0 to {}", TRACKS - 1),
            Self::NotCreated => f.write_str("there is no such track yet: create it first"),
            Self::Exists => f.write_str("there is such a track already: remove it first, or change it as it is"),
            Self::NoSuchLane => write!(f, "a track has {LANES} lanes, with the numbers 0 to {}", LANES - 1),
            Self::LaneLength => write!(f, "a lane has 1 to {STEPS} values"),
            Self::NotFinite => f.write_str("this takes a number that is neither infinite nor NaN"),
        }
    }
}

impl core::error::Error for Refusal {}
