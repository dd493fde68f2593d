//! Why a device was not had.

use std::path::Path;

use nix::errno::Errno;

use crate::report::PassedOver;

/// Whether it is worth waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Another program has it.
    Busy,
    /// A card of this name can be plugged in.
    Absent,
    /// It is there and does not take what the engine gives.
    Unfit,
    /// Nobody knows such a device, or it may not be used.
    Unknown,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether it is worth waiting for.
    pub cause: Cause,
    /// What is wrong and what to do, in words.
    pub text: String,
}

/// Names of ALSA's own devices that stand for a card: with a card behind the colon they are a wish for hardware, and
/// no typing error, even if there is no such card.
const HARDWARE: [&str; 12] = [
    "hw",
    "plughw",
    "sysdefault",
    "default",
    "front",
    "rear",
    "side",
    "dmix",
    "hdmi",
    "iec958",
    "usbstream",
    "surround",
];

/// The card that a device's name says it lies on: a number or an id.
fn card(name: &str) -> Option<&str> {
    let (kind, parameters) = name.split_once(':')?;
    let first = parameters.split(',').next().unwrap_or_default();
    let card = first.strip_prefix("CARD=").unwrap_or(first);
    // surround21 to surround71.
    let known = HARDWARE.contains(&kind.trim_end_matches(|c: char| c.is_ascii_digit()));
    (known && !card.is_empty()).then_some(card)
}

/// Whether there is such a card now.
fn is_there(card: &str) -> bool {
    let entry = if card.bytes().all(|byte| byte.is_ascii_digit()) { format!("card{card}") } else { card.to_owned() };
    Path::new("/proc/asound").join(entry).exists()
}

/// Whether a device could not be opened because its card is not there.
fn is_absent(name: &str, error: Errno) -> bool {
    match error {
        Errno::ENODEV | Errno::ENOENT | Errno::ENXIO => card(name).is_some(),
        // What ALSA says to some names (front) of a card it does not find, and to what is no name at all.
        Errno::EINVAL => card(name).is_some_and(|card| !is_there(card)),
        _ => false,
    }
}

impl Refusal {
    /// None of the cards there are is one to play on.
    pub fn no_card(others: &[PassedOver]) -> Self {
        let others: Vec<_> = others.iter().map(|other| format!("{}: {}", other.card, other.why)).collect();
        let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join("; ")) };
        Self {
            cause: Cause::Absent,
            text: format!(
                "there is no sound card to play on{others}: plug one in, or name one (--sink alsa:hw:CARD=ID)"
            ),
        }
    }

    /// A device that could not be opened.
    pub fn at_opening(name: &str, error: Errno) -> Self {
        let device = format!("sound device '{name}'");
        match error {
            Errno::EBUSY | Errno::EAGAIN => Self {
                cause: Cause::Busy,
                text: format!(
                    "{device} is in use by another program: end that program (`fuser -v /dev/snd/*` names it) or take \
                     another device (`aplay -L` lists them)"
                ),
            },
            _ if is_absent(name, error) => Self {
                cause: Cause::Absent,
                text: format!(
                    "{device} is not there: plug it in, or take another device (`aplay -L` lists those there are)"
                ),
            },
            Errno::EACCES | Errno::EPERM => Self {
                cause: Cause::Unknown,
                text: format!(
                    "{device} cannot be opened: {error}. Add yourself to the group audio (`sudo adduser $USER audio`) \
                     and log in again"
                ),
            },
            _ => Self {
                cause: Cause::Unknown,
                text: format!(
                    "{device} cannot be opened: {error}. `aplay -L` lists the devices; --sink paced runs without one"
                ),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_plugged_in_is_waited_for_and_a_typing_error_is_not() {
        let cause = |name, error| Refusal::at_opening(name, error).cause;
        for name in ["hw:2", "plughw:1,0", "sysdefault:CARD=Box", "front:CARD=Box,DEV=0", "surround51:0"] {
            assert_eq!(cause(name, Errno::ENOENT), Cause::Absent, "{name}");
            assert_eq!(cause(name, Errno::ENODEV), Cause::Absent, "{name}");
            assert_eq!(cause(name, Errno::EACCES), Cause::Unknown, "{name}");
        }
        for name in ["hv:2", "speakers", "hw", "hw:", "default", "plugwh:1,0"] {
            assert_eq!(cause(name, Errno::ENOENT), Cause::Unknown, "{name}");
        }
        assert_eq!(cause("front:CARD=Nobody,DEV=0", Errno::EINVAL), Cause::Absent);
        assert_eq!(cause("speakers", Errno::EINVAL), Cause::Unknown);
        assert_eq!(cause("default", Errno::EBUSY), Cause::Busy);
    }
}
