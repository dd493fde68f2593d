//! What clients ask about the time of what they send: what time it is, when all is applied, what came too late.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use abi::Stamp;
use rosc::{OscTime, OscType};
use rt::clock::NANOSECONDS;

use super::syncs::Synced;
use super::{SECONDS_1900_TO_1970, Stamper};
use crate::input::Code;

/// Senders who can be told at a time that something of theirs came too late. More are not late at one turn of the control
/// thread unless the machine stood still, and then all know.
const MOST_LATE: usize = 64;

/// How often it is looked whether all is applied while somebody waits for that: a fraction of a block.
const SYNC_INTERVAL: Duration = Duration::from_millis(1);

/// Bundles of one sender that came too late, since it was told last.
pub struct Late {
    /// Who sent them.
    pub sender: SocketAddr,
    /// By how many frames the latest of them.
    pub frames: u64,
}

impl Stamper {
    /// A time of CLOCK_MONOTONIC in nanoseconds as the time tag that means it, and the frame that is due then; `None`
    /// while nothing plays in real time.
    pub fn moment(&mut self, time: u64) -> (OscTime, Option<u64>) {
        let wall = time + self.follow_wall_clock();
        // Up, as a tag is cut to the nanosecond when it is read: what was a nanosecond stays it.
        let fraction = ((wall % NANOSECONDS) << 32).div_ceil(NANOSECONDS);
        let tag = OscTime { seconds: (wall / NANOSECONDS + SECONDS_1900_TO_1970) as u32, fractional: fraction as u32 };
        (tag, self.clock.frame_at(time))
    }

    /// Notes that `sender` wants to be told when all is applied that it sent before; it asked at a time of CLOCK_MONOTONIC
    /// in nanoseconds.
    ///
    /// # Errors
    /// If too many wait for that.
    pub fn sync(&mut self, id: OscType, time: u64, sender: SocketAddr) -> Result<(), (Code, String)> {
        let wanted = self.clock.frame_at(time).map_or(0, |frame| frame + self.latency).min(self.furthest());
        let sealed = Stamp::start_of(self.memory.log.sealed().blocks());
        let stamp = Stamp::from_frame(wanted).max(self.last).max(sealed);
        let tagged = (self.waiting.next_sequence(), self.waiting.shares.waiting_of(sender));
        self.syncs
            .add(sender, id, (stamp, self.log.length()), tagged)
            .map_err(|who| (Code::Full, format!("{who} wait for /synced already; ask again when one is answered")))
    }

    /// Those for whom all is applied by now, and played.
    pub fn take_synced(&mut self) -> Vec<Synced> {
        self.syncs.take_done(self.memory.consumed(), self.counters.blocks.load(Ordering::Relaxed))
    }

    /// Those whose bundles came too late since the last call.
    pub fn take_late(&mut self) -> Vec<Late> {
        std::mem::take(&mut self.late)
    }

    /// How long until somebody may be answered who waits for what is in the log; `None` if nobody does.
    pub fn time_to_sync(&self) -> Option<Duration> {
        self.syncs.are_due().then_some(SYNC_INTERVAL)
    }

    /// Notes that a bundle of this sender came too late by so many frames.
    pub(super) fn note_late(&mut self, sender: SocketAddr, frames: u64) {
        match self.late.iter_mut().find(|late| late.sender == sender) {
            Some(late) => late.frames = late.frames.max(frames),
            None => {
                if self.late.len() < MOST_LATE {
                    self.late.push(Late { sender, frames });
                }
            }
        }
    }
}
