//! What the light on the box says, for those who tell of it or ask for it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// What the light says: the most urgent first. Of those that hold, the first one is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LightState {
    /// No block was rendered and played for a while.
    Silent,
    /// Somebody wants to know which box this is.
    Identify,
    /// The sound card was there and is gone.
    CardLost,
    /// A worker ended, or the engine before this one did, and the sound went on.
    FaultSurvived,
    /// It plays, and one more fault would be heard.
    OneWorker,
    /// Something is on its way to the card: the power is to be left on.
    Saving,
    /// chronus.toml has a mistake, or nothing is kept; the number is the code of what it is, 1 or more.
    ConfigurationError(u8),
    /// It plays, and no sound card is there to play it.
    Waiting,
    /// The first block has not been played yet.
    Starting,
    /// Two workers, a sound card if one is wanted, nothing to say.
    Healthy,
}

impl LightState {
    /// As it is told to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Identify => "identify",
            Self::CardLost => "card-lost",
            Self::FaultSurvived => "fault-survived",
            Self::OneWorker => "one-worker",
            Self::Saving => "saving",
            Self::ConfigurationError(_) => "configuration-error",
            Self::Waiting => "waiting-for-card",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
        }
    }

    /// What it looks like, in words; TROUBLESHOOTING.md has more of them.
    pub fn looks(self) -> &'static str {
        match self {
            Self::Silent => "flickering, ten times a second",
            Self::Identify => "blinking evenly, twice a second",
            Self::CardLost => "two short blinks, over and over",
            Self::FaultSurvived => "solid, with one flash of dark",
            Self::OneWorker => "solid, with a short wink every two seconds",
            Self::Saving => "a long and a short blink, over and over",
            Self::ConfigurationError(_) => "a counted number of blinks, then a pause",
            Self::Waiting | Self::Starting => "blinking slowly, a second on and a second off",
            Self::Healthy => "solid",
        }
    }

    /// How often it blinks, where that is a code; else 0.
    pub fn code(self) -> u8 {
        if let Self::ConfigurationError(code) = self { code } else { 0 }
    }

    /// The number that stands for it in an atomic: its place in this list, and the code above that.
    fn number(self) -> u32 {
        let place = Self::all(self.code()).iter().position(|state| *state == self).unwrap_or(0);
        place as u32 | u32::from(self.code()) << 8
    }

    fn from_number(number: u32) -> Self {
        let code = (number >> 8) as u8;
        Self::all(code).get((number & 0xff) as usize).copied().unwrap_or(Self::Silent)
    }

    /// All states, the most urgent first, with this code where there is one.
    pub fn all(code: u8) -> [Self; 10] {
        [
            Self::Silent,
            Self::Identify,
            Self::CardLost,
            Self::FaultSurvived,
            Self::OneWorker,
            Self::Saving,
            Self::ConfigurationError(code),
            Self::Waiting,
            Self::Starting,
            Self::Healthy,
        ]
    }
}

/// What there is to tell of the light, and what is asked of it.
#[derive(Default)]
pub struct LightCounters {
    state: AtomicU32,
    identify_until: AtomicU64,
    lamp: OnceLock<String>,
}

impl LightCounters {
    /// What it says.
    pub fn get(&self) -> LightState {
        LightState::from_number(self.state.load(Ordering::Relaxed))
    }

    /// Sets what it says. For the light's thread alone.
    pub fn set(&self, state: LightState) {
        self.state.store(state.number(), Ordering::Relaxed);
    }

    /// Has it say which box this is, until that time on CLOCK_MONOTONIC in nanoseconds.
    pub fn identify_until(&self, time: u64) {
        self.identify_until.store(time, Ordering::Relaxed);
    }

    /// Until when it is to say which box this is; 0 if that was never asked.
    pub fn identifies_until(&self) -> u64 {
        self.identify_until.load(Ordering::Relaxed)
    }

    /// Says once what shows it.
    pub fn name_lamp(&self, name: &str) {
        let _ = self.lamp.set(name.to_owned());
    }

    /// What shows it; `off` if nothing does.
    pub fn lamp(&self) -> &str {
        self.lamp.get().map_or("off", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_comes_out_as_it_went_in_and_the_list_is_in_order() {
        let counters = LightCounters::default();
        assert_eq!(counters.get(), LightState::Silent, "before anybody has looked nothing is claimed");
        for state in LightState::all(9) {
            counters.set(state);
            assert_eq!(counters.get(), state);
        }
        assert!(LightState::all(3).is_sorted());
    }
}
