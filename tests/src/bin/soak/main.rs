//! `scripts/soak`: hours of music under faults and load, a report, and one line of verdict.

mod belongings;
mod compare;
mod disturb;
mod doing;
mod hogs;
mod inject;
mod join;
mod kind;
mod music;
mod options;
mod performance;
mod progress;
mod report;
mod segment;
mod tally;
mod watch;
mod watcher;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chronus_tests::build::{Build, chronus};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use hogs::Hogs;
use kind::Kind;
use options::Options;
use progress::Progress;
use tally::Tally;

/// The longest time one engine plays: its recording and what it is compared with then have 460 MB each.
const LONGEST_SEGMENT: Duration = Duration::from_secs(20 * 60);

/// A rest of less than this is not worth an engine of its own.
const SHORTEST_SEGMENT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}\n       scripts/soak --help says what there is.");
            return ExitCode::from(2);
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, stop.clone()).expect("a signal that can be caught");
    }
    // Built before the time begins.
    chronus(Build::Faults);
    std::fs::create_dir_all(segment::remains()).expect("a folder beside the builds");
    // Those of the last soak are of no use to this one.
    let _ = std::fs::remove_file(segment::messages());
    let tally = soak(options, &stop);
    let messages = segment::messages();
    println!(
        "{}What the engines said: {}\n\n{}",
        report::table(&tally, options.seed),
        messages.display(),
        report::verdict(&tally)
    );
    ExitCode::from(u8::from(!tally.complaints().is_empty()))
}

fn soak(options: Options, stop: &AtomicBool) -> Tally {
    let mut kinds = Kind::all();
    if let Err(reason) = doing::can_pause() {
        chronus_tests::skipped(&Kind::ControlPaused.name(), reason);
        kinds.retain(|kind| *kind != Kind::ControlPaused);
    }
    let mut sum = Tally::default();
    let (began, progress) = (Instant::now(), Progress::new(options.time));
    let _hogs = Hogs::start(options.strength);
    while !stop.load(Ordering::Relaxed) {
        let left = options.time.saturating_sub(began.elapsed());
        if sum.segments > 0 && left < SHORTEST_SEGMENT {
            break;
        }
        let seed = options.seed.wrapping_add(sum.segments << 32);
        let play = || segment::play(seed, &kinds, left.min(LONGEST_SEGMENT), stop, &progress);
        match catch_unwind(AssertUnwindSafe(play)) {
            Ok(tally) => sum.add(tally),
            Err(_) => {
                sum.failures.push("an engine no longer answered, or the soak failed; see above".to_owned());
                break;
            }
        }
        progress.set(sum.blocks, sum.all_late());
    }
    progress.say("");
    sum
}
