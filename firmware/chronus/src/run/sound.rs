//! Opens what the sound goes to.

use std::path::Path;

use crate::audio::AudioClock;
use crate::audio::recorder::{Recorder, RecorderInput};
use crate::audio::sink::{
    AlsaDevice, CardSink, Cause, PacedSink, Playback, Sink, Wanted, has_playback_device, offered_rates,
};
use crate::command_line::{RunOptions, SinkChoice};

/// An open sink and what goes with it.
pub struct Sound {
    /// The sink.
    pub sink: Sink,
    /// Its name, for the status.
    pub name: String,
    /// What it is, in lines.
    pub description: Vec<String>,
    /// The writer of the WAV file, if any.
    pub recorder: Option<Recorder>,
    /// The audio thread's end of it.
    pub input: Option<RecorderInput>,
}

/// Opens the sink that was chosen.
///
/// # Errors
/// In words, if the device or the file cannot be had.
pub fn open(options: &RunOptions, clock: &AudioClock) -> Result<Sound, String> {
    match &options.sink {
        SinkChoice::Auto if has_playback_device() => open_alsa("default", options, clock).or_else(|error| {
            log::warn!("{error}");
            log::warn!("going on without sound; name a device to insist: --sink alsa:PCM");
            open_file("paced", Sink::Paced(PacedSink::new(options.periods, clock)), None, options)
        }),
        SinkChoice::Auto => {
            log::warn!(
                "this machine has no sound card; nothing is heard. --sink paced:OUT.wav writes a file to listen to"
            );
            open_file("paced", Sink::Paced(PacedSink::new(options.periods, clock)), None, options)
        }
        SinkChoice::Alsa(name) => open_alsa(name, options, clock),
        SinkChoice::Paced(file) => {
            open_file("paced", Sink::Paced(PacedSink::new(options.periods, clock)), file.as_deref(), options)
        }
        SinkChoice::Free(file) => open_file("free", Sink::Free, file.as_deref(), options),
    }
}

/// The options with the sample rate that is played: where none was named and the card does not take the usual one,
/// another one that it takes. Never one that somebody would have to convert.
pub fn settle_rate(options: &RunOptions) -> RunOptions {
    let name = match &options.sink {
        SinkChoice::Auto if has_playback_device() => "default",
        SinkChoice::Alsa(name) => name,
        SinkChoice::Auto | SinkChoice::Paced(_) | SinkChoice::Free(_) => return options.clone(),
    };
    let offered = if options.rate_named { None } else { offered_rates(name) };
    let Some(rate) = offered.and_then(|offered| other_rate(options.rate, &offered)) else { return options.clone() };
    log::warn!(
        "sound device '{name}' does not take {} Hz; the engine runs at {rate} Hz (--rate {rate} is the same)",
        options.rate
    );
    options.at_rate(rate)
}

/// Another rate to run at, if the wanted one is not among those offered: the lowest, which costs least.
fn other_rate(wanted: u32, offered: &[u32]) -> Option<u32> {
    if offered.contains(&wanted) { None } else { offered.iter().copied().min() }
}

/// A card that is busy, or not there though it could be, is waited for; the engine plays meanwhile.
fn open_alsa(name: &str, options: &RunOptions, clock: &AudioClock) -> Result<Sound, String> {
    let wanted = Wanted { name: name.to_owned(), rate: options.rate, periods: options.periods };
    let (device, told) = match AlsaDevice::open(&wanted) {
        Ok(device) => (Some(device), None),
        Err(refusal) if matches!(refusal.cause, Cause::Busy | Cause::Absent) => {
            log::warn!("{}. Until then nothing is heard; it is taken as soon as it can be had", refusal.text);
            (None, Some(refusal.text))
        }
        Err(refusal) => return Err(refusal.text),
    };
    let state = device.as_ref().map_or("waiting for it".to_owned(), |device| format!("{:?}", device.format()));
    let description = vec![
        format!("sound      ALSA {name}, {state}"),
        format!(
            "           {} Hz, period {} frames, buffer {} periods, lead {} blocks",
            options.rate,
            abi::FRAMES,
            options.periods,
            options.lead
        ),
    ];
    let sink = CardSink::start(device, told, move || AlsaDevice::open(&wanted), options.periods, clock)?;
    Ok(Sound {
        sink: Sink::Alsa(Box::new(sink)),
        name: format!("alsa:{name}"),
        description,
        recorder: None,
        input: None,
    })
}

fn open_file(kind: &str, sink: Sink, file: Option<&Path>, options: &RunOptions) -> Result<Sound, String> {
    let started = file.map(|path| Recorder::start(path, options.rate)).transpose()?;
    let (recorder, input) = started.map_or((None, None), |(recorder, input)| (Some(recorder), Some(input)));
    let name = file.map_or_else(|| kind.to_owned(), |path| format!("{kind}:{}", path.display()));
    let (beat, buffer) = match sink {
        Sink::Free => ("no sound card, as fast as possible", String::new()),
        _ => ("no sound card, a timer at the real rate", format!("buffer {} periods, ", options.periods)),
    };
    let goes_to = file.map_or_else(|| "nowhere".to_owned(), |path| path.display().to_string());
    let description = vec![
        format!("sound      {beat}, into {goes_to}"),
        format!("           {} Hz, period {} frames, {buffer}lead {} blocks", options.rate, abi::FRAMES, options.lead),
    ];
    Ok(Sound { sink, name, description, recorder, input })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_rate_is_taken_only_where_the_wanted_one_is_not_offered() {
        assert_eq!(other_rate(48_000, &[44_100, 48_000, 96_000]), None);
        assert_eq!(other_rate(48_000, &[44_100, 96_000]), Some(44_100));
        assert_eq!(other_rate(48_000, &[96_000]), Some(96_000));
        assert_eq!(other_rate(48_000, &[]), None);
    }

    #[test]
    fn the_buffer_of_the_paced_sink_is_told() {
        let options = RunOptions { sink: SinkChoice::Paced(None), periods: 3, ..RunOptions::default() };
        let sound = open(&options, &AudioClock::new(48_000)).unwrap();
        assert_eq!(sound.description[1].trim(), "48000 Hz, period 256 frames, buffer 3 periods, lead 2 blocks");
    }
}
