//! Tells the service manager that sound runs; and nothing when it does not, so that it ends this process and starts
//! the next one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::{pause, store};
use crate::audio::SharedMemory;
use crate::report::{Counters, SlotState};

/// Looks within the time after which the service manager loses patience: one may come late, and another one.
const LOOKS: u32 = 4;

/// Knows whether blocks were played since it last looked.
struct Growth(u64);

impl Growth {
    /// Whether there are more blocks than ever before.
    fn look(&mut self, blocks: u64) -> bool {
        let has_grown = blocks > self.0;
        self.0 = self.0.max(blocks);
        has_grown
    }
}

/// Whether all is well. An engine that plays the silence of dead workers is not; one that is late with dear blocks is.
struct Pulse {
    played: Growth,
    rendered: Growth,
}

impl Pulse {
    /// Whether blocks were played and blocks were rendered since the last look.
    fn look(&mut self, played: u64, rendered: u64) -> bool {
        // Both, whatever the first one says: each has to remember.
        self.played.look(played) & self.rendered.look(rendered)
    }
}

/// Feeds the watchdog of the service manager until the engine stops, if there is one and it waits for this process.
/// `first` is the block the engine begins with.
pub fn feed(counters: &Counters, memory: &SharedMemory, first: u64, stop: &AtomicBool) {
    let Some(limit) = store::watchdog_limit() else { return };
    let interval = limit / LOOKS;
    let mut pulse = Pulse { played: Growth(first), rendered: Growth(first) };
    while pause(interval, stop) {
        let newest = memory.slots.iter().map(|slot| slot.published()).max().unwrap_or(0);
        let has_grown = pulse.look(counters.blocks.load(Ordering::Relaxed), newest);
        store::alive(has_grown, &words(counters, has_grown, interval));
    }
}

/// For `systemctl status`.
fn words(counters: &Counters, has_grown: bool, interval: Duration) -> String {
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let blocks = read(&counters.blocks);
    if !has_grown {
        return format!("no block was rendered and played for {} ms, after {blocks} blocks", interval.as_millis());
    }
    let used = counters.slots.iter().map(|slot| slot.state()).filter(|state| *state != SlotState::Off);
    let workers = used.map(SlotState::name).collect::<Vec<_>>().join(" ");
    let (late, card) = (read(&counters.late_blocks), counters.sound_card.get().name());
    format!("{blocks} blocks played, {late} late; workers {workers}; sound card {card}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_that_were_played_since_count() {
        let mut growth = Growth(100);
        // An engine that goes on counts from 0 until it knows where it is.
        let looks = [0, 100, 101, 101, 101, 300, 299, 301];
        assert_eq!(looks.map(|blocks| growth.look(blocks)), [false, false, true, false, false, true, false, true]);
    }

    #[test]
    fn the_silence_of_dead_workers_is_not_well() {
        let mut pulse = Pulse { played: Growth(0), rendered: Growth(0) };
        let looks = [(100, 102), (200, 102), (300, 102), (300, 104), (400, 302), (500, 303)];
        assert_eq!(
            looks.map(|(played, rendered)| pulse.look(played, rendered)),
            [true, false, false, false, true, true]
        );
    }

    #[test]
    fn the_words_say_whether_it_plays() {
        let counters = Counters::default();
        counters.blocks.store(700, Ordering::Relaxed);
        counters.slots[0].set_state(SlotState::Lockstep);
        let interval = Duration::from_millis(500);
        assert_eq!(words(&counters, true, interval), "700 blocks played, 0 late; workers lockstep; sound card none");
        assert_eq!(words(&counters, false, interval), "no block was rendered and played for 500 ms, after 700 blocks");
    }
}
