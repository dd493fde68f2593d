//! Pins: the one narrow door to them. Behind it stands a Raspberry Pi, by the crate rppal, or in test builds somebody
//! who makes edges up. Nobody else knows which.

mod header;
#[cfg(feature = "faults")]
mod made_up;
mod pi;
mod turn;

use std::time::Duration;

pub use header::{Use, existing_pin, header_pin, pins_for, reserved_pin};
pub use turn::MOST_OF_A_PIN;

/// What pulls an input to a level while nothing is connected to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// To high, by some 50 kOhm within the processor: for a contact to ground.
    Up,
    /// To low: for a contact to 3.3 V.
    Down,
    /// Nothing: a resistor outside does.
    Off,
}

/// A pin has changed its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// BCM number of the pin.
    pub pin: u8,
    /// The level it has from now on.
    pub high: bool,
    /// When, by the kernel: nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: u64,
    /// The number of this edge among those of its pin, from 1: where one is missing an edge was lost. It wraps round.
    pub sequence: u32,
}

/// A pin that is driven.
pub trait Output: Send {
    /// Drives it high or low. Does not wait.
    fn set(&mut self, high: bool);
}

/// The pins of a machine.
pub trait Gpio: Send {
    /// Makes a pin an input whose edges are told from now on; gives its level.
    ///
    /// # Errors
    /// In words: what was refused, and what to do.
    fn input(&mut self, pin: u8, pull: Pull) -> Result<bool, String>;

    /// Makes a pin an output, driven to this level.
    ///
    /// # Errors
    /// In words: what was refused, and what to do.
    fn output(&mut self, pin: u8, high: bool) -> Result<Box<dyn Output>, String>;

    /// Waits for edges of the inputs, so long at most or without end, and adds all there are to `edges`, up to
    /// [`MOST_OF_A_PIN`] of each: where one has more, the rest comes with the next call. Those of one pin are in their
    /// order; between pins the times tell it.
    ///
    /// # Errors
    /// In words: why there can be no edges any more.
    fn wait(&mut self, limit: Option<Duration>, edges: &mut Vec<Edge>) -> Result<(), String>;
}

/// Why there are no pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPins {
    /// In words, with what to do.
    pub reason: String,
    /// There may be some soon: early in a start their files are not yet there, or not yet the engine's.
    pub perhaps_later: bool,
}

/// The pins of this machine.
///
/// # Errors
/// That it has none, or that they may not be used.
pub fn open() -> Result<Box<dyn Gpio>, NoPins> {
    #[cfg(feature = "faults")]
    if let Some(made_up) = made_up::open().map_err(|reason| NoPins { reason, perhaps_later: false })? {
        return Ok(Box::new(made_up));
    }
    pi::open().map(|pi| Box::new(pi) as Box<dyn Gpio>)
}
