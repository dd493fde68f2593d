//! One engine: played, disturbed, watched, and compared with its kept score.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chronus_tests::build::{Build, target};
use chronus_tests::engine::{Engine, Folder, number, told};
use chronus_tests::process::alive;

use crate::belongings::{Measured, growth};
use crate::compare;
use crate::inject::Injector;
use crate::kind::{Deck, Kind};
use crate::music;
use crate::progress::Progress;
use crate::tally::Tally;
use crate::watch::{Cause, INTERVAL, LastFault, Late, Look, judge};

/// After this time, and when every kind of fault has been there, what is made once has been made: then the engine's
/// belongings are counted for the first time.
const WARM_UP: Duration = Duration::from_secs(60);

/// What grows needs at least so long to show: some ten faults.
const SEARCH: Duration = Duration::from_secs(25);

/// Numbers of the last lines of the engine that are reported as they are.
const TOLD: [&str; 7] =
    ["xruns", "divergences", "flipped bits", "rightly named", "wrongly named", "undecided", "damaged copies"];

/// Numbers of its status that are.
const COUNTED: [(&str, &str); 7] = [
    ("quarantined", "commands.quarantined"),
    ("received", "commands.received"),
    ("refused", "commands.refused"),
    ("late commands", "commands.late"),
    ("dropped as flood", "network.dropped_flood"),
    ("lost by kernel", "network.dropped_by_kernel"),
    ("lost by queue", "network.dropped_by_queue"),
];

/// Where that lies which is left of a soak: what the engines said, and recordings that differ.
pub fn remains() -> PathBuf {
    target().join("soak")
}

/// What the engines said.
pub fn messages() -> PathBuf {
    remains().join("messages.log")
}

/// Sets a flag when it goes, after a failure too: a scope waits for its threads.
struct SetAtTheEnd<'a>(&'a AtomicBool);

impl Drop for SetAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Plays for so long, or until `stop`.
pub fn play(seed: u64, kinds: &[Kind], time: Duration, stop: &AtomicBool, progress: &Progress) -> Tally {
    let began = Instant::now();
    let folder = Folder::new("soak");
    let (kept, played) = (folder.file("kept.osc"), folder.file("played.wav"));
    let (kept_word, sink) = (kept.to_str().expect("a path of text"), format!("paced:{}", played.display()));
    let arguments = ["--keep-score", kept_word, "--sink", &sink, "--osc", "127.0.0.1:0"];
    let first = Look::before_all();
    let engine = Engine::start_apart(Build::Faults, &arguments, &[("CHRONUS_FAULTS", "soak")], &messages());
    let target: SocketAddr = engine.address().parse().expect("an address");
    let (over, silent, sent, last_fault) =
        (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0), Mutex::new(None));
    let (mut tally, seen) = std::thread::scope(|scope| {
        let music = scope.spawn(|| music::play(&engine.address(), seed, &silent, &sent));
        let watcher = scope.spawn(|| watch(&engine, first, &last_fault, &over, progress));
        let (end, _silent) = (SetAtTheEnd(&over), SetAtTheEnd(&silent));
        let mut injector = Injector::new(&engine, target, seed, &last_fault, progress);
        let mut deck = Deck::new(seed, kinds.to_vec());
        injector.run(&mut deck, began + time, stop, |deck| deck.is_through() && began.elapsed() > WARM_UP);
        injector.settle();
        injector.fill_the_queues();
        let before = Measured::of(&engine);
        let is_long = began.elapsed() + SEARCH < time && !stop.load(Ordering::Relaxed);
        injector.run(&mut deck, began + time, stop, |_| false);
        injector.settle();
        let mut tally = std::mem::take(&mut injector.tally);
        tally.searched = u64::from(is_long);
        tally.leaks = growth(&before, &Measured::of(&engine));
        silent.store(true, Ordering::Relaxed);
        drop(end);
        music.join().expect("the music");
        (tally, watcher.join().expect("the watcher"))
    });
    let status = engine.status();
    tally.counts.extend(COUNTED.map(|(name, path)| (name, number(&status, path))));
    let workers: BTreeSet<_> = seen.workers.into_iter().chain(engine.workers()).collect();
    let (code, output) = engine.stop();
    tally.left_over = workers.iter().filter(|worker| is_worker(**worker)).count() as u64;
    if code != 0 {
        tally.failures.push(format!("the engine ended with status {code}: {output}"));
        return tally;
    }
    tally.counts.extend(TOLD.map(|name| (name, told(&output, name))));
    let mut late = seen.late;
    // What was late while it was stopped was seen by nobody.
    let blocks = told(&output, "played") - 1;
    let unseen = told(&output, "late blocks").saturating_sub(seen.counted);
    if unseen > 0 {
        late.push(Late {
            blocks: (seen.block, blocks),
            count: unseen,
            cause: Cause::Ours,
            circumstances: "while it was stopped".to_owned(),
        });
    }
    for late in &late {
        *tally.late.entry(late.cause.clone()).or_default() += late.count;
        if late.cause == Cause::Ours {
            let Late { blocks: (first, last), count, circumstances, .. } = late;
            eprintln!("{count} late blocks that are ours among blocks {first} to {last}: {circumstances}");
        }
    }
    progress.say("comparing");
    compare_into(&mut tally, [&kept, &played, &folder.file("reference.wav")], blocks, &late, seed);
    (tally.time, tally.segments, tally.messages) = (began.elapsed(), 1, sent.load(Ordering::Relaxed));
    tally
}

fn compare_into(tally: &mut Tally, [kept, played, reference]: [&Path; 3], blocks: u64, late: &[Late], seed: u64) {
    match compare::differing(kept, played, reference, blocks) {
        Ok(differing) => {
            let unexplained = compare::unexplained(&differing, late);
            (tally.blocks, tally.differing, tally.unexplained) =
                (blocks, differing.len() as u64, unexplained.len() as u64);
            if !unexplained.is_empty() {
                let folder = remains();
                let keep = |path: &Path, ending: &str| {
                    std::fs::copy(path, folder.join(format!("{seed}.{ending}"))).map(|_| ())
                };
                let copied = keep(kept, "osc").and_then(|()| keep(played, "wav"));
                eprintln!(
                    "blocks {unexplained:?} differ and were not late; late were {late:?}; kept in {} as {seed}: {copied:?}",
                    folder.display()
                );
            }
        }
        Err(error) => tally.failures.push(error),
    }
}

/// Whether a worker is still there: alive, and no other process that has got its number.
fn is_worker(process: u32) -> bool {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    alive(process) && name.starts_with("chronus-w")
}

/// What a watcher has seen.
struct Seen {
    late: Vec<Late>,
    /// How many late blocks those are.
    counted: u64,
    /// Blocks played at the last look.
    block: u64,
    workers: BTreeSet<u32>,
}

/// Looks at the engine until it is over, and finds out why blocks were late.
fn watch(engine: &Engine, first: Look, last_fault: &LastFault, over: &AtomicBool, progress: &Progress) -> Seen {
    let mut seen = Seen { late: Vec::new(), counted: 0, block: 0, workers: BTreeSet::new() };
    let (mut before, mut current, mut fault) = (first.clone(), first, None);
    // Two looks more than needed: the last late block is judged at the look after it.
    let mut left = 2;
    while left > 0 {
        left -= u64::from(over.load(Ordering::Relaxed));
        let after = Look::at(engine);
        seen.workers.extend(after.workers());
        if let Some(late) = judge(&before, &current, &after, fault) {
            seen.counted += late.count;
            seen.late.push(late);
        }
        fault = *last_fault.lock().expect("nobody failed with it");
        progress.show(after.block, after.late);
        (before, current) = (current, after);
        std::thread::sleep(INTERVAL);
    }
    seen.block = current.block;
    seen
}
