//! Answers to what clients ask about time, values and what arrives.

use std::sync::atomic::Ordering;

use dsp::instrument::{KINDS, Kind, Row};
use rosc::{OscMessage, OscPacket, OscType};

use super::events::Happened;
use super::notify::{LEASE_SECONDS, MOST_VALUES, Subscribers, bundle, value_message};
use super::replies::Replies;
use super::reply_budget::ReplyBudget;
use super::{Control, Quarantine, WayBack};
use crate::input::{
    Asked, Code, Datagram, Refusal, asks_for, catalogue, explain_no_value, sender_name, tracks_made_of,
};
use crate::report::status_pairs;

/// The reply to `/status`.
pub(super) const STATUS_REPLY: &str = "/status.reply";

/// The reply to `/health`.
pub(super) const HEALTH_REPLY: &str = "/health.reply";

/// The reply to `/patch/list`, behind the patch itself.
pub(super) const PATCH_REPLY: &str = "/patch/list.reply";

/// The reply to `/seq/list`, behind the tempo and the tracks themselves.
pub(super) const TRACKS_REPLY: &str = "/seq/list.reply";

/// The reply to `/notify/levels`.
const LEVELS_REPLY: &str = "/notify/levels.reply";

/// Messages of tracks in a bundle: of 64 values they are 350 bytes each, and a datagram has room for 64 KB.
const MOST_MESSAGES: usize = 64;

/// The frame that is told while nothing plays in real time.
const NO_FRAME: i64 = -1;

fn packet(address: &str, arguments: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_owned(), args: arguments })
}

impl Control {
    /// Answers what a datagram asks for, now or, for `/sync`, when it is so far.
    pub(super) fn ask(
        &mut self,
        asked: Asked,
        datagram: &Datagram,
        replies: &mut Replies,
        subscribers: &mut Subscribers,
    ) {
        let refused = match asked {
            Asked::Ping(time) => {
                self.pong(time, datagram, replies);
                Ok(())
            }
            Asked::Sync(id) => {
                let added = self.stamper.sync(id, datagram.arrival_ns, datagram.sender);
                added.map_err(|(code, text)| Refusal::new("/sync", code, text))
            }
            Asked::Get(address) => self.tell_values(&address, replies),
            Asked::Dump(on) => {
                log::info!("{}", self.dump.set(on, &sender_name(datagram.sender)));
                Ok(())
            }
            Asked::Levels(on) => {
                let (now, happened) = (rt::clock::monotonic(), Happened::by_now(&self.counters));
                let set = subscribers.set_levels(datagram.sender, on, now, happened);
                if set.is_ok() && replies.may_answer(LEVELS_REPLY) {
                    let lease = if on { LEASE_SECONDS as i32 } else { 0 };
                    replies.answer(LEVELS_REPLY, vec![OscType::Int(lease)]);
                }
                set
            }
            Asked::Record(asked) => self.record(asked, datagram, replies),
        };
        if let Err(refusal) = refused {
            self.refuse(&refusal, replies);
        }
    }

    /// The time that is told is the middle of arrival and answer: so the client, which takes the middle of sending and
    /// receiving, need not know how long the engine took.
    fn pong(&mut self, theirs: OscType, datagram: &Datagram, replies: &mut Replies) {
        let now = rt::clock::monotonic();
        let (tag, frame) = self.stamper.moment(now - now.saturating_sub(datagram.arrival_ns) / 2);
        let frame = frame.map_or(NO_FRAME, |frame| frame as i64);
        replies.tell(packet("/clock/pong", vec![theirs, OscType::Time(tag), OscType::Long(frame)]));
    }

    fn tell_values(&mut self, address: &str, replies: &mut Replies) -> Result<(), Refusal> {
        let wiring = self.stamper.refresh();
        let values = catalogue::values(wiring);
        let meant = values.iter().filter(|(known, _)| asks_for(address, known));
        let mut packets: Vec<_> =
            meant.map(|(known, value)| OscPacket::Message(value_message(known, *value))).collect();
        match packets.len() {
            0 => return Err(Refusal::new("/get", Code::UnknownAddress, explain_no_value(address, wiring))),
            1 => packets.drain(..).for_each(|one| _ = replies.tell(one)),
            _ => packets.chunks(MOST_VALUES).for_each(|some| _ = replies.tell(bundle(some.to_vec()))),
        }
        Ok(())
    }

    /// Tells how large the patch is and what it costs, in the form that scsynth gave this reply.
    pub(super) fn tell_status(&mut self, replies: &mut Replies) {
        let wiring = self.stamper.refresh();
        let voices =
            |row: &Row| row.committed_value(row.parameter("voices").filter(|_| row.kind() == Some(Kind::Voice))?.0);
        let all: f64 = wiring.committed().filter_map(|(_, row)| voices(row)).sum();
        let tracks = wiring.sequencer().tracks().count();
        // What is no voice's sounds once.
        let counts = [1, wiring.committed().count(), all.max(1.0) as usize, tracks, KINDS.len()];
        let load = self.counters.load.percent(self.facts.rate).map(OscType::Float);
        let rate = OscType::Double(self.facts.rate.into());
        let counts = counts.map(|count| OscType::Int(count as i32));
        replies.answer(STATUS_REPLY, counts.into_iter().chain(load).chain([rate.clone(), rate]).collect());
    }

    /// Tells all counters.
    pub(super) fn tell_health(&mut self, quarantine: &Quarantine, replies: &mut Replies) {
        let (applied, origin) = (self.memory.consumed(), self.stamper.clock_origin());
        let pairs = status_pairs(&self.facts, &self.counters, applied, origin, quarantine.pairs());
        replies.answer(HEALTH_REPLY, pairs);
    }

    /// Tells the patch that is being edited: the messages that would make it, and then how many modules and connections it
    /// has, and whether it is the one that was committed last.
    pub(super) fn tell_patch(&mut self, replies: &mut Replies) {
        let wiring = self.stamper.refresh();
        let messages: Vec<_> = catalogue::patch_messages(wiring).map(OscPacket::Message).collect();
        let (modules, connections) = (wiring.edited().count(), wiring.edited_connections().count());
        let committed = OscType::Bool(wiring.is_committed());
        messages.chunks(MOST_VALUES).for_each(|some| _ = replies.tell(bundle(some.to_vec())));
        let counts = [modules, connections].map(|count| OscType::Int(count as i32));
        replies.answer(PATCH_REPLY, counts.into_iter().chain([committed]).collect());
    }

    /// Tells the tempo and the tracks: the messages that would make them, and then how many there are, and whether the clock
    /// runs.
    pub(super) fn tell_tracks(&mut self, replies: &mut Replies) {
        let wiring = self.stamper.refresh();
        let messages: Vec<_> = tracks_made_of(wiring).into_iter().map(OscPacket::Message).collect();
        let (tracks, running) = (wiring.sequencer().tracks().count(), wiring.sequencer().clock().running());
        messages.chunks(MOST_MESSAGES).for_each(|some| _ = replies.tell(bundle(some.to_vec())));
        replies.answer(TRACKS_REPLY, vec![OscType::Int(tracks as i32), OscType::Bool(running)]);
    }

    /// Tells who waited for it that all is applied, and whose bundles came too late that they did.
    pub(super) fn tell_of_time(&mut self, replies: &WayBack, budget: &mut ReplyBudget) {
        for done in self.stamper.take_synced() {
            let (block, frame) = (OscType::Long(done.stamp.block as i64), OscType::Int(done.stamp.frame as i32));
            let answer = packet("/synced", vec![done.id, block, frame]);
            Replies::to(done.sender, replies, &self.counters, budget).tell(answer);
        }
        for (sender, address, (code, text)) in self.stamper.take_lapsed() {
            let counters = self.counters.clone();
            self.refuse(&Refusal::new(&address, code, text), &mut Replies::to(sender, replies, &counters, budget));
        }
        for late in self.stamper.take_late() {
            // 12 hours and more are all the same.
            let frames = OscType::Int(i32::try_from(late.frames).unwrap_or(i32::MAX));
            Replies::to(late.sender, replies, &self.counters, budget).tell(packet("/late", vec![frames]));
        }
    }

    /// Prints what arrives, if somebody wants it.
    pub(super) fn print(&mut self, datagram: &Datagram) {
        // Asked of every datagram: then not even its sender is put into words.
        if !self.dump.is_on() {
            return;
        }
        let now = rt::clock::monotonic();
        let (lines, left_out) = self.dump.lines(datagram, &sender_name(datagram.sender), now);
        lines.iter().for_each(|line| log::info!("{line}"));
        self.counters.dump_left_out.fetch_add(left_out, Ordering::Relaxed);
    }
}
