//! Writes a learned binding into the configuration file, and tells whoever asked for it.

use std::sync::{Arc, Mutex};

use rosc::{OscMessage, OscPacket, OscType};

use super::hands::{Learned, Notes};
use super::{LEARN_REPLY, WayBack};
use crate::report::{Counters, STACK_BYTES};
use crate::settings::Bindings;

/// Held by whoever writes the file.
static WRITING: Mutex<()> = Mutex::new(());

/// A binding on its way into the file.
pub struct Learning {
    /// What was learned.
    pub learned: Learned,
    /// Where it is kept; nowhere if the engine was started without a configuration file.
    pub bindings: Option<Bindings>,
    /// Where it is noted that something is being written.
    pub counters: Arc<Counters>,
    /// For who asks later what became of it.
    pub notes: Notes,
    /// To answer from.
    pub replies: WayBack,
}

impl Learning {
    /// Does it in a thread of its own.
    pub fn start(self) {
        let started = std::thread::Builder::new().name("learn".to_owned()).stack_size(STACK_BYTES).spawn(|| self.run());
        if let Err(error) = started {
            log::warn!("a learned binding cannot be written: {error}; it holds until the engine ends");
        }
    }

    fn run(self) {
        let Learned { place, control, sender } = self.learned;
        // One at a time: each reads the file and writes it anew.
        let _turn = WRITING.lock();
        let what = format!("control {place} ({}) is for {} from now on", control.kind(), control.words());
        self.notes.set(place, "being written".to_owned());
        let writing = self.counters.write();
        let kept = match &self.bindings {
            None => Err("the engine was started without a configuration file that names controls".to_owned()),
            Some(bindings) => bindings.keep(&control).map(|()| bindings.file.display()),
        };
        drop(writing);
        let became = match kept {
            Ok(file) => {
                log::info!("{what}, and {file} says so");
                format!("kept in {file}")
            }
            Err(reason) => {
                log::warn!("{what}, and that is not kept: {reason}");
                format!("not kept: {reason}")
            }
        };
        self.notes.set(place, became.clone());
        let words = ["bound".to_owned(), what, became];
        let message = OscMessage { addr: LEARN_REPLY.to_owned(), args: words.map(OscType::String).to_vec() };
        if let Ok(bytes) = rosc::encoder::encode(&OscPacket::Message(message)) {
            self.replies.send(&bytes, sender);
        }
    }
}
