//! One admission for all ways in, which threads of their own watch: who sends by two ways is one host.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Admission, Notices, Share, Verdict};

/// Decides about each packet, and tells of floods. Held for less than a microsecond at a time.
#[derive(Clone)]
pub struct Gate(Arc<Mutex<(Admission, Notices)>>);

impl Gate {
    /// Nobody has sent anything yet.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new((Admission::new(), Notices::default()))))
    }

    /// Charges a packet of so many bytes that arrived at `now_ns` of CLOCK_MONOTONIC; what place it takes, if it is taken.
    /// If it is the first of a flood, `reply` is given what its sender is to be told.
    pub fn admit(&self, sender: SocketAddr, bytes: usize, now_ns: u64, reply: impl FnOnce(&[u8])) -> Option<Share> {
        let (admission, notices) = &mut *self.lock();
        let verdict = admission.judge(sender, bytes, now_ns);
        notices.tell(verdict, sender, now_ns, reply);
        match verdict {
            Verdict::Take(share) => Some(share),
            Verdict::Drop | Verdict::Tell | Verdict::Note => None,
        }
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
