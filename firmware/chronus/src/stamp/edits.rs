//! When the patch may be edited, and what becomes of commands whose patch is gone when their time has come.

use std::net::SocketAddr;

use abi::{Edit, Operation};

use super::Stamper;
use crate::input::{Code, When};

/// Least frames between two commits: a commit plans the whole patch, a few tenths of a millisecond, and no more than one of them
/// may be in a block with all else that is. 1024 frames are 21 ms at 48 kHz, quicker than anybody edits by hand.
pub const COMMIT_FRAMES: u64 = 1024;

/// A command that could not be done any more when its time had come: who has sent it, what it was for, and why.
pub type Lapsed = (SocketAddr, String, (Code, String));

impl Stamper {
    /// Whether a score edits the patch: then nobody else may.
    pub fn is_edited_by_a_score(&self) -> bool {
        self.current.is_edited_by_a_score()
    }

    /// Whether an operation may be taken, if it is an edit.
    pub(super) fn may_edit(&mut self, operation: Operation, when: When) -> Result<(), (Code, String)> {
        if operation.is_edit() && self.current.is_edited_by_a_score() {
            let text = "the score that is played edits the patch itself, so nobody else may; nothing changed";
            return Err((Code::BadEdit, text.to_owned()));
        }
        if operation == Operation::Edit(Edit::Commit) { self.may_commit(when) } else { Ok(()) }
    }

    /// Whether there may be a commit then.
    ///
    /// # Errors
    /// If the one before it is too near.
    pub fn may_commit(&mut self, when: When) -> Result<(), (Code, String)> {
        let time = match when {
            When::Arrival(time) => time,
            When::TimeTag(tag, _) => self.monotonic_time_of(tag),
        };
        match self.clock.frame_at(time) {
            Some(frame) if self.is_near_a_commit(frame + self.latency) => Err(too_near()),
            _ => Ok(()),
        }
    }

    /// Whether a commit that is wanted at this frame would come too soon after the one that was logged last. Without a beat
    /// nobody waits for a block.
    pub(super) fn is_near_a_commit(&self, frame: u64) -> bool {
        let frame = frame.max(self.last.to_frame());
        self.clock.origin() != 0 && self.committed.is_some_and(|last| frame < last + COMMIT_FRAMES)
    }

    /// Why a command that has waited for this frame since so many `edits` cannot be done any more, if it cannot.
    pub(super) fn lapse(&self, frame: u64, operation: Operation, edits: Option<u64>) -> Option<(Code, String)> {
        let is_commit = operation == Operation::Edit(Edit::Commit);
        if is_commit && self.is_near_a_commit(frame) {
            return Some(too_near());
        }
        // It means what it did as long as nothing was edited: to ask costs as much as to receive it. But a commit may hang on
        // what was set since.
        if !is_commit && edits == Some(self.current.edits()) && !self.current.is_edited_by_a_score() {
            return None;
        }
        let text = "when its time had come, the patch was another one, in which it cannot be done; nothing changed";
        (!self.current.still_means(operation)).then(|| (Code::BadEdit, text.to_owned()))
    }

    /// Who has sent what could not be done any more when its time had come, and why.
    pub fn take_lapsed(&mut self) -> Vec<Lapsed> {
        std::mem::take(&mut self.lapsed)
    }
}

fn too_near() -> (Code, String) {
    let text =
        format!("another commit is less than {COMMIT_FRAMES} frames away; what was edited is kept, send it again");
    (Code::Full, text)
}
