//! From the engine's health to what the light says. Pure: it is told the time and all it may know.

use crate::report::{LightState, SoundCard};

/// Milliseconds after the last sign of sound for which the light may go on as it was. Blocks come every few
/// milliseconds, both workers hung at once cost some 100, and the light is to have left "solid" within two seconds.
pub const TRUST: u64 = 1500;

/// Milliseconds that a start may take before it counts as silence: a score of an hour is read in less.
const LONGEST_START: u64 = 10_000;

/// Milliseconds for which a fault is shown: the flash, and enough light after it to see another one.
const FAULT: u64 = 250;

/// Milliseconds without two workers before that is said: a replacement takes some 20, and is shown as a fault.
const ALONE: u64 = 250;

/// What the light may know, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Blocks were rendered and played since the look before this one.
    pub sounding: bool,
    /// Workers in lockstep.
    pub workers: usize,
    /// Faults survived so far; only its growth counts.
    pub faults: u64,
    /// What the sound card is doing.
    pub card: Option<SoundCard>,
    /// Something is being written that is to be kept.
    pub saving: bool,
    /// Somebody wants to know which box this is.
    pub identify: bool,
}

/// What is to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What the light says.
    pub state: LightState,
    /// Since when, in milliseconds.
    pub since: u64,
    /// Until when it may be shown if nothing more is heard, in milliseconds.
    pub until: u64,
}

/// Knows what was, as far as it matters for what is. Times are milliseconds of one clock.
pub struct StateMachine {
    /// The code of a mistake in the configuration, or of another, if there is one.
    code: Option<u8>,
    begun: u64,
    sounded: Option<u64>,
    faults: u64,
    fault: Option<u64>,
    redundant: u64,
    shown: Shown,
}

impl StateMachine {
    /// At the start of the engine, with the code of a mistake in the configuration, if there is one.
    pub fn new(now: u64, code: Option<u8>) -> Self {
        let shown = Shown { state: LightState::Starting, since: now, until: now + TRUST };
        Self { code, begun: now, sounded: None, faults: 0, fault: None, redundant: now, shown }
    }

    /// Notes a code that was not known at the start; one that was is shown first.
    pub fn note_code(&mut self, code: u8) {
        self.code.get_or_insert(code);
    }

    /// What is to be shown from now on.
    pub fn look(&mut self, health: &Health, now: u64) -> Shown {
        let first = health.sounding && self.sounded.is_none();
        if health.sounding {
            self.sounded = Some(now);
        }
        if health.workers > 1 || first {
            self.redundant = now;
        }
        // Without sound nothing was survived yet: it is told when there is some. And one at a time: flash upon flash would
        // look like silence.
        let shows_one = self.fault.is_some_and(|fault| now < fault + FAULT);
        if self.sounded.is_some() && health.faults > self.faults && !shows_one {
            (self.faults, self.fault) = (health.faults, Some(now));
        }
        let state = LightState::all(self.code.unwrap_or(0)).into_iter().find(|state| self.holds(*state, health, now));
        let state = state.unwrap_or(LightState::Healthy);
        let again = state == LightState::FaultSurvived && self.fault == Some(now);
        if state != self.shown.state || again {
            self.shown = Shown { state, since: now, until: now };
        }
        self.shown.until = self.sounded.unwrap_or(now) + TRUST;
        self.shown
    }

    fn holds(&self, state: LightState, health: &Health, now: u64) -> bool {
        let plays = self.sounded.is_some();
        match state {
            LightState::Silent => {
                self.sounded.map_or(now >= self.begun + LONGEST_START, |sounded| now >= sounded + TRUST)
            }
            LightState::Identify => health.identify,
            LightState::CardLost => plays && health.card == Some(SoundCard::Lost),
            LightState::FaultSurvived => self.fault.is_some_and(|fault| now < fault + FAULT),
            LightState::OneWorker => plays && now >= self.redundant + ALONE,
            LightState::Saving => plays && health.saving,
            LightState::ConfigurationError(_) => plays && self.code.is_some(),
            LightState::Waiting => plays && health.card == Some(SoundCard::Waiting),
            LightState::Starting => !plays,
            LightState::Healthy => true,
        }
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
