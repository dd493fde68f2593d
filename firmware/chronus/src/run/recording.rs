//! What the audio thread gives to those who record and look back, and the thread that records.

use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use super::Engine;
use super::threads::spawn;
use crate::audio::{NotesInput, NotesOutput, TapeInput, TapeOutput, WavForm, notes, tape};
use crate::command_line::{RunOptions, SinkChoice};
use crate::control::{Recordings, WayBack};
use crate::record::{ORDERS, Past, Recording};

/// Their ends of both ways.
pub struct Taken {
    /// Blocks, while somebody records; `None` if there is no folder for that.
    pub tape: Option<TapeOutput>,
    /// Notes of all blocks.
    pub notes: NotesOutput,
}

/// Both ways, if anybody may want them: the audio thread's ends and the others. Without a beat nothing is late, and nobody
/// could take notes so fast.
pub fn ways(wanted: bool, records: bool, beat: bool) -> (Option<TapeInput>, Option<NotesInput>, Option<Taken>) {
    if !wanted {
        return (None, None, None);
    }
    let (noting, notes) = notes();
    let (blocks, tape) = records.then(tape).unzip();
    (blocks, Some(noting).filter(|_| beat), Some(Taken { tape, notes }))
}

impl Engine {
    /// Starts the thread that records, if there is a folder; gives what the control thread works with.
    ///
    /// # Errors
    /// In words, if there can be none.
    pub(super) fn start_recording(
        &self,
        options: &RunOptions,
        tape: Option<TapeOutput>,
        replies: &WayBack,
    ) -> Result<Option<(Recordings, JoinHandle<()>)>, String> {
        let Some((folder, tape)) = options.recordings.clone().zip(tape) else { return Ok(None) };
        // Said now and not when somebody has something to record; no reason not to play.
        if folder.exists() && !folder.is_dir() {
            log::warn!("nothing can be recorded: {} is no folder; start with --recordings FOLDER", folder.display());
        }
        let (ordering, orders) = sync_channel(ORDERS);
        let recording = Recording {
            folder,
            form: WavForm { rate: options.rate, samples: options.recording_samples, large: true },
            tape,
            orders,
            memory: self.memory.clone(),
            counters: self.counters.clone(),
            replies: replies.try_clone().map_err(|error| format!("copying the OSC socket: {error}"))?,
            continued: self.memory.continuation.played() > 0,
            stop: self.ended.clone(),
        };
        let beat = !matches!(options.sink, SinkChoice::Free(_));
        let mut past = Past::new(options.rate, beat);
        // Before anything is played: so the past begins with the first block.
        past.look(&self.memory, &self.counters);
        Ok(Some((Recordings { past, orders: ordering }, spawn("record", move || recording.run())?)))
    }
}
