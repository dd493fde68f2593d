//! Which light is meant: what is said with `--led` and below `[led]`.

use std::fmt::{Display, Formatter};
use std::path::PathBuf;

/// The name under which the box's device tree makes a light known to the kernel (board/overlay, and settings/led.rs).
pub const BOX_LIGHT: &str = "chronus:status";

/// Where the kernel shows its lights.
const LIGHTS: &str = "/sys/class/leds";

/// A light.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LightChoice {
    /// None.
    #[default]
    Off,
    /// The one at this pin, by its BCM number.
    Gpio(u8),
    /// The kernel's of this name; with a `/` in it, the folder itself.
    Kernel(String),
}

impl LightChoice {
    /// Reads `gpio:N`, `led:NAME` or `off`.
    ///
    /// # Errors
    /// In words: what there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind, rest) {
            ("off", "") => Ok(Self::Off),
            ("gpio", pin) => {
                let digits = !pin.is_empty() && pin.bytes().all(|byte| byte.is_ascii_digit());
                let pin = pin.parse().ok().filter(|_| digits);
                pin.map(Self::Gpio).ok_or_else(|| "gpio: needs the BCM number of a pin, such as gpio:23".to_owned())
            }
            ("led", name) if !matches!(name, "" | "." | "..") => Ok(Self::Kernel(name.to_owned())),
            _ => {
                Err("there is gpio:N (a pin), led:NAME (a light of the kernel's, /sys/class/leds/NAME), off".to_owned())
            }
        }
    }

    /// The kernel's folder for it; `None` if no light is meant.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Off => None,
            Self::Gpio(_) => Some(PathBuf::from(LIGHTS).join(BOX_LIGHT)),
            Self::Kernel(name) if name.contains('/') => Some(PathBuf::from(name)),
            Self::Kernel(name) => Some(PathBuf::from(LIGHTS).join(name)),
        }
    }
}

impl Display for LightChoice {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => write!(formatter, "off"),
            Self::Gpio(pin) => write!(formatter, "gpio:{pin}"),
            Self::Kernel(name) => write!(formatter, "led:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_kinds_and_nothing_else() {
        for (text, choice) in [
            ("off", LightChoice::Off),
            ("gpio:18", LightChoice::Gpio(18)),
            ("led:chronus:status", LightChoice::Kernel("chronus:status".to_owned())),
            ("led:/tmp/x", LightChoice::Kernel("/tmp/x".to_owned())),
        ] {
            assert_eq!(LightChoice::parse(text), Ok(choice.clone()));
            assert_eq!(choice.to_string(), text);
        }
        for text in
            ["", "gpio", "gpio:", "gpio:-1", "gpio:+1", "gpio:300", "gpio:x", "led", "led:", "led:..", "off:1", "ON"]
        {
            assert!(LightChoice::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn where_the_kernel_shows_it() {
        let folder = |text: &str| LightChoice::parse(text).unwrap().folder();
        assert_eq!(folder("off"), None);
        assert_eq!(folder("gpio:23"), Some("/sys/class/leds/chronus:status".into()));
        assert_eq!(folder("led:ACT"), Some("/sys/class/leds/ACT".into()));
        assert_eq!(folder("led:/tmp/x"), Some("/tmp/x".into()));
    }
}
