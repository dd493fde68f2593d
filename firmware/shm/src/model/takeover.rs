//! Who applies a command first, and who takes over when that one dies of it. The workers and the supervisor do here what
//! they do in package chronus (`worker/replica.rs`, `supervise`), in as few accesses as say the same.

use std::sync::atomic::{AtomicU64 as Count, Ordering::Relaxed};

use abi::{Operation, Stamp};
use loom::sync::Arc;

use super::{Block, check, killed_after};
use crate::{CommandPlace, LogMemory, LogReader, LogWriter, SlotMemory};

/// A command that every worker survives, and one that none does.
const HARMLESS: Operation = Operation::Gate(2, true);
const POISON: Operation = Operation::Gate(2, false);

/// What a step of a worker came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It is for the other one to go first.
    NotFirst,
    Rendered,
    /// Of the poison.
    Died,
}

/// One command, for block 0, which is sealed; two workers that have joined; slot 0 goes first.
struct Engine {
    log: LogMemory,
    slots: [SlotMemory; 2],
    /// How often the command was applied, by anybody; and by somebody before any worker had survived it. Not part of
    /// the memory that is checked.
    applied: Count,
    unproven: Count,
    survived: Count,
}

impl Engine {
    fn with(command: Operation) -> Arc<Self> {
        let log = LogMemory::fresh();
        LogWriter::new().add(&log, Stamp::start_of(0), command, 0).unwrap();
        log.seal_one();
        let slots = [SlotMemory::fresh(), SlotMemory::fresh()];
        slots.iter().for_each(|slot| slot.join(0));
        let none = || Count::new(0);
        Arc::new(Self { log, slots, applied: none(), unproven: none(), survived: none() })
    }

    /// The commands of block 0 that are not skipped.
    fn commands(&self) -> Vec<(CommandPlace, Operation)> {
        let mut reader = LogReader::new(&self.log, 0);
        let mut commands = Vec::new();
        while let Some(entry) = reader.peek(0).unwrap() {
            let place = CommandPlace::Log(reader.next_index());
            commands.extend((!entry.skipped).then_some((place, entry.command.operation)));
            reader.take();
        }
        commands
    }

    /// As `Replica::goes_now` for block 0.
    fn goes_now(&self, slot: usize) -> bool {
        self.log.first() == slot || self.slots[1 - slot].published() > 0 || self.commands().is_empty()
    }

    /// As `Replica::step` for block 0.
    fn step(&self, slot: usize) -> Step {
        if !self.goes_now(slot) {
            return Step::NotFirst;
        }
        let own = &self.slots[slot];
        for (place, operation) in self.commands() {
            own.note_applying(Some(place));
            self.applied.fetch_add(1, Relaxed);
            if self.survived.load(Relaxed) == 0 {
                self.unproven.fetch_add(1, Relaxed);
            }
            if operation == POISON {
                return Step::Died;
            }
            self.survived.fetch_add(1, Relaxed);
        }
        own.note_applying(None);
        own.publish_block(0, &Block([1, 2]));
        own.publish_snapshot(1, &[1, 2], 1);
        Step::Rendered
    }

    /// The supervisor, when the worker of `slot` is reaped: marks what it crashed of, vacates, lets the other go first.
    fn bury(&self, slot: usize, crashed: bool) {
        if let Some(place) = self.slots[slot].applying().filter(|_| crashed) {
            let consumed = self.slots.iter().map(SlotMemory::consumed).max().unwrap();
            if !matches!(place, CommandPlace::Log(index) if index < consumed) {
                self.log.skip(place);
            }
        }
        self.slots[slot].vacate();
        self.log.set_first(1 - slot);
    }
}

/// The worker of slot 0 goes first and dies of the poison, or is killed from outside before any of its stores. The one
/// of slot 1 tries twice meanwhile, and so does the successor in slot 0, whenever they like. At most one worker ever
/// applies it; and in the end both go on. Two switches: into the second worker's look and back, which is what a mark set
/// too late needs (three were tried once, and take a minute).
#[test]
fn a_poison_costs_one_worker_in_every_order() {
    for killed_at in [Some(0), Some(1), None] {
        check(2, move || {
            let engine = Engine::with(POISON);
            let shared = engine.clone();
            let second = loom::thread::spawn(move || match shared.step(1) {
                Step::NotFirst => shared.step(1),
                end => end,
            });
            let shared = engine.clone();
            let first = loom::thread::spawn(move || {
                let mut end = Step::NotFirst;
                let killed = killed_after(killed_at.unwrap_or(usize::MAX), || end = shared.step(0));
                (end == Step::Died, killed)
            });
            let (crashed, _) = first.join().unwrap();
            engine.bury(0, crashed);
            engine.slots[0].join(0);
            let shared = engine.clone();
            let successor = loom::thread::spawn(move || shared.step(0));
            if second.join().unwrap() == Step::Died {
                engine.bury(1, true);
                engine.slots[1].join(0);
            }
            assert_ne!(successor.join().unwrap(), Step::Died);
            assert!(engine.applied.load(Relaxed) <= 1, "two workers have applied it");
            if engine.applied.load(Relaxed) == 1 {
                let first = engine.log.first();
                assert_eq!([engine.step(first), engine.step(1 - first)], [Step::Rendered; 2]);
                assert_eq!(engine.applied.load(Relaxed), 1, "the mark was not seen");
            }
        });
    }
}

/// A command that is survived is applied by both workers, by the second one only when the first has published its
/// block. The first is killed after any of its stores and replaced by nobody. Three switches: one more than in
/// the other model, for there is one thread less.
#[test]
fn a_command_is_proven_before_the_other_worker_applies_it() {
    // Noted, no longer noted, block (five) and its count, snapshot (five) and its count.
    for stores in 0..=14 {
        check(3, move || {
            let engine = Engine::with(HARMLESS);
            let shared = engine.clone();
            let second = loom::thread::spawn(move || shared.step(1));
            let shared = engine.clone();
            let first = loom::thread::spawn(move || killed_after(stores, || _ = shared.step(0)));
            if first.join().unwrap() {
                engine.bury(0, false);
            } else {
                assert_eq!(stores, 14);
            }
            if second.join().unwrap() == Step::NotFirst {
                assert_eq!(engine.step(1), Step::Rendered);
            }
            let survived_by_first = stores > 0;
            assert_eq!(engine.unproven.load(Relaxed), 1);
            assert_eq!(engine.applied.load(Relaxed), 1 + u64::from(survived_by_first));
        });
    }
}
