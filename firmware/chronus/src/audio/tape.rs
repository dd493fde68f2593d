//! From the audio thread to whoever writes a file: a bounded way for blocks, without a lock and without memory being asked
//! for on the audio thread's side.
//!
//! Blocks travel in boxes that the writer makes before it listens and that come back empty: so the memory is there only
//! once somebody has recorded anything, and as much of it as the writer says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use abi::{Block, BlockNumber};
use heapless::spsc::{Consumer, Producer, Queue};

use super::choose::Patience;

/// Boxes there may be: the queue's own size, less the one place that it keeps free.
pub const MOST_BOXES: usize = QUEUE - 1;

/// Places of both queues, of a pointer each: 21.8 seconds at 48 kHz, half of that at 96.
const QUEUE: usize = 4096;

/// How long the writer rests when the queue is empty, and the audio thread when it is full (which only the free
/// sink does): a hundredth of what the smallest queue holds, so neither ever waits on the other for long.
pub const REST: Duration = Duration::from_millis(2);

/// A block on its way.
struct Taped {
    number: BlockNumber,
    block: Block,
}

type Boxes = Queue<Box<Taped>, QUEUE>;

/// The audio thread's end.
pub struct TapeInput {
    full: Producer<'static, Box<Taped>>,
    empty: Consumer<'static, Box<Taped>>,
    wanted: Arc<AtomicBool>,
}

/// The writer's end.
pub struct TapeOutput {
    full: Consumer<'static, Box<Taped>>,
    empty: Producer<'static, Box<Taped>>,
    wanted: Arc<AtomicBool>,
    boxes: usize,
}

/// A way that nobody listens at yet.
pub fn tape() -> (TapeInput, TapeOutput) {
    // They live as long as the process: there is one way of a kind per run.
    let (full, taken) = Box::leak(Box::new(Boxes::new())).split();
    let (back, empty) = Box::leak(Box::new(Boxes::new())).split();
    let wanted = Arc::new(AtomicBool::new(false));
    (TapeInput { full, empty, wanted: wanted.clone() }, TapeOutput { full: taken, empty: back, wanted, boxes: 0 })
}

impl TapeInput {
    /// Adds a block, if anybody listens. In real time one for which there is no room is lost; otherwise room is waited for.
    /// False if it is not on its way.
    pub fn push(&mut self, number: BlockNumber, block: &Block, patience: Patience) -> bool {
        while self.wanted.load(Ordering::Acquire) {
            if let Some(mut taped) = self.empty.dequeue() {
                *taped = Taped { number, block: *block };
                // There are fewer boxes than places.
                return self.full.enqueue(taped).is_ok();
            }
            if matches!(patience, Patience::Until(_)) {
                return false;
            }
            std::thread::sleep(REST);
        }
        false
    }
}

impl TapeOutput {
    /// Listens from now on, with room for so many blocks (at most [`MOST_BOXES`]); more than there was before stays.
    pub fn start(&mut self, room: usize) {
        while self.take(|_, _| ()).is_some() {}
        while self.boxes < room.min(MOST_BOXES) {
            let _ = self.empty.enqueue(Box::new(Taped { number: 0, block: Block::SILENCE }));
            self.boxes += 1;
        }
        self.wanted.store(true, Ordering::Release);
    }

    /// Listens no longer. What is on its way can still be taken.
    pub fn stop(&mut self) {
        self.wanted.store(false, Ordering::Release);
    }

    /// Takes the next block out, if one is there: gives what `use_it` makes of it.
    pub fn take<T>(&mut self, use_it: impl FnOnce(BlockNumber, &Block) -> T) -> Option<T> {
        let taped = self.full.dequeue()?;
        let made = use_it(taped.number, &taped.block);
        // Each box came out of this queue.
        let _ = self.empty.enqueue(taped);
        Some(made)
    }

    /// Whether anything waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.full.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(tape: &mut TapeOutput) -> Option<BlockNumber> {
        tape.take(|number, _| number)
    }

    #[test]
    fn blocks_come_out_in_order_and_what_has_no_room_is_lost() {
        let (mut input, mut output) = tape();
        let now = Patience::Until(0);
        assert!(!input.push(1, &Block::SILENCE, now), "nobody listens");
        output.start(3);
        let pushed = [2, 3, 4, 5].map(|number| input.push(number, &Block::SILENCE, now));
        assert_eq!(pushed, [true, true, true, false]);
        assert_eq!([(); 4].map(|()| number(&mut output)), [Some(2), Some(3), Some(4), None]);
        assert!(input.push(6, &Block::SILENCE, now), "there is room again");
        output.stop();
        assert!(!input.push(7, &Block::SILENCE, Patience::Unlimited), "nobody is waited for who does not listen");
        assert_eq!(number(&mut output), Some(6));
        assert!(input.full.is_empty() && output.boxes == 3);
    }

    #[test]
    fn what_is_left_of_one_recording_is_not_in_the_next() {
        let (mut input, mut output) = tape();
        output.start(2);
        input.push(1, &Block::SILENCE, Patience::Until(0));
        output.stop();
        output.start(2);
        assert!(output.is_empty());
        input.push(9, &Block::SILENCE, Patience::Until(0));
        assert_eq!(number(&mut output), Some(9));
    }
}
