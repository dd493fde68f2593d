//! Where the sound goes, and what gives the beat.

mod alsa;
mod card;
mod choice;
mod exchange;
mod found;
mod negotiation;
mod paced;
mod playback;
mod refusal;
mod storm;

use abi::{Block, BlockNumber};

pub use self::alsa::{AlsaDevice, Wanted, default_is_a_server, has_playback_device, offered_rates};
pub use card::CardSink;
pub use choice::choose;
pub use found::cards;
pub use paced::PacedSink;
pub use playback::Playback;
pub use refusal::{Cause, Refusal};

use super::AudioClock;
use super::choose::Patience;
use crate::report::Counters;

/// A sink. All of them take exactly one block per call and never keep the caller longer than the beat.
pub enum Sink {
    /// A sound card, which gives the beat while it is there.
    Alsa(Box<CardSink<AlsaDevice>>),
    /// A timer at the real rate.
    Paced(PacedSink),
    /// No beat: as fast as the workers render.
    Free,
    /// A timer, and somebody who listens: a simulation.
    #[cfg(feature = "simulation")]
    Heard(PacedSink, Listener),
}

/// Hears what is played in a simulation: number and block.
#[cfg(feature = "simulation")]
pub type Listener = Box<dyn FnMut(BlockNumber, &Block) + Send>;

impl Sink {
    /// Starts the beat: block `first` is due now.
    pub fn start(&mut self, first: BlockNumber, clock: &AudioClock) {
        match self {
            Self::Alsa(card) => card.begin(first, clock),
            Self::Paced(_) => clock.start(first, rt::clock::monotonic()),
            Self::Free => {}
            #[cfg(feature = "simulation")]
            Self::Heard(..) => clock.start(first, rt::clock::monotonic()),
        }
    }

    /// Whether blocks are due at times.
    pub fn has_beat(&self) -> bool {
        !matches!(self, Self::Free)
    }

    /// Waits until `block` is due, where the sink tells so beforehand, and gives how long it may be late.
    pub fn wait(&mut self, block: BlockNumber, clock: &AudioClock, counters: &Counters) -> Patience {
        match self {
            Self::Alsa(device) => device.wait(block, clock, counters),
            Self::Paced(pace) => pace.wait(block, clock, counters),
            Self::Free => Patience::Unlimited,
            #[cfg(feature = "simulation")]
            Self::Heard(pace, _) => pace.wait(block, clock, counters),
        }
    }

    /// Plays a block.
    pub fn write(&mut self, number: BlockNumber, block: &Block, clock: &AudioClock, counters: &Counters) {
        match self {
            Self::Alsa(device) => device.write(number, block, clock, counters),
            Self::Paced(_) | Self::Free => {}
            #[cfg(feature = "simulation")]
            Self::Heard(_, listener) => listener(number, block),
        }
    }

    /// Plays out what is left.
    pub fn finish(&mut self) {
        if let Self::Alsa(device) = self {
            device.finish();
        }
    }
}
