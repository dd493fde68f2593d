//! `[led]`: the light of the box, what the firmware is told of it, and how often it blinks for a mistake in the file.

use super::finding::{Finding, Severity};
use super::hat::Hat;
use crate::appliance::Machine;
use crate::gpio::{Use, existing_pin, pins_for, reserved_pin};
use crate::light::{BOX_LIGHT, LightChoice};

/// How often the light blinks for a mistake: 1 if it is in no section. TROUBLESHOOTING.md has the same table.
const CODES: [(&str, u8); 7] =
    [("box", 2), ("audio", 3), ("ssh", 4), ("engine", 5), ("osc", 6), ("led", 7), ("control", 8)];

/// A line of the firmware's file that stands for the light it has there already: what is wanted cannot be read, and the
/// light is to tell of that (board/overlay/usr/lib/chronus/hat).
const AS_IT_IS: &str = "# light: as it is\n";

/// Checks what was said, as far as it can be without the rest of the file.
///
/// # Errors
/// In words: what is wrong, without the key.
pub fn check_light(text: &str) -> Result<(), String> {
    match LightChoice::parse(text)? {
        LightChoice::Gpio(pin) => match reserved_pin(existing_pin(pin.into())?) {
            Some(one) if one.needed_for == Use::Identity => {
                Err(format!("GPIO {pin} is {} ({}); take another", one.what, one.name))
            }
            _ => Ok(()),
        },
        // A name in a folder of the kernel's; it is written into files of others.
        LightChoice::Kernel(name) if name.chars().any(|c| c == '/' || c.is_control()) => {
            Err("a light of the kernel's has a name, as `ls /sys/class/leds` shows it".to_owned())
        }
        LightChoice::Kernel(_) | LightChoice::Off => Ok(()),
    }
}

/// Checks the light together with the sound card on the pins.
///
/// # Errors
/// In words: that both want the same pin.
pub fn check_beside(light: &LightChoice, hat: Hat, machine: &Machine) -> Result<(), String> {
    let (LightChoice::Gpio(pin), Some(card)) = (light, hat.card_in_words(machine)) else { return Ok(()) };
    match reserved_pin(*pin) {
        Some(one) if one.needed_for == Use::Sound || hat.is_set_up_over_the_pins(machine) => {
            Err(format!("GPIO {pin} is {} ({}), which {card} needs; take another", one.what, one.name))
        }
        _ => Ok(()),
    }
}

/// The light of a box: what was said, or, where that cannot be known, the one that the kernel shows.
pub fn light(said: Option<LightChoice>, doubt: bool, machine: &Machine) -> LightChoice {
    let there = machine.has(&format!("sys/class/leds/{BOX_LIGHT}"));
    said.unwrap_or(if doubt && there { LightChoice::Kernel(BOX_LIGHT.to_owned()) } else { LightChoice::Off })
}

/// All that the firmware is to read of the header: the sound card and the light.
pub fn firmware_lines(hat: Hat, light: &LightChoice, doubt: bool) -> String {
    let mut lines = hat.firmware_lines();
    let pin = if let LightChoice::Gpio(pin) = light { Some(*pin).filter(|_| !doubt) } else { None };
    // The kernel blinks it before there is anybody else to do so.
    let label = format!("label={BOX_LIGHT},trigger=timer");
    lines += &pin.map(|pin| format!("dtoverlay=gpio-led,gpio={pin},{label}\n")).unwrap_or_default();
    if lines.lines().any(|line| line.strip_prefix("dtoverlay=").is_some_and(|overlay| !overlay.is_empty())) {
        // The parameters that follow are those of the board, not of the overlay above.
        lines += "dtoverlay=\n";
    }
    // I2S takes its pins for itself, whether or not a card is there.
    lines += match pin {
        _ if doubt => AS_IT_IS,
        Some(pin) if pins_for(Use::Sound).any(|one| one.pin == pin) => "",
        _ => "dtparam=i2s=on\n",
    };
    lines
}

/// How often the light blinks for what is wrong: for the first section of the table that has its defaults; 0 for nothing.
pub fn code(findings: &[Finding]) -> u8 {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let code = |section| CODES.iter().find(|(name, _)| Some(*name) == section).map_or(1, |(_, code)| *code);
    errors.map(|finding| code(finding.section)).min().unwrap_or(0)
}

/// `[led]` for `chronus run --config`; nothing without a light.
pub fn engine_lines(light: &LightChoice, code: u8) -> String {
    if *light == LightChoice::Off {
        return String::new();
    }
    let status = toml::Value::String(light.to_string());
    let code = if code > 0 { format!("code = {code}\n") } else { String::new() };
    format!("\n[led]\nstatus = {status}\n{code}")
}

#[cfg(test)]
#[path = "led_tests.rs"]
mod tests;
