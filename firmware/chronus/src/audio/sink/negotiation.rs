//! What a device takes, what it gets, and what it is told it offers.

use abi::{CHANNELS, FRAMES, RATES};
use alsa::ValueOr;
use alsa::pcm::{Access, Format, Frames, HwParams};

use super::refusal::{Cause, Refusal};
use crate::audio::quantise::SampleFormat;

/// Formats asked for, the best first. Integers before float: a device's own converter is an integer one, and
/// then the bits it gets are decided here and not in a plugin.
const FORMATS: [(Format, SampleFormat); 5] = [
    (Format::S32LE, SampleFormat::Integer32),
    (Format::S24LE, SampleFormat::Integer24),
    (Format::S243LE, SampleFormat::Packed24),
    (Format::S16LE, SampleFormat::Integer16),
    (Format::FloatLE, SampleFormat::Float32),
];

/// Formats named when none of them is taken: what sound cards have besides.
const OTHER_FORMATS: [Format; 10] = [
    Format::U8,
    Format::S8,
    Format::S16BE,
    Format::U16LE,
    Format::S203LE,
    Format::S24BE,
    Format::S243BE,
    Format::S32BE,
    Format::FloatBE,
    Format::IEC958SubframeLE,
];

/// The engine's sample rates that the device takes by itself.
pub fn rates(parameters: &HwParams) -> Vec<u32> {
    // A plugin of ALSA that would convert is not asked: what converts is heard.
    let _ = parameters.set_rate_resample(false);
    RATES.into_iter().filter(|rate| parameters.test_rate(*rate).is_ok()).collect()
}

/// Settles rate, channels, period and buffer exactly, and the best format there is.
///
/// # Errors
/// What the device does not take, and what it offers.
pub fn agree(name: &str, parameters: &HwParams, rate: u32, periods: u32) -> Result<SampleFormat, Refusal> {
    let refused = |what: String, offers: String, advice: String| Refusal {
        cause: Cause::Unfit,
        text: format!("sound device '{name}' does not take {what}; it offers {offers}. {advice}"),
    };
    let converter = || "A device of ALSA's that converts may do: --sink alsa:plughw:0".to_owned();
    let _ = parameters.set_rate_resample(false);
    parameters
        .set_access(Access::RWInterleaved)
        .map_err(|_| refused("interleaved samples".to_owned(), "other layouts only".to_owned(), converter()))?;
    let (_, format) =
        FORMATS.into_iter().find(|(format, _)| parameters.set_format(*format).is_ok()).ok_or_else(|| {
            refused("any of 16, 24 or 32 bit samples, or float".to_owned(), offered_formats(parameters), converter())
        })?;
    parameters.set_channels(CHANNELS as u32).map_err(|_| {
        let offers = range(parameters.get_channels_min(), parameters.get_channels_max());
        refused(format!("{CHANNELS} channels"), offers, converter())
    })?;
    parameters.set_rate(rate, ValueOr::Nearest).map_err(|_| {
        let offers = range(parameters.get_rate_min(), parameters.get_rate_max());
        refused(format!("{rate} Hz"), offers, rate_advice(&rates(parameters)))
    })?;
    let frames = |size: alsa::Result<Frames>| size.map(|frames| frames as u32);
    parameters.set_period_size(FRAMES as Frames, ValueOr::Nearest).map_err(|_| {
        let offers = range(frames(parameters.get_period_size_min()), frames(parameters.get_period_size_max()));
        let advice = "Name the card itself: --sink alsa:hw:0".to_owned();
        refused(format!("a period of {FRAMES} frames"), format!("{offers} frames"), advice)
    })?;
    let buffer = FRAMES as Frames * Frames::from(periods);
    parameters.set_buffer_size(buffer).map_err(|_| {
        let offers = range(frames(parameters.get_buffer_size_min()), frames(parameters.get_buffer_size_max()));
        let advice = "Try --periods 2, 3 or 4".to_owned();
        refused(format!("a buffer of {periods} periods ({buffer} frames)"), format!("{offers} frames"), advice)
    })?;
    Ok(format)
}

fn range(low: alsa::Result<u32>, high: alsa::Result<u32>) -> String {
    match (low, high) {
        (Ok(low), Ok(high)) => format!("{low} to {high}"),
        _ => "nothing that could be asked".to_owned(),
    }
}

fn rate_advice(taken: &[u32]) -> String {
    if taken.is_empty() {
        return "The engine has none of these rates; take another device (`aplay -L` lists them)".to_owned();
    }
    format!("Start with --rate {}", taken.iter().map(u32::to_string).collect::<Vec<_>>().join(" or "))
}

fn offered_formats(parameters: &HwParams) -> String {
    let offered = OTHER_FORMATS.into_iter().filter(|format| parameters.test_format(*format).is_ok());
    let names: Vec<_> = offered.map(|format| format.to_string()).collect();
    if names.is_empty() { "other formats only".to_owned() } else { names.join(", ") }
}
