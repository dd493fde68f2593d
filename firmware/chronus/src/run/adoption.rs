//! Going on where another engine was ended from one instant to the next, with the memory the service manager kept.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use shm::{LogWriter, Mapping, ScoreMemory, Terms, Waiter};

use super::sound;
use super::store::{self, Stored};
use crate::audio::SharedMemory;
use crate::command_line::RunOptions;
use crate::worker::EngineState;

/// Names of the descriptors, as the service manager knows them.
const LOG: &str = "chronus-log";
const SCORE: &str = "chronus-score";
const BELL: &str = "chronus-bell";
const SLOTS: [&str; 2] = ["chronus-slot-0", "chronus-slot-1"];
const WAITING: &str = "chronus-waiting";
const CONTINUATION: &str = "chronus-continuation";
const SOCKET: &str = "chronus-osc";
const MEMORY: [&str; 7] = [LOG, SCORE, BELL, SLOTS[0], SLOTS[1], WAITING, CONTINUATION];

/// Starts in a row, without any of these engines having played for a while, after which the state is no longer taken
/// over: then it is likely to be what ends them. Two could be somebody who kills twice.
const MOST_STARTS: u64 = 3;

/// How long the workers of the dead engine may take to be gone. They are killed before this process is started, so this
/// is only for a machine that cannot get round to it.
const DEATH_LIMIT: Duration = Duration::from_secs(1);

/// Why memory is not taken over, as the rest of a sentence.
type Refused = String;

/// The options to run with, and the memory of an engine that was ended, if there is any and everything fits. What the
/// engine does and why is said.
pub fn adopt_or_say_why(stored: &mut Stored, options: &RunOptions) -> (RunOptions, Option<SharedMemory>) {
    if stored.is_empty() {
        return (sound::settle_rate(options), None);
    }
    match adopt(stored, options) {
        Ok((options, memory)) => {
            let (block, restarts) = (memory.continuation.played(), memory.continuation.restarts());
            log::warn!(
                "continuing at block {block}: the engine was ended unexpectedly, and this is start {} of this \
                 performance; the kernel's log or the service manager's may say by what",
                restarts + 1
            );
            (options, Some(memory))
        }
        Err(why) => {
            log::warn!(
                "the engine was ended unexpectedly, and its state is not taken over: {why}. This one starts afresh: no \
                 note is held, all parameters have their defaults"
            );
            (sound::settle_rate(options), None)
        }
    }
}

fn adopt(stored: &mut Stored, options: &RunOptions) -> Result<(RunOptions, SharedMemory), Refused> {
    let memory = open(stored)?;
    let terms = memory.continuation.terms().ok_or("the description of it is damaged")?;
    // Where nobody has named a rate it is the one that was played, whatever card is there now.
    let rate = abi::RATES.into_iter().find(|rate| u64::from(*rate) == terms.rate && !options.rate_named);
    let options = rate.map_or_else(|| options.clone(), |rate| options.at_rate(rate));
    let wanted =
        self::terms(&options).map_err(|error| format!("this program cannot be read to compare them: {error}"))?;
    compare(&terms, &wanted)?;
    check_progress(&memory, &terms)?;
    let starts = memory.continuation.starts();
    if starts >= MOST_STARTS {
        return Err(format!("{starts} engines in a row were ended soon after they had taken it over"));
    }
    wait_for_the_dead(&memory)?;
    check_state(&memory)?;
    memory.continuation.note_start();
    memory.slots.iter().for_each(|slot| slot.vacate());
    for waiter in [Waiter::Audio, Waiter::Slot(0), Waiter::Slot(1)] {
        memory.bell.set_waiting(waiter, false);
    }
    Ok((options, memory))
}

fn open(stored: &mut Stored) -> Result<SharedMemory, Refused> {
    let mut take = |name: &str| stored.take(name).ok_or(format!("{name} is missing"));
    let refused = |error: std::io::Error| error.to_string();
    Ok(SharedMemory {
        log: Mapping::adopt(take(LOG)?).map_err(refused)?,
        score: ScoreMemory::adopt(take(SCORE)?).map_err(refused)?,
        bell: Mapping::adopt(take(BELL)?).map_err(refused)?,
        slots: [Mapping::adopt(take(SLOTS[0])?).map_err(refused)?, Mapping::adopt(take(SLOTS[1])?).map_err(refused)?],
        waiting: Mapping::adopt(take(WAITING)?).map_err(refused)?,
        continuation: Mapping::adopt(take(CONTINUATION)?).map_err(refused)?,
    })
}

/// What must be the same for an engine with these options to go on where another one stopped.
///
/// # Errors
/// If this program cannot be read.
fn terms(options: &RunOptions) -> std::io::Result<Terms> {
    let mut build = DefaultHasher::new();
    std::fs::read("/proc/self/exe")?.hash(&mut build);
    let score = options.score.as_ref().map_or(0, |path| {
        let mut score = DefaultHasher::new();
        path.hash(&mut score);
        score.finish() | 1
    });
    Ok(Terms {
        build: build.finish(),
        rate: u64::from(options.rate),
        lead: options.lead,
        workers: options.workers as u64,
        score,
        end: options.blocks.unwrap_or(u64::MAX),
    })
}

fn compare(found: &Terms, wanted: &Terms) -> Result<(), Refused> {
    if found.build != wanted.build {
        return Err("it is of another build of Chronus".to_owned());
    }
    if found.rate != wanted.rate {
        return Err(format!("it is for {} Hz, and this engine runs at {} Hz", found.rate, wanted.rate));
    }
    if found != wanted {
        return Err("it is of an engine with other options (--lead, --workers, --score, --blocks)".to_owned());
    }
    Ok(())
}

/// Compares the count of blocks played with that of blocks sealed, which the audio thread raises right after.
fn check_progress(memory: &SharedMemory, terms: &Terms) -> Result<(), Refused> {
    let (played, sealed) = (memory.continuation.played(), memory.log.sealed().blocks());
    // At the very start the blocks of the lead are sealed one after the other, and nothing is played.
    let first = if played == 0 { 0 } else { played.saturating_add(terms.lead - 1) };
    if !(first..=played.saturating_add(terms.lead)).contains(&sealed) {
        return Err(format!("{played} blocks played and {sealed} sealed do not fit together"));
    }
    Ok(())
}

/// Looks for a state to go on from, and for the end of the log.
fn check_state(memory: &SharedMemory) -> Result<(), Refused> {
    let sealed = memory.log.sealed().blocks();
    let mut state = EngineState::room();
    let mut whole = |slot: &shm::SlotMemory, number: u64| {
        state.read(slot, number).is_some() && number <= sealed && state.next_block == number
    };
    if !memory.slots.iter().any(|slot| slot.snapshot_numbers().any(|number| whole(slot, number))) {
        return Err("no state in it is whole".to_owned());
    }
    LogWriter::recover(&memory.log, memory.consumed())
        .map(drop)
        .ok_or("the last record of its log is damaged".to_owned())
}

/// Waits until the workers of the dead engine are dead as well. They hold their slots until then.
fn wait_for_the_dead(memory: &SharedMemory) -> Result<(), Refused> {
    let started = Instant::now();
    while let Some(worker) = memory.slots.iter().find_map(Mapping::holder) {
        if started.elapsed() > DEATH_LIMIT {
            return Err(format!("a worker of the other engine (pid {worker}) still uses it"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Describes new memory, in which so many blocks are to be played, and hands it to the service manager, which then has
/// no other of these names.
///
/// # Errors
/// If this program cannot be read.
pub fn keep(memory: &SharedMemory, options: &RunOptions, blocks: Option<u64>) -> std::io::Result<()> {
    memory.continuation.describe(&terms(options)?, blocks.unwrap_or(u64::MAX));
    forget_memory();
    store::keep(LOG, memory.log.descriptor());
    store::keep(SCORE, memory.score.descriptor());
    store::keep(BELL, memory.bell.descriptor());
    for (name, slot) in SLOTS.into_iter().zip(&memory.slots) {
        store::keep(name, slot.descriptor());
    }
    store::keep(WAITING, memory.waiting.descriptor());
    // Last: without it the others are of no use.
    store::keep(CONTINUATION, memory.continuation.descriptor());
    Ok(())
}

/// The socket that a predecessor has left, if it is the one wanted: with what came while there was no engine.
pub fn adopt_socket(stored: &mut Stored, options: &RunOptions) -> Option<UdpSocket> {
    let socket = UdpSocket::from(stored.take(SOCKET)?);
    let fits = options.osc.zip(socket.local_addr().ok()).is_some_and(|(wanted, found)| {
        wanted.ip() == found.ip() && (wanted.port() == 0 || wanted.port() == found.port())
    });
    if !fits {
        store::forget(SOCKET);
    }
    Some(socket).filter(|_| fits)
}

/// Hands the socket to the service manager.
pub fn keep_socket(socket: &UdpSocket) {
    store::keep(SOCKET, socket.as_raw_fd());
}

fn forget_memory() {
    MEMORY.into_iter().for_each(store::forget);
}

/// The engine ends as it was asked to: the next one starts afresh.
pub fn end() {
    store::stopping();
    forget_memory();
    store::forget(SOCKET);
}
