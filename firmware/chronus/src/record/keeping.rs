//! Recordings of the past: a file, and a thread that renders into it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use abi::{Block, BlockNumber};
use rosc::OscType;

use super::keep::{Keep, Rendered, render};
use super::mark::Marked;
use super::take::{Take, Wanted};
use super::{KEEP_REPLY, Recording};
use crate::audio::{SharedMemory, WavForm};
use crate::report::STACK_BYTES;

/// It is being rendered.
pub struct Keeping {
    file: String,
    sender: SocketAddr,
    first: BlockNumber,
    blocks: u64,
    thread: JoinHandle<Result<Rendered, String>>,
}

impl Keeping {
    /// Makes the file and starts the thread, which has the time that nobody else wants and holds nothing others wait for.
    /// It ends with the engine.
    ///
    /// # Errors
    /// In words.
    pub fn start(
        keep: Keep,
        folder: &Path,
        form: WavForm,
        memory: Arc<SharedMemory>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, String> {
        let Keep { kept, blocks, file, sender } = keep;
        let wanted = file.map_or(Wanted::Numbered, Wanted::File);
        let mut take = Take::create(folder, &wanted, form, Marked::Past)?;
        let first = kept.blocks.end.saturating_sub(blocks).max(kept.blocks.start);
        let (file, blocks) = (take.file().to_owned(), kept.blocks.end - first);
        let work = move || {
            // Where it is refused the thread is as any other.
            let _ = rt::scheduling::set_idle();
            let write = |number, block: &Block| {
                if stop.load(Ordering::Relaxed) {
                    return Err("the engine was ended; what there is of it is whole".to_owned());
                }
                take.write(number, block)?;
                take.settle()
            };
            let rendered = render(&kept, first, &memory, write);
            let finished = take.finish();
            rendered.and_then(|rendered| finished.map(|()| rendered))
        };
        let thread = Builder::new().name("keep".to_owned()).stack_size(STACK_BYTES).spawn(work);
        let thread = thread.map_err(|error| format!("starting the thread that renders: {error}"))?;
        Ok(Self { file, sender, first, blocks, thread })
    }

    /// Its file, without the folder.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Who is told.
    pub fn sender(&self) -> SocketAddr {
        self.sender
    }

    /// Its first block.
    pub fn first(&self) -> BlockNumber {
        self.first
    }

    /// Blocks it will have.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Whether it is done.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until it is done.
    ///
    /// # Errors
    /// In words.
    pub fn finish(self) -> Result<Rendered, String> {
        self.thread.join().map_err(|_| "the thread that renders failed; this is a bug in Chronus".to_owned())?
    }
}

impl Recording {
    /// Has the past rendered by a thread of its own, if there is none that does so.
    pub(super) fn keep(&mut self, keep: Keep, keeping: &mut Option<Keeping>) {
        let sender = keep.sender;
        let begun = match keeping {
            Some(_) => Err("another recording of the past is being made; try again when it is done".to_owned()),
            None => Keeping::start(keep, &self.folder, self.form, self.memory.clone(), self.stop.clone()),
        };
        match begun {
            Ok(begun) => {
                let (file, seconds) = (begun.file().to_owned(), self.seconds(begun.blocks()));
                log::info!("keeping the last {seconds:.1} seconds as {file}");
                self.counters.record.change(|recorded| recorded.keeping = Some(file.clone()));
                self.answer(KEEP_REPLY, kept_words("keeping", file, seconds, begun.first()), sender);
                *keeping = Some(begun);
            }
            Err(why) => self.refuse("/record/keep", why, sender),
        }
    }

    /// Says what came of it.
    pub(super) fn tell_of_kept(&self, keeping: Keeping) {
        let (file, sender, first) = (keeping.file().to_owned(), keeping.sender(), keeping.first());
        let finished = keeping.finish();
        self.counters.record.change(|recorded| recorded.keeping = None);
        match finished {
            Ok(kept) => {
                let seconds = self.seconds(kept.blocks);
                if kept.differing > 0 {
                    log::warn!(
                        "{file}: of {} states on the way {} were others than when it was played: a worker had computed \
                         wrongly then, or the engine began anew; from such a state on it was rendered as played",
                        kept.compared,
                        kept.differing
                    );
                }
                log::info!("{file} is whole, {seconds:.1} seconds; {} states on the way were compared", kept.compared);
                self.answer(KEEP_REPLY, kept_words("kept", file, seconds, first), sender);
            }
            Err(why) => {
                log::error!("the past cannot be kept as {file}: {why}");
                self.refuse("/record/keep", why, sender);
            }
        }
    }
}

/// What of the past is kept: its file, how long it is, and its first block.
fn kept_words(what: &str, file: String, seconds: f64, first: u64) -> Vec<OscType> {
    let words = [what.to_owned(), file].map(OscType::String);
    [words.to_vec(), vec![OscType::Float(seconds as f32), OscType::Long(first as i64)]].concat()
}
