//! A sound card through ALSA: opened, configured, written to.

use abi::{Block, FRAMES};
use alsa::pcm::{Frames, HwParams, PCM, State};
use alsa::{Direction, Output};
use nix::errno::Errno;

use super::negotiation::{agree, rates};
use super::playback::Playback;
use super::refusal::{Cause, Refusal};
use crate::audio::quantise::{LARGEST_BLOCK, SampleFormat};

/// Silent blocks played before closing. Some drivers forget what is in their buffers when they are closed;
/// 16 blocks are more than any of those buffers hold.
const CLOSING_BLOCKS: usize = 16;

/// What is wanted of a device.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its ALSA name.
    pub name: String,
    /// Sample rate in Hz.
    pub rate: u32,
    /// Periods in its buffer, 2 to 4.
    pub periods: u32,
}

/// An open device.
pub struct AlsaDevice {
    pcm: PCM,
    format: SampleFormat,
}

/// Whether this machine has a device to play on.
pub fn has_playback_device() -> bool {
    std::fs::read_dir("/dev/snd").is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("pcm") && name.ends_with('p')
        })
    })
}

/// Whether ALSA's `default` leads to no card of its own but to a sound server (PipeWire, PulseAudio), which mixes what
/// all programs play. What lies on a card has its number, and a server has none; one that does not answer is none.
pub fn default_is_a_server() -> bool {
    open_pcm("default").is_ok_and(|pcm| pcm.info().is_ok_and(|info| info.get_card() < 0))
}

/// The engine's sample rates that a device takes by itself; `None` if it cannot be asked now.
pub fn offered_rates(name: &str) -> Option<Vec<u32>> {
    let pcm = open_pcm(name).ok()?;
    let parameters = HwParams::any(&pcm).ok()?;
    Some(rates(&parameters))
}

fn errno(error: &alsa::Error) -> Errno {
    Errno::from_raw(error.errno())
}

fn open_pcm(name: &str) -> Result<PCM, Refusal> {
    // What the library would write to standard error by itself stays in here: at every attempt it would be the same.
    let _quiet = Output::local_error_handler();
    // It reads its configuration once. A card that came since then is not in there with all its names.
    let _ = alsa::config::update_free_global();
    PCM::new(name, Direction::Playback, false).map_err(|error| Refusal::at_opening(name, errno(&error)))
}

impl AlsaDevice {
    /// Opens a device at exactly this rate, period and number of channels, and fills its buffer with silence up to
    /// the last period. May block and allocates.
    ///
    /// # Errors
    /// What the device refuses, what it offers instead, what to do.
    pub fn open(wanted: &Wanted) -> Result<Self, Refusal> {
        let Wanted { name, rate, periods } = wanted;
        let said = |what: &str, error: alsa::Error| Refusal {
            cause: Cause::Unfit,
            text: format!("sound device '{name}': {what}: {error}"),
        };
        let pcm = open_pcm(name)?;
        let format = {
            let parameters = HwParams::any(&pcm).map_err(|error| said("no configuration", error))?;
            let format = agree(name, &parameters, *rate, *periods)?;
            pcm.hw_params(&parameters).map_err(|error| said("configuration refused", error))?;
            format
        };
        {
            let software = pcm.sw_params_current().map_err(|error| said("no configuration", error))?;
            let buffer = FRAMES as Frames * Frames::from(*periods);
            software.set_start_threshold(buffer).map_err(|error| said("start threshold", error))?;
            software.set_avail_min(FRAMES as Frames).map_err(|error| said("wake-up threshold", error))?;
            pcm.sw_params(&software).map_err(|error| said("configuration refused", error))?;
        }
        let mut device = Self { pcm, format };
        device
            .write_silence(periods.saturating_sub(1) as usize)
            .map_err(|error| said("first samples refused", error))?;
        Ok(device)
    }

    fn write_silence(&mut self, blocks: usize) -> alsa::Result<()> {
        let mut bytes = [0; LARGEST_BLOCK];
        let silence = self.format.quantise(&Block::SILENCE, &mut bytes);
        (0..blocks).try_for_each(|_| self.pcm.io_bytes().writei(silence).map(drop))
    }
}

impl Playback for AlsaDevice {
    fn format(&self) -> SampleFormat {
        self.format
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        self.pcm.io_bytes().writei(bytes).map_err(|error| errno(&error))
    }

    fn prepare(&mut self) -> Result<(), Errno> {
        self.pcm.prepare().map_err(|error| errno(&error))
    }

    fn is_running(&self) -> bool {
        self.pcm.state() == State::Running
    }

    fn play_out(&mut self) {
        if self.write_silence(CLOSING_BLOCKS).is_ok() {
            let _ = self.pcm.drain();
        }
    }
}
