//! The sound cards there are, as the kernel lists them.

use std::path::Path;

use super::choice::Description;

/// All sound cards of this machine. None where there is no sound, or it cannot be asked.
pub fn cards() -> Vec<Description> {
    let read = |name: &str| std::fs::read_to_string(Path::new("/proc/asound").join(name)).unwrap_or_default();
    let listed = listed(&read("cards"), &read("pcm"));
    listed
        .into_iter()
        .map(|(number, card)| with_place(card, Path::new(&format!("/sys/class/sound/card{number}/device"))))
        .collect()
}

/// The cards of the lists `cards` and `pcm` below /proc/asound, with their numbers.
fn listed(cards: &str, devices: &str) -> Vec<(u32, Description)> {
    // ` 2 [sndrpihifiberry]: HifiberryDacp - snd_rpi_hifiberry_dacplus`, and a line with the long name.
    let described = cards.lines().filter_map(|line| {
        let (number, rest) = line.split_once('[')?;
        let (id, rest) = rest.split_once("]: ")?;
        let (driver, name) = rest.split_once(" - ").unwrap_or((rest, rest));
        let [id, driver, name] = [id, driver, name].map(|word| word.trim().to_owned());
        let number = number.trim().parse().ok()?;
        Some((number, Description { id, driver, name, playback: playback(devices, number), ..Description::default() }))
    });
    described.collect()
}

/// The playback devices of a card: number and name.
fn playback(devices: &str, card: u32) -> Vec<(u32, String)> {
    // `02-00: HiFiBerry DAC+ HiFi pcm512x-hifi-0 : HiFiBerry DAC+ HiFi pcm512x-hifi-0 : playback 1 : capture 1`
    let of_card = devices.lines().filter_map(|line| {
        let (numbers, rest) = line.split_once(": ")?;
        let (number, device) = numbers.split_once('-')?;
        let plays = rest.split(" : ").any(|word| word.trim().starts_with("playback"));
        (number.trim().parse() == Ok(card) && plays).then_some(())?;
        Some((device.trim().parse().ok()?, rest.split(" : ").next().unwrap_or_default().trim().to_owned()))
    });
    of_card.collect()
}

/// The card with what /sys says of the device it is.
fn with_place(card: Description, device: &Path) -> Description {
    let last = |link: &Path| std::fs::read_link(link).ok()?.file_name().map(|name| name.to_string_lossy().into_owned());
    Description {
        bus: last(&device.join("subsystem")).unwrap_or_default(),
        in_device_tree: device.join("of_node").exists(),
        place: device.canonicalize().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
        ..card
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARDS: &str = " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
 1 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
10 [Device         ]: USB-Audio - USB Audio Device
                      C-Media Electronics Inc. USB Audio Device at usb-0000:01:00.0-1.2, full speed
";
    const DEVICES: &str = "00-00: MAI PCM i2s-hifi-0 : MAI PCM i2s-hifi-0 : playback 1
01-00: bcm2835 Headphones : bcm2835 Headphones : playback 8
10-00: USB Audio : USB Audio : playback 1 : capture 1
10-01: USB Audio #1 : USB Audio #1 : capture 1
";

    #[test]
    fn the_kernel_s_lists_are_read() {
        let found = listed(CARDS, DEVICES);
        let numbers: Vec<_> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [0, 1, 10]);
        let expected = Description {
            id: "Device".to_owned(),
            driver: "USB-Audio".to_owned(),
            name: "USB Audio Device".to_owned(),
            playback: vec![(0, "USB Audio".to_owned())],
            ..Description::default()
        };
        assert_eq!(found[2].1, expected);
        assert_eq!(found[1].1.playback, [(0, "bcm2835 Headphones".to_owned())]);
        assert_eq!(listed("--- no soundcards ---\n", ""), []);
        assert_eq!(listed(" [ ]: \n[x]: - \n-1 [a]: b - c\n", ":\n-: : \n"), []);
    }

    #[test]
    fn the_place_is_that_of_the_device_behind_the_link() {
        let folder = std::env::temp_dir().join(format!("chronus-found-{}", std::process::id()));
        let device = folder.join("devices/usb1/1-1/1-1.2/1-1.2:1.0");
        std::fs::create_dir_all(&device).unwrap();
        std::fs::create_dir_all(folder.join("bus/usb")).unwrap();
        std::os::unix::fs::symlink(folder.join("bus/usb"), device.join("subsystem")).unwrap();
        std::os::unix::fs::symlink(&device, folder.join("card")).unwrap();
        let card = with_place(Description::default(), &folder.join("card"));
        assert_eq!((card.bus.as_str(), card.in_device_tree), ("usb", false));
        assert!(card.place.ends_with("devices/usb1/1-1/1-1.2/1-1.2:1.0"), "{}", card.place);
        assert_eq!(with_place(Description::default(), Path::new("/nowhere")), Description::default());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
