//! One admission for all ways in, which threads of their own watch: who sends by two ways is one host.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Admission, Backlog, Notices, Verdict};

/// Decides about each packet, and tells of floods. Held for less than a microsecond at a time.
#[derive(Clone)]
pub struct Gate {
    judge: Arc<Mutex<(Admission, Notices)>>,
    backlog: Arc<Backlog>,
}

impl Gate {
    /// Nobody has sent anything yet.
    pub fn new() -> Self {
        Self { judge: Arc::new(Mutex::new((Admission::new(), Notices::default()))), backlog: Arc::default() }
    }

    /// Where who queues what was admitted counts it.
    pub fn backlog(&self) -> Arc<Backlog> {
        self.backlog.clone()
    }

    /// Charges a packet of so many bytes that arrived at `now_ns` of CLOCK_MONOTONIC; whether it is taken. If it is the
    /// first of a flood, `reply` is given what its sender is to be told.
    pub fn admits(&self, sender: SocketAddr, bytes: usize, now_ns: u64, reply: impl FnOnce(&[u8])) -> bool {
        let (admission, notices) = &mut *self.lock();
        let verdict = admission.judge(sender, bytes, now_ns, self.backlog.is_crowded());
        notices.tell(verdict, sender, now_ns, reply);
        verdict == Verdict::Take
    }

    /// Who is shut out now, if that has changed.
    pub fn shut_out(&self, now_ns: u64) -> Option<Vec<SocketAddr>> {
        self.lock().0.shut_out.update(now_ns)
    }

    /// Floods that have begun.
    pub fn floods(&self) -> u64 {
        self.lock().1.floods
    }

    fn lock(&self) -> MutexGuard<'_, (Admission, Notices)> {
        // Nothing in here is left half done by a thread that panics.
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
