//! What the audio thread notes of each block it has played, for threads that have time: whether it was late, and its levels
//! while somebody wants them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use abi::{Block, BlockNumber, CHANNELS};
use heapless::spsc::{Consumer, Producer, Queue};

/// Notes the queue holds: at 96 kHz 5.4 seconds. They are taken ten times a second at least.
const NOTES: usize = 2048;

/// A block that was played.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Note {
    /// Its number.
    pub number: BlockNumber,
    /// No worker had it in time: what was played is a ramp, or silence.
    pub late: bool,
    /// Highest absolute sample of each channel; 0 unless levels are wanted.
    pub peak: [f32; CHANNELS],
    /// Mean of the squares of each channel's samples; 0 unless levels are wanted.
    pub power: [f32; CHANNELS],
}

/// The audio thread's end.
pub struct NotesInput {
    queue: Producer<'static, Note>,
    levels: Arc<AtomicBool>,
}

/// The other end.
pub struct NotesOutput {
    queue: Consumer<'static, Note>,
    levels: Arc<AtomicBool>,
}

/// An empty queue of notes.
pub fn notes() -> (NotesInput, NotesOutput) {
    // Lives as long as the process: there is one per run.
    let (queue, taken) = Box::leak(Box::new(Queue::<Note, NOTES>::new())).split();
    let levels = Arc::new(AtomicBool::new(false));
    (NotesInput { queue, levels: levels.clone() }, NotesOutput { queue: taken, levels })
}

impl NotesInput {
    /// Notes a block. If nobody takes notes it is not noted: who does sees by the numbers what is missing.
    pub fn add(&mut self, number: BlockNumber, late: bool, block: &Block) {
        let mut note = Note { number, late, ..Note::default() };
        if self.levels.load(Ordering::Relaxed) {
            (note.peak, note.power) = levels_of(block);
        }
        let _ = self.queue.enqueue(note);
    }
}

impl NotesOutput {
    /// The next note, if there is one.
    pub fn take(&mut self) -> Option<Note> {
        self.queue.dequeue()
    }

    /// Says whether anybody wants levels.
    pub fn want_levels(&self, wanted: bool) {
        self.levels.store(wanted, Ordering::Relaxed);
    }
}

/// Peak and mean square of each channel.
fn levels_of(block: &Block) -> ([f32; CHANNELS], [f32; CHANNELS]) {
    let (mut peak, mut sum) = ([0.0_f32; CHANNELS], [0.0_f32; CHANNELS]);
    for frame in block.samples.chunks_exact(CHANNELS) {
        for (channel, sample) in frame.iter().enumerate() {
            peak[channel] = peak[channel].max(sample.abs());
            sum[channel] += sample * sample;
        }
    }
    (peak, sum.map(|sum| sum / abi::FRAMES as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_has_levels_when_they_are_wanted() {
        let (mut input, mut output) = notes();
        let mut block = Block::SILENCE;
        block.samples.chunks_exact_mut(CHANNELS).for_each(|frame| frame.copy_from_slice(&[0.5, 0.0]));
        block.samples[1] = -1.0;
        input.add(7, true, &block);
        assert_eq!(output.take(), Some(Note { number: 7, late: true, ..Note::default() }));
        output.want_levels(true);
        input.add(8, false, &block);
        let expected = Note { number: 8, late: false, peak: [0.5, 1.0], power: [0.25, 1.0 / 256.0] };
        assert_eq!((output.take(), output.take()), (Some(expected), None));
    }

    #[test]
    fn where_nobody_takes_notes_the_newest_are_left_out() {
        let (mut input, mut output) = notes();
        (0..2 * NOTES as u64).for_each(|number| input.add(number, false, &Block::SILENCE));
        let taken: Vec<_> = std::iter::from_fn(|| output.take()).map(|note| note.number).collect();
        assert_eq!(taken, (0..NOTES as u64 - 1).collect::<Vec<_>>());
    }
}
