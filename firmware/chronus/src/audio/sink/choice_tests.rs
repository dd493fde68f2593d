//! Cards of real machines, as /proc/asound and /sys tell of them.

use super::*;

fn card(id: &str, driver: &str, name: &str, bus: &str, place: &str, playback: &[(u32, &str)]) -> Description {
    Description {
        id: id.to_owned(),
        driver: driver.to_owned(),
        name: name.to_owned(),
        bus: bus.to_owned(),
        in_device_tree: false,
        place: format!("/sys/devices/{place}"),
        playback: playback.iter().map(|(number, name)| (*number, (*name).to_owned())).collect(),
    }
}

fn hdmi(number: u32) -> Description {
    let (name, place) = (format!("vc4-hdmi-{number}"), format!("platform/soc/fef0{number}700.hdmi"));
    let id = format!("vc4hdmi{number}");
    let tree = card(&id, "vc4-hdmi", &name, "platform", &place, &[(0, "MAI PCM i2s-hifi-0")]);
    Description { in_device_tree: true, ..tree }
}

fn headphones() -> Description {
    let place = "platform/soc/fe00b840.mailbox/bcm2835-audio";
    card("Headphones", "bcm2835_headpho", "bcm2835 Headphones", "vchiq-bus", place, &[(0, "bcm2835 Headphones")])
}

fn hat() -> Description {
    let playback = [(0, "HiFiBerry DAC+ Pro HiFi pcm512x-hifi-0")];
    let name = "snd_rpi_hifiberry_dacplus";
    let tree = card("sndrpihifiberry", "HifiberryDacp", name, "platform", "platform/soc/soc:sound", &playback);
    Description { in_device_tree: true, ..tree }
}

fn usb(id: &str, port: &str) -> Description {
    let place = format!("platform/scb/fd500000.pcie/pci0000:00/0000:01:00.0/usb1/1-1/{port}/{port}:1.0");
    card(id, "USB-Audio", "USB Audio Device", "usb", &place, &[(0, "USB Audio")])
}

fn laptop() -> Description {
    let playback = [(0, "ALC257 Analog"), (3, "HDMI 0"), (7, "HDMI 1")];
    card("PCH", "HDA-Intel", "HDA Intel PCH", "pci", "pci0000:00/0000:00:1f.3", &playback)
}

/// What is taken of these, in whatever order the kernel has found them, and why not the others.
fn taken(cards: &[Description]) -> (Option<String>, CardChoice) {
    let choice = choose(cards);
    for turn in 0..cards.len() {
        let mut turned = cards.to_vec();
        turned.rotate_left(turn);
        assert_eq!(choose(&turned), choice, "the order decides");
        turned.reverse();
        assert_eq!(choose(&turned), choice, "the order decides");
    }
    assert_eq!(choice.others.len(), cards.len() - usize::from(choice.device.is_some()), "each is accounted for");
    (choice.device.clone(), choice)
}

fn why_not<'a>(choice: &'a CardChoice, id: &str) -> &'a str {
    let other = choice.others.iter().find(|other| other.card.starts_with(&format!("{id} ("))).expect("it is listed");
    &other.why
}

#[test]
fn a_card_on_the_pins_is_taken_before_all_others() {
    let (device, choice) = taken(&[hdmi(0), hdmi(1), headphones(), hat()]);
    assert_eq!(device.as_deref(), Some("hw:CARD=sndrpihifiberry"));
    assert_eq!(
        (choice.why.as_str(), choice.card.as_str()),
        ("it is on the pins", "sndrpihifiberry (snd_rpi_hifiberry_dacplus)")
    );
    assert!(why_not(&choice, "vc4hdmi0").contains("HDMI") && why_not(&choice, "Headphones").contains("jack"));
    let (device, choice) = taken(&[usb("Device", "1-1.1"), hdmi(0), hat(), laptop()]);
    assert_eq!(device.as_deref(), Some("hw:CARD=sndrpihifiberry"));
    assert_eq!(why_not(&choice, "Device"), "it is at USB, and the one taken is on the pins");
    // Without /sys there is still its name.
    let bare = Description { in_device_tree: false, bus: String::new(), place: String::new(), ..hat() };
    assert_eq!(taken(&[usb("Device", "1-1.1"), bare]).0.as_deref(), Some("hw:CARD=sndrpihifiberry"));
    // A simple card has a driver's name that says nothing; the device tree describes it.
    let simple = Description { id: "sound".into(), driver: "simple-card".into(), name: "simple-card".into(), ..hat() };
    assert_eq!(taken(&[usb("Device", "1-1.1"), simple]).0.as_deref(), Some("hw:CARD=sound"));
}

#[test]
fn a_usb_card_is_taken_where_none_is_on_the_pins() {
    let (device, choice) = taken(&[hdmi(0), hdmi(1), headphones(), usb("DAC", "1-1.2")]);
    assert_eq!(
        (device.as_deref(), choice.why.as_str()),
        (Some("hw:CARD=DAC"), "it is at USB, and none is on the pins")
    );
    let (device, choice) = taken(&[laptop(), usb("DAC", "1-1.2")]);
    assert_eq!(device.as_deref(), Some("hw:CARD=DAC"));
    assert_eq!(why_not(&choice, "PCH"), "it is built in, and the one taken is at USB");
}

#[test]
fn of_two_usb_cards_it_is_the_port_that_decides_and_neither_name_nor_order() {
    // Two of a kind: the kernel gives the plain name to whichever it finds first.
    for names in [["Device", "Device_1"], ["Device_1", "Device"]] {
        let (device, choice) = taken(&[usb(names[0], "1-1.2"), usb(names[1], "1-1.4")]);
        assert_eq!(device, Some(format!("hw:CARD={}", names[0])));
        assert_eq!(choice.why, "it is at USB, and none is on the pins; of 2 such its place comes first (1-1.2)");
        assert_eq!(why_not(&choice, names[1]), "its place (1-1.4) comes after that of the one taken (1-1.2)");
    }
}

#[test]
fn hdmi_the_headphone_jack_and_what_cannot_play_are_never_taken() {
    assert_eq!(taken(&[]).0, None);
    assert_eq!(taken(&[hdmi(0), hdmi(1)]).0, None);
    let microphone = Description { playback: vec![], ..usb("Microphone", "1-1.3") };
    let screen = card("HDMI", "HDA-Intel", "HDA ATI HDMI", "pci", "pci0000:00/0000:01:00.1", &[(3, "HDMI 0")]);
    let unnamed = card("NVidia", "HDA-Intel", "HDA NVidia", "pci", "pci0000:00/0000:02:00.1", &[(3, "HDMI 0")]);
    let old = card("b1", "bcm2835_hdmi", "bcm2835 HDMI 1", "platform", "platform/audio", &[(0, "bcm2835 HDMI 1")]);
    let loopback = card("Loopback", "Loopback", "Loopback", "platform", "platform/snd_aloop.0", &[(0, "Loopback PCM")]);
    let (device, choice) = taken(&[hdmi(0), headphones(), microphone, screen, unnamed, old, loopback]);
    assert_eq!(device, None);
    assert_eq!(why_not(&choice, "Microphone"), "it cannot play");
    assert!(["HDMI", "NVidia", "b1"].iter().all(|id| why_not(&choice, id).contains("an HDMI output")), "{choice:?}");
}

#[test]
fn a_laptop_has_its_own_card_and_not_the_screen_s_device_of_it() {
    let (device, choice) = taken(&[laptop()]);
    assert_eq!(device.as_deref(), Some("hw:CARD=PCH"));
    assert_eq!(choice.why, "it is built in, and none is on the pins or at USB");
    let late = Description { playback: vec![(0, "HDMI 0".into()), (2, "Analog".into())], ..laptop() };
    assert_eq!(taken(&[late]).0.as_deref(), Some("hw:CARD=PCH,DEV=2"));
    // Sound Open Firmware hangs on a platform of its own, which is no pins: no device tree describes it.
    let sof = card("sofhdadsp", "sof-hda-dsp", "sof-hda-dsp", "platform", "platform/skl_hda_dsp", &[(0, "HDA Analog")]);
    assert_eq!(taken(&[sof, usb("DAC", "1-1.2")]).0.as_deref(), Some("hw:CARD=DAC"));
}
