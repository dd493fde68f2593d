//! `/patch/save`, `/patch/load`, `/patch/presets`: the files by a thread of their own, for a card may be slow; what is loaded is
//! done here, as anything else that is sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use abi::Operation;
use dsp::instrument::{Wiring, text_of};
use rosc::{OscMessage, OscType};

use super::Control;
use super::WayBack;
use super::effort::{Effort, Stopwatch};
use super::replies::Replies;
use super::reply_budget::ReplyBudget;
use crate::input::{Code, PresetAsked, Refusal, Request, When, interpret_message};
use crate::patch::{Contents, Presets, write_patch};
use crate::report::{Counters, STACK_BYTES};
use crate::stamp::COMMIT_FRAMES;

/// What has become of a wish.
enum Done {
    /// This is to be made.
    Loaded(String, Box<Contents>),
    /// This is the answer.
    Answer(OscMessage),
    /// It cannot be done.
    Refused(Refusal),
}

/// What the control thread has for presets.
pub struct PresetDesk {
    presets: Presets,
    done: Receiver<(SocketAddr, Done)>,
    way: SyncSender<(SocketAddr, Done)>,
    /// Somebody's wish is being done.
    busy: Arc<AtomicBool>,
}

impl PresetDesk {
    /// With presets there.
    pub fn new(presets: Presets) -> Self {
        // One wish at a time.
        let (way, done) = sync_channel(1);
        Self { presets, done, way, busy: Arc::default() }
    }
}

/// Does a wish: reads or writes files.
fn fulfil(asked: PresetAsked, presets: &Presets, text: &str, rate: u32, counters: &Counters) -> Done {
    let words = |address: &str, words: Vec<String>| {
        let args = words.into_iter().map(OscType::String).collect();
        Done::Answer(OscMessage { addr: format!("{address}.reply"), args })
    };
    let refused = |address: &str, why: String| Done::Refused(Refusal::new(address, Code::Failed, why));
    match asked {
        PresetAsked::List => words("/patch/presets", presets.names()),
        PresetAsked::Save(name) => {
            let _writing = counters.write();
            match presets.save(&name, text) {
                Ok(file) => {
                    log::info!("the patch is kept as {}", file.display());
                    words("/patch/save", vec![name])
                }
                Err(why) => refused("/patch/save", why),
            }
        }
        PresetAsked::Load(name) => match presets.load(&name, rate) {
            Ok(contents) => Done::Loaded(name, Box::new(contents)),
            Err(why) => refused("/patch/load", why),
        },
    }
}

/// Why a preset is not made now. What was being edited stays, as after a commit, but to send this again does away with it.
fn too_near(_: (Code, String)) -> (Code, String) {
    (
        Code::Full,
        format!("another commit or preset is less than {COMMIT_FRAMES} frames away; nothing was done, send it again"),
    )
}

impl Control {
    /// Has a thread do what is wished.
    pub(super) fn wish_for_preset(&mut self, asked: PresetAsked, sender: SocketAddr) -> Result<(), Refusal> {
        let address = asked.address();
        if self.desk.busy.swap(true, Ordering::AcqRel) {
            let why = "another preset is being read or written; nothing was done, send it again";
            return Err(Refusal::new(address, Code::Full, why));
        }
        let text = write_patch(self.stamper.refresh());
        let (presets, way) = (self.desk.presets.clone(), self.desk.way.clone());
        let (counters, rate) = (self.counters.clone(), self.facts.rate);
        let work = move || {
            let done = fulfil(asked, &presets, &text, rate, &counters);
            let _ = way.send((sender, done));
        };
        let started = std::thread::Builder::new().name("preset".to_owned()).stack_size(STACK_BYTES).spawn(work);
        started.map(drop).map_err(|error| {
            self.desk.busy.store(false, Ordering::Release);
            Refusal::new(address, Code::Failed, format!("no thread for it: {error}"))
        })
    }

    /// Tells what has become of a wish, and makes what was loaded.
    pub(super) fn take_preset(&mut self, replies: &WayBack, budget: &mut ReplyBudget, effort: &mut Effort) {
        let Ok((sender, done)) = self.desk.done.try_recv() else { return };
        let mut watch = Stopwatch::start();
        self.desk.busy.store(false, Ordering::Release);
        let done = match done {
            Done::Loaded(name, contents) => match self.make(&contents, sender) {
                Ok(()) => {
                    let words = std::iter::once(name).chain(contents.left_out.iter().cloned());
                    Ok(OscMessage { addr: "/patch/load.reply".to_owned(), args: words.map(OscType::String).collect() })
                }
                Err((code, text)) => Err(Refusal::new("/patch/load", code, text)),
            },
            Done::Answer(message) => Ok(message),
            Done::Refused(refusal) => Err(refusal),
        };
        let taken = watch.lap();
        effort.charge(sender, taken, watch.time());
        let counters = self.counters.clone();
        let mut replies = Replies::to(sender, replies, &counters, budget);
        match done {
            Ok(message) => _ = replies.tell(rosc::OscPacket::Message(message)),
            Err(refusal) => self.refuse(&refusal, &mut replies),
        }
    }

    /// Makes a patch with all its values, and commits it: at one frame.
    fn make(&mut self, contents: &Contents, sender: SocketAddr) -> Result<(), (Code, String)> {
        self.stamper.may_commit(When::Arrival(rt::clock::monotonic())).map_err(too_near)?;
        let mut tried: Box<Wiring> = Box::new(*self.stamper.refresh());
        let (commit, patch) = contents.patch.split_last().ok_or((Code::Failed, "an empty preset".to_owned()))?;
        let mut operations = Vec::new();
        // Its tracks take the place of those that there are; a preset without any leaves them.
        let tracks = contents.tracks.as_ref().filter(|tracks| !tracks.is_empty());
        let gone = tried.sequencer().tracks().map(|(_, track)| OscType::from(text_of(&track.name())));
        let delete = |name| OscMessage { addr: "/seq/delete".to_owned(), args: vec![name] };
        let gone: Vec<_> = gone.filter(|_| tracks.is_some()).map(delete).collect();
        let made = gone.iter().chain(tracks.into_iter().flatten());
        for message in patch.iter().chain(&contents.values).chain(made).chain([commit]) {
            for request in interpret_message(message, When::Arrival(0), self.facts.rate, &tried) {
                let Ok(Request::Apply(intent)) = request else { continue };
                tried.follow(&intent.operation, self.facts.rate);
                operations.push(intent.operation);
            }
        }
        // One time for all of it, so that it has one frame: of now, when it is known what there is to do.
        let now = rt::clock::monotonic();
        // The patch as a whole or not at all: whether it may be committed now is asked first, and what is full in the midst
        // of it takes the edits back.
        self.stamper.may_commit(When::Arrival(now)).map_err(too_near)?;
        for operation in operations {
            if let Err(error) = self.stamper.accept_by_hand(operation, now) {
                let _ = self.stamper.set_at_once(Operation::Edit(abi::Edit::Abort));
                return Err(error);
            }
        }
        log::info!("a preset was loaded for {}", crate::input::sender_name(sender));
        Ok(())
    }
}
