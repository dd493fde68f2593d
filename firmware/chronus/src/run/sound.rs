//! Opens what the sound goes to.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rt::scheduling::RealTime;

use crate::audio::recorder::Recorder;
use crate::audio::sink::{
    AlsaDevice, CardSink, Cause, PacedSink, Playback, Refusal, Sink, Wanted, cards, choose, default_is_a_server,
    has_playback_device, offered_rates,
};
use crate::audio::{AudioClock, TapeInput};
use crate::command_line::{RunOptions, SinkChoice};
use crate::report::Counters;
use crate::run::store::watchdog_limit;

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
    pub input: Option<TapeInput>,
}

/// What `auto` comes to on this machine.
enum Auto {
    /// ALSA's `default` is a sound server: a desk, where other programs are to be heard too.
    Server,
    /// The best of the cards there are, or come.
    Cards,
    /// No sound, and nobody who insists on any.
    Nothing,
}

fn auto(options: &RunOptions) -> Auto {
    // Who insists on real time has a machine for the purpose: no server, and a card that comes late is waited for.
    if options.real_time == RealTime::Require {
        return Auto::Cards;
    }
    match has_playback_device() {
        true if default_is_a_server() => Auto::Server,
        true => Auto::Cards,
        false => Auto::Nothing,
    }
}

/// Whether the engine is to play whatever is said of its card. It is where somebody insists on real time, and where
/// whoever started it ends it for a silence: both are machines for the purpose, with nobody near to mend a setting, and
/// an engine that ends for a wrong one would be started with it for ever.
fn insists(options: &RunOptions, watchdog: Option<Duration>) -> bool {
    options.real_time == RealTime::Require || watchdog.is_some()
}

/// Opens the sink that was chosen.
///
/// # Errors
/// In words, if the device or the file cannot be had.
pub fn open(options: &RunOptions, clock: &AudioClock, counters: &Arc<Counters>) -> Result<Sound, String> {
    let paced = |file| open_file("paced", Sink::Paced(PacedSink::new(options.periods, clock)), file, options);
    let without = |error| {
        log::warn!("{error}");
        log::warn!("going on without sound; name a device to insist: --sink alsa:PCM");
        paced(None)
    };
    match &options.sink {
        SinkChoice::Auto => match auto(options) {
            Auto::Server => open_alsa("default", options, clock, counters).or_else(without),
            Auto::Cards => open_best(options, clock, counters).or_else(without),
            Auto::Nothing => {
                log::warn!(
                    "this machine has no sound card; nothing is heard. --sink paced:OUT.wav writes a file to listen to"
                );
                paced(None)
            }
        },
        SinkChoice::Alsa(name) => open_alsa(name, options, clock, counters),
        SinkChoice::Paced(file) => paced(file.as_deref()),
        SinkChoice::Free(file) => open_file("free", Sink::Free, file.as_deref(), options),
    }
}

/// The options with the sample rate that is played: where none was named and the card does not take the usual one,
/// another one that it takes. Never one that somebody would have to convert.
pub fn settle_rate(options: &RunOptions) -> RunOptions {
    let name = match &options.sink {
        SinkChoice::Auto => match auto(options) {
            Auto::Server => Some("default".to_owned()),
            Auto::Cards => choose(&cards()).device,
            Auto::Nothing => None,
        },
        SinkChoice::Alsa(name) => Some(name.clone()),
        SinkChoice::Paced(_) | SinkChoice::Free(_) => None,
    };
    let Some(name) = name else { return options.clone() };
    let offered = if options.rate_named { None } else { offered_rates(&name) };
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

/// The card of this name.
fn open_alsa(name: &str, options: &RunOptions, clock: &AudioClock, counters: &Arc<Counters>) -> Result<Sound, String> {
    let wanted = Wanted { name: name.to_owned(), rate: options.rate, periods: options.periods };
    let name = (format!("ALSA {name}"), format!("alsa:{name}"));
    open_card(move || AlsaDevice::open(&wanted), || name, options, clock, counters)
}

/// The best card there is whenever one is to be opened: the choice is made anew each time.
fn open_best(options: &RunOptions, clock: &AudioClock, counters: &Arc<Counters>) -> Result<Sound, String> {
    let (rate, periods, noting) = (options.rate, options.periods, counters.clone());
    let open = move || {
        let choice = choose(&cards());
        let news = noting.card_choice.note(&choice);
        let Some(name) = choice.device else { return Err(Refusal::no_card(&choice.others)) };
        if news {
            log::info!("sound device '{name}' is chosen, {}: {}", choice.card, choice.why);
        }
        AlsaDevice::open(&Wanted { name, rate, periods })
    };
    let name = || {
        let device = counters.card_choice.get().and_then(|choice| choice.device);
        (device.map_or("none there yet".to_owned(), |device| format!("ALSA {device}")), "auto".to_owned())
    };
    open_card(open, name, options, clock, counters)
}

/// A card that is busy, or not there though it could be, is waited for; the engine plays meanwhile. Where it insists,
/// so is one that is refused for another reason. `name` is asked after the first attempt, for the card in words and the
/// sink's name.
fn open_card(
    mut open: impl FnMut() -> Result<AlsaDevice, Refusal> + Send + 'static,
    name: impl FnOnce() -> (String, String),
    options: &RunOptions,
    clock: &AudioClock,
    counters: &Arc<Counters>,
) -> Result<Sound, String> {
    let (insists, noting) = (insists(options, watchdog_limit()), counters.clone());
    let mut open = move || {
        let opened = open();
        noting.card_refusal.note(opened.as_ref().err().map(|refusal| refusal.text.as_str()));
        opened
    };
    let (device, told) = match open() {
        Ok(device) => (Some(device), None),
        Err(refusal) if insists || matches!(refusal.cause, Cause::Busy | Cause::Absent) => {
            log::warn!("{}. Until then nothing is heard; it is taken as soon as it can be had", refusal.text);
            (None, Some(refusal.text))
        }
        Err(refusal) => return Err(refusal.text),
    };
    let state = device.as_ref().map_or("waiting for it".to_owned(), |device| format!("{:?}", device.format()));
    let (card, name) = name();
    let description = vec![
        format!("sound      {card}, {state}"),
        format!(
            "           {} Hz, period {} frames, buffer {} periods, lead {} blocks",
            options.rate,
            abi::FRAMES,
            options.periods,
            options.lead
        ),
    ];
    let sink = CardSink::start(device, told, open, options.periods, clock, counters)?;
    Ok(Sound { sink: Sink::Alsa(Box::new(sink)), name, description, recorder: None, input: None })
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
    fn a_box_plays_whatever_card_it_was_told_to_take() {
        let named = |real_time| {
            let sink = SinkChoice::Alsa("no such device".to_owned());
            RunOptions { sink, real_time, ..RunOptions::default() }
        };
        let counters = Arc::<Counters>::default();
        let opened = |options| open(&options, &AudioClock::new(48_000), &counters);
        assert!(opened(named(RealTime::Off)).is_err());
        let sound = opened(named(RealTime::Require)).unwrap_or_else(|refused| panic!("{refused}"));
        assert_eq!(sound.name, "alsa:no such device");
        assert!(counters.card_refusal.get().is_some_and(|text| text.contains("no such device")), "for the status");
        assert!(sound.description[0].contains("waiting for it"), "{:?}", sound.description);
        let (desk, silence) = (RunOptions::default(), Duration::from_secs(2));
        assert!(insists(&desk, Some(silence)) && !insists(&desk, None));
    }

    #[test]
    fn the_buffer_of_the_paced_sink_is_told() {
        let options = RunOptions { sink: SinkChoice::Paced(None), periods: 3, ..RunOptions::default() };
        let sound = open(&options, &AudioClock::new(48_000), &Arc::default()).unwrap();
        assert_eq!(sound.description[1].trim(), "48000 Hz, period 256 frames, buffer 3 periods, lead 2 blocks");
    }
}
