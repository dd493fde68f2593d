//! The control thread: takes datagrams and gestures, has them interpreted, stamps what is good, answers the rest.

mod dump;
mod effort;
mod events;
mod hands;
mod inbox;
mod kept_patch;
mod learned;
mod levels;
mod notify;
mod presets;
mod quarantine;
mod questions;
mod receiving;
mod recording;
mod replies;
mod reply_budget;
mod way_back;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Receiving, RecvTimeoutError};
use std::time::Duration;

use rosc::OscType;
use shm::CommandPlace;

use crate::audio::{NotesOutput, SharedMemory};
use crate::input::{
    Code, Datagram, Intent, Refusal, Request, When, catalogue, interpret_message, is_pattern, messages, sender_name,
};
use crate::light::IDENTIFY;
use crate::patch::PatchInput;
use crate::report::{Counters, Facts, count};
use crate::settings::Bindings;
use crate::stamp::Stamper;
use crate::surface::Moved;
pub use dump::Dump;
#[cfg(test)]
pub use effort::HOST_EFFORT;
use effort::{Effort, Stopwatch};
use events::Happened;
pub use hands::Hands;
use hands::{Learned, Meaning};
use inbox::Entry;
#[cfg(test)]
pub use inbox::MOST_DATAGRAMS;
pub use inbox::{Inbox, InboxWriter, inbox};
use learned::Learning;
use levels::Levels;
#[cfg(test)]
pub use notify::{INTERVAL as NOTIFY_INTERVAL, LEASE_SECONDS, MOST_SUBSCRIBERS};
use notify::{News, Subscribers};
pub use presets::PresetDesk;
pub use quarantine::{Quarantine, Quarantined};
use questions::{HEALTH_REPLY, PATCH_REPLY, STATUS_REPLY, TRACKS_REPLY};
pub use receiving::start_receiving;
pub use recording::Recordings;
use replies::Replies;
#[cfg(test)]
pub use reply_budget::REPLY_LIMITS;
pub use reply_budget::ReplyBudget;
pub use way_back::WayBack;

/// Longest wait, so that a stop is noticed.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Nanoseconds a message takes that is looked at longer than others: a hundred times what a plain one does.
const DEAR: u64 = 100_000;
/// What is heard also from a host that has used up its time: silence, and how the engine is.
const ALWAYS_HEARD: [&str; 4] = ["/panic", "/status", "/health", "/version"];
/// What is said of messages for which there is no time.
const TOO_DEAR: &str = "what this host sends takes more of the engine's time than one host has; this message was left out, send it \
                        again in a second, and fewer patterns, connections and commits at once";

const LED_REPLY: &str = "/led.reply";
const VERSION_REPLY: &str = "/version.reply";
const NOTIFY_REPLY: &str = "/notify.reply";
const CONTROLS_REPLY: &str = "/controls.reply";
const LEARN_REPLY: &str = "/controls/learn.reply";

/// Test builds: what this thread dies of, `/poison control`.
#[cfg(feature = "faults")]
const POISON: &[u8] = b"/poison\0,s\0\0control\0";

/// What the control thread works with.
pub struct Control {
    /// Stamps and logs.
    pub stamper: Stamper,
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// Shared with all.
    pub counters: Arc<Counters>,
    /// What does not change.
    pub facts: Facts,
    /// Places of commands that workers died of.
    pub quarantines: Receiving<CommandPlace>,
    /// Values from before the last power cut.
    pub patch: PatchInput,
    /// Patches with names.
    pub desk: PresetDesk,
    /// The controls on the pins.
    pub hands: Hands,
    /// Where learned bindings are kept, if anywhere.
    pub bindings: Option<Bindings>,
    /// What the audio thread notes of what was played.
    pub notes: NotesOutput,
    /// Recordings, if there is a folder for them.
    pub recordings: Option<Recordings>,
    /// Prints what arrives, if somebody wants it.
    pub dump: Dump,
    /// Set when the engine stops.
    pub stop: Arc<AtomicBool>,
}

/// Where a command comes from that has no sender.
fn nobody(place: CommandPlace) -> &'static str {
    match place {
        CommandPlace::Score(_) => "the score",
        // Senders are forgotten with the engine that knew them.
        CommandPlace::Log(_) => "the kept patch, a control on the pins, or sent to the engine before this one",
    }
}

impl Control {
    /// Works until the engine stops.
    pub fn run(mut self, queue: &Inbox, replies: &WayBack) {
        let mut quarantine = Quarantine::default();
        let (mut budget, mut effort, mut watch) = (ReplyBudget::new(), Effort::new(), Stopwatch::start());
        let (mut subscribers, mut levels) = (Subscribers::default(), Levels::default());
        let mut beginnings = self.counters.beginnings.load(Ordering::SeqCst);
        while !self.stop.load(Ordering::Relaxed) {
            self.take_patch();
            let told = subscribers.time_to_next(rt::clock::monotonic());
            let waits = [self.stamper.time_to_next(), self.stamper.time_to_sync(), told, Some(LONGEST_WAIT)];
            let wait = waits.into_iter().flatten().min().unwrap_or(LONGEST_WAIT);
            match queue.take(wait) {
                Ok(Entry::Datagram(datagram)) => {
                    let counters = self.counters.clone();
                    let answers = Replies::to(datagram.sender, replies, &counters, &mut budget);
                    self.handle(&datagram, answers, &quarantine, &mut subscribers, (&mut effort, &mut watch));
                }
                Ok(Entry::Moved(moved)) => self.move_by_hand(moved, replies, &mut budget),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(wait),
            }
            // Read first: of what is behind a state by now, the quarantines are told by now.
            let consumed = self.memory.consumed();
            self.tell_of_quarantined(&mut quarantine, replies, &mut budget);
            // What is full now is tried again at the next turn: it stays waiting.
            let _ = self.stamper.release_due();
            self.stamper.keep(consumed);
            self.notice_beginning(&mut beginnings);
            self.tell_of_time(replies, &mut budget);
            self.take_preset(replies, &mut budget, &mut effort);
            self.look_back(&mut levels);
            self.tell_subscribers(&mut subscribers, &mut levels, &quarantine, replies, &mut budget);
        }
        self.tell_of_quarantined(&mut quarantine, replies, &mut budget);
        // The audio thread has ended, so this is how long the performance was.
        self.stamper.finish();
    }

    /// Where the sound has begun anew, the patch is the one at power-on.
    fn notice_beginning(&mut self, noticed: &mut u64) {
        let beginnings = self.counters.beginnings.load(Ordering::SeqCst);
        // Odd while it does so.
        if beginnings != *noticed && beginnings.is_multiple_of(2) {
            *noticed = beginnings;
            self.stamper.forget();
        }
    }

    /// Tells of the commands that were quarantined since the last time.
    fn tell_of_quarantined(&mut self, quarantine: &mut Quarantine, replies: &WayBack, budget: &mut ReplyBudget) {
        while let Ok(place) = self.quarantines.try_recv() {
            let Some(command) = self.memory.command_at(place) else { continue };
            let sender = self.stamper.leave_out(place);
            let quarantined = Quarantined::new(command, sender, self.stamper.wiring());
            self.stamper.refresh();
            log::warn!(
                "a worker died of the command {} ({}); it is left out from now on",
                quarantined.words(),
                sender
                    .map_or_else(|| format!("of {}", nobody(place)), |sender| format!("from {}", sender_name(sender)))
            );
            if let Some(sender) = sender {
                Replies::to(sender, replies, &self.counters, budget).refuse(&quarantined.refusal());
            }
            quarantine.add(quarantined);
        }
    }

    fn handle(
        &mut self,
        datagram: &Datagram,
        mut replies: Replies,
        quarantine: &Quarantine,
        subscribers: &mut Subscribers,
        (effort, watch): (&mut Effort, &mut Stopwatch),
    ) {
        #[cfg(feature = "faults")]
        assert!(datagram.bytes != POISON, "this thread was poisoned");
        if datagram.truncated {
            let text =
                format!("the datagram is larger than {} bytes; send less at once", crate::input::MAX_DATAGRAM_BYTES);
            return self.refuse(&Refusal::new("-", Code::Oversized, text), &mut replies);
        }
        self.print(datagram);
        let messages = match messages(&datagram.bytes, datagram.arrival_ns) {
            Ok(messages) => messages,
            Err(refusal) => return self.refuse(&refusal, &mut replies),
        };
        self.stamper.follow_score();
        let mut has_time = true;
        for (message, when) in messages {
            watch.skip();
            // What is behind one that was left out may hang on it.
            has_time = has_time && effort.may_take(datagram.sender, watch.time());
            if !has_time && !ALWAYS_HEARD.contains(&&*message.addr) {
                self.refuse(&Refusal::new(&message.addr, Code::Full, TOO_DEAR), &mut replies);
                continue;
            }
            for request in interpret_message(&message, when, self.facts.rate, self.stamper.wiring()) {
                let done =
                    request.and_then(|request| self.answer(request, datagram, &mut replies, quarantine, subscribers));
                if let Err(refusal) = done {
                    self.refuse(&refusal, &mut replies);
                    // What one word comes to is done as a whole or ends here; each address a pattern means is for itself.
                    if !is_pattern(&message.addr) {
                        break;
                    }
                }
            }
            let taken = watch.lap();
            effort.charge(datagram.sender, taken, watch.time());
            if taken > DEAR {
                // What waits for its time does not wait for all that a datagram says. What is full is tried again.
                let _ = self.stamper.release_due();
            }
        }
    }

    /// Does what one message asks for.
    fn answer(
        &mut self,
        request: Request,
        datagram: &Datagram,
        replies: &mut Replies,
        quarantine: &Quarantine,
        subscribers: &mut Subscribers,
    ) -> Result<(), Refusal> {
        let now = rt::clock::monotonic();
        match request {
            Request::Apply(intent) => return self.apply(intent, Some(datagram.sender)),
            Request::Status if replies.may_answer(STATUS_REPLY) => self.tell_status(replies),
            Request::Health if replies.may_answer(HEALTH_REPLY) => self.tell_health(quarantine, replies),
            Request::Version if replies.may_answer(VERSION_REPLY) => {
                let names = ["chronus", env!("CARGO_PKG_VERSION")].map(|text| OscType::String(text.to_owned()));
                replies.answer(VERSION_REPLY, names.to_vec());
            }
            Request::Led if replies.may_answer(LED_REPLY) => {
                let light = &self.counters.light;
                let (state, lamp) = (light.get(), OscType::String(light.lamp().to_owned()));
                let words = [OscType::String(state.name().to_owned()), OscType::Int(state.code().into()), lamp];
                replies.answer(LED_REPLY, words.to_vec());
            }
            Request::Identify => self.identify(),
            Request::Notify(on) => {
                subscribers.set(datagram.sender, on, now, Happened::by_now(&self.counters))?;
                if replies.may_answer(NOTIFY_REPLY) {
                    let lease = if on { notify::LEASE_SECONDS as i32 } else { 0 };
                    replies.answer(NOTIFY_REPLY, vec![OscType::Int(lease)]);
                }
            }
            Request::Controls if replies.may_answer(CONTROLS_REPLY) => {
                let pairs = self.hands.pairs(self.stamper.refresh(), now);
                replies.answer(CONTROLS_REPLY, pairs);
            }
            Request::Learn(address) => {
                let waiting = if address.is_some() { "waiting" } else { "ended" };
                self.hands.learn(address, datagram.sender, now, self.stamper.wiring())?;
                if replies.may_answer(LEARN_REPLY) {
                    replies.answer(LEARN_REPLY, vec![waiting.into()]);
                }
            }
            Request::Patch if replies.may_answer(PATCH_REPLY) => self.tell_patch(replies),
            Request::Tracks if replies.may_answer(TRACKS_REPLY) => self.tell_tracks(replies),
            Request::Preset(asked) => self.wish_for_preset(asked, datagram.sender)?,
            Request::Ask(asked) => self.ask(asked, datagram, replies, subscribers),
            Request::Status | Request::Health | Request::Version | Request::Led | Request::Controls => {}
            Request::Patch | Request::Tracks => {}
        }
        Ok(())
    }

    /// Has the light say which box this is. Not again for as long as that took: nobody may keep it from telling of faults.
    fn identify(&self) {
        let (light, now) = (&self.counters.light, rt::clock::monotonic());
        if now >= light.identifies_until().saturating_add(IDENTIFY) {
            light.identify_until(now + IDENTIFY);
        }
    }

    /// Has a good command stamped and logged; without a sender it is one given by hand.
    fn apply(&mut self, intent: Intent, sender: Option<SocketAddr>) -> Result<(), Refusal> {
        let accepted = match (sender, intent.when) {
            (Some(sender), when) => self.stamper.accept(intent.operation, when, sender),
            (None, When::Arrival(time)) => self.stamper.accept_by_hand(intent.operation, time),
            (None, When::TimeTag(..)) => Ok(()),
        };
        accepted.map_err(|(code, text)| Refusal { address: intent.address, code, text })?;
        self.note_change(intent.operation);
        count(&self.counters.received);
        Ok(())
    }

    /// Does what a gesture at a control comes to, as if it had been sent and arrived when the pin moved.
    fn move_by_hand(&mut self, moved: Moved, replies: &WayBack, budget: &mut ReplyBudget) {
        let message = match self.hands.meaning(moved, self.stamper.refresh()) {
            Meaning::Message(message) => message,
            Meaning::Nothing => return,
            Meaning::Learned(learned) => return self.keep_learned(learned, replies),
            Meaning::Unfit(sender, refusal) => {
                return Replies::to(sender, replies, &self.counters, budget).refuse(&refusal);
            }
        };
        let when = When::Arrival(moved.time_ns);
        for request in interpret_message(&message, when, self.facts.rate, self.stamper.wiring()) {
            let done = match request {
                Ok(Request::Apply(intent)) => self.apply(intent, None),
                // What asks for an answer is refused in the settings.
                Ok(_) => Ok(()),
                Err(refusal) => Err(refusal),
            };
            if let Err(refusal) = done {
                count(&self.counters.received);
                count(&self.counters.refused);
                log::warn!("a control sends what is refused: {}: {}", refusal.address, refusal.text);
            }
        }
    }

    /// Has a learned binding written into the file by a thread of its own: a card may be slow.
    fn keep_learned(&self, learned: Learned, replies: &WayBack) {
        match replies.try_clone() {
            Ok(replies) => {
                let (bindings, counters) = (self.bindings.clone(), self.counters.clone());
                Learning { learned, bindings, counters, notes: self.hands.notes(), replies }.start();
            }
            Err(error) => log::warn!("a learned binding cannot be written: {error}; it holds until the engine ends"),
        }
    }

    fn tell_subscribers(
        &mut self,
        subscribers: &mut Subscribers,
        levels: &mut Levels,
        quarantine: &Quarantine,
        replies: &WayBack,
        budget: &mut ReplyBudget,
    ) {
        let (stamper, counters) = (&mut self.stamper, &self.counters);
        self.notes.want_levels(subscribers.want_levels());
        let happened = Happened::by_now(counters);
        let since = |told: &Happened| happened.since(told, quarantine, counters);
        let mut levels = || levels.take();
        subscribers.tell(
            rt::clock::monotonic(),
            || News { values: catalogue::values(stamper.refresh()), happened, since: &since, levels: &mut levels },
            |address, packet| Replies::to(address, replies, counters, budget).tell(packet),
        );
    }

    fn refuse(&self, refusal: &Refusal, replies: &mut Replies) {
        count(&self.counters.received);
        count(&self.counters.refused);
        replies.refuse(refusal);
    }
}
