//! Looks now and then whether the machine is as a box should be, for the status.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::pause;
use crate::appliance::{Machine, Report};
use crate::report::Counters;

/// Time between two looks. One takes some milliseconds of the control core; nothing of what is looked at changes often.
const INTERVAL: Duration = Duration::from_secs(60);

/// Time from the first block to the first look: by then the start is over, and all are where they belong.
const SETTLED: Duration = Duration::from_secs(10);

/// Looks until the engine stops. `first` is the block it begins with.
pub fn watch(counters: &Counters, first: u64, stop: &AtomicBool) {
    while counters.blocks.load(Ordering::Relaxed) <= first && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut wait = SETTLED;
    while pause(wait, stop) {
        counters.selftest.set(Report::known(&Machine::of_engine()).sum);
        wait = INTERVAL;
    }
}
