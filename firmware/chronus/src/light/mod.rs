//! The light on the box: how the engine is doing, for whoever looks at it.
//!
//! `state` makes one state of the engine's health, `pattern` says what each looks like, `armed` what the kernel is told so
//! that the light leaves "all is well" by itself when nobody says so any more, `lamp` is the light, `player` brings them
//! together. One thread on the control core looks ten times a second; the audio path knows nothing of it.

mod armed;
mod choice;
mod health;
#[cfg(test)]
mod kernel;
mod lamp;
mod pattern;
mod player;
mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::audio::SharedMemory;
use crate::report::{Counters, data_word, keeps_nothing};
pub use choice::{BOX_LIGHT, LightChoice};
use health::Watcher;
use lamp::Lamp;
use player::Player;
use state::StateMachine;

/// Nanoseconds for which the light says which box it is, once asked.
pub const IDENTIFY: u64 = 5 * rt::clock::NANOSECONDS;

/// Time between two looks: a fault is shown within a tenth of a second.
const LOOK: Duration = Duration::from_millis(100);

/// How often it blinks where nothing is kept over power cuts; mistakes in the file have smaller numbers.
pub const KEEPS_NOTHING: u8 = 9;

/// What the thread works with.
pub struct Light {
    /// Which light.
    pub choice: LightChoice,
    /// The code of a mistake in the configuration; 0 for none.
    pub code: u8,
    /// The file that says what became of the DATA partition, on a box.
    pub data: Option<PathBuf>,
    /// Engines before this one that were ended in this performance.
    pub restarts: u64,
    /// The block with which this engine began.
    pub first: u64,
    /// Where health is read, and what the light says is noted.
    pub counters: Arc<Counters>,
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// Set when the engine stops; then the thread is unparked.
    pub stop: Arc<AtomicBool>,
}

impl Light {
    /// Shows how the engine is doing until it stops. Without a lamp it still says so to those who ask.
    pub fn run(self) {
        let mut player = self.open().map(Player::new);
        let begun = Instant::now();
        let now = || begun.elapsed().as_millis() as u64;
        let mut machine = StateMachine::new(0, Some(self.code).filter(|code| *code > 0));
        let mut watcher = Watcher::new(self.first, self.restarts);
        let mut data = self.data.as_deref();
        while !self.stop.load(Ordering::Acquire) {
            // It may come after the engine, and is said once.
            if let Some(word) = data.and_then(data_word) {
                data = None;
                if keeps_nothing(word) {
                    machine.note_code(KEEPS_NOTHING);
                }
            }
            let shown = machine.look(&watcher.look(&self.counters, &self.memory), now());
            self.counters.light.set(shown.state);
            let next_look = now() + LOOK.as_millis() as u64;
            // A light that is switched by us has edges between two looks.
            while !self.stop.load(Ordering::Acquire) && now() < next_look {
                let left = next_look.saturating_sub(now());
                let wait = player.as_mut().map_or(left, |player| player.show(&shown, now()).min(left));
                std::thread::park_timeout(Duration::from_millis(wait.max(1)));
            }
        }
        if let Some(player) = &mut player {
            player.end();
        }
    }

    fn open(&self) -> Option<Lamp> {
        let folder = self.choice.folder()?;
        let lamp = Lamp::open(&folder).or_else(|reason| match self.choice {
            LightChoice::Gpio(pin) => Lamp::on_pin(pin).map_err(|other| format!("{reason}, and {other}")),
            _ => Err(reason),
        });
        match lamp {
            Ok(lamp) => {
                if matches!(lamp, Lamp::Switched(_)) {
                    log::warn!(
                        "the kernel does not blink the light {} by itself (it has no device, or no trigger `pattern`): the \
                         engine switches it, and it stays as it is if the engine is killed",
                        self.choice
                    );
                }
                self.counters.light.name_lamp(&self.choice.to_string());
                Some(lamp)
            }
            Err(reason) => {
                log::warn!("there is no light {}: {reason}; the engine plays without one", self.choice);
                self.counters.light.name_lamp(&format!("none: {reason}"));
                None
            }
        }
    }
}
