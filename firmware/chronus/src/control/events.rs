//! What happens to the engine, for subscribers: told from counters, by comparing what they are with what each was told. So
//! nothing is queued, and what could not be sent is told at the next look.

use std::sync::atomic::Ordering;

use rosc::{OscMessage, OscPacket, OscType};

use super::Quarantine;
use crate::report::Counters;

/// A slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    deaths: u64,
    epoch: u64,
    /// When the last death was known, and when it was last whole again, in nanoseconds of CLOCK_MONOTONIC.
    down: u64,
    up: u64,
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    slots: [Slot; 2],
    late_blocks: u64,
    xruns: u64,
    quarantined: u64,
    recordings: u64,
}

fn message(address: &str, arguments: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_owned(), args: arguments })
}

fn long(number: u64) -> OscType {
    OscType::Long(number as i64)
}

impl Happened {
    /// What has happened until now.
    pub fn by_now(counters: &Counters) -> Self {
        let slots = counters.slots.each_ref().map(|slot| Slot {
            deaths: slot.deaths.load(Ordering::Relaxed),
            epoch: slot.epoch.load(Ordering::Relaxed),
            down: slot.death_known.load(Ordering::Relaxed),
            up: slot.redundant.load(Ordering::Relaxed),
        });
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            slots,
            late_blocks: read(&counters.late_blocks),
            xruns: read(&counters.xruns),
            quarantined: read(&counters.quarantined),
            recordings: counters.record.changes(),
        }
    }

    /// A message for each kind of thing that has happened since `told`, with how often in all.
    pub fn since(&self, told: &Self, quarantine: &Quarantine, counters: &Counters) -> Vec<OscPacket> {
        let mut news = Vec::new();
        for (number, (slot, told)) in (0..).zip(self.slots.iter().zip(&told.slots)) {
            let down = || message("/slot/down", vec![OscType::Int(number), long(slot.deaths)]);
            let up = || message("/slot/up", vec![OscType::Int(number), long(slot.epoch)]);
            let mut of_slot = Vec::new();
            of_slot.extend((slot.deaths > told.deaths).then(down));
            of_slot.extend((slot.up > told.up).then(up));
            // As it was last comes last.
            if slot.down > slot.up {
                of_slot.reverse();
            }
            news.extend(of_slot);
        }
        if self.late_blocks > told.late_blocks {
            let numbers = [self.late_blocks - told.late_blocks, self.late_blocks].map(long);
            news.push(message("/late/blocks", numbers.to_vec()));
        }
        if self.xruns > told.xruns {
            news.push(message("/xrun", vec![long(self.xruns)]));
        }
        if self.quarantined > told.quarantined {
            let newest = quarantine.newest().unwrap_or_else(|| "-".to_owned());
            news.push(message("/quarantine", vec![long(self.quarantined), OscType::String(newest)]));
        }
        if self.recordings > told.recordings {
            let recorded = counters.record.get();
            let state = if recorded.going_on { "recording" } else { recorded.why.as_ref().map_or("off", |_| "failed") };
            let words = [state.to_owned(), recorded.file.unwrap_or_default(), recorded.why.unwrap_or_default()];
            news.push(message("/record/state", words.map(OscType::String).to_vec()));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::count;

    fn addresses(news: Vec<OscPacket>) -> Vec<String> {
        let address = |packet| match packet {
            OscPacket::Message(message) => message.addr,
            OscPacket::Bundle(_) => panic!("messages"),
        };
        news.into_iter().map(address).collect()
    }

    #[test]
    fn what_has_happened_is_told_once_and_a_slot_last_as_it_is() {
        let (counters, quarantine) = (Counters::default(), Quarantine::default());
        let told = Happened::by_now(&counters);
        let news = |told: &Happened| addresses(Happened::by_now(&counters).since(told, &quarantine, &counters));
        assert!(news(&told).is_empty());
        let slot = &counters.slots[1];
        count(&slot.deaths);
        slot.death_known.store(5, Ordering::Relaxed);
        assert_eq!(news(&told), ["/slot/down"]);
        slot.redundant.store(6, Ordering::Relaxed);
        assert_eq!(news(&told), ["/slot/down", "/slot/up"]);
        slot.death_known.store(7, Ordering::Relaxed);
        assert_eq!(news(&told), ["/slot/up", "/slot/down"]);
        let told = Happened::by_now(&counters);
        for counter in [&counters.late_blocks, &counters.xruns, &counters.quarantined] {
            count(counter);
        }
        counters.record.change(|recorded| recorded.going_on = true);
        assert_eq!(news(&told), ["/late/blocks", "/xrun", "/quarantine", "/record/state"]);
        assert!(news(&Happened::by_now(&counters)).is_empty());
    }
}
