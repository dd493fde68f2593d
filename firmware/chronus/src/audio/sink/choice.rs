//! Which sound card `--sink auto` takes, of those there are: a pure function of their descriptions.
//!
//! Cards are told apart by what they hang on, never by their numbers, which change from one start to the next. Of two
//! that are as good the one wins whose place in the machine (its path below /sys/devices, in which a USB port is
//! `1-1.2`) comes first: the same socket every time, whatever the kernel found first and named it.

use crate::report::{CardChoice, PassedOver};

/// A sound card, as the kernel describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Its id, by which it is opened.
    pub id: String,
    /// Its driver.
    pub driver: String,
    /// Its name, short and long.
    pub name: String,
    /// What it hangs on: `usb`, `pci`, `platform` and so on; "" if that is not known.
    pub bus: String,
    /// Whether the device tree describes it: that is so for what sits on the board or on its pins, and never for what
    /// can be plugged in.
    pub in_device_tree: bool,
    /// Its place in the machine: a path that is the same after every start.
    pub place: String,
    /// Its playback devices: number and name.
    pub playback: Vec<(u32, String)>,
}

/// How good a card is. In this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// On a Pi's pins: who puts a sound card there wants to hear it.
    Pins,
    /// Plugged in.
    Usb,
    /// In the machine.
    Other,
}

impl Rank {
    fn words(self) -> &'static str {
        match self {
            Self::Pins => "on the pins",
            Self::Usb => "at USB",
            Self::Other => "built in",
        }
    }
}

/// The card to be taken, if any, and why not the others.
pub fn choose(cards: &[Description]) -> CardChoice {
    let (mut good, mut never) = (Vec::new(), Vec::new());
    for card in cards {
        match why_never(card) {
            Some(why) => never.push((card, why)),
            None => good.push(card),
        }
    }
    good.sort_by_key(|card| (rank(card), card.place.clone(), card.id.clone()));
    never.sort_by_key(|(card, _)| (card.place.clone(), card.id.clone()));
    let best = good.first().copied();
    let after = good.iter().skip(1).map(|card| PassedOver { card: title(card), why: why_after(card, good[0]) });
    let never = never.into_iter().map(|(card, why)| PassedOver { card: title(card), why: why.to_owned() });
    CardChoice {
        device: best.map(device),
        card: best.map(title).unwrap_or_default(),
        why: best.map(|best| why_first(best, &good)).unwrap_or_default(),
        others: after.chain(never).collect(),
    }
}

/// Why a card is not taken even if it is the only one.
fn why_never(card: &Description) -> Option<&'static str> {
    if card.playback.is_empty() {
        return Some("it cannot play");
    }
    if says(card, "hdmi") || usable(card).is_none() {
        return Some("an HDMI output: a screen is no loudspeaker, and its sound is late");
    }
    if card.driver.starts_with("bcm2835") {
        return Some("the headphone jack of the board: pulses, and no converter");
    }
    // Where it is loaded it is for other programs.
    if ["Loopback", "Dummy"].contains(&card.driver.as_str()) {
        return Some("no hardware: nothing would be heard");
    }
    None
}

fn says(card: &Description, word: &str) -> bool {
    [&card.id, &card.driver, &card.name].iter().any(|text| text.to_lowercase().contains(word))
}

/// Its first playback device that is no HDMI output.
fn usable(card: &Description) -> Option<u32> {
    let sounds = card.playback.iter().filter(|(_, name)| !name.to_lowercase().contains("hdmi"));
    sounds.map(|(number, _)| *number).min()
}

fn rank(card: &Description) -> Rank {
    if card.bus == "usb" || card.driver == "USB-Audio" {
        return Rank::Usb;
    }
    // Where /sys cannot be asked the drivers of such cards still have a family name.
    if card.in_device_tree || says(card, "snd_rpi") || says(card, "sndrpi") { Rank::Pins } else { Rank::Other }
}

/// Its name for ALSA.
fn device(card: &Description) -> String {
    match usable(card) {
        Some(number) if number > 0 => format!("hw:CARD={},DEV={number}", card.id),
        _ => format!("hw:CARD={}", card.id),
    }
}

fn title(card: &Description) -> String {
    format!("{} ({})", card.id, card.name)
}

/// The end of a place, which tells two of a kind apart: the USB port, the address on the PCI bus.
fn socket(card: &Description) -> &str {
    let last = card.place.rsplit('/').next().unwrap_or_default();
    last.split(':').next().filter(|_| card.bus == "usb").unwrap_or(last)
}

fn why_first(best: &Description, good: &[&Description]) -> String {
    let alike = good.iter().filter(|card| rank(card) == rank(best)).count();
    let better = match rank(best) {
        Rank::Pins => "it is on the pins",
        Rank::Usb => "it is at USB, and none is on the pins",
        Rank::Other => "it is built in, and none is on the pins or at USB",
    };
    if alike > 1 {
        format!("{better}; of {alike} such its place comes first ({})", socket(best))
    } else {
        better.to_owned()
    }
}

fn why_after(card: &Description, best: &Description) -> String {
    if rank(card) == rank(best) {
        return format!("its place ({}) comes after that of the one taken ({})", socket(card), socket(best));
    }
    format!("it is {}, and the one taken is {}", rank(card).words(), rank(best).words())
}

#[cfg(test)]
#[path = "choice_tests.rs"]
mod choice_tests;
