//! The box's name in the network.

use crate::appliance::Machine;

/// The name of a box of which nothing is known.
const PLAIN: &str = "chronus";

/// Checks a host name and gives it as it is used.
///
/// # Errors
/// In words: what a name is made of.
pub fn checked_name(name: &str) -> Result<String, String> {
    let lower = name.to_ascii_lowercase();
    let letters = lower.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    // The length of a part of a name in the network's name service.
    if !letters || lower.len() > 63 || lower.is_empty() || lower.starts_with('-') || lower.ends_with('-') {
        return Err(
            "a name is made of letters a to z, digits and -, at most 63, and neither begins nor ends with -".to_owned()
        );
    }
    if lower == "localhost" {
        return Err("this name means the machine one sits at, everywhere".to_owned());
    }
    Ok(lower)
}

/// The name of a box that was given none: by the end of its serial number, or else of its first network card's address,
/// so that two boxes in one network differ and each keeps its name.
pub fn default_name(machine: &Machine) -> String {
    let serial = machine.read("proc/device-tree/serial-number").ok().and_then(|number| last_digits(&number));
    let ending = serial.or_else(|| first_card(machine).and_then(|address| last_digits(&address)));
    ending.map_or_else(|| PLAIN.to_owned(), |ending| format!("{PLAIN}-{ending}"))
}

/// The last four hexadecimal digits; none if there are fewer, or if it is zeros, which stand for no number.
fn last_digits(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    let all_zero = digits.chars().all(|digit| digit == '0');
    let start = digits.len().checked_sub(4).filter(|_| !all_zero)?;
    Some(digits[start..].to_owned())
}

/// The address of the first network card with a cable. The kernel's own devices (lo, bridges) have no device behind
/// them; type 1 is Ethernet.
fn first_card(machine: &Machine) -> Option<String> {
    let read = |card: &str, file: &str| machine.read(&format!("sys/class/net/{card}/{file}")).ok();
    let has = |card: &str, file: &str| machine.has(&format!("sys/class/net/{card}/{file}"));
    let cards = machine.names("sys/class/net").into_iter();
    let mut wired = cards.filter(|card| {
        read(card, "type").as_deref() == Some("1")
            && has(card, "device")
            && !has(card, "wireless")
            && !has(card, "phy80211")
    });
    wired.find_map(|card| read(&card, "address"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::MadeUp;

    #[test]
    fn a_name_is_one_that_the_network_can_carry() {
        assert_eq!(checked_name("Stage-Left2").unwrap(), "stage-left2");
        let long = "x".repeat(64);
        for name in ["", "-a", "a-", "a b", "bühne", "a.b", "a\nb", "localhost", long.as_str()] {
            assert!(checked_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_name_comes_from_the_serial_number_else_from_the_card_else_from_nothing() {
        let made_up = MadeUp::new("name");
        assert_eq!(default_name(&made_up.machine()), "chronus");
        made_up.write("sys/class/net/lo/type", "772\n");
        made_up.write("sys/class/net/lo/address", "00:00:00:00:00:00\n");
        for (card, address) in
            [("eth0", "dc:a6:32:01:BE:EF\n"), ("eth1", "dc:a6:32:01:02:03\n"), ("docker0", "02:42:11:22:33:44\n")]
        {
            made_up.write(&format!("sys/class/net/{card}/type"), "1\n");
            made_up.write(&format!("sys/class/net/{card}/address"), address);
            if card != "docker0" {
                made_up.write(&format!("sys/class/net/{card}/device/vendor"), "0x1\n");
            }
        }
        assert_eq!(default_name(&made_up.machine()), "chronus-beef");
        made_up.write("proc/device-tree/serial-number", "10000000a1b2C3d4\0");
        assert_eq!(default_name(&made_up.machine()), "chronus-c3d4");
        made_up.write("proc/device-tree/serial-number", "0000000000000000\0");
        assert_eq!(default_name(&made_up.machine()), "chronus-beef");
    }
}
