//! One performance: played, disturbed, watched, and compared with its kept scores.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chronus_tests::build::target;
use chronus_tests::engine::{Engine, Folder, number, told};

use crate::compare;
use crate::disturb::disturb;
use crate::inject::Injector;
use crate::join::join;
use crate::kind::Kind;
use crate::music;
use crate::performance::{Finale, Life, Performance, is_worker};
use crate::progress::Progress;
use crate::tally::Tally;
use crate::watch::{Cause, Late, Look};
use crate::watcher::{Seen, watch};

/// Numbers of the last lines of the engine that are reported as they are, each with its place in the status of one that
/// was killed and has no last lines.
const TOLD: [(&str, &str); 7] = [
    ("xruns", "xruns"),
    ("divergences", "divergences"),
    ("flipped bits", "faults.flipped_bits"),
    ("rightly named", "faults.rightly_named"),
    ("wrongly named", "faults.wrongly_named"),
    ("undecided", "divergences_undecided"),
    ("damaged copies", "damaged_copies"),
];

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
    let (began, first) = (Instant::now(), Look::before_all());
    let performance = Performance::start(messages());
    let address = performance.with(Engine::address);
    let (over, silent, sent, last_fault) =
        (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0), Mutex::new(None));
    let (mut tally, seen) = std::thread::scope(|scope| {
        let music = scope.spawn(|| music::play(&address, seed, &silent, &sent));
        let watcher = scope.spawn(|| watch(&performance, first, &last_fault, &over, progress));
        let (end, _silent) = (SetAtTheEnd(&over), SetAtTheEnd(&silent));
        let mut injector = Injector::new(&performance, seed, &last_fault, progress);
        disturb(&mut injector, &performance, (seed, kinds), (began, time), stop);
        silent.store(true, Ordering::Relaxed);
        drop(end);
        music.join().expect("the music");
        (std::mem::take(&mut injector.tally), watcher.join().expect("the watcher"))
    });
    (tally.time, tally.segments, tally.messages) = (began.elapsed(), 1, sent.load(Ordering::Relaxed));
    finish(&mut tally, performance.end(), seen, seed, progress);
    tally
}

/// Stops the last engine, adds up what all have counted, and compares what they recorded.
fn finish(tally: &mut Tally, finale: Finale, seen: Seen, seed: u64, progress: &Progress) {
    let Finale { engine, over, last, left_over, failures, service } = finale;
    let workers: BTreeSet<_> = seen.workers.into_iter().chain(engine.workers()).collect();
    let (code, output) = engine.stop();
    tally.left_over = left_over + workers.iter().filter(|worker| is_worker(**worker)).count() as u64;
    tally.failures.extend(failures);
    if code != 0 {
        tally.failures.push(format!("the engine ended with status {code}: {output}"));
        return;
    }
    for life in over.iter().chain([&last]) {
        COUNTED.iter().for_each(|(name, path)| tally.count(name, number(&life.status, path)));
    }
    for (name, path) in TOLD {
        let before: u64 = over.iter().map(|life| number(&life.status, path)).sum();
        tally.count(name, before + told(&output, name));
    }
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
    let lives: Vec<_> = over.into_iter().chain([last]).collect();
    if let Err(error) = compare_into(tally, &lives, &service.folder, blocks, &late, seed) {
        tally.failures.push(error);
    }
}

/// Compares the recordings of all engines, the last of which ended after so many blocks of the performance.
fn compare_into(
    tally: &mut Tally,
    lives: &[Life],
    folder: &Folder,
    blocks: u64,
    late: &[Late],
    seed: u64,
) -> Result<(), String> {
    let [joined, reference] = ["joined.osc", "reference.wav"].map(|name| folder.file(name));
    let scores = lives.iter().map(|life| std::fs::read(&life.kept)).collect::<Result<Vec<_>, _>>();
    let written = scores.and_then(|scores| std::fs::write(&joined, join(&scores)));
    written.map_err(|error| format!("the kept scores: {error}"))?;
    compare::render(&joined, &reference, blocks)?;
    let mut differing = Vec::new();
    for (place, life) in lives.iter().enumerate() {
        let recorded = match lives.get(place + 1) {
            Some(next) => {
                let recorded = compare::recorded(life, next.began)?;
                tally.unwritten += next.began.saturating_sub(recorded.end);
                recorded
            }
            None => life.began..blocks,
        };
        tally.blocks += recorded.end - recorded.start;
        differing.extend(compare::differing(&life.played, &reference, recorded)?);
    }
    let unexplained = compare::unexplained(&differing, late);
    (tally.differing, tally.unexplained) = (differing.len() as u64, unexplained.len() as u64);
    if !unexplained.is_empty() {
        let keep = |path: &Path, ending: &str| std::fs::copy(path, remains().join(format!("{seed}.{ending}")));
        let recordings = lives.iter().zip(1..).map(|(life, number)| keep(&life.played, &format!("{number}.wav")));
        let copied: Result<Vec<_>, _> = recordings.chain([keep(&joined, "osc")]).collect();
        eprintln!(
            "blocks {unexplained:?} differ and were not late; late were {late:?}; the engines began with blocks {:?}; \
             kept in {} as {seed}: {copied:?}",
            lives.iter().map(|life| life.began).collect::<Vec<_>>(),
            remains().display()
        );
    }
    Ok(())
}
