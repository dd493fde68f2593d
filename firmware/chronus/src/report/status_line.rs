//! The one line that stays alive at the bottom of a terminal.

use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering;

use super::counters::{Counters, SlotState, SoundCard};

/// Writes the line, where standard error is a terminal; otherwise does nothing.
pub struct StatusLine {
    terminal: bool,
}

impl StatusLine {
    /// A line on this process's standard error.
    pub fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    /// Writes the line anew. Not before the engine has said what it is: that is several lines, of another thread.
    pub fn update(&self, counters: &Counters, rate: u32) {
        if self.terminal && counters.announced.load(Ordering::Acquire) {
            let _ = write!(std::io::stderr(), "\r\x1b[2K{}", text(counters, rate));
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

/// What fits in one line of the usual terminal of 80 columns. A longer line would wrap, and its first part would
/// stay behind at every update.
const MOST_COLUMNS: usize = 79;

fn text(counters: &Counters, rate: u32) -> String {
    let blocks = counters.blocks.load(Ordering::Relaxed);
    let seconds = blocks * abi::FRAMES as u64 / u64::from(rate);
    let peak = counters.take_peak();
    let card = counters.sound_card.get();
    let away = matches!(card, SoundCard::Waiting | SoundCard::Lost);
    // No wider than a level, which nobody hears without a card.
    let level = match peak {
        _ if away => "  no card".to_owned(),
        peak if peak > 0.0 => format!("{:6.1} dB", 20.0 * peak.log10()),
        _ => "   silence".to_owned(),
    };
    let slots = counters.slots.iter().map(|slot| slot.state()).filter(|state| *state != SlotState::Off);
    let slots: Vec<_> = slots.map(SlotState::name).collect();
    let survived: u64 = counters.slots.iter().map(|slot| slot.deaths.load(Ordering::Relaxed)).sum();
    let late = counters.late_blocks.load(Ordering::Relaxed);
    let clock = format!("{}:{:02}", seconds / 60, seconds % 60);
    let time = format!("{clock}  block {blocks}");
    let rest = format!("{}  late {late}  survived {survived}", slots.join(" "));
    let line = format!("{time}  {level}  {rest}");
    // After weeks the numbers are long. The level is what a listener knows anyway; that there is none is not.
    match line.len() > MOST_COLUMNS {
        true if away => format!("{clock}  {level}  {rest}"),
        true => format!("{time}  {rest}"),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_a_terminal_for_a_year() {
        let counters = Counters::default();
        counters.slots.iter().for_each(|slot| slot.set_state(SlotState::Lockstep));
        for (hours, kills) in [(0, 0), (1, 100), (24, 1000), (366 * 24, 1_000_000)] {
            counters.blocks.store(hours * 3600 * 96_000 / 256, Ordering::Relaxed);
            counters.late_blocks.store(kills / 10, Ordering::Relaxed);
            counters.slots[0].deaths.store(kills, Ordering::Relaxed);
            counters.note_peak(1e-30);
            let line = text(&counters, 96_000);
            assert!(line.len() <= MOST_COLUMNS, "{} columns: {line}", line.len());
            assert!(line.ends_with(&format!("lockstep lockstep  late {}  survived {kills}", kills / 10)), "{line}");
            assert_eq!(line.contains("dB"), hours < 100, "{line}");
            for (card, told) in [(SoundCard::Waiting, true), (SoundCard::Lost, true), (SoundCard::Playing, false)] {
                counters.sound_card.set(card);
                let line = text(&counters, 96_000);
                assert!(line.len() <= MOST_COLUMNS, "{} columns: {line}", line.len());
                assert_eq!(line.contains("no card"), told, "{line}");
            }
        }
    }
}
