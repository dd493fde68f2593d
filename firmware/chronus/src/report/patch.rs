//! What becomes of the file in which the values of all parameters are kept.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How it is with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PatchState {
    /// It was not there yet, and is looked for.
    Waiting = 0,
    /// There is nothing to write: it says what is played, or nothing was ever changed.
    Kept = 1,
    /// Something was changed and is written soon.
    Changed = 2,
    /// It cannot be written now.
    Failing = 3,
}

impl PatchState {
    /// As it is told to clients.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Kept => "kept",
            Self::Changed => "changed",
            Self::Failing => "failing",
        }
    }
}

/// What there is to tell of it. Written by the thread that keeps it.
#[derive(Default)]
pub struct PatchCounters {
    state: AtomicU32,
    /// Values taken from it at the start.
    pub loaded: AtomicU64,
    /// Times it was written.
    pub written: AtomicU64,
}

impl PatchCounters {
    /// How it is with the file.
    pub fn get(&self) -> PatchState {
        [PatchState::Waiting, PatchState::Kept, PatchState::Changed, PatchState::Failing]
            .get(self.state.load(Ordering::Relaxed) as usize)
            .copied()
            .unwrap_or(PatchState::Waiting)
    }

    /// Sets how it is with the file.
    pub fn set(&self, state: PatchState) {
        self.state.store(state as u32, Ordering::Relaxed);
    }
}
