//! `chronus render`: the reference. One process, no workers, the same state and the same commands.

use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use abi::{Block, FRAMES};
use shm::ScoreMemory;

use crate::audio::WavFile;
use crate::command_line::RenderOptions;
use crate::input::{Score, ScoreRoom, read_score};
use crate::worker::{EngineState, Scratch};

/// How often progress is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Reads a score file and says what in it cannot be played; the rest is.
///
/// # Errors
/// In words, if it is no score.
pub fn load_score(path: &Path, rate: u32) -> Result<Score, String> {
    let room = room_here();
    let bytes = read_file(path, room.bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let score = read_score(&bytes, rate, room.commands).map_err(|error| format!("{}: {error}", path.display()))?;
    for (bundle, refusal) in &score.refusals {
        log::warn!("{}: bundle {bundle}: {}: {}; skipped", path.display(), refusal.address, refusal.text);
    }
    if score.refused > score.refusals.len() {
        log::warn!("{}: {} messages in all are skipped", path.display(), score.refused);
    }
    if let Some(offset) = score.cut_off {
        log::warn!("{}: the file is cut off in the bundle at byte {offset}; what is before it plays", path.display());
    }
    Ok(score)
}

fn room_here() -> ScoreRoom {
    ScoreRoom::of_memory(nix::sys::sysinfo::sysinfo().map_or(0, |machine| machine.ram_total()))
}

fn read_file(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let too_large = || {
        let text = format!("this is larger than the {} MiB that this machine reads as a score; is it one?", most >> 20);
        std::io::Error::other(text)
    };
    if file.metadata()?.len() > most {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // A device or a pipe has no size beforehand.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
}

/// Blocks of a score: it ends with its last time tag, as for scsynth, rounded up to a block.
pub fn blocks_of_score(score: &Score) -> u64 {
    score.end_frame.div_ceil(FRAMES as u64).max(1)
}

/// Renders.
///
/// # Errors
/// In words: an unreadable score, a full disk.
pub fn run(options: &RenderOptions) -> Result<(), String> {
    let score = load_score(&options.score, options.rate)?;
    let blocks = options.blocks.unwrap_or_else(|| blocks_of_score(&score));
    check_length(blocks, options.rate)?;
    let memory = ScoreMemory::create(&score.commands).map_err(|error| format!("memory for the score: {error}"))?;
    let mut wav = WavFile::create(&options.output, options.rate)?;
    let mut state = EngineState::at_start(options.rate);
    let (mut scratch, mut block) = (bytemuck::zeroed_box::<Scratch>(), Block::SILENCE);
    let mut progress = Progress::new(blocks);
    for number in 0..blocks {
        // Without a log nothing can be lost.
        let _ = state.render_next(&memory, None, &|_| {}, (&mut scratch, &mut block));
        wav.write(&block)?;
        progress.show(number);
    }
    wav.update_header()?;
    progress.clear();
    let seconds = blocks as f64 * FRAMES as f64 / f64::from(options.rate);
    let _ = writeln!(
        std::io::stdout(),
        "{}: {blocks} blocks, {seconds:.2} s, {} commands",
        options.output.display(),
        score.commands.len()
    );
    Ok(())
}

/// Refuses a sound that does not fit into a WAV file, before hours of work are lost.
fn check_length(blocks: u64, rate: u32) -> Result<(), String> {
    if blocks <= WavFile::MOST_BLOCKS {
        return Ok(());
    }
    let minutes = WavFile::MOST_BLOCKS * FRAMES as u64 / u64::from(rate) / 60;
    let most = WavFile::MOST_BLOCKS;
    Err(format!(
        "{blocks} blocks do not fit: a WAV file holds 4 GiB, {most} blocks, {minutes} minutes at {rate} Hz. \
         Render less with --blocks N or --seconds S, or split the score"
    ))
}

struct Progress {
    blocks: u64,
    shown: Instant,
    terminal: bool,
}

impl Progress {
    fn new(blocks: u64) -> Self {
        Self { blocks, shown: Instant::now(), terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, number: u64) {
        if self.terminal && self.shown.elapsed() > PROGRESS_INTERVAL {
            self.shown = Instant::now();
            let _ = write!(std::io::stderr(), "\r\x1b[2Krendering: {} %", number * 100 / self.blocks);
        }
    }

    fn clear(&self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_into_a_wav_file_is_refused_beforehand() {
        assert_eq!(check_length(WavFile::MOST_BLOCKS, 48_000), Ok(()));
        let text = check_length(WavFile::MOST_BLOCKS + 1, 48_000).unwrap_err();
        assert!(text.contains("186 minutes at 48000 Hz"), "{text}");
    }

    #[test]
    fn a_file_too_large_to_be_a_score_is_not_read() {
        let path = std::env::temp_dir().join(format!("chronus-large-{}.osc", std::process::id()));
        File::create(&path).unwrap().set_len(room_here().bytes + 1).unwrap();
        let error = load_score(&path, 48_000).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(error.contains("MiB that this machine reads") && error.contains("chronus-large"), "{error}");
    }
}
