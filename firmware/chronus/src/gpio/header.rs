//! The pins of the 40-pin header, and those of them that are spoken for.

/// The highest BCM number on the header.
const LAST: u8 = 27;

/// Pins that are not for controls, and why. A table for all that are: who adds a device adds a row.
const SPOKEN_FOR: [(u8, &str); 6] = [
    (0, "the EEPROM by which a HAT says what it is (ID_SD)"),
    (1, "the EEPROM by which a HAT says what it is (ID_SC)"),
    (18, "the bit clock of a sound card on the pins (I2S)"),
    (19, "the frame clock of a sound card on the pins (I2S)"),
    (20, "the data from a sound card on the pins (I2S)"),
    (21, "the data to a sound card on the pins (I2S)"),
];

/// Checks a BCM number.
///
/// # Errors
/// In words: that there is no such pin on the header, or what it is needed for.
pub fn header_pin(number: i64) -> Result<u8, String> {
    let pin = u8::try_from(number).ok().filter(|pin| *pin <= LAST);
    let pin = pin.ok_or_else(|| {
        format!(
            "there is no GPIO {number} on the header: BCM numbers are 0 to {LAST}, not those of the pins in their rows"
        )
    })?;
    match SPOKEN_FOR.iter().find(|(taken, _)| *taken == pin) {
        Some((_, what)) => Err(format!("GPIO {pin} is {what}; take another one")),
        None => Ok(pin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_free_spoken_for_or_absent() {
        let free: Vec<_> = (-3..60).filter_map(|number| header_pin(number).ok()).collect();
        let expected: Vec<u8> = (2..=17).chain(22..=27).collect();
        assert_eq!(free, expected);
        for (pin, name) in [(0, "EEPROM"), (18, "bit clock"), (21, "data to"), (28, "no GPIO 28"), (-1, "no GPIO -1")] {
            assert!(header_pin(pin).unwrap_err().contains(name));
        }
    }
}
