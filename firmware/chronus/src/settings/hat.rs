//! Sound cards that sit on the pins, by the overlay of the firmware that makes them known to the kernel.

use super::control::Pins;
use super::finding::nearest;
use crate::appliance::Machine;
use crate::gpio::{Use, pins_for};

/// What may be said, besides a card of the list.
const AUTO: &str = "auto";
const NONE: &str = "none";

/// Overlays of the firmware, each with what it is for. Nothing else is ever written into the firmware's configuration:
/// an overlay that is not one of a sound card can keep the box from starting.
const CARDS: [(&str, &str); 35] = [
    ("allo-boss-dac-pcm512x-audio", "Allo Boss and Mini Boss"),
    ("allo-boss2-dac-audio", "Allo Boss 2"),
    ("allo-digione", "Allo DigiOne"),
    ("allo-katana-dac-audio", "Allo Katana"),
    ("allo-piano-dac-pcm512x-audio", "Allo Piano"),
    ("audioinjector-ultra", "AudioInjector Ultra"),
    ("audioinjector-wm8731-audio", "AudioInjector Stereo and Zero"),
    ("dionaudio-loco", "Dion Audio LOCO"),
    ("fe-pi-audio", "Fe-Pi Audio"),
    ("hifiberry-amp", "HiFiBerry Amp and Amp+"),
    ("hifiberry-amp100", "HiFiBerry Amp100"),
    ("hifiberry-amp3", "HiFiBerry Amp3"),
    ("hifiberry-amp4pro", "HiFiBerry Amp4 Pro"),
    ("hifiberry-dac", "HiFiBerry DAC, DAC Zero, MiniAmp, and boards with a PCM5102A"),
    ("hifiberry-dacplus", "HiFiBerry DAC+, DAC2, Amp2, Amp4"),
    ("hifiberry-dacplusadc", "HiFiBerry DAC+ ADC"),
    ("hifiberry-dacplusadcpro", "HiFiBerry DAC+ ADC Pro, DAC2 ADC Pro"),
    ("hifiberry-dacplusdsp", "HiFiBerry DAC+ DSP"),
    ("hifiberry-dacplushd", "HiFiBerry DAC2 HD"),
    ("hifiberry-digi", "HiFiBerry Digi and Digi+"),
    ("hifiberry-digi-pro", "HiFiBerry Digi+ Pro"),
    ("i-sabre-q2m", "AudioPhonics I-Sabre Q2M"),
    ("iqaudio-codec", "IQaudIO Codec Zero"),
    ("iqaudio-dac", "IQaudIO Pi-DAC"),
    ("iqaudio-dacplus", "IQaudIO DAC+, DAC Pro, DigiAMP+"),
    ("iqaudio-digi-wm8804-audio", "IQaudIO Digi+"),
    ("justboom-dac", "JustBoom DAC, DAC Zero, Amp, Amp Zero"),
    ("justboom-digi", "JustBoom Digi and Digi Zero"),
    ("max98357a", "boards with a MAX98357A"),
    ("merus-amp", "Merus Amp"),
    ("pisound", "Blokas Pisound"),
    ("rpi-codeczero", "Raspberry Pi Codec Zero"),
    ("rpi-dacplus", "Raspberry Pi DAC+"),
    ("rpi-dacpro", "Raspberry Pi DAC Pro"),
    ("rpi-digiampplus", "Raspberry Pi DigiAMP+"),
];

/// Those of them that need nothing but the sound: the overlays of the others have something on the bus i2c1, GPIO 2 and 3,
/// which sets up the converter. (Read in the overlays of the vendor's kernel, `target = <&i2c1>`.)
const NOT_OVER_I2C: [&str; 5] = ["dionaudio-loco", "hifiberry-dac", "hifiberry-dacplusdsp", "max98357a", "pisound"];

/// What was said about the sound card on the pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hat {
    /// The card says itself what it is, by its memory.
    Auto,
    /// There is none, or it is not to be used.
    None,
    /// This one: overlay and what it is for.
    Card(&'static str, &'static str),
}

impl Hat {
    /// The card of this name.
    ///
    /// # Errors
    /// In words: that there is none, and what there is.
    pub fn named(name: &str) -> Result<Self, String> {
        match name {
            AUTO => return Ok(Self::Auto),
            NONE => return Ok(Self::None),
            _ => {}
        }
        if let Some((overlay, what)) = CARDS.iter().find(|(overlay, _)| *overlay == name) {
            return Ok(Self::Card(overlay, what));
        }
        let names = || CARDS.iter().map(|(overlay, _)| *overlay).chain([AUTO, NONE]);
        match nearest(name, names()) {
            Some(meant) => Err(format!("no sound card of this name is known; did you mean \"{meant}\"?")),
            None => {
                Err(format!("no sound card of this name is known; there is {}", names().collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// The lines that the firmware is to read.
    pub fn firmware_lines(&self) -> String {
        match self {
            Self::Auto => "# auto: the sound card on the pins says itself what it is\n".to_owned(),
            // The first overlay named keeps the firmware from loading the card's own; it may be an empty one.
            Self::None => "dtoverlay=\n".to_owned(),
            Self::Card(overlay, _) => format!("dtoverlay=\ndtoverlay={overlay}\n"),
        }
    }

    /// The card that there is, or may be, on the header of this machine, as it is told; none if there is none.
    pub fn card_in_words(&self, machine: &Machine) -> Option<String> {
        match self {
            Self::Card(overlay, _) => Some(format!("[audio] hat = \"{overlay}\"")),
            Self::Auto if machine.has("proc/device-tree/hat") => Some("the board that is on the header".to_owned()),
            Self::Auto | Self::None => None,
        }
    }

    /// Whether that card has to be set up over pins of the header, or may have to: of a board that says itself what it is
    /// nobody else knows.
    pub fn is_set_up_over_the_pins(&self, machine: &Machine) -> bool {
        match self {
            Self::Card(overlay, _) => !NOT_OVER_I2C.contains(overlay),
            Self::Auto | Self::None => self.card_in_words(machine).is_some(),
        }
    }

    /// The pins over which it is set up, each with what it is for there.
    pub fn pins_of_setup(&self, machine: &Machine) -> Pins {
        let card = self.card_in_words(machine).filter(|_| self.is_set_up_over_the_pins(machine));
        let taken = |card: String| {
            let pins = pins_for(Use::Setup).map(|one| (one.pin, format!("{card}: it is {} ({})", one.what, one.name)));
            pins.collect()
        };
        card.map(taken).unwrap_or_default()
    }

    /// For a person to read.
    pub fn words(&self) -> String {
        match self {
            Self::Auto => "auto: a card on the pins says itself what it is; else USB".to_owned(),
            Self::None => "none on the pins; USB".to_owned(),
            Self::Card(overlay, what) => format!("{overlay} ({what})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::MadeUp;

    #[test]
    fn only_what_is_in_the_list_reaches_the_firmware() {
        for (name, lines) in [
            ("none", "dtoverlay=\n"),
            ("hifiberry-dac", "dtoverlay=\ndtoverlay=hifiberry-dac\n"),
            ("rpi-codeczero", "dtoverlay=\ndtoverlay=rpi-codeczero\n"),
        ] {
            assert_eq!(Hat::named(name).unwrap().firmware_lines(), lines);
        }
        assert!(Hat::named("auto").unwrap().firmware_lines().lines().all(|line| line.starts_with('#')));
        for name in ["", "hifiberry-dac\ndtoverlay=disable-usb", "vc4-kms-v3d", "hifiberry-dac,slave", "AUTO "] {
            assert!(Hat::named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_card_takes_the_pins_it_is_set_up_over_and_no_others() {
        let made_up = MadeUp::new("hat");
        let pins = |hat: Hat| hat.pins_of_setup(&made_up.machine()).into_keys().collect::<Vec<_>>();
        for (overlay, _) in CARDS {
            let free = NOT_OVER_I2C.contains(&overlay);
            assert_eq!(pins(Hat::named(overlay).unwrap()), if free { vec![] } else { vec![2, 3] }, "{overlay}");
        }
        assert!(NOT_OVER_I2C.iter().all(|name| CARDS.iter().any(|(overlay, _)| overlay == name)));
        assert!(pins(Hat::None).is_empty() && pins(Hat::Auto).is_empty());
        made_up.write("proc/device-tree/hat/product", "DAC");
        assert!(pins(Hat::None).is_empty() && pins(Hat::Auto) == [2, 3]);
    }

    #[test]
    fn a_slip_is_told_and_the_list_is_in_order() {
        assert!(Hat::named("hifibery-dac").unwrap_err().contains("\"hifiberry-dac\""));
        assert!(Hat::named("xyz").unwrap_err().contains("justboom-dac, "));
        assert!(CARDS.is_sorted_by(|one, next| one.0 < next.0));
    }
}
