//! The queue to the control thread, bounded in number and in bytes: datagrams of the threads that receive, gestures of the one
//! that watches the pins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use crate::input::{Datagram, Share};
use crate::surface::Moved;

/// Datagrams the queue holds: three times the largest burst promised.
pub const MOST_DATAGRAMS: usize = 16_384;

/// Bytes the datagrams in the queue may have: as many as the kernel's own buffer is asked to hold. So many of the
/// largest size would be 512 MiB, all of it locked memory of a small board.
const MOST_BYTES: usize = 8 << 20;

/// Of both, what only players get: an eighth, in which eight of them have room with all that they may send at once, or a hundred
/// who turn a fader with what they send in a fifth of a second.
const FOR_PLAYERS: usize = 8;

/// What waits.
#[derive(Default)]
struct Backlog {
    datagrams: AtomicUsize,
    bytes: AtomicUsize,
}

impl Backlog {
    /// Counts a datagram that takes a place for these; false, and nothing counted, if there is none.
    fn add(&self, bytes: usize, share: Share) -> bool {
        let of = |most: usize| match share {
            Share::Player => most,
            Share::Everyone => most - most / FOR_PLAYERS,
        };
        // Another thread may add at this moment: each goes beyond by one datagram at most. It guards no other memory.
        let has_room = self.datagrams.load(Ordering::Relaxed) < of(MOST_DATAGRAMS)
            && self.bytes.load(Ordering::Relaxed) + bytes <= of(MOST_BYTES);
        if has_room {
            self.datagrams.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        has_room
    }

    fn remove(&self, bytes: usize) {
        self.datagrams.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What comes in.
#[derive(Debug)]
pub enum Entry {
    /// Somebody has sent something.
    Datagram(Datagram),
    /// Something was done to a control.
    Moved(Moved),
}

/// The end of the thread that watches the pins.
pub struct MovedWriter(SyncSender<Entry>);

/// The end of a thread that receives.
pub struct InboxWriter {
    queue: SyncSender<Entry>,
    backlog: Arc<Backlog>,
}

/// The control thread's end.
pub struct Inbox {
    queue: Receiver<Entry>,
    backlog: Arc<Backlog>,
}

/// An empty queue.
pub fn inbox() -> (InboxWriter, Inbox) {
    let (input, queue) = sync_channel(MOST_DATAGRAMS);
    let backlog = Arc::<Backlog>::default();
    (InboxWriter { queue: input, backlog: backlog.clone() }, Inbox { queue, backlog })
}

impl MovedWriter {
    /// Adds a gesture; false if nobody takes it any more. Waits while the queue is full: a turn that is late is better
    /// than one that is lost, and the pins keep their edges meanwhile.
    pub fn add(&self, moved: Moved) -> bool {
        self.0.send(Entry::Moved(moved)).is_ok()
    }
}

impl InboxWriter {
    /// A further end, for another thread that receives.
    pub fn another(&self) -> Self {
        Self { queue: self.queue.clone(), backlog: self.backlog.clone() }
    }

    /// A further end, for gestures.
    pub fn for_moved(&self) -> MovedWriter {
        MovedWriter(self.queue.clone())
    }

    /// Adds a datagram; false if there is no room for it and it is dropped.
    pub fn add(&self, datagram: Datagram) -> bool {
        let size = datagram.bytes.len();
        // Before the datagram is there: what is taken away was then added before.
        if !self.backlog.add(size, datagram.share) {
            return false;
        }
        let sent = self.queue.try_send(Entry::Datagram(datagram));
        if sent.is_err() {
            self.backlog.remove(size);
        }
        // Where nobody takes any more that was said once, by whoever watches over the control thread.
        !matches!(sent, Err(TrySendError::Full(_)))
    }
}

impl Inbox {
    /// What is next, waited for so long.
    ///
    /// # Errors
    /// If none came, or none can come any more.
    pub fn take(&self, wait: Duration) -> Result<Entry, RecvTimeoutError> {
        let entry = self.queue.recv_timeout(wait)?;
        if let Entry::Datagram(datagram) = &entry {
            self.backlog.remove(datagram.bytes.len());
        }
        Ok(entry)
    }
}

impl Drop for Inbox {
    /// What waits is gone with it: who still adds finds nobody, but not a full queue.
    fn drop(&mut self) {
        while self.take(Duration::ZERO).is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::MAX_DATAGRAM_BYTES;

    fn datagram(size: usize, share: Share) -> Datagram {
        Datagram { bytes: vec![0; size], sender: ([127, 0, 0, 1], 1).into(), arrival_ns: 0, truncated: false, share }
    }

    #[test]
    fn the_queue_is_bounded_in_bytes_and_in_number_and_its_last_eighth_is_for_players() {
        for (size, most) in [(MAX_DATAGRAM_BYTES, MOST_BYTES / MAX_DATAGRAM_BYTES), (0, MOST_DATAGRAMS)] {
            let (input, queue) = inbox();
            // The second time nothing is left in the books of the first.
            for _ in 0..2 {
                let fill = |share| (0..MOST_DATAGRAMS + 9).filter(|_| input.add(datagram(size, share))).count();
                assert_eq!(fill(Share::Everyone), most / 8 * 7);
                assert_eq!(fill(Share::Player), most / 8);
                queue.take(Duration::ZERO).unwrap();
                assert!(!input.add(datagram(size, Share::Everyone)));
                assert!(input.add(datagram(size, Share::Player)) && !input.add(datagram(size, Share::Player)));
                while queue.take(Duration::ZERO).is_ok() {}
            }
        }
    }
}
