//! The queue to the control thread, bounded in number and in bytes: datagrams of the threads that receive, gestures of the one
//! that watches the pins.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use crate::input::{Backlog, Datagram, MOST_DATAGRAMS};
use crate::surface::Moved;

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

/// An empty queue, whose datagrams are counted here.
pub fn inbox(backlog: Arc<Backlog>) -> (InboxWriter, Inbox) {
    let (input, queue) = sync_channel(MOST_DATAGRAMS);
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
        if !self.backlog.add(size) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{MAX_DATAGRAM_BYTES, MOST_BYTES};

    fn datagram(size: usize) -> Datagram {
        Datagram { bytes: vec![0; size], sender: ([127, 0, 0, 1], 1).into(), arrival_ns: 0, truncated: false }
    }

    #[test]
    fn the_queue_is_bounded_in_bytes_and_in_number() {
        for (size, most) in [(MAX_DATAGRAM_BYTES, MOST_BYTES / MAX_DATAGRAM_BYTES), (0, MOST_DATAGRAMS)] {
            let backlog = Arc::new(Backlog::default());
            let (input, queue) = inbox(backlog.clone());
            assert_eq!((0..MOST_DATAGRAMS + 9).filter(|_| input.add(datagram(size))).count(), most);
            assert!(!input.add(datagram(size)));
            queue.take(Duration::ZERO).unwrap();
            assert!(input.add(datagram(size)) && !input.add(datagram(size)));
            while queue.take(Duration::ZERO).is_ok() {}
            // Nothing is left in the books: as much fits again.
            assert!(!backlog.is_crowded());
            assert_eq!((0..MOST_DATAGRAMS + 9).filter(|_| input.add(datagram(size))).count(), most);
        }
    }
}
