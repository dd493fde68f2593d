//! What the audio thread needs of an open sound card, and the ways to lose one.

use abi::FRAMES;
use nix::errno::Errno;

use super::storm::UnderrunStorm;
use crate::audio::AudioClock;
use crate::audio::quantise::SampleFormat;
use crate::report::{Counters, count};

/// An open device: configured, its buffer filled with silence up to the last period, so that the next block starts it.
pub trait Playback: Send + 'static {
    /// The samples it takes.
    fn format(&self) -> SampleFormat;

    /// Gives it whole frames, and waits until it has room for them; gives how many it took.
    ///
    /// # Errors
    /// EINTR: nothing happened. EPIPE: it ran dry. ESTRPIPE: the machine was suspended. Others: it is of no more use.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno>;

    /// Makes it ready again after it ran dry.
    ///
    /// # Errors
    /// It is of no more use.
    fn prepare(&mut self) -> Result<(), Errno>;

    /// Whether it plays: not before its buffer was full for the first time.
    fn is_running(&self) -> bool;

    /// Plays out what it has.
    fn play_out(&mut self);
}

/// Why there is no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// There was none at the start.
    NotYetThere,
    /// It refused a block.
    Failed(Errno),
    /// The machine was suspended, and the card with it.
    Suspended,
    /// It ran dry more often than it played.
    Storm,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotYetThere => formatter.write_str("it was not there at the start"),
            Self::Failed(error) => write!(formatter, "it was unplugged, or its driver failed ({error})"),
            Self::Suspended => formatter.write_str("it was suspended"),
            Self::Storm => formatter.write_str("it ran dry again and again"),
        }
    }
}

/// Attempts to get a device going again for one block. One is enough after an underrun; a device that fails ten
/// times in a row is gone.
const MOST_RECOVERIES: u32 = 10;

/// Gives the device the bytes of a block, over underruns if need be, which are counted; gives whether there were any.
///
/// # Errors
/// The device is lost. It is not waited for: that a suspended one resumes can take seconds.
pub fn push<P: Playback>(
    device: &mut P,
    bytes: &[u8],
    storm: &mut UnderrunStorm,
    clock: &AudioClock,
    counters: &Counters,
) -> Result<bool, Loss> {
    let (mut written, mut recoveries) = (0, 0);
    while written < FRAMES {
        match device.write(&bytes[written * bytes.len() / FRAMES..]) {
            Ok(frames) => written += frames,
            Err(Errno::EINTR) => {}
            Err(Errno::EPIPE) if recoveries == MOST_RECOVERIES => return Err(Loss::Storm),
            Err(Errno::EPIPE) => {
                recoveries += 1;
                count(&counters.xruns);
                clock.restart();
                device.prepare().map_err(loss)?;
            }
            Err(error) => return Err(loss(error)),
        }
    }
    if storm.note(recoveries > 0) { Err(Loss::Storm) } else { Ok(recoveries > 0) }
}

fn loss(error: Errno) -> Loss {
    if error == Errno::ESTRPIPE { Loss::Suspended } else { Loss::Failed(error) }
}
