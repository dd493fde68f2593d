//! A sound card through ALSA: period 256 frames, the card gives the beat.

use abi::{Block, BlockNumber, CHANNELS, FRAMES};
use alsa::pcm::{Access, Format, Frames, HwParams, PCM, State};
use alsa::{Direction, ValueOr};
use nix::errno::Errno;

use super::paced::{PacedSink, deadline};
use crate::audio::AudioClock;
use crate::audio::choose::Patience;
use crate::audio::quantise::{LARGEST_BLOCK, SampleFormat};
use crate::report::{Counters, count};

/// Formats asked for, the best first. Integers before float: a device's own converter is an integer one, and
/// then the bits it gets are decided here and not in a plugin.
const FORMATS: [(Format, SampleFormat); 4] = [
    (Format::S32LE, SampleFormat::Integer32),
    (Format::S24LE, SampleFormat::Integer24),
    (Format::S16LE, SampleFormat::Integer16),
    (Format::FloatLE, SampleFormat::Float32),
];

/// Silent blocks played before closing. Some drivers forget what is in their buffers when they are closed;
/// 16 blocks are more than any of those buffers hold.
const CLOSING_BLOCKS: usize = 16;

/// Attempts to get a device going again for one block. One is enough after an underrun; a device that fails ten
/// times in a row is gone.
const MOST_RECOVERIES: u32 = 10;

/// What was agreed with a device, for the report.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its ALSA name.
    pub name: String,
    /// Sample format.
    pub format: SampleFormat,
    /// Periods in its buffer.
    pub periods: u32,
}

/// An open device.
pub struct AlsaSink {
    pcm: PCM,
    format: SampleFormat,
    bytes: [u8; LARGEST_BLOCK],
    pace: PacedSink,
    buffered: u64,
    lost: bool,
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

impl AlsaSink {
    /// Opens a device at exactly this rate, period and number of channels.
    ///
    /// # Errors
    /// In words: what the device refuses, what it offers instead, what to do.
    pub fn open(name: &str, rate: u32, periods: u32, clock: &AudioClock) -> Result<(Self, Device), String> {
        let said = |what: &str, error: alsa::Error| format!("sound device '{name}': {what}: {error}");
        let pcm = PCM::new(name, Direction::Playback, false).map_err(|error| {
            format!(
                "sound device '{name}' cannot be opened: {error}. `aplay -L` lists the devices; another program may \
                 be using it; --sink paced runs without one"
            )
        })?;
        let format = {
            let parameters = HwParams::any(&pcm).map_err(|error| said("no configuration", error))?;
            let format = agree(name, &parameters, rate, periods)?;
            pcm.hw_params(&parameters).map_err(|error| said("configuration refused", error))?;
            format
        };
        {
            let software = pcm.sw_params_current().map_err(|error| said("no configuration", error))?;
            let buffer = FRAMES as Frames * Frames::from(periods);
            software.set_start_threshold(buffer).map_err(|error| said("start threshold", error))?;
            software.set_avail_min(FRAMES as Frames).map_err(|error| said("wake-up threshold", error))?;
            pcm.sw_params(&software).map_err(|error| said("configuration refused", error))?;
        }
        let device = Device { name: name.to_owned(), format, periods };
        let buffered = u64::from(periods.saturating_sub(1)) * clock.period();
        let pace = PacedSink::new(periods, clock);
        Ok((Self { pcm, format, bytes: [0; LARGEST_BLOCK], pace, buffered, lost: false }, device))
    }

    /// The device gives the beat by taking a block, so there is nothing to wait for here, unless it is lost:
    /// then a timer gives the beat.
    pub fn wait(&mut self, block: BlockNumber, clock: &AudioClock, counters: &Counters) -> Patience {
        if self.lost {
            return self.pace.wait(block, clock, counters);
        }
        let now = rt::clock::monotonic();
        // The buffer was full when the block before was taken, one period before this one will be.
        let filled = if clock.origin() == 0 { now } else { clock.time_of_block(block).saturating_sub(clock.period()) };
        deadline(filled, now, self.buffered, clock)
    }

    /// Plays a block; returns when the device has room for it. An underrun is counted and played on from. A
    /// device that is gone is noted, and time is kept without it.
    pub fn write(&mut self, number: BlockNumber, block: &Block, clock: &AudioClock, counters: &Counters) {
        if self.lost {
            return;
        }
        let bytes = self.format.quantise(block, &mut self.bytes);
        if !push(&self.pcm, bytes, clock, counters) {
            self.lose(number, clock, counters);
            return;
        }
        // Until the buffer is full for the first time writes return at once and tell nothing of the time.
        if self.pcm.state() == State::Running {
            clock.observe(number, rt::clock::monotonic());
        }
    }

    /// Goes on without the device, in its beat; in one of its own if it never had any.
    fn lose(&mut self, number: BlockNumber, clock: &AudioClock, counters: &Counters) {
        self.lost = true;
        count(&counters.device_lost);
        if clock.origin() == 0 {
            clock.start(rt::clock::monotonic().saturating_sub(clock.offset_of_block(number)));
        }
    }

    /// Plays out what is left and closes.
    pub fn finish(&mut self) {
        if self.lost {
            return;
        }
        let silence = self.format.quantise(&Block::SILENCE, &mut self.bytes);
        for _ in 0..CLOSING_BLOCKS {
            if self.pcm.io_bytes().writei(silence).is_err() {
                return;
            }
        }
        let _ = self.pcm.drain();
    }
}

/// Gives the device the bytes of a block, over underruns if need be. False if the device is gone.
fn push(pcm: &PCM, bytes: &[u8], clock: &AudioClock, counters: &Counters) -> bool {
    let (mut written, mut recoveries) = (0, 0);
    while written < FRAMES {
        let rest = &bytes[written * bytes.len() / FRAMES..];
        let result = pcm.io_bytes().writei(rest);
        match result {
            Ok(frames) => written += frames,
            Err(error) if error.errno() == Errno::EINTR as i32 => {}
            Err(error) => {
                recoveries += 1;
                if recoveries > MOST_RECOVERIES || pcm.try_recover(error, true).is_err() {
                    return false;
                }
                count(&counters.xruns);
                clock.restart();
            }
        }
    }
    true
}

/// Settles rate, channels, period and buffer exactly, and the best format there is.
fn agree(name: &str, parameters: &HwParams, rate: u32, periods: u32) -> Result<SampleFormat, String> {
    let refused = |what: String, offers: String| {
        format!(
            "sound device '{name}' does not take {what}; it offers {offers}. Try --sink alsa:plughw:0 or another device"
        )
    };
    parameters
        .set_access(Access::RWInterleaved)
        .map_err(|_| refused("interleaved samples".to_owned(), "other layouts only".to_owned()))?;
    let (_, format) = FORMATS
        .into_iter()
        .find(|(format, _)| parameters.set_format(*format).is_ok())
        .ok_or_else(|| refused("16, 24 or 32 bit samples".to_owned(), "other formats only".to_owned()))?;
    let offered = |low: alsa::Result<u32>, high: alsa::Result<u32>| match (low, high) {
        (Ok(low), Ok(high)) => format!("{low} to {high}"),
        _ => "nothing that could be asked".to_owned(),
    };
    parameters.set_channels(CHANNELS as u32).map_err(|_| {
        refused("2 channels".to_owned(), offered(parameters.get_channels_min(), parameters.get_channels_max()))
    })?;
    parameters
        .set_rate(rate, ValueOr::Nearest)
        .map_err(|_| refused(format!("{rate} Hz"), offered(parameters.get_rate_min(), parameters.get_rate_max())))?;
    parameters.set_period_size(FRAMES as Frames, ValueOr::Nearest).map_err(|_| {
        let frames = |size: alsa::Result<Frames>| size.map(|frames| frames as u32);
        let offers = offered(frames(parameters.get_period_size_min()), frames(parameters.get_period_size_max()));
        refused(format!("a period of {FRAMES} frames"), format!("{offers} frames"))
    })?;
    let buffer = FRAMES as Frames * Frames::from(periods);
    parameters.set_buffer_size(buffer).map_err(|_| {
        let frames = |size: alsa::Result<Frames>| size.map(|frames| frames as u32);
        let offers = offered(frames(parameters.get_buffer_size_min()), frames(parameters.get_buffer_size_max()));
        refused(format!("a buffer of {periods} periods ({buffer} frames)"), format!("{offers} frames (see --periods)"))
    })?;
    Ok(format)
}
