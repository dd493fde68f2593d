//! Looks at a performance until it is over, and finds out why blocks were late.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::performance::Performance;
use crate::progress::Progress;
use crate::watch::{Fault, INTERVAL, LastFault, Late, Look, judge};

/// What a watcher has seen.
pub struct Seen {
    /// Late blocks of all engines.
    pub late: Vec<Late>,
    /// How many late blocks of the last engine those are.
    pub counted: u64,
    /// Blocks played at the last look.
    pub block: u64,
    /// Processes of all workers.
    pub workers: BTreeSet<u32>,
}

/// The last two looks at one engine, and what all came to.
struct Watcher {
    seen: Seen,
    before: Look,
    current: Look,
    /// The last fault, at the current look.
    fault: Option<Fault>,
}

impl Watcher {
    fn new(first: Look) -> Self {
        let seen = Seen { late: Vec::new(), counted: 0, block: 0, workers: BTreeSet::new() };
        Self { seen, before: first.clone(), current: first, fault: None }
    }

    fn add(&mut self, after: Look, last_fault: &LastFault) {
        self.seen.workers.extend(after.workers());
        if let Some(late) = judge(&self.before, &self.current, &after, self.fault) {
            self.seen.counted += late.count;
            self.seen.late.push(late);
        }
        self.fault = *last_fault.lock().expect("nobody failed with it");
        self.before = std::mem::replace(&mut self.current, after);
    }

    /// The engine was killed after this last look, and the next has begun with this block: its counts begin anew.
    fn go_on(&mut self, last: &Look, began: u64, last_fault: &LastFault) {
        // Twice: a late block is judged at the look after it.
        self.add(last.clone(), last_fault);
        self.add(last.clone(), last_fault);
        self.seen.counted = 0;
        self.current = last.of_the_next(began);
        self.before = self.current.clone();
    }
}

/// Looks at the engine that plays, from the first look on, until it is over.
pub fn watch(
    performance: &Performance,
    first: Look,
    last_fault: &LastFault,
    over: &AtomicBool,
    progress: &Progress,
) -> Seen {
    let mut watcher = Watcher::new(first);
    let mut life = 0;
    // Two looks more than needed: the last late block is judged at the look after it.
    let mut left = 2;
    while left > 0 {
        left -= u64::from(over.load(Ordering::Relaxed));
        let (playing, after) = performance.look();
        while life < playing {
            let (ended, began) = performance.life(life);
            watcher.go_on(&ended.last, began, last_fault);
            life += 1;
        }
        let block = after.block;
        watcher.add(after, last_fault);
        let late = watcher.seen.late.iter().map(|late| late.count).sum();
        progress.show(block, late);
        std::thread::sleep(INTERVAL);
    }
    watcher.seen.block = watcher.current.block;
    watcher.seen
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::watch::tests::look;

    #[test]
    fn late_blocks_of_every_engine_are_seen_once() {
        let (last_fault, workers) = (Mutex::new(None), [(0, 0), (7, 0)]);
        let mut watcher = Watcher::new(look(0, 0, &workers));
        watcher.add(look(50, 2, &workers), &last_fault);
        watcher.go_on(&look(80, 3, &workers), 17, &last_fault);
        for time in [100, 150, 200] {
            watcher.add(look(time, 1, &[(0, 0), (8, 0)]), &last_fault);
        }
        let seen = watcher.seen;
        let late: Vec<_> = seen.late.iter().map(|late| (late.blocks, late.count)).collect();
        assert_eq!(late, [((0, 10), 2), ((10, 16), 1), ((17, 20), 1)]);
        assert_eq!((seen.counted, seen.workers), (1, BTreeSet::from([7, 8])));
    }
}
