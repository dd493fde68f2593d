//! The control thread: takes datagrams, has them interpreted, stamps what is good, answers the rest.

mod inbox;
mod quarantine;
mod replies;
mod reply_budget;

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Receiving, RecvTimeoutError};
use std::time::Duration;

use rosc::OscType;
use shm::CommandPlace;

use crate::audio::SharedMemory;
use crate::input::{Code, Datagram, Receiver, Refusal, Request, interpret};
use crate::light::IDENTIFY;
use crate::patch::{Answer, PatchInput};
use crate::report::{Counters, Facts, count, status_pairs};
use crate::stamp::Stamper;
use inbox::{Inbox, inbox};
pub use quarantine::{Quarantine, Quarantined};
use replies::Replies;
#[cfg(test)]
pub use reply_budget::REPLY_LIMITS;
use reply_budget::ReplyBudget;

/// Longest wait, so that a stop is noticed.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

const STATUS_REPLY: &str = "/status.reply";
const LED_REPLY: &str = "/led.reply";
const VERSION_REPLY: &str = "/version.reply";

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
    /// Set when the engine stops.
    pub stop: Arc<AtomicBool>,
}

/// Starts the receiving thread; gives the queue it fills and a socket to answer from.
///
/// # Errors
/// In words, if a thread or a descriptor cannot be had.
pub fn start_receiving(
    mut receiver: Receiver,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
) -> Result<(Inbox, UdpSocket), String> {
    let replies = receiver.socket().try_clone().map_err(|error| format!("copying the OSC socket: {error}"))?;
    let (input, queue) = inbox();
    std::thread::Builder::new()
        .name("osc-receive".to_owned())
        .spawn(move || {
            let mut told = 0;
            while !stop.load(Ordering::Relaxed) {
                let mut dropped = 0;
                let mut hand_over = |datagram| dropped += u64::from(!input.add(datagram));
                if let Err(error) = receiver.receive_batch(&mut hand_over) {
                    log::error!("receiving OSC: {error}");
                    std::thread::sleep(LONGEST_WAIT);
                }
                if dropped > 0 {
                    counters.queue_drops.fetch_add(dropped, Ordering::Relaxed);
                    log::warn!("{dropped} OSC datagrams came faster than they could be worked off and are lost");
                }
                counters.flood_drops.store(receiver.flood_drops(), Ordering::Relaxed);
                counters.floods.store(receiver.floods(), Ordering::Relaxed);
                let drops = receiver.kernel_drops();
                counters.kernel_drops.store(drops, Ordering::Relaxed);
                if drops > told {
                    log::warn!("{} OSC datagrams came faster than they could be taken and are lost", drops - told);
                    told = drops;
                }
            }
        })
        .map_err(|error| format!("starting the OSC thread: {error}"))?;
    Ok((queue, replies))
}

/// Where a command comes from that has no sender.
fn nobody(place: CommandPlace) -> &'static str {
    match place {
        CommandPlace::Score(_) => "the score",
        // Senders are forgotten with the engine that knew them.
        CommandPlace::Log(_) => "the kept patch, or sent to the engine before this one",
    }
}

impl Control {
    /// Works until the engine stops.
    pub fn run(mut self, queue: &Inbox, replies: &UdpSocket) {
        let mut quarantine = Quarantine::default();
        let mut budget = ReplyBudget::new();
        while !self.stop.load(Ordering::Relaxed) {
            self.take_patch();
            let wait = self.stamper.time_to_next().unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
            match queue.take(wait) {
                Ok(datagram) => {
                    let counters = self.counters.clone();
                    let answers = Replies::to(datagram.sender, replies, &counters, &mut budget);
                    self.handle(&datagram, answers, &quarantine);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(wait),
            }
            // Read first: of what is behind a state by now, the quarantines are told by now.
            let consumed = self.memory.consumed();
            self.tell_of_quarantined(&mut quarantine, replies, &mut budget);
            // What is full now is tried again at the next turn: it stays waiting.
            let _ = self.stamper.release_due();
            self.stamper.keep(consumed);
        }
        self.tell_of_quarantined(&mut quarantine, replies, &mut budget);
        // The audio thread has ended, so this is how long the performance was.
        self.stamper.finish();
    }

    /// Sets the values that are offered, but for those where somebody was faster.
    fn take_patch(&mut self) {
        let Some(offer) = self.patch.take() else { return };
        let mut wanted = offer.operations.iter().copied().filter(|operation| self.patch.wants(*operation));
        let set = wanted.try_fold(0, |count, operation| self.stamper.set_at_once(operation).map(|()| count + 1));
        offer.answer(set.map_or(Answer::NotNow, Answer::Set));
    }

    /// Tells of the commands that were quarantined since the last time.
    fn tell_of_quarantined(&mut self, quarantine: &mut Quarantine, replies: &UdpSocket, budget: &mut ReplyBudget) {
        while let Ok(place) = self.quarantines.try_recv() {
            let Some(command) = self.memory.command_at(place) else { continue };
            let sender = self.stamper.leave_out(place);
            let quarantined = Quarantined::new(command, sender);
            log::warn!(
                "a worker died of the command {} ({}); it is left out from now on",
                quarantined.words(),
                sender.map_or_else(|| format!("of {}", nobody(place)), |sender| format!("from {sender}"))
            );
            if let Some(sender) = sender {
                Replies::to(sender, replies, &self.counters, budget).refuse(&quarantined.refusal());
            }
            quarantine.add(quarantined);
        }
    }

    fn handle(&mut self, datagram: &Datagram, mut replies: Replies, quarantine: &Quarantine) {
        if datagram.truncated {
            let text =
                format!("the datagram is larger than {} bytes; send less at once", crate::input::MAX_DATAGRAM_BYTES);
            return self.refuse(&Refusal::new("-", Code::Oversized, text), &mut replies);
        }
        for request in interpret(&datagram.bytes, datagram.arrival_ns, self.facts.rate) {
            match request {
                Ok(Request::Apply(intent)) => match self.stamper.accept(intent.operation, intent.when, datagram.sender)
                {
                    Ok(()) => {
                        self.patch.note_change(intent.operation);
                        count(&self.counters.received);
                    }
                    Err((code, text)) => {
                        self.refuse(&Refusal { address: intent.address, code, text }, &mut replies);
                    }
                },
                Ok(Request::Status) if replies.may_answer(STATUS_REPLY) => {
                    let applied = self.memory.consumed();
                    let origin = self.stamper.clock_origin();
                    let pairs = status_pairs(&self.facts, &self.counters, applied, origin, quarantine.pairs());
                    replies.answer(STATUS_REPLY, pairs);
                }
                Ok(Request::Version) if replies.may_answer(VERSION_REPLY) => {
                    let names = ["chronus", env!("CARGO_PKG_VERSION")].map(|text| OscType::String(text.to_owned()));
                    replies.answer(VERSION_REPLY, names.to_vec());
                }
                Ok(Request::Led) if replies.may_answer(LED_REPLY) => {
                    let light = &self.counters.light;
                    let (state, lamp) = (light.get(), OscType::String(light.lamp().to_owned()));
                    let words = [OscType::String(state.name().to_owned()), OscType::Int(state.code().into()), lamp];
                    replies.answer(LED_REPLY, words.to_vec());
                }
                Ok(Request::Identify) => self.counters.light.identify_until(rt::clock::monotonic() + IDENTIFY),
                Ok(Request::Status | Request::Version | Request::Led) => {}
                Err(refusal) => self.refuse(&refusal, &mut replies),
            }
        }
    }

    fn refuse(&self, refusal: &Refusal, replies: &mut Replies) {
        count(&self.counters.received);
        count(&self.counters.refused);
        replies.refuse(refusal);
    }
}
