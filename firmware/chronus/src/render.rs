//! `chronus render`: the reference. One process, no workers, the same state and the same commands.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use abi::{Block, FRAMES};
use shm::ScoreMemory;

use crate::audio::WavFile;
use crate::command_line::RenderOptions;
use crate::input::{Score, read_score};
use crate::worker::EngineState;

/// Refused messages told one by one; after that only their number.
const REFUSALS_TOLD: usize = 5;

/// How often progress is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Reads a score file and says what in it cannot be played; the rest is.
///
/// # Errors
/// In words, if it is no score.
pub fn load_score(path: &Path, rate: u32) -> Result<Score, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let score = read_score(&bytes, rate).map_err(|error| format!("{}: {error}", path.display()))?;
    for (bundle, refusal) in score.refusals.iter().take(REFUSALS_TOLD) {
        log::warn!("{}: bundle {bundle}: {}: {}; skipped", path.display(), refusal.address, refusal.text);
    }
    if score.refusals.len() > REFUSALS_TOLD {
        log::warn!("{}: {} messages in all are skipped", path.display(), score.refusals.len());
    }
    Ok(score)
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
    let memory = ScoreMemory::create(&score.commands).map_err(|error| format!("memory for the score: {error}"))?;
    let mut wav = WavFile::create(&options.output, options.rate)?;
    let mut state = EngineState::at_start(options.rate);
    let mut block = Block::SILENCE;
    let mut progress = Progress::new(blocks);
    for number in 0..blocks {
        // Without a log nothing can be lost.
        let _ = state.render_next(&memory, None, &mut block);
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
