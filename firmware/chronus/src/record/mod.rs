//! Recordings: of what is being played, from now on, and of what was played, up to half an hour back.
//!
//! A thread on the control cores, at normal priority, does all that may block. Blocks come to it by a bounded way
//! (`audio/tape.rs`), orders from the control thread by a bounded queue, which nobody waits at.

mod keep;
mod keeping;
mod mark;
mod name;
mod past;
mod take;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType};

use crate::audio::{MOST_BOXES, REST, SharedMemory, TapeOutput, WavForm};
use crate::control::WayBack;
use crate::input::{Code, Refusal};
use crate::report::Counters;
pub use keep::Keep;
use keeping::Keeping;
use mark::{CutOff, Marked, mend_all};
pub use name::file_of;
pub use past::{MOST_MINUTES, Past};
use take::{Take, Wanted};

/// Where replies of the three come from.
pub const START_REPLY: &str = "/record/start.reply";
/// See [`START_REPLY`].
pub const STOP_REPLY: &str = "/record/stop.reply";
/// See [`START_REPLY`].
pub const KEEP_REPLY: &str = "/record/keep.reply";

/// Orders that wait. Each is one message of somebody's; while a card makes a file, nobody sends many.
pub const ORDERS: usize = 16;

/// Longest rest while something is recorded: two blocks at 48 kHz, of 4,000 there is room for.
const SHORT: Duration = Duration::from_millis(10);

/// Longest rest else, so that the end of the engine is noticed.
const LONG: Duration = Duration::from_millis(100);

/// How often a folder is looked for that is not there: a card that is checked at the start takes seconds.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the control thread wants.
pub enum Order {
    /// A recording from now on, into this file or one that gets a number, for whoever is told.
    Start(Option<String>, SocketAddr),
    /// The end of it.
    Stop(SocketAddr),
    /// A recording of what was played.
    Keep(Box<Keep>),
}

/// What the thread works with.
pub struct Recording {
    /// Where recordings go.
    pub folder: PathBuf,
    /// What they are made of.
    pub form: WavForm,
    /// Where blocks come from.
    pub tape: TapeOutput,
    /// What is wanted.
    pub orders: Receiver<Order>,
    /// The score, for what was played.
    pub memory: Arc<SharedMemory>,
    /// Where it is told.
    pub counters: Arc<Counters>,
    /// To answer from.
    pub replies: WayBack,
    /// The engine goes on where another was ended: what that one was recording goes on too.
    pub continued: bool,
    /// Set when the engine has ended.
    pub stop: Arc<AtomicBool>,
}

/// A recording, and who is to be told that it has begun.
struct Going {
    take: Take,
    tell: Option<SocketAddr>,
    /// A block is in it.
    begun: bool,
    /// Missing blocks that were told of.
    told: u64,
}

impl Recording {
    /// Records what is ordered until the engine ends.
    pub fn run(mut self) {
        let (mut going, mut keeping) = (None, None);
        let (mut looked_at, mut looked) = (None::<Instant>, false);
        loop {
            // Looked at before the blocks: what was played before the end is then surely among them.
            let stopping = self.stop.load(Ordering::Acquire);
            if !looked && looked_at.is_none_or(|time| time.elapsed() > LOOK_AGAIN) {
                looked_at = Some(Instant::now());
                looked = self.look_for_what_was_cut_off(&mut going);
            }
            let rest = if going.is_some() { SHORT } else { LONG };
            match self.orders.recv_timeout(if stopping { Duration::ZERO } else { rest }) {
                Ok(Order::Start(file, sender)) => self.start(file, sender, &mut going),
                Ok(Order::Stop(sender)) => self.stop(sender, &mut going),
                Ok(Order::Keep(keep)) => self.keep(*keep, &mut keeping),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if !stopping => std::thread::sleep(rest),
                Err(RecvTimeoutError::Disconnected) => {}
            }
            if let Some(recording) = &mut going
                && let Err(why) = self.write(recording)
            {
                self.break_off(&mut going, why);
            }
            if keeping.as_ref().is_some_and(|keeping: &Keeping| stopping || keeping.is_finished())
                && let Some(keeping) = keeping.take()
            {
                self.tell_of_kept(keeping);
            }
            if stopping {
                if let Some(recording) = going.take() {
                    self.end(recording, None);
                }
                return;
            }
        }
    }

    /// Mends what an engine before this one was recording, and goes on with it if this one goes on. False if there is no
    /// folder yet.
    fn look_for_what_was_cut_off(&mut self, going: &mut Option<Going>) -> bool {
        let Ok(found) = mend_all(&self.folder) else { return false };
        for CutOff { file, what, mended } in found {
            match mended {
                Ok((form, blocks)) => log::warn!(
                    "the recording {file} was cut off when an engine was ended, or the power; it is whole up to there, {:.1} \
                     seconds",
                    blocks as f64 * abi::FRAMES as f64 / f64::from(form.rate)
                ),
                Err(why) => log::warn!("the recording {file} was cut off and cannot be mended: {why}"),
            }
            if self.continued && going.is_none() && what == Marked::Live {
                match self.begin(&Wanted::Continuing(file.clone()), None) {
                    Ok(recording) => {
                        log::warn!(
                            "it goes on in {}; what was played between, while no engine was there and a moment before \
                             and after, is in neither",
                            recording.take.file()
                        );
                        *going = Some(recording);
                    }
                    Err(why) => self.note_broken(&file, &why),
                }
            }
        }
        true
    }

    fn begin(&mut self, wanted: &Wanted, tell: Option<SocketAddr>) -> Result<Going, String> {
        let _writing = self.counters.write();
        let take = Take::create(&self.folder, wanted, self.form, Marked::Live)?;
        self.tape.start(MOST_BOXES);
        let file = take.file().to_owned();
        let told = &self.counters.record;
        [&told.frames, &told.missing].iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
        told.change(|recorded| {
            (recorded.going_on, recorded.file, recorded.why) = (true, Some(file), None);
        });
        Ok(Going { take, tell, begun: false, told: 0 })
    }

    fn start(&mut self, file: Option<String>, sender: SocketAddr, going: &mut Option<Going>) {
        let begun = match going {
            Some(recording) => Err(format!("{} is being recorded; /record/stop ends it", recording.take.file())),
            None => self.begin(&file.map_or(Wanted::Numbered, Wanted::File), Some(sender)),
        };
        match begun {
            Ok(recording) => {
                log::info!("recording {}", recording.take.file());
                *going = Some(recording);
            }
            Err(why) => self.refuse("/record/start", why, sender),
        }
    }

    fn stop(&mut self, sender: SocketAddr, going: &mut Option<Going>) {
        match going.take() {
            Some(recording) => self.end(recording, Some(sender)),
            None => self.refuse("/record/stop", "nothing is being recorded".to_owned(), sender),
        }
    }

    /// Takes all blocks that are there.
    fn write(&mut self, going: &mut Going) -> Result<(), String> {
        let mut first = None;
        while let Some(written) = self.tape.take(|number, block| {
            first.get_or_insert(number);
            going.take.write(number, block)
        }) {
            written?;
        }
        let (told, frames) = (&self.counters.record, |blocks: u64| blocks * abi::FRAMES as u64);
        told.frames.store(frames(going.take.blocks()), Ordering::Relaxed);
        told.missing.store(frames(going.take.missing()), Ordering::Relaxed);
        if let Some(first) = first.filter(|_| !going.begun) {
            going.begun = true;
            told.first.store(first, Ordering::Relaxed);
        }
        if let (Some(first), Some(sender)) = (first, going.tell) {
            going.tell = None;
            let arguments = vec![OscType::String(going.take.file().to_owned()), OscType::Long(first as i64)];
            self.answer(START_REPLY, arguments, sender);
        }
        let missing = going.take.missing();
        if missing > going.told {
            log::warn!(
                "{}: the disk is too slow: {} blocks are missing, and as much silence is in their place",
                going.take.file(),
                missing - going.told
            );
            going.told = missing;
        }
        going.take.settle()
    }

    /// Ends a recording with all that was played until now.
    fn end(&mut self, mut going: Going, sender: Option<SocketAddr>) {
        // All of these have come, or never will.
        let played = self.counters.blocks.load(Ordering::Relaxed);
        self.tape.stop();
        // The audio thread may be about to add one more.
        std::thread::sleep(REST);
        let counters = self.counters.clone();
        let _writing = counters.write();
        if let Err(why) = self.write(&mut going).and_then(|()| going.take.silence_until(played)) {
            return self.break_off(&mut Some(going), why);
        }
        let (file, blocks, missing) = (going.take.file().to_owned(), going.take.blocks(), going.take.missing());
        let finished = going.take.finish();
        self.counters.record.change(|recorded| {
            (recorded.going_on, recorded.why) = (false, finished.as_ref().err().cloned());
        });
        match (finished, sender) {
            (Ok(()), sender) => {
                log::info!("{file} is whole, {:.1} seconds", self.seconds(blocks));
                let frames = [blocks, missing].map(|blocks| OscType::Long((blocks * abi::FRAMES as u64) as i64));
                let words = [vec![OscType::String(file)], frames.to_vec()].concat();
                sender.into_iter().for_each(|sender| self.answer(STOP_REPLY, words.clone(), sender));
            }
            (Err(why), sender) => {
                log::error!("{file}: {why}; the end of it may be missing");
                sender.into_iter().for_each(|sender| self.refuse("/record/stop", why.clone(), sender));
            }
        }
    }

    /// Ends a recording that the disk does not take any more.
    fn break_off(&mut self, going: &mut Option<Going>, why: String) {
        self.tape.stop();
        let Some(Going { take, tell, .. }) = going.take() else { return };
        let file = take.file().to_owned();
        // What can still be done is done; that something is wrong is known.
        let _ = take.finish();
        self.note_broken(&file, &why);
        tell.into_iter().for_each(|sender| self.refuse("/record/start", why.clone(), sender));
    }

    fn note_broken(&self, file: &str, why: &str) {
        log::error!("the recording {file} ends here: {why}. What was recorded is whole, and the music goes on");
        let told = format!("{file}: {why}");
        self.counters.record.change(|recorded| (recorded.going_on, recorded.why) = (false, Some(told)));
    }

    fn seconds(&self, blocks: u64) -> f64 {
        blocks as f64 * abi::FRAMES as f64 / f64::from(self.form.rate)
    }

    fn answer(&self, address: &str, arguments: Vec<OscType>, to: SocketAddr) {
        let message = OscMessage { addr: address.to_owned(), args: arguments };
        if let Ok(bytes) = rosc::encoder::encode(&OscPacket::Message(message)) {
            self.replies.send(&bytes, to);
        }
    }

    fn refuse(&self, address: &str, why: String, to: SocketAddr) {
        if let Some(bytes) = Refusal::new(address, Code::Failed, why).to_packet() {
            self.replies.send(&bytes, to);
        }
    }
}
