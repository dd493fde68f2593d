//! The patch with all its values in a file, kept over power cuts.
//!
//! A thread of the supervisor's process, on the control core, at normal priority, does all that may block. It reads what
//! is played from the newest state there is: so what was refused, quarantined or still waits is not kept, and after an
//! adoption it is what the engine before this one played. What it has read from the file it offers to the control
//! thread, which stamps it as anything else, but for the values that somebody has changed before. Nothing is written in
//! the place of a file that was not read.

mod changes;
mod file;
mod offer;
mod presets;
mod read;
mod text;
mod tracks;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rt::clock::{NANOSECONDS, monotonic};

use crate::audio::SharedMemory;
use crate::input::catalogue;
use crate::report::{Counters, PatchState};
use crate::worker::{EngineState, read_newest_state};
use changes::Changes;
use file::Found;
pub use offer::{Answer, Offer, Offers, PatchInput, exchange};
pub use presets::Presets;
#[cfg(test)]
pub use presets::factory_names;
pub use read::Contents;
pub use text::write as write_patch;

/// Time between two looks at what is played: a tenth of the second after which it is kept.
const INTERVAL: Duration = Duration::from_millis(100);

/// Time between two looks for a file that is not there yet.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// After this time a file that is not there is taken for one that never was, and looked for less often: a large card
/// that is checked at the start takes seconds.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// Time between two attempts to write, in nanoseconds. Each failed one may cost a write to a card that wears out.
const RETRY: u64 = 5 * NANOSECONDS;

/// Time between two looks for a file that has long not been there: as between two attempts to write it.
const LONG_AFTER: Duration = Duration::from_nanos(RETRY);

/// What came of writing the file.
enum Written {
    Yes,
    No,
    /// It is there by now, and has been read: it says this.
    Found(String),
}

/// What the thread works with.
pub struct PatchKeeper {
    /// The file.
    pub path: PathBuf,
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// Where the state of the file goes.
    pub counters: Arc<Counters>,
    /// Sample rate in Hz.
    pub rate: u32,
    /// The way to the control thread; `None` if the engine goes on with the state of one that had read the file.
    pub offers: Option<Offers>,
    /// Set when the engine stops; then the thread is unparked.
    pub stop: Arc<AtomicBool>,
}

/// A file that was not read yet.
struct Unread {
    offers: Offers,
    started: Instant,
    next_look: Instant,
    /// It is there, and it cannot be read.
    unreadable: bool,
    /// It is there and was read, and nobody could set its values just then.
    not_taken: bool,
    told: bool,
}

impl PatchKeeper {
    /// Takes the values from the file as soon as it is there, and keeps them there until the engine stops.
    pub fn run(mut self) {
        let unread = self.offers.take().map(|offers| {
            let now = Instant::now();
            Unread { offers, started: now, next_look: now, unreadable: false, not_taken: false, told: false }
        });
        let kept = unread.is_some().then(at_power_on);
        self.keep(unread, Changes::since(kept));
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Looks for the file and has its values set. Gives what is in it then, once it has been read or set aside.
    fn look(&self, unread: &mut Unread) -> Option<String> {
        let (path, now) = (self.path.display(), Instant::now());
        let long = now >= unread.started + LONGEST_LOOK;
        unread.next_look = now + if long { LONG_AFTER } else { LOOK_AGAIN };
        (unread.unreadable, unread.not_taken) = (false, false);
        let text = match file::read(&self.path, self.rate) {
            Found::Contents(contents) => {
                unread.not_taken = self.set(&unread.offers, &contents).is_none();
                if unread.not_taken {
                    return None;
                }
                self.say_left_out(&contents.left_out);
                contents.text
            }
            Found::Damaged(why) => {
                log::warn!("patch {path}{why}; the engine plays its defaults");
                at_power_on()
            }
            Found::Unreadable(error) => {
                unread.unreadable = true;
                unread.offers.say_nothing();
                if !std::mem::replace(&mut unread.told, true) {
                    log::warn!(
                        "patch {path} cannot be read: {error}; it is tried again, and set aside before it is written"
                    );
                }
                return None;
            }
            Found::Nothing => {
                unread.offers.say_nothing();
                if long && !std::mem::replace(&mut unread.told, true) {
                    log::info!("patch {path}: nothing is kept there; it is written when a value is changed");
                }
                return None;
            }
        };
        self.memory.continuation.note_patch();
        Some(text)
    }

    /// Has the control thread make this patch and set its values, but for those that somebody has changed; `None` if it did
    /// not.
    fn set(&self, offers: &Offers, contents: &Contents) -> Option<()> {
        let is_nothing = contents.values.is_empty() && contents.tracks.is_none();
        if (contents.is_power_on || contents.patch.is_empty()) && is_nothing {
            return Some(());
        }
        let Answer::Set(count) = offers.offer(contents) else { return None };
        self.counters.patch.loaded.store(count, Ordering::Relaxed);
        log::info!("patch {}: {count} values are set as they were", self.path.display());
        Some(())
    }

    fn say_left_out(&self, left_out: &[String]) {
        if !left_out.is_empty() {
            log::warn!("patch {}: left out: {}; the rest is set", self.path.display(), left_out.join("; "));
        }
    }

    /// Reads the file if it was not read yet, and writes what is played whenever it has changed, until the engine stops,
    /// and then once more if need be.
    fn keep(&self, mut unread: Option<Unread>, mut changes: Changes) {
        let (mut failed, mut told) = (None, false);
        let mut started_over = 0;
        loop {
            let stopping = self.stopping();
            if let Some(file) = unread.as_mut().filter(|file| Instant::now() >= file.next_look)
                && let Some(text) = self.look(file)
            {
                (unread, changes) = (None, Changes::since(Some(text)));
            }
            let now = monotonic();
            // A sound that began anew by itself is nobody's wish: the file keeps what was.
            let (count, text) = self.text_and_beginnings();
            if count > started_over && text.is_some() {
                (changes, started_over) = (Changes::since(text.clone()), count);
            }
            if let Some(text) = text {
                let due = changes.look(text.clone(), now) || (stopping && changes.pending());
                let rested = failed.is_none_or(|then: u64| now >= then + RETRY);
                if due && (rested || stopping) {
                    failed = match self.write(&text, &mut unread, &mut told) {
                        Written::Yes => None,
                        Written::No => Some(now),
                        // It has come this instant: what is in it goes before.
                        Written::Found(kept) => {
                            changes = Changes::since(Some(kept));
                            continue;
                        }
                    };
                    if failed.is_none() {
                        changes.written(text);
                    }
                }
                let waiting = unread.as_ref().is_some_and(|file| file.started.elapsed() < LONGEST_LOOK);
                self.counters.patch.set(match (changes.pending(), failed) {
                    (false, _) if waiting => PatchState::Waiting,
                    (false, _) => PatchState::Kept,
                    (true, None) => PatchState::Changed,
                    (true, Some(_)) => PatchState::Failing,
                });
            }
            if stopping {
                return;
            }
            std::thread::park_timeout(INTERVAL);
        }
    }

    /// How often the sound began anew, and what is played, as a file; nothing while it does so.
    fn text_and_beginnings(&self) -> (u64, Option<String>) {
        let begun = || self.counters.beginnings.load(Ordering::SeqCst);
        let before = begun();
        let text = self.text();
        let settled = before == begun() && before.is_multiple_of(2);
        (before / 2, text.filter(|_| settled))
    }

    /// Writes the file, unless it is there and was not read. What fails is said once until it has succeeded again.
    fn write(&self, text: &str, unread: &mut Option<Unread>, told: &mut bool) -> Written {
        let path = self.path.display();
        let _writing = self.counters.write();
        let mut aside = Ok(());
        if let Some(file) = unread {
            if let Some(kept) = self.look(file) {
                *unread = None;
                return Written::Found(kept);
            }
            // Full for the moment, or the engine stops: the file stays as it is, and what was changed last is lost if it does.
            if file.not_taken {
                return Written::No;
            }
            if file.unreadable {
                aside = file::set_aside(&self.path).map(|aside| {
                    log::warn!("patch {path}: what cannot be read there is set aside as {}", aside.display());
                });
            }
        }
        match aside.and_then(|()| file::replace(&self.path, text)) {
            Ok(()) => {
                *unread = None;
                self.memory.continuation.note_patch();
                self.counters.patch.written.fetch_add(1, Ordering::Relaxed);
                if std::mem::take(told) {
                    log::info!("patch {path}: it is written again");
                }
                Written::Yes
            }
            Err(error) => {
                if !std::mem::replace(told, true) {
                    log::warn!(
                        "patch {path} cannot be written: {error}; the music goes on, but what is changed is lost with \
                         the power. It is tried again every {} s",
                        RETRY / NANOSECONDS
                    );
                }
                Written::No
            }
        }
    }

    /// What is played, as a file: of the newest whole state of both slots. `None` if there is none just now.
    fn text(&self) -> Option<String> {
        let [first, second] = &self.memory.slots;
        let mut state = EngineState::room();
        let found = read_newest_state([first, second], self.memory.log.sealed().blocks(), &mut state);
        (found && state.wiring().is_in_range(self.rate)).then(|| text::write(state.wiring()))
    }
}

fn at_power_on() -> String {
    text::write(catalogue::power_on())
}
