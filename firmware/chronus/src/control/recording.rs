//! What is asked about recordings: handed to the thread that records, for a disk may be slow; and the past, which is kept
//! here.

use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, TrySendError};

use rosc::OscType;

use super::Control;
use super::levels::Levels;
use super::replies::Replies;
use crate::audio::SharedMemory;
use crate::input::{Code, Datagram, RecordAsked, Refusal};
use crate::record::{KEEP_REPLY, Keep, MOST_MINUTES, Order, Past, START_REPLY, STOP_REPLY, file_of};
use crate::report::Facts;

/// The reply to `/record/status`.
const STATUS_REPLY: &str = "/record/status.reply";

fn no_folder(address: &str) -> Refusal {
    let why = "nobody has said where recordings go: start the engine with --recordings FOLDER";
    Refusal::new(address, Code::Failed, why)
}

/// What the control thread has for recordings.
pub struct Recordings {
    /// What was played.
    pub past: Past,
    /// The way to the thread that records.
    pub orders: SyncSender<Order>,
}

impl Recordings {
    /// What there is of so many minutes.
    fn keep(
        &mut self,
        minutes: f64,
        file: Option<String>,
        facts: &Facts,
        memory: &SharedMemory,
        sender: SocketAddr,
    ) -> Result<Keep, Refusal> {
        let refused = |code, why: &str| Refusal::new("/record/keep", code, why);
        if minutes.is_nan() || minutes <= 0.0 {
            return Err(refused(Code::WrongType, "how many minutes? a number above 0; there are at most 30"));
        }
        let kept = self.past.kept(memory);
        let kept = kept.ok_or_else(|| refused(Code::Failed, "nothing was played yet that could be kept"))?;
        let rate = f64::from(facts.rate);
        let blocks = (minutes.min(MOST_MINUTES as f64) * 60.0 * rate / abi::FRAMES as f64).ceil() as u64;
        Ok(Keep { kept, blocks, file, sender })
    }
}

impl Control {
    /// Has something recorded, or tells of it.
    pub(super) fn record(
        &mut self,
        asked: RecordAsked,
        datagram: &Datagram,
        replies: &mut Replies,
    ) -> Result<(), Refusal> {
        let sender = datagram.sender;
        let file = |address: &str, name: Option<String>| {
            let file = name.map(|name| file_of(&name)).transpose();
            file.map_err(|why| Refusal::new(address, Code::WrongType, why))
        };
        let recordings = &mut self.recordings;
        let (address, reply, order) = match asked {
            RecordAsked::Status => {
                if replies.may_answer(STATUS_REPLY) {
                    let pairs = self.counters.record.pairs(self.facts.rate).into_iter();
                    let words = pairs.flat_map(|(key, value)| [OscType::String(key.to_owned()), value]);
                    replies.answer(STATUS_REPLY, words.collect());
                }
                return Ok(());
            }
            RecordAsked::Start(name) => {
                ("/record/start", START_REPLY, Order::Start(file("/record/start", name)?, sender))
            }
            RecordAsked::Stop => ("/record/stop", STOP_REPLY, Order::Stop(sender)),
            RecordAsked::Keep(minutes, name) => {
                let file = file("/record/keep", name)?;
                let keep = recordings
                    .as_mut()
                    .map(|recordings| recordings.keep(minutes, file, &self.facts, &self.memory, sender));
                let keep = keep.ok_or_else(|| no_folder("/record/keep"))??;
                ("/record/keep", KEEP_REPLY, Order::Keep(Box::new(keep)))
            }
        };
        if !replies.may_answer(reply) {
            return Ok(());
        }
        let recordings = recordings.as_ref().ok_or_else(|| no_folder(address))?;
        recordings.orders.try_send(order).map_err(|refused| {
            let why = match refused {
                TrySendError::Full(_) => "too many of these at once; nothing was done, send it again",
                TrySendError::Disconnected(_) => "the thread that records has failed; this is a bug in Chronus",
            };
            Refusal::new(address, Code::Full, why)
        })
    }

    /// Takes notice of what was played and of what is in the log by now.
    pub(super) fn look_back(&mut self, levels: &mut Levels) {
        while let Some(note) = self.notes.take() {
            self.recordings.iter_mut().for_each(|recordings| recordings.past.hear(note));
            levels.add(&note);
        }
        self.recordings.iter_mut().for_each(|recordings| recordings.past.look(&self.memory, &self.counters));
    }
}
