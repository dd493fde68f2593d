//! From the audio thread to a file: a bounded queue, and a thread that writes at the disk's pace.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use abi::Block;
use heapless::spsc::{Consumer, Producer, Queue};

use super::WavFile;
use super::choose::Patience;
use crate::report::{Counters, count};

/// Blocks the queue holds: 5.4 seconds at 48 kHz and 2 MiB. An SD card that tidies itself up may stop for a
/// second or two.
const QUEUE_BLOCKS: usize = 1024;

/// How long the writer rests when the queue is empty, and the audio thread when it is full (which only the free
/// sink does): a hundredth of what the queue holds, so neither ever waits on the other for long.
const REST: Duration = Duration::from_millis(2);

/// How often the header is brought up to date, so that the file is right even if the power fails.
const HEADER_INTERVAL: Duration = Duration::from_secs(1);

/// The audio thread's end.
pub struct RecorderInput {
    queue: Producer<'static, Block>,
    broken: Arc<AtomicBool>,
}

impl RecorderInput {
    /// Adds a block. In real time a full queue drops and counts it; otherwise it is waited for.
    pub fn push(&mut self, block: &Block, patience: Patience, counters: &Counters) {
        while self.queue.enqueue(*block).is_err() {
            if matches!(patience, Patience::Until(_)) || self.broken.load(Ordering::Relaxed) {
                count(&counters.recorder_drops);
                return;
            }
            std::thread::sleep(REST);
        }
    }
}

/// The writer thread.
pub struct Recorder {
    finished: Arc<AtomicBool>,
    thread: JoinHandle<Result<u64, String>>,
}

impl Recorder {
    /// Makes the file and starts the thread.
    ///
    /// # Errors
    /// In words, if the file cannot be made.
    pub fn start(path: &Path, rate: u32) -> Result<(Self, RecorderInput), String> {
        let wav = WavFile::create(path, rate)?;
        // Lives as long as the process: there is one recording per run.
        let (producer, consumer) = Box::leak(Box::new(Queue::<Block, QUEUE_BLOCKS>::new())).split();
        let (finished, broken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (end, failed) = (finished.clone(), broken.clone());
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                let result = write_all(wav, consumer, &end, WavFile::MOST_BLOCKS);
                if let Err(error) = &result {
                    failed.store(true, Ordering::Relaxed);
                    log::error!("{error}; the music goes on without being recorded");
                }
                result
            })
            .map_err(|error| format!("starting the recorder: {error}"))?;
        Ok((Self { finished, thread }, RecorderInput { queue: producer, broken }))
    }

    /// Waits until all is written; gives the number of blocks in the file. The audio thread has ended before.
    ///
    /// # Errors
    /// In words, if the recording broke off.
    pub fn finish(self) -> Result<u64, String> {
        self.finished.store(true, Ordering::Release);
        self.thread.join().map_err(|_| "the recorder failed".to_owned())?
    }
}

/// Writes until the end; of what is beyond `most` blocks it takes leave with a warning.
fn write_all(
    mut wav: WavFile,
    mut queue: Consumer<'static, Block>,
    finished: &AtomicBool,
    most: u64,
) -> Result<u64, String> {
    let mut updated = Instant::now();
    let mut told_full = false;
    loop {
        // Looked at before the queue: what came before the end is then surely in it.
        let end = finished.load(Ordering::Acquire);
        while let Some(block) = queue.dequeue() {
            if wav.blocks() < most {
                wav.write(&block)?;
            } else if !told_full {
                told_full = true;
                log::warn!(
                    "{}: a WAV file holds 4 GiB; the recording ends here and the music goes on",
                    wav.path().display()
                );
            }
        }
        if end || updated.elapsed() > HEADER_INTERVAL {
            wav.update_header()?;
            updated = Instant::now();
        }
        if end {
            return Ok(wav.blocks());
        }
        std::thread::sleep(REST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_ends_the_recording_and_is_no_failure() {
        let path = std::env::temp_dir().join(format!("chronus-full-{}.wav", std::process::id()));
        let (mut producer, consumer) = Box::leak(Box::new(Queue::<Block, 16>::new())).split();
        (0..7).for_each(|_| producer.enqueue(Block::SILENCE).unwrap());
        let wav = WavFile::create(&path, 48_000).unwrap();
        assert_eq!(write_all(wav, consumer, &AtomicBool::new(true), 4), Ok(4));
        assert!(producer.is_empty(), "the rest is taken all the same");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bytes.len(), 58 + 4 * 2048);
    }
}
