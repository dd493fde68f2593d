//! Renders what was played.

use std::net::SocketAddr;
use std::ops::Range;

use abi::{Block, BlockNumber, Command};
use shm::{CommandPlace, ScoreMemory};

use super::past::{Kept, Minute};
use crate::audio::{Concealment, SharedMemory, silence_what_is_no_number};
use crate::worker::{EngineState, Scratch, put_tapes};

/// What is to be kept.
pub struct Keep {
    /// What there is to render from.
    pub kept: Kept,
    /// Blocks that are wanted; of them all that there are.
    pub blocks: u64,
    /// The file; `None` for one that gets a number.
    pub file: Option<String>,
    /// Who is told.
    pub sender: SocketAddr,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Blocks in the file.
    pub blocks: u64,
    /// States that were met on the way and compared with those of then.
    pub compared: u64,
    /// Of these, those that were others.
    pub differing: u64,
}

/// Renders what was heard from block `first` on, and gives each block to `write`. What was computed then, once a minute,
/// is compared with what is computed now.
pub fn render(
    kept: &Kept,
    first: BlockNumber,
    memory: &SharedMemory,
    mut write: impl FnMut(BlockNumber, &Block) -> Result<(), String>,
) -> Result<Rendered, String> {
    let mut rendered = Rendered::default();
    let mut concealment = Concealment::default();
    // The minute before is where a ramp may have begun; what is older has no part in the sound.
    let begin = kept.minutes.partition_point(|minute| minute.start() < first).saturating_sub(1);
    let (mut scratch, mut block) = (bytemuck::zeroed_box::<Scratch>(), Block::SILENCE);
    if let Some(start) = kept.minutes.get(begin).map(|minute| minute.start())
        && start > 0
        && is_late(&kept.late, start - 1)
    {
        concealment.late(&mut block);
    }
    let mut state: Option<Box<EngineState>> = None;
    for (place, minute) in kept.minutes.iter().enumerate().skip(begin) {
        let end = kept.minutes.get(place + 1).map_or(kept.blocks.end, |next| next.start()).min(kept.blocks.end);
        let commands = commands_of(minute, minute.start()..end, memory);
        let commands = ScoreMemory::create(&commands).map_err(|error| format!("memory for the commands: {error}"))?;
        if let Some(state) = &state {
            rendered.compared += 1;
            rendered.differing += u64::from(!minute.state.sounds_as(state));
        }
        let mut sound = minute.state.at_a_beginning();
        put_tapes(&sound, &mut scratch, &minute.tapes);
        for number in minute.start()..end {
            // Without a log nothing can be lost.
            let _ = sound.render_next(&commands, None, &|_| {}, (&mut scratch, &mut block));
            if is_late(&kept.late, number) {
                concealment.late(&mut block);
            } else {
                concealment.arrived(&mut block);
            }
            silence_what_is_no_number(&mut block);
            if number >= first {
                write(number, &block)?;
                rendered.blocks += 1;
            }
        }
        state = Some(sound);
    }
    Ok(rendered)
}

fn is_late(late: &[Range<BlockNumber>], number: BlockNumber) -> bool {
    late.get(late.partition_point(|stretch| stretch.end <= number)).is_some_and(|stretch| stretch.contains(&number))
}

/// The commands of these blocks, those of the score and those of the log; where both are for one frame the score's first,
/// as the workers apply them.
fn commands_of(minute: &Minute, blocks: Range<BlockNumber>, memory: &SharedMemory) -> Vec<Command> {
    let score = &memory.score;
    let at = |index: u64| score.peek(index, BlockNumber::MAX);
    let (mut low, mut high) = (0, score.length());
    while low < high {
        let middle = low + (high - low) / 2;
        let before = at(middle).is_some_and(|command| command.stamp.block < blocks.start);
        (low, high) = if before { (middle + 1, high) } else { (low, middle) };
    }
    let of_score = (low..score.length()).map_while(|index| Some((index, at(index)?)));
    let of_score = of_score.take_while(|(_, command)| command.stamp.block < blocks.end);
    let applied = of_score.filter(|(index, _)| !memory.log.skips(CommandPlace::Score(*index)));
    let mut commands: Vec<Command> = applied.map(|(_, command)| command).collect();
    commands.extend(minute.commands.iter().filter(|command| command.stamp.block < blocks.end));
    commands.sort_by_key(|command| command.stamp);
    commands
}

#[cfg(test)]
#[path = "keep_tests.rs"]
mod tests;
