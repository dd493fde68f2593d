//! Orders of who writes the log, seals it, reads it and marks it. The log of a model holds four records.
//!
//! A record is eight words and each may be read old or new, so a model with every order takes hours. Bounded are only
//! the switches away from a thread that could go on; each test says why so many. Code broken on purpose (no fence, a
//! relaxed count, a record added over a seal) is found within these bounds.

use super::*;
use crate::model::check;

use loom::sync::Arc;

const OPEN: Operation = Operation::Gate(2, true);
const SHUT: Operation = Operation::Gate(2, false);

/// The commands of a block, as one who renders takes them.
fn take_block(reader: &mut LogReader, block: BlockNumber) -> Vec<Command> {
    let mut commands = Vec::new();
    while let Some(entry) = reader.peek(block).expect("the log does not wrap here") {
        assert!(!entry.skipped);
        commands.push(entry.command);
        reader.take();
    }
    commands
}

/// Reads every block that is sealed, with its commands.
fn take_sealed(log: &LogMemory) -> Vec<Vec<Command>> {
    let mut reader = LogReader::new(log, 0);
    (0..log.sealed().blocks()).map(|block| take_block(&mut reader, block)).collect()
}

/// `operations` are added for the first frame there is, while `seals` blocks are sealed and two workers render what is
/// sealed. Each finds at each block the same as one who looks at the end.
fn two_workers_during(operations: &'static [Operation], seals: usize, preemptions: usize) {
    check(preemptions, move || {
        let log = Arc::new(LogMemory::fresh());
        let shared = log.clone();
        let writer = loom::thread::spawn(move || {
            let mut writer = LogWriter::new();
            for operation in operations {
                writer.add(&shared, Stamp::start_of(0), *operation, 0).unwrap();
            }
        });
        let shared = log.clone();
        let audio = loom::thread::spawn(move || (0..seals).for_each(|_| _ = shared.seal_one()));
        let shared = log.clone();
        let worker = loom::thread::spawn(move || take_sealed(&shared));
        let found = [take_sealed(&log), worker.join().unwrap()];
        writer.join().unwrap();
        audio.join().unwrap();
        log.seal_one();
        let all = take_sealed(&log);
        let commands: Vec<_> = all.iter().flatten().map(|command| command.operation).collect();
        assert_eq!(commands, operations);
        for blocks in found {
            assert_eq!(blocks, all[..blocks.len()], "another command than at the end, or one more, or one less");
        }
    });
}

/// Two switches: one that lets a block be sealed, one that lets the writer overtake a reader.
#[test]
fn two_workers_find_the_same_commands_while_one_is_added() {
    two_workers_during(&[OPEN], 2, 2);
}

/// Two switches, as above; the second record is what a reader takes while the first is there.
#[test]
fn two_workers_find_the_same_commands_while_two_are_added() {
    two_workers_during(&[OPEN, SHUT], 1, 2);
}

/// A reader of record 0 while records 3 and 4 are added; 4 lies over it. Three switches: into the overwriting, and
/// two more for a reader that goes on in the middle of it.
#[test]
fn a_reader_that_is_overtaken_is_told() {
    check(3, || {
        let log = Arc::new(LogMemory::fresh());
        let mut writer = LogWriter::new();
        for _ in 0..3 {
            writer.add(&log, Stamp::start_of(0), OPEN, 0).unwrap();
        }
        log.seal_one();
        let shared = log.clone();
        let adding = loom::thread::spawn(move || {
            writer.add(&shared, Stamp::start_of(0), SHUT, 2).unwrap();
            writer.add(&shared, Stamp::start_of(0), SHUT, 2).unwrap();
        });
        let expected = Command { stamp: Stamp::start_of(0), operation: OPEN };
        match LogReader::new(&log, 0).peek(0) {
            Ok(entry) => assert_eq!(entry, Some(Entry { command: expected, skipped: false })),
            Err(RecordLost) => assert!(log.sealed().length(0) >= LOG_RECORDS as u64, "told too early"),
        }
        adding.join().unwrap();
        assert_eq!(LogReader::new(&log, 0).peek(0), Err(RecordLost));
    });
}

/// Whoever looks at a place of the log without knowing whether it is filled finds nothing or the command.
#[test]
fn a_command_is_found_by_its_place_whole_or_not_at_all() {
    check(3, || {
        let log = Arc::new(LogMemory::fresh());
        let shared = log.clone();
        let adding = loom::thread::spawn(move || {
            LogWriter::new().add(&shared, Stamp::start_of(0), OPEN, 0).unwrap();
        });
        let found = log.command_at(0);
        assert!(found.is_none_or(|command| command.operation == OPEN), "{found:?}");
        adding.join().unwrap();
        assert!(log.command_at(0).is_some());
    });
}

/// The supervisor marks commands of log and score, then lets the other worker go first: that one sees the marks.
/// Every order there is.
#[test]
fn who_goes_first_sees_what_was_marked_before() {
    check(None, || {
        let log = Arc::new(LogMemory::fresh());
        LogWriter::new().add(&log, Stamp::start_of(0), OPEN, 0).unwrap();
        log.seal_one();
        let shared = log.clone();
        let supervisor = loom::thread::spawn(move || {
            shared.skip(CommandPlace::Log(0));
            shared.skip(CommandPlace::Score(3));
            shared.set_first(1);
        });
        if log.first() == 1 {
            let entry = LogReader::new(&log, 0).peek(0).unwrap().unwrap();
            assert!(entry.skipped && log.skips_score(3) && !log.skips_score(2));
        }
        supervisor.join().unwrap();
        assert_eq!(log.first(), 1);
    });
}
