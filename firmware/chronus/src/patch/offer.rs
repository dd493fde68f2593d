//! Values from the file on their way to the control thread, which alone knows whether somebody was faster.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use std::collections::HashSet;

use rosc::OscMessage;

use super::read::Contents;

/// How long the first commands wait for the first look at the file: a look takes a tenth of a millisecond. What can be
/// had at once is heard in the first note; a medium that takes longer does not hold the note up.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// How long an answer is waited for: the control thread is never busy for so long.
const ANSWER: Duration = Duration::from_secs(1);

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// So many values are set; the others somebody has changed before.
    Set(u64),
    /// There is no room for them among the commands, or nobody to ask.
    NotNow,
}

/// Values to be set.
pub struct Offer {
    /// What makes the patch; nothing if it is the one at power-on, or the file was not there.
    pub patch: Vec<OscMessage>,
    /// What is set in it.
    pub values: Vec<OscMessage>,
    /// What makes the tracks.
    pub tracks: Vec<OscMessage>,
    answer: SyncSender<Answer>,
}

impl Offer {
    fn is_something(&self) -> bool {
        [&self.patch, &self.values, &self.tracks].iter().any(|messages| !messages.is_empty())
    }

    /// Tells what became of it. Does not wait.
    pub fn answer(&self, answer: Answer) {
        let _ = self.answer.try_send(answer);
    }
}

/// The end of whoever reads the file.
pub struct Offers {
    queue: SyncSender<Offer>,
}

/// The control thread's end.
pub struct PatchInput {
    queue: Option<Receiver<Offer>>,
    /// Addresses of the parameters whose values somebody has changed.
    changed: HashSet<String>,
    looked: bool,
}

/// Both ends. The queue has one place: an offer is answered before the next is made.
pub fn exchange() -> (Offers, PatchInput) {
    let (input, queue) = sync_channel(1);
    (Offers { queue: input }, PatchInput { queue: Some(queue), ..PatchInput::none() })
}

impl Offers {
    /// Offers values and waits for what becomes of them.
    pub fn offer(&self, contents: &Contents) -> Answer {
        let (answer, answered) = sync_channel(1);
        // Nothing has to be faded for what is played already.
        let patch = if contents.is_power_on { Vec::new() } else { contents.patch.clone() };
        let (values, tracks) = (contents.values.clone(), contents.tracks.clone().unwrap_or_default());
        if self.queue.try_send(Offer { patch, values, tracks, answer }).is_err() {
            return Answer::NotNow;
        }
        answered.recv_timeout(ANSWER).unwrap_or(Answer::NotNow)
    }

    /// Says that there was nothing to offer at this look.
    pub fn say_nothing(&self) {
        let (patch, values, tracks) = Default::default();
        let _ = self.queue.try_send(Offer { patch, values, tracks, answer: sync_channel(1).0 });
    }
}

impl PatchInput {
    /// No file: nothing is ever offered.
    pub fn none() -> Self {
        Self { queue: None, changed: HashSet::new(), looked: false }
    }

    /// Notes that somebody has set the parameter of this address: its value is not taken from the file any more.
    pub fn note_change(&mut self, address: String) {
        // Once the file has been read nobody asks.
        if self.queue.is_some() {
            self.changed.insert(address);
        }
    }

    /// Whether somebody has set the parameter of this address.
    pub fn was_changed(&self, address: &str) -> bool {
        self.changed.contains(address)
    }

    /// The next offer, if there is one. The first call waits for the first look at the file, within bounds.
    pub fn take(&mut self) -> Option<Offer> {
        let wait = if std::mem::replace(&mut self.looked, true) { Duration::ZERO } else { FIRST_LOOK };
        match self.queue.as_ref()?.recv_timeout(wait) {
            Ok(offer) => Some(offer).filter(Offer::is_something),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.queue = None;
                None
            }
        }
    }
}
