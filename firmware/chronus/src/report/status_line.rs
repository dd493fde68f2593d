//! The one line that stays alive at the bottom of a terminal.

use std::io::{IsTerminal, Write};
use std::sync::atomic::Ordering;

use super::counters::{Counters, SlotState};

/// Writes the line, where standard error is a terminal; otherwise does nothing.
pub struct StatusLine {
    terminal: bool,
}

impl StatusLine {
    /// A line on this process's standard error.
    pub fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal() }
    }

    /// Writes the line anew.
    pub fn update(&self, counters: &Counters, rate: u32) {
        if self.terminal {
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

fn text(counters: &Counters, rate: u32) -> String {
    let blocks = counters.blocks.load(Ordering::Relaxed);
    let seconds = blocks * abi::FRAMES as u64 / u64::from(rate);
    let peak = counters.take_peak();
    let level = if peak > 0.0 { format!("{:6.1} dB", 20.0 * peak.log10()) } else { "   silence".to_owned() };
    let slots: Vec<_> =
        counters.slots.iter().map(|slot| slot.state()).filter(|state| *state != SlotState::Off).collect();
    let slots: Vec<_> = slots.iter().enumerate().map(|(number, state)| format!("{number}:{}", state.name())).collect();
    let survived: u64 = counters.slots.iter().map(|slot| slot.deaths.load(Ordering::Relaxed)).sum();
    format!(
        "{}:{:02}  block {blocks}  {level}  slots {}  late blocks {}  kills survived {survived}",
        seconds / 60,
        seconds % 60,
        slots.join(" "),
        counters.late_blocks.load(Ordering::Relaxed),
    )
}
