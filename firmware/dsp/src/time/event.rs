//! What a sequencer gives, and how a track is told to play.

/// No target: what is assigned to it is given to nobody.
pub const NONE: u32 = u32::MAX;
/// Velocity of an accent.
pub const VELOCITY_ACCENT: f32 = 1.0;
/// Velocity of a note that is none: 3 dB below, which is heard as softer and not as another part.
pub const VELOCITY_NORMAL: f32 = 0.7;

/// What happens at a frame. Targets are whatever numbers the track was assigned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A note begins. Where the gate is open already it is tied: the note before has not ended.
    GateOn {
        /// Whose gate.
        target: u32,
        /// [`VELOCITY_ACCENT`] or [`VELOCITY_NORMAL`].
        velocity: f32,
    },
    /// A note ends.
    GateOff {
        /// Whose gate.
        target: u32,
    },
    /// A parameter has a new value.
    Parameter {
        /// Whose parameter.
        target: u32,
        /// Finite.
        value: f32,
    },
}

/// How a track plays its pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// 1 to [`super::STEPS_PER_BEAT`].
    pub steps_per_beat: u32,
    /// The part of two steps that the first of them has, 0.5 to 0.75: every second step comes later.
    pub swing: f64,
    /// How probable it is that a note of the pattern is played, 0 to 1.
    pub probability: f64,
    /// What chance comes of: the same seed plays the same notes after each reset.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { steps_per_beat: 4, swing: 0.5, probability: 1.0, seed: 0 }
    }
}
