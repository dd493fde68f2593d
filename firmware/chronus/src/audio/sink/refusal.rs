//! Why a device was not had.

use nix::errno::Errno;

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

/// Whether a device's name says which card it lies on.
fn names_hardware(name: &str) -> bool {
    let (kind, card) = name.split_once(':').unwrap_or((name, ""));
    // surround21 to surround71.
    !card.is_empty() && HARDWARE.contains(&kind.trim_end_matches(|c: char| c.is_ascii_digit()))
}

impl Refusal {
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
            Errno::ENODEV | Errno::ENOENT | Errno::ENXIO if names_hardware(name) => Self {
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
        assert_eq!(cause("default", Errno::EBUSY), Cause::Busy);
    }
}
