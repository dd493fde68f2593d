use super::*;
use crate::appliance::MadeUp;
use crate::light::KEEPS_NOTHING;
use crate::settings::keys::SECTIONS;

#[test]
fn pins_that_are_taken_or_absent_are_refused_by_name() {
    for (text, said) in [
        ("gpio:0", "ID_SD"),
        ("gpio:1", "ID_SC"),
        ("gpio:28", "no GPIO 28"),
        ("gpio:-1", "BCM number"),
        ("gpio", "BCM number"),
        ("led:../x", "ls /sys/class/leds"),
        ("led:", "led:NAME"),
        ("on", "gpio:N"),
    ] {
        let wrong = check_light(text).expect_err(text);
        assert!(wrong.contains(said), "{text}: {wrong}");
    }
    for text in ["gpio:2", "gpio:18", "gpio:27", "led:ACT", "led:chronus:status", "off"] {
        check_light(text).expect(text);
    }
}

#[test]
fn pins_of_a_sound_card_are_refused_where_there_is_one() {
    let made_up = MadeUp::new("led");
    let check = |pin, hat| check_beside(&LightChoice::Gpio(pin), hat, &made_up.machine());
    // One that needs nothing but the sound, and one that is set up over I2C as well.
    for (name, setup) in [("hifiberry-dac", 0..0), ("hifiberry-dacplus", 2..4)] {
        let card = Hat::named(name).unwrap();
        for pin in 2..=27 {
            let refused = check(pin, card).err();
            assert_eq!(refused.is_some(), (18..=21).contains(&pin) || setup.contains(&pin), "{name} {pin}");
            assert!(
                refused.is_none_or(|wrong| wrong.contains(name) && (wrong.contains("PCM_") || wrong.contains("I2C")))
            );
            assert!(check(pin, Hat::None).is_ok() && check(pin, Hat::Auto).is_ok());
        }
    }
    made_up.write("proc/device-tree/hat/product", "DAC");
    assert!(check(18, Hat::Auto).unwrap_err().contains("PCM_CLK"));
    assert!(check(3, Hat::Auto).unwrap_err().contains("SCL"));
    assert!(check(18, Hat::None).is_ok() && check(23, Hat::Auto).is_ok());
}

#[test]
fn the_firmware_is_told_of_the_light_and_i2s_keeps_off_its_pin() {
    let card = Hat::named("hifiberry-dac").unwrap();
    let led = "dtoverlay=gpio-led,gpio=23,label=chronus:status,trigger=timer\n";
    let off = LightChoice::Off;
    for (hat, light, doubt, lines) in [
        (Hat::None, &off, false, "dtoverlay=\ndtparam=i2s=on\n".to_owned()),
        (card, &off, false, "dtoverlay=\ndtoverlay=hifiberry-dac\ndtoverlay=\ndtparam=i2s=on\n".to_owned()),
        (
            card,
            &LightChoice::Gpio(23),
            false,
            format!("dtoverlay=\ndtoverlay=hifiberry-dac\n{led}dtoverlay=\ndtparam=i2s=on\n"),
        ),
        (Hat::None, &LightChoice::Gpio(18), false, format!("dtoverlay=\n{}dtoverlay=\n", led.replace("23", "18"))),
        (card, &off, true, "dtoverlay=\ndtoverlay=hifiberry-dac\ndtoverlay=\n# light: as it is\n".to_owned()),
        (Hat::Auto, &off, true, Hat::Auto.firmware_lines() + "# light: as it is\n"),
    ] {
        assert_eq!(firmware_lines(hat, light, doubt), lines);
    }
    // A card that says itself what it is must not be kept from it by an empty overlay before all else.
    let auto = firmware_lines(Hat::Auto, &LightChoice::Gpio(23), false);
    let said: Vec<_> = auto.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(said, [led.trim_end(), "dtoverlay=", "dtparam=i2s=on"]);
    assert!(auto.lines().all(|line| line.len() <= 98), "what the firmware reads of a line");
}

#[test]
fn each_section_has_a_code_of_its_own_and_the_first_mistake_counts() {
    for section in SECTIONS {
        assert!(CODES.iter().any(|(name, _)| *name == section), "{section}");
    }
    assert!(CODES.windows(2).all(|pair| pair[1].1 == pair[0].1 + 1) && CODES[0].1 == 2);
    let error = |section| Finding { section, ..Finding::error(Some(1), String::new()) };
    let warning = Finding { section: Some("box"), ..Finding::warning(None, String::new()) };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(std::slice::from_ref(&warning)), 0);
    assert_eq!(code(&[error(Some("osc")), error(Some("audio")), warning]), 3);
    assert_eq!(code(&[error(Some("audio")), error(None)]), 1);
}

#[test]
fn a_light_of_which_nothing_can_be_read_stays_what_it_is() {
    let made_up = MadeUp::new("led-doubt");
    let machine = made_up.machine();
    assert_eq!(light(None, true, &machine), LightChoice::Off);
    made_up.write("sys/class/leds/chronus:status/brightness", "0");
    assert_eq!(light(None, true, &machine), LightChoice::Kernel(BOX_LIGHT.to_owned()));
    assert_eq!(light(None, false, &machine), LightChoice::Off);
    assert_eq!(light(Some(LightChoice::Gpio(4)), true, &machine), LightChoice::Gpio(4));
}

#[test]
fn the_page_for_those_who_look_at_the_light_has_every_state_and_every_code() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../TROUBLESHOOTING.md");
    let page = std::fs::read_to_string(page).unwrap();
    for state in crate::report::LightState::all(1) {
        assert!(page.contains(&format!("`{}`", state.name())), "{state:?}");
    }
    for (section, code) in CODES {
        let rows = [format!("| {code} | `[{section}]` |"), format!("| {code} | `[[{section}]]` |")];
        assert!(rows.iter().any(|row| page.contains(row)), "{rows:?}");
    }
    assert!(CODES.iter().all(|(_, code)| *code < KEEPS_NOTHING), "a mistake is shown before it");
    assert!(page.contains(&format!("| {KEEPS_NOTHING} | nothing in the file: DATA")));
}
