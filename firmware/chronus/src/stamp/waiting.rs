//! Commands that wait for their time tags: in order here, and in shared memory for a successor of this process.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::sync::Arc;

use abi::Operation;
use shm::{WAITING_PLACES, WaitingCommand};

use super::shares::{Room, Shares};
use crate::audio::SharedMemory;

/// Commands that may wait for their time tags: as many as the log holds, and of these the shares of one.
pub const ROOM: Room = Room::of(WAITING_PLACES);

/// A command and how many edits were known when it came; `None` if it came to a predecessor.
pub type Waiting = (WaitingCommand, Option<u64>);

/// A command and the frame that is due at its time. Ordered by frame, then by arrival.
#[derive(Clone, Copy, PartialEq)]
struct Framed {
    frame: u64,
    command: WaitingCommand,
    edits: Option<u64>,
}

impl Eq for Framed {}

impl PartialOrd for Framed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Framed {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.frame, self.command.sequence).cmp(&(other.frame, other.command.sequence))
    }
}

/// All that wait.
pub struct WaitingRoom {
    memory: Arc<SharedMemory>,
    queue: BinaryHeap<Reverse<Framed>>,
    /// Those whose frames are not known because the beat has not begun.
    unframed: Vec<Waiting>,
    free: Vec<u32>,
    /// Who has how much of the room, and who brought how much of late.
    pub shares: Shares,
    sequence: u64,
}

impl WaitingRoom {
    /// The room with what a predecessor has left in it; the log has `length` records.
    pub fn new(memory: Arc<SharedMemory>, length: u64) -> Self {
        let (unframed, mut shares) = (memory.waiting.take_over(length), Shares::new());
        for (count, command) in unframed.iter().enumerate() {
            // They had room before.
            let _ = shares.add(command.sender, count, ROOM);
        }
        let mut taken = vec![false; WAITING_PLACES];
        unframed.iter().for_each(|command| taken[command.place as usize] = true);
        // The first places last: they are taken first, so that little of the memory is ever touched.
        let free = (0..WAITING_PLACES as u32).rev().filter(|place| !taken[*place as usize]).collect();
        let sequence = unframed.last().map_or(0, |command| command.sequence + 1);
        let unframed = unframed.into_iter().map(|command| (command, None)).collect();
        Self { memory, queue: BinaryHeap::new(), unframed, free, shares, sequence }
    }

    /// The sequence of the next one that is added: all that wait have a lower one.
    pub fn next_sequence(&self) -> u64 {
        self.sequence
    }

    /// How many wait.
    pub fn length(&self) -> usize {
        self.queue.len() + self.unframed.len()
    }

    /// Whether there are some whose frames are not known yet.
    pub fn waits_for_a_beat(&self) -> bool {
        !self.unframed.is_empty()
    }

    /// Adds a command that is due at a time of CLOCK_MONOTONIC, in nanoseconds, after so many `edits`. It gets its frame by
    /// [`WaitingRoom::frame_all`].
    ///
    /// # Errors
    /// Who has taken up the room, if there is none for it.
    pub fn add(&mut self, operation: Operation, due_ns: u64, sender: SocketAddr, edits: u64) -> Result<(), String> {
        self.shares.add(sender, self.length(), ROOM)?;
        let Some(place) = self.free.pop() else { return Err(format!("{WAITING_PLACES} commands")) };
        let command = WaitingCommand { place, sequence: self.sequence, due_ns, operation, sender };
        self.sequence += 1;
        self.memory.waiting.put(&command);
        self.unframed.push((command, Some(edits)));
        Ok(())
    }

    /// Gives a frame to those that have none.
    pub fn frame_all(&mut self, frame_at: impl Fn(u64) -> u64) {
        let framed = self.unframed.drain(..).map(|(command, edits)| {
            let frame = frame_at(command.due_ns);
            Reverse(Framed { frame, command, edits })
        });
        self.queue.extend(framed);
    }

    /// The next one, with its frame.
    pub fn next(&self) -> Option<(u64, Waiting)> {
        self.queue.peek().map(|Reverse(next)| (next.frame, (next.command, next.edits)))
    }

    /// The next one is in the log: it waits no longer.
    pub fn take_next(&mut self) {
        let Some(Reverse(Framed { command, .. })) = self.queue.pop() else { return };
        self.memory.waiting.end_move(command.place);
        self.free.push(command.place);
        self.shares.remove(command.sender);
    }
}
