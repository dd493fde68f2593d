//! What opens and closes the envelopes: a gate, or the notes of a voice.

use bytemuck::{Pod, Zeroable};

use crate::kernel::adsr::{AdsrState, NEVER};
use crate::kernel::{Lanes, Words};
use crate::ramp::frames_in;

/// Shortest time in milliseconds a gate stays open: long enough that a gate opened and closed on the same frame is heard
/// as a tick, short enough that no player can tell.
const MINIMUM_GATE_MS: f64 = 1.0;

/// What happens to the gates of eight voices at the first frame of a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Gates {
    /// Mask of the lanes that open.
    pub(super) opens: Words,
    /// Mask of the lanes that close, now or when their shortest time is up. Where both are set it opens and then closes.
    pub(super) closes: Words,
    /// Velocity of those that open, 0 to 1.
    pub(super) velocity: Lanes,
}

/// An envelope for eight voices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct AdsrGroup {
    /// The envelope itself.
    pub(super) envelope: AdsrState,
    /// Mask of the lanes that are to be closed when their shortest time is up.
    closing: Words,
    /// Frames until it is.
    hold: Words,
}

impl AdsrGroup {
    /// Takes what happens to the gates in a stretch of so many frames: at which of them each lane opens and closes, as the
    /// kernel wants to know it.
    pub(super) fn take(&mut self, gates: &Gates, frames: u32, rate: u32) -> (Words, Words) {
        let shortest = frames_in(MINIMUM_GATE_MS, rate);
        self.hold = gates.opens.choose(Words::splat(shortest), self.hold.map(|hold| hold.min(shortest)));
        self.closing = (self.closing & !gates.opens) | gates.closes;
        let due = self.closing & self.hold.below(Words::splat(frames));
        let closes = due.choose(self.hold, Words::splat(NEVER));
        self.closing = self.closing & !due;
        self.hold = self.hold.map(|hold| hold.saturating_sub(frames));
        (gates.opens.choose(Words::ZERO, Words::splat(NEVER)), closes)
    }

    /// Ends what is in its release, or about to be: nobody hears it at this frame. An open gate stays.
    pub(super) fn cut(&mut self) {
        self.envelope.cut(self.closing);
        self.closing = Words::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    #[test]
    fn a_gate_opened_and_closed_at_once_stays_open_for_a_millisecond() {
        let mut group = AdsrGroup::default();
        let mask = Words([u32::MAX, 0, 0, 0, 0, 0, 0, 0]);
        let both = Gates { opens: mask, closes: mask, velocity: Lanes::splat(1.0) };
        let (on, off) = group.take(&both, 32, RATE);
        assert_eq!((on.0[0], off.0[0], on.0[1]), (0, NEVER, NEVER));
        let quiet = Gates::default();
        assert_eq!(group.take(&quiet, 10, RATE).1.0[0], NEVER, "after 32 of 48 frames");
        assert_eq!(group.take(&quiet, 32, RATE).1.0[0], 6);
        assert_eq!(group.take(&quiet, 32, RATE).1.0[0], NEVER, "only once");
        // Opened anew before that, it is not closed by what was before.
        _ = group.take(&both, 32, RATE);
        _ = group.take(&Gates { closes: Words::ZERO, ..both }, 64, RATE);
        assert_eq!(group.take(&quiet, 32, RATE).1.0[0], NEVER);
    }
}
