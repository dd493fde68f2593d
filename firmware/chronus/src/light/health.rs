//! Reads what the light may know.

use std::sync::atomic::{AtomicU64, Ordering};

use super::state::Health;
use crate::audio::SharedMemory;
use crate::report::{Counters, SlotState};

/// Knows what it saw at the last look.
pub struct Watcher {
    played: u64,
    rendered: u64,
    /// Engines before this one that were ended: faults that were survived.
    restarts: u64,
    /// Looks in a row at which something was being written.
    writing: u32,
}

/// Looks, of which there are ten a second, after which something that is being written takes long enough to be shown: a
/// card that is well has it within one. What is only changed and waits to be written is none: the power may be pulled.
const SLOW: u32 = 2;

impl Watcher {
    /// Of an engine that begins with the block `first`, after so many others.
    pub fn new(first: u64, restarts: u64) -> Self {
        Self { played: first, rendered: first, restarts, writing: 0 }
    }

    /// How it is now.
    pub fn look(&mut self, counters: &Counters, memory: &SharedMemory) -> Health {
        let rendered = memory.slots.iter().map(|slot| slot.published()).max().unwrap_or(0);
        self.health(counters, rendered)
    }

    fn health(&mut self, counters: &Counters, rendered: u64) -> Health {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let played = read(&counters.blocks);
        // As for the watchdog: a silence that is played by nobody is none that is well.
        let sounding = played > self.played && rendered > self.rendered;
        if sounding {
            (self.played, self.rendered) = (played, rendered);
        }
        self.writing = if counters.is_writing() { self.writing.saturating_add(1) } else { 0 };
        let slots = &counters.slots;
        Health {
            sounding,
            workers: slots.iter().filter(|slot| slot.state() == SlotState::Lockstep).count(),
            faults: self.restarts + slots.iter().map(|slot| read(&slot.deaths)).sum::<u64>(),
            card: Some(counters.sound_card.get()),
            saving: self.writing >= SLOW,
            identify: rt::clock::monotonic() < counters.light.identifies_until(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{PatchState, SoundCard};

    #[test]
    fn it_sounds_when_blocks_were_rendered_and_played_and_not_otherwise() {
        let counters = Counters::default();
        let mut watcher = Watcher::new(100, 0);
        let looks = [(0, 100), (100, 102), (101, 103), (102, 103), (103, 103), (103, 105), (104, 105)];
        let sounding = looks.map(|(played, rendered)| {
            counters.blocks.store(played, Ordering::Relaxed);
            watcher.health(&counters, rendered).sounding
        });
        assert_eq!(sounding, [false, false, true, false, false, true, false]);
    }

    #[test]
    fn what_is_counted_is_what_is_told() {
        let counters = Counters::default();
        let mut watcher = Watcher::new(0, 2);
        assert_eq!(
            watcher.health(&counters, 0),
            Health { faults: 2, card: Some(SoundCard::None), ..Health::default() }
        );
        counters.slots.iter().for_each(|slot| slot.set_state(SlotState::Lockstep));
        counters.slots[1].deaths.store(3, Ordering::Relaxed);
        counters.sound_card.set(SoundCard::Lost);
        let writing = counters.write();
        counters.light.identify_until(u64::MAX);
        assert!(!watcher.health(&counters, 0).saving, "what is written at once is not shown");
        let health = watcher.health(&counters, 0);
        let card = Some(SoundCard::Lost);
        assert_eq!(health, Health { sounding: false, workers: 2, faults: 5, card, saving: true, identify: true });
        counters.light.identify_until(1);
        counters.slots[0].set_state(SlotState::Behind);
        drop(writing);
        let health = watcher.health(&counters, 0);
        assert_eq!((health.workers, health.saving, health.identify), (1, false, false));
        // What was changed and is written soon: whoever pulls the power loses that, and harms nothing.
        counters.patch.set(PatchState::Changed);
        assert!((0..20).all(|_| !watcher.health(&counters, 0).saving));
    }
}
