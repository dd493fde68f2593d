//! The recording of a whole run, into the WAV file that a sink names: a thread that writes at the disk's pace.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::WavFile;
use super::tape::{REST, TapeInput, TapeOutput, tape};

/// Blocks the queue holds: 5.4 seconds at 48 kHz and 2 MiB. An SD card that tidies itself up may stop for a
/// second or two.
const QUEUE_BLOCKS: usize = 1024;

/// How often the header is brought up to date, so that the file is right even if the power fails.
const HEADER_INTERVAL: Duration = Duration::from_secs(1);

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
    pub fn start(path: &Path, rate: u32) -> Result<(Self, TapeInput), String> {
        let wav = WavFile::create(path, rate)?;
        let (input, mut output) = tape();
        output.start(QUEUE_BLOCKS);
        let finished = Arc::new(AtomicBool::new(false));
        let end = finished.clone();
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                let result = write_all(wav, &mut output, &end, WavFile::MOST_BLOCKS);
                if let Err(error) = &result {
                    output.stop();
                    log::error!("{error}; the music goes on without being recorded");
                }
                result
            })
            .map_err(|error| format!("starting the recorder: {error}"))?;
        Ok((Self { finished, thread }, input))
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
fn write_all(mut wav: WavFile, tape: &mut TapeOutput, finished: &AtomicBool, most: u64) -> Result<u64, String> {
    let mut updated = Instant::now();
    let mut told_full = false;
    loop {
        // Looked at before the queue: what came before the end is then surely in it.
        let end = finished.load(Ordering::Acquire);
        while !tape.is_empty() {
            if wav.blocks() < most {
                tape.take(|_, block| wav.write(block)).unwrap_or(Ok(()))?;
                continue;
            }
            tape.take(|_, _| ());
            if !told_full {
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
    use super::super::choose::Patience;
    use super::*;
    use abi::Block;

    #[test]
    fn a_full_file_ends_the_recording_and_is_no_failure() {
        let path = std::env::temp_dir().join(format!("chronus-full-{}.wav", std::process::id()));
        let (mut input, mut output) = tape();
        output.start(16);
        assert!((0..7).all(|number| input.push(number, &Block::SILENCE, Patience::Unlimited)));
        let wav = WavFile::create(&path, 48_000).unwrap();
        assert_eq!(write_all(wav, &mut output, &AtomicBool::new(true), 4), Ok(4));
        assert!(output.is_empty(), "the rest is taken all the same");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bytes.len(), 58 + 4 * 2048);
    }
}
