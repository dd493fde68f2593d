//! Sound cards change hands between the audio thread and one that may block, allocate and log.
//!
//! Two queues with one place each. Through one the audio thread says that it has no card, and gives away the dead one
//! to be closed; through the other it gets an open one. The first is never full: there is no second loss before there
//! was a second card, and none is opened before the first loss was taken notice of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use heapless::spsc::{Consumer, Producer, Queue};

use super::playback::Loss;
use super::refusal::{Cause, Refusal};
use crate::report::STACK_BYTES;

/// Time between two attempts to open a card. Four of them fit into the second within which a card that is back is to
/// be heard, and a closed card has time to go.
pub const REST: Duration = Duration::from_millis(250);

/// A card that stays for less than this is not well, and the rest before the next attempt doubles.
const WELL: Duration = Duration::from_secs(1);

/// Doublings of it: up to 8 seconds. A card with a loose contact is to fill neither the log nor the processor.
const DOUBLINGS: u32 = 5;

/// One place. (The queue keeps one more than it gives.)
const PLACES: usize = 2;

/// That there is no card.
struct Absence<P> {
    /// The one there was, to be closed.
    dead: Option<P>,
    loss: Loss,
}

/// The audio thread's end: neither call waits, locks, allocates or frees.
pub struct Exchange<P: 'static> {
    ready: Consumer<'static, P>,
    absences: Producer<'static, Absence<P>>,
    ended: Arc<AtomicBool>,
    attendant: Thread,
}

impl<P: Send + 'static> Exchange<P> {
    /// Starts the thread that opens cards with `open`. `told` is what it need not say again.
    ///
    /// # Errors
    /// In words, if there can be no thread.
    pub fn start(
        open: impl FnMut() -> Result<P, Refusal> + Send + 'static,
        told: Option<String>,
    ) -> Result<Self, String> {
        // They live as long as the process: there is one sound card per run.
        let (give_ready, take_ready) = Box::leak(Box::new(Queue::<P, PLACES>::new())).split();
        let (give_absence, take_absence) = Box::leak(Box::new(Queue::<Absence<P>, PLACES>::new())).split();
        let ended = Arc::new(AtomicBool::new(false));
        let attendant = Attendant { ready: give_ready, absences: take_absence, ended: ended.clone(), told };
        let thread = std::thread::Builder::new()
            .name("sound-card".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || attendant.run(open))
            .map_err(|error| format!("starting the sound card's thread: {error}"))?;
        Ok(Self { ready: take_ready, absences: give_absence, ended, attendant: thread.thread().clone() })
    }

    /// Says that there is no card, and gives away the one there was. One system call.
    pub fn lose(&mut self, dead: Option<P>, loss: Loss) {
        let full = self.absences.enqueue(Absence { dead, loss }).is_err();
        debug_assert!(!full, "a card was lost that was never handed over");
        self.attendant.unpark();
    }

    /// An open card, if there is one again.
    pub fn take(&mut self) -> Option<P> {
        self.ready.dequeue()
    }
}

impl<P: 'static> Drop for Exchange<P> {
    /// Ends the thread. It is not waited for: it may be opening a card that does not answer.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.attendant.unpark();
    }
}

/// The other end.
struct Attendant<P: 'static> {
    ready: Producer<'static, P>,
    absences: Consumer<'static, Absence<P>>,
    ended: Arc<AtomicBool>,
    /// The last refusal that was told.
    told: Option<String>,
}

impl<P: 'static> Attendant<P> {
    fn run(mut self, mut open: impl FnMut() -> Result<P, Refusal>) {
        let (mut handed_over, mut doublings) = (None::<Instant>, 0);
        while let Some(Absence { dead, loss }) = self.next_absence() {
            let lost = Instant::now();
            // First of all: who opens a device that is open finds it busy.
            drop(dead);
            if loss != Loss::NotYetThere {
                self.told = None;
                log::error!(
                    "the sound card is gone: {loss}; the engine keeps time without it and takes it again when it is back"
                );
            }
            let unwell = handed_over.is_some_and(|then| lost - then < WELL);
            doublings = if unwell { DOUBLINGS.min(doublings + 1) } else { 0 };
            let Some(device) = self.open_when_there(&mut open, REST * (1 << doublings)) else { return };
            let _ = self.ready.enqueue(device);
            handed_over = Some(Instant::now());
            log::info!("the sound card plays, after {:.1} s without it", lost.elapsed().as_secs_f64());
        }
    }

    /// The next loss; `None` if the engine ends.
    fn next_absence(&mut self) -> Option<Absence<P>> {
        loop {
            if self.ended.load(Ordering::Acquire) {
                return None;
            }
            if let Some(absence) = self.absences.dequeue() {
                return Some(absence);
            }
            std::thread::park();
        }
    }

    /// Tries again and again; `None` if the engine ends.
    fn open_when_there(&mut self, open: &mut impl FnMut() -> Result<P, Refusal>, first_rest: Duration) -> Option<P> {
        let mut rest = first_rest;
        loop {
            let due = Instant::now() + rest;
            while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                if self.ended.load(Ordering::Acquire) {
                    return None;
                }
                std::thread::park_timeout(left);
            }
            match open() {
                Ok(device) => return Some(device),
                Err(refusal) if self.is_news(&refusal) => {
                    log::warn!("{}; the engine goes on without it and tries again", refusal.text);
                }
                Err(_) => {}
            }
            rest = REST;
        }
    }

    /// Whether to say why a card is not taken: if it is there, and there is something else to say than before.
    fn is_news(&mut self, refusal: &Refusal) -> bool {
        let news = matches!(refusal.cause, Cause::Busy | Cause::Unfit) && self.told.as_ref() != Some(&refusal.text);
        if news {
            self.told = Some(refusal.text.clone());
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;
    use std::sync::Mutex;

    /// What was done to cards, and by which thread.
    type Journal = Arc<Mutex<Vec<(&'static str, u32, String)>>>;

    fn note(journal: &Journal, what: &'static str, card: u32) {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        journal.lock().unwrap().push((what, card, thread));
    }

    struct Card(u32, Journal);

    impl Drop for Card {
        fn drop(&mut self) {
            note(&self.1, "closed", self.0);
        }
    }

    fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
        loop {
            if let Some(found) = look() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_dead_card_is_closed_by_the_other_thread_before_the_next_is_opened() {
        let journal = Journal::default();
        let (notes, mut attempts) = (journal.clone(), 0);
        let open = move || {
            attempts += 1;
            note(&notes, "tried", attempts);
            // Every second attempt fails.
            let refusal = Refusal { cause: Cause::Absent, text: "not there".to_owned() };
            if attempts % 2 == 1 { Err(refusal) } else { Ok(Card(attempts, notes.clone())) }
        };
        let mut exchange = Exchange::start(open, None).unwrap();
        assert!(exchange.take().is_none(), "nothing is opened unasked");
        exchange.lose(None, Loss::NotYetThere);
        let card = wait_for(|| exchange.take());
        assert!(exchange.take().is_none());
        exchange.lose(Some(card), Loss::Failed(Errno::ENODEV));
        let card = wait_for(|| exchange.take());
        assert_eq!(card.0, 4);
        let expected = [("tried", 1), ("tried", 2), ("closed", 2), ("tried", 3), ("tried", 4)]
            .map(|(what, card)| (what, card, "sound-card".to_owned()));
        assert_eq!(*journal.lock().unwrap(), expected);
    }

    #[test]
    fn why_a_card_that_is_back_is_not_taken_is_said_once() {
        let (ready, absences) = (Box::leak(Box::default()), Box::leak(Box::default()));
        let (ready, absences): (&mut Queue<u32, PLACES>, &mut Queue<Absence<u32>, PLACES>) = (ready, absences);
        let (ready, absences) = (ready.split().0, absences.split().1);
        let mut attendant = Attendant { ready, absences, ended: Arc::default(), told: Some("busy".to_owned()) };
        let mut is_news = |cause, text: &str| attendant.is_news(&Refusal { cause, text: text.to_owned() });
        assert!(!is_news(Cause::Busy, "busy"), "that was said at the start");
        assert!(!is_news(Cause::Absent, "not there"), "that is known");
        assert!(is_news(Cause::Unfit, "it offers 44100"));
        assert!(!is_news(Cause::Unfit, "it offers 44100") && !is_news(Cause::Absent, "not there"));
        assert!(is_news(Cause::Busy, "busy"));
    }

    #[test]
    fn the_thread_ends_with_the_engine_also_while_there_is_no_card() {
        for absent in [false, true] {
            let alive = Arc::new(());
            let inside = alive.clone();
            let open = move || -> Result<Card, Refusal> {
                let _ = &inside;
                Err(Refusal { cause: Cause::Absent, text: String::new() })
            };
            let mut exchange = Exchange::start(open, None).unwrap();
            if absent {
                exchange.lose(None, Loss::NotYetThere);
            }
            drop(exchange);
            wait_for(|| (Arc::strong_count(&alive) == 1).then_some(()));
        }
    }
}
