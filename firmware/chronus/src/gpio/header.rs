//! The pins of the 40-pin header, and those of them that are spoken for.

/// The highest BCM number on the header.
const LAST: u8 = 27;

/// What a pin is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A board on the header says by it what it is: the firmware asks at every start.
    Identity,
    /// A sound card on the header is set up over it, where it is one that is.
    Setup,
    /// The sound to a card on the header goes over it.
    Sound,
}

/// A pin that is spoken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// Its BCM number.
    pub pin: u8,
    /// What for.
    pub needed_for: Use,
    /// Its name on drawings of the header.
    pub name: &'static str,
    /// What it is, in words.
    pub what: &'static str,
}

const fn reserved(pin: u8, needed_for: Use, name: &'static str, what: &'static str) -> Reserved {
    Reserved { pin, needed_for, name, what }
}

/// All of them: who adds a device adds a row.
const RESERVED: [Reserved; 8] = [
    reserved(0, Use::Identity, "ID_SD", "the EEPROM by which a HAT says what it is"),
    reserved(1, Use::Identity, "ID_SC", "the EEPROM by which a HAT says what it is"),
    reserved(2, Use::Setup, "SDA", "the data by which a sound card on the pins is set up, I2C"),
    reserved(3, Use::Setup, "SCL", "the clock by which a sound card on the pins is set up, I2C"),
    reserved(18, Use::Sound, "PCM_CLK", "the bit clock of a sound card on the pins, I2S"),
    reserved(19, Use::Sound, "PCM_FS", "the frame clock of a sound card on the pins, I2S"),
    reserved(20, Use::Sound, "PCM_DIN", "the data from a sound card on the pins, I2S"),
    reserved(21, Use::Sound, "PCM_DOUT", "the data to a sound card on the pins, I2S"),
];

/// The pins that are needed for something.
pub fn pins_for(needed_for: Use) -> impl Iterator<Item = &'static Reserved> {
    RESERVED.iter().filter(move |one| one.needed_for == needed_for)
}

/// What this pin is needed for, if it is.
pub fn reserved_pin(pin: u8) -> Option<&'static Reserved> {
    RESERVED.iter().find(|one| one.pin == pin)
}

/// Whether there is a pin of this BCM number.
///
/// # Errors
/// In words: that there is none.
pub fn existing_pin(number: i64) -> Result<u8, String> {
    u8::try_from(number).ok().filter(|pin| *pin <= LAST).ok_or_else(|| {
        format!(
            "there is no GPIO {number} on the header: BCM numbers are 0 to {LAST}, not those of the pins in their rows"
        )
    })
}

/// Checks a BCM number for a control. The pins of I2S are the card's even where there is none: the kernel takes them.
/// Those over which a card is set up are free unless there is one, which is not known here.
///
/// # Errors
/// In words: that there is no such pin on the header, or what it is needed for.
pub fn header_pin(number: i64) -> Result<u8, String> {
    let pin = existing_pin(number)?;
    match reserved_pin(pin).filter(|one| one.needed_for != Use::Setup) {
        Some(Reserved { name, what, .. }) => Err(format!("GPIO {pin} is {what} ({name}); take another one")),
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
        let pins = |needed_for| pins_for(needed_for).map(|one| one.pin).collect::<Vec<_>>();
        assert_eq!([Use::Identity, Use::Setup, Use::Sound].map(pins), [vec![0, 1], vec![2, 3], vec![18, 19, 20, 21]]);
    }
}
