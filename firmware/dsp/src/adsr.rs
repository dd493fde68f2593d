//! The envelope: linear attack, decay, sustain, release, exact to the frame.

use abi::ParameterId;
use bytemuck::{Pod, Zeroable};

use crate::flush;
use crate::ramp::{Ramp, frames_in};
use crate::state::default_of;

/// Shortest time in milliseconds a gate stays open: long enough that a gate opened and closed on the same
/// frame is heard as a tick, short enough that no player can tell.
const MINIMUM_GATE_MS: f64 = 1.0;

/// Part of a frame by which rounding may miss a whole number of frames: the longest attack, 960,000 frames, has
/// summed up less than that many times 2^-53, 1e-10, and a frame too many or too few would be heard by none.
const HAIR: f64 = 1e-6;

/// Falling to 0, or at 0: the gate is closed. `position` is the level.
const RELEASE: u32 = 0;
/// Rising to 1. `position` is the level.
const ATTACK: u32 = 1;
/// Falling to the sustain level, or at it. `position` is the part of the decay still to go, 1 to 0, so that the
/// level follows a moving sustain parameter without a corner of its own.
const DECAY: u32 = 2;

/// The envelope generator.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Envelope {
    /// Milliseconds from 0 to 1, read when the attack begins. The slope is constant: from higher, it is shorter.
    pub(crate) attack: f64,
    /// Milliseconds from 1 to the sustain level, read when the decay begins.
    pub(crate) decay: f64,
    /// Level held while the gate stays open, 0 to 1.
    pub(crate) sustain: Ramp,
    /// Milliseconds from any level to 0, read when the release begins.
    pub(crate) release: f64,
    /// Where the stage has got to; the stages say what it means.
    position: Ramp,
    /// Level of the frame last rendered, 0 to 1.
    level: f64,
    /// `RELEASE`, `ATTACK` or `DECAY`.
    stage: u32,
    /// 1 if the gate was closed before its shortest time was up and is yet to be released.
    closing: u32,
    /// Frames until the shortest time of the gate is up. 64 bits wide so that the struct has no padding.
    hold: u64,
}

impl Envelope {
    /// Silent, gate closed, with the table's defaults.
    pub(crate) fn new() -> Self {
        Self {
            attack: default_of(ParameterId::AdsrAttack),
            decay: default_of(ParameterId::AdsrDecay),
            sustain: Ramp::at(default_of(ParameterId::AdsrSustain)),
            release: default_of(ParameterId::AdsrRelease),
            position: Ramp::at(0.0),
            level: 0.0,
            stage: RELEASE,
            closing: 0,
            hold: 0,
        }
    }

    /// Opens the gate, or opens it once more: the attack starts from the present level.
    pub(crate) fn open(&mut self, rate: u32) {
        // Rounded up, so that the slope is never steeper than asked, by less than a frame.
        let exact = (1.0 - self.level) * f64::from(frames_in(self.attack, rate));
        let frames = (exact + 1.0 - HAIR) as u32;
        self.begin(ATTACK, self.level, 1.0, frames);
        self.hold = u64::from(frames_in(MINIMUM_GATE_MS, rate));
        self.closing = 0;
    }

    /// Closes the gate, at once or when its shortest time is up. A closed gate stays as it is.
    pub(crate) fn close(&mut self, rate: u32) {
        if self.stage == RELEASE {
            return;
        }
        if self.hold > 0 {
            self.closing = 1;
        } else {
            self.begin_release(rate);
        }
    }

    /// Ends a release, or a gate that is about to be closed, at once: nobody hears it at this frame. An open gate stays.
    pub(crate) fn cut(&mut self) {
        if self.stage == RELEASE || self.closing != 0 {
            (self.stage, self.closing, self.hold) = (RELEASE, 0, 0);
            self.position = Ramp::at(0.0);
        }
    }

    /// One frame: its level, 0 to 1.
    pub(crate) fn frame(&mut self, rate: u32) -> f64 {
        if self.closing != 0 && self.hold == 0 {
            self.begin_release(rate);
        }
        if self.stage == ATTACK && self.position.is_at_rest() {
            self.begin(DECAY, 1.0, 0.0, frames_in(self.decay, rate));
        }
        self.hold = self.hold.saturating_sub(1);
        let sustain = self.sustain.next();
        let position = self.position.next();
        let level = if self.stage == DECAY { sustain + (1.0 - sustain) * position } else { position };
        // Rounding cannot take it out of 0 to 1, a damaged state can; NaN becomes silence.
        let level = if level > 0.0 { flush(level) } else { 0.0 };
        self.level = if level < 1.0 { level } else { 1.0 };
        self.level
    }

    fn begin_release(&mut self, rate: u32) {
        self.closing = 0;
        self.begin(RELEASE, self.level, 0.0, frames_in(self.release, rate));
    }

    fn begin(&mut self, stage: u32, from: f64, to: f64, frames: u32) {
        self.stage = stage;
        self.position = Ramp::at(from);
        self.position.aim(to, frames);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    /// Attack 2 ms, decay 3 ms, sustain 0.5, release 4 ms: 96, 144 and 192 frames.
    fn envelope() -> Envelope {
        Envelope { attack: 2.0, decay: 3.0, sustain: Ramp::at(0.5), release: 4.0, ..Envelope::new() }
    }

    /// The level of the last of `frames` frames, having checked that none left 0 to 1.
    fn run(envelope: &mut Envelope, frames: u32) -> f64 {
        (0..frames).for_each(|_| assert!((0.0..=1.0).contains(&envelope.frame(RATE))));
        envelope.level
    }

    #[test]
    fn every_stage_takes_its_frames_exactly() {
        let mut envelope = envelope();
        envelope.open(RATE);
        assert!((run(&mut envelope, 1) - 1.0 / 96.0).abs() < 1e-12);
        assert!(run(&mut envelope, 94) < 1.0);
        assert_eq!(run(&mut envelope, 1), 1.0);
        assert!((run(&mut envelope, 1) - (1.0 - 0.5 / 144.0)).abs() < 1e-12);
        assert!(run(&mut envelope, 142) > 0.5);
        assert_eq!(run(&mut envelope, 1), 0.5);
        assert_eq!(run(&mut envelope, 1000), 0.5);
        envelope.close(RATE);
        assert!((run(&mut envelope, 1) - (0.5 - 0.5 / 192.0)).abs() < 1e-12);
        assert!(run(&mut envelope, 190) > 0.0);
        assert_eq!(run(&mut envelope, 1), 0.0);
        assert_eq!(run(&mut envelope, 1000), 0.0);
    }

    #[test]
    fn a_release_takes_its_frames_whatever_the_level_and_the_rate() {
        for (rate, frames) in [(44_100, 176), (48_000, 192), (96_000, 384)] {
            for before in [97, 101, 150, 500] {
                let mut envelope = envelope();
                envelope.open(rate);
                (0..before).for_each(|_| _ = envelope.frame(rate));
                envelope.close(rate);
                (1..frames).for_each(|_| assert!(envelope.frame(rate) > 0.0));
                assert_eq!(envelope.frame(rate), 0.0);
            }
        }
    }

    #[test]
    fn opening_an_open_gate_or_one_in_release_attacks_from_the_level_at_the_same_slope() {
        let mut envelope = envelope();
        for close in [false, true] {
            envelope.open(RATE);
            run(&mut envelope, 400);
            if close {
                envelope.close(RATE);
            }
            let level = run(&mut envelope, 96);
            assert!((level - if close { 0.25 } else { 0.5 }).abs() < 1e-12);
            envelope.open(RATE);
            assert!((run(&mut envelope, 1) - level - 1.0 / 96.0).abs() < 1e-12);
            assert!(run(&mut envelope, if close { 70 } else { 46 }) < 1.0);
            assert_eq!(run(&mut envelope, 1), 1.0);
            run(&mut envelope, 1000);
        }
    }

    #[test]
    fn a_gate_closed_too_soon_is_held_for_a_millisecond_and_opening_cancels_that() {
        let mut envelope = envelope();
        envelope.open(RATE);
        envelope.close(RATE);
        assert!((run(&mut envelope, 48) - 0.5).abs() < 1e-12, "half of the attack of 2 ms");
        assert!(run(&mut envelope, 1) < 0.5, "the release follows");
        assert_eq!(run(&mut envelope, 191), 0.0);
        envelope.open(RATE);
        envelope.close(RATE);
        envelope.open(RATE);
        assert_eq!(run(&mut envelope, 96), 1.0, "still open");
    }

    #[test]
    fn closing_a_closed_gate_does_not_prolong_its_release() {
        let mut envelope = envelope();
        envelope.close(RATE);
        envelope.open(RATE);
        run(&mut envelope, 300);
        envelope.close(RATE);
        run(&mut envelope, 100);
        envelope.close(RATE);
        assert_eq!(run(&mut envelope, 92), 0.0);
    }

    #[test]
    fn a_time_is_read_when_its_stage_begins() {
        let mut envelope = envelope();
        envelope.open(RATE);
        run(&mut envelope, 10);
        (envelope.attack, envelope.decay) = (100.0, 1.0);
        assert_eq!(run(&mut envelope, 86), 1.0);
        assert_eq!(run(&mut envelope, 48), 0.5);
    }

    #[test]
    fn sustain_moves_the_level_in_a_ramp_during_decay_and_after() {
        let mut envelope = envelope();
        envelope.open(RATE);
        run(&mut envelope, 150);
        envelope.sustain.aim(0.9, 240);
        let mut before = envelope.level;
        for _ in 0..300 {
            let level = run(&mut envelope, 1);
            assert!((level - before).abs() < 0.5 / 144.0 + 1e-9);
            before = level;
        }
        assert_eq!(before, 0.9);
    }
}
