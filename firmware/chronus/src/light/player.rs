//! Shows a state on a lamp. Times are milliseconds of one clock, which the caller has.

use super::armed;
use super::lamp::Lamp;
use super::pattern::Pattern;
use super::state::Shown;
use crate::report::LightState;

/// Time after which the kernel is told anew, though nothing has changed: a third of the time it trusts us, so that a
/// thread that is late, and late again, is not taken for dead.
const REARM: u64 = super::state::TRUST / 3;

/// A lamp, and what it shows.
pub struct Player {
    lamp: Lamp,
    /// What the kernel was told last, and when; or what was switched.
    told: Option<(LightState, u64, u64)>,
    switched: Option<bool>,
    complained: bool,
}

impl Player {
    /// A lamp of which nothing is known.
    pub fn new(lamp: Lamp) -> Self {
        Self { lamp, told: None, switched: None, complained: false }
    }

    /// Shows it. Gives the milliseconds after which this has to be called again, at the latest.
    pub fn show(&mut self, shown: &Shown, now: u64) -> u64 {
        let phase = now - shown.since;
        match &mut self.lamp {
            Lamp::Kernel(lamp) => {
                let left = self.told.and_then(|(state, since, then)| {
                    let same = state == shown.state && since == shown.since;
                    (then + REARM).checked_sub(now).filter(|left| same && *left > 0)
                });
                if let Some(left) = left {
                    return left;
                }
                let trust = shown.until.saturating_sub(now);
                let done = lamp.arm(&armed::text(shown.state, phase, trust, lamp.brightness));
                self.told = Some((shown.state, shown.since, now));
                self.note(done);
                REARM
            }
            Lamp::Switched(switch) => {
                let segment = Pattern::of(shown.state).at(phase);
                let done = if self.switched == Some(segment.on) { Ok(()) } else { switch.set(segment.on) };
                self.switched = done.is_ok().then_some(segment.on);
                self.note(done);
                segment.length
            }
        }
    }

    /// Leaves it dark: the engine ends as it was asked to.
    pub fn end(&mut self) {
        let done = match &mut self.lamp {
            Lamp::Kernel(lamp) => lamp.arm("0 1000 0 0\n"),
            Lamp::Switched(switch) => switch.set(false),
        };
        self.note(done);
    }

    /// Says once that the light does not work, and once that it does again.
    fn note(&mut self, done: Result<(), String>) {
        match done {
            Ok(()) if std::mem::take(&mut self.complained) => log::info!("the light works again"),
            Err(reason) if !std::mem::replace(&mut self.complained, true) => {
                log::warn!("the light cannot be set: {reason}; the music goes on, and it is tried again");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
