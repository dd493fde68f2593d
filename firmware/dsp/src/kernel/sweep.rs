//! Values on their way within a stretch.

use super::polynomial;
use super::{Lanes, Words};

/// A parameter during one stretch, lane by lane: at its first frame, and at the frame behind its last one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sweep {
    /// At the first frame.
    pub from: Lanes,
    /// At the first frame of the next stretch.
    pub to: Lanes,
}

impl Sweep {
    /// At rest, the same in each lane.
    pub const fn at(value: f32) -> Self {
        Self { from: Lanes::splat(value), to: Lanes::splat(value) }
    }

    /// Both ends, as `f` makes them.
    #[inline(always)]
    pub fn map(self, f: impl Fn(Lanes) -> Lanes) -> Self {
        Self { from: f(self.from), to: f(self.to) }
    }

    /// Both ends from `low` to `high`; NaN becomes `low`.
    #[inline(always)]
    pub fn within(self, low: f32, high: f32) -> Self {
        self.map(|value| value.within(low, high))
    }

    /// The straight line through a stretch of `frames` frames.
    #[inline(always)]
    pub(crate) fn line(self, frames: usize) -> Line {
        Line { value: self.from, step: (self.to - self.from) * part_of(frames) }
    }

    /// Frequencies in Hz at `rate` Hz, as parts of a turn that a frame advances: 2^-31 to 0.49.
    ///
    /// 0.49: at half the rate itself a wave is degenerate. A part of 0 would have no reciprocal.
    #[inline(always)]
    pub(crate) fn turns(self, rate: f32) -> Self {
        const SLOWEST: f32 = 1.0 / 2_147_483_648.0;
        let period = 1.0 / rate;
        self.map(|hertz| (hertz * period).within(SLOWEST, 0.49))
    }

    /// Both ends times 2^(cents / 1200): one exponential at each end of a stretch and none between.
    #[inline(always)]
    pub(crate) fn detuned(self, cents: Self) -> Self {
        let ratio = cents.map(|cents| polynomial::power_of_two(cents * (1.0 / 1200.0)));
        Self { from: self.from * ratio.from, to: self.to * ratio.to }
    }
}

/// The part of a stretch that one of its frames is.
#[inline(always)]
pub(crate) fn part_of(frames: usize) -> f32 {
    1.0 / frames.max(1) as f32
}

/// A value and what a frame adds to it.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    value: Lanes,
    step: Lanes,
}

impl Line {
    /// This frame's value; then it moves on.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Lanes {
        let value = self.value;
        self.value = value + self.step;
        value
    }
}

/// What a frame adds to a phase of which 2^32 units are a turn, and what is added to that: whole numbers, so that a
/// phase never drifts, and a split changes nothing.
#[derive(Clone, Copy)]
pub(crate) struct WordLine {
    value: Words,
    step: Words,
}

impl WordLine {
    /// From and to parts of a turn, of less than half a turn.
    #[inline(always)]
    pub(crate) fn of_turns(turns: Sweep, frames: usize) -> Self {
        let units = turns.map(|turns| turns * UNITS_PER_TURN);
        Self { value: units.from.to_words(), step: ((units.to - units.from) * part_of(frames)).to_words() }
    }

    /// From and to frequencies in Hz at `rate` Hz, each to a unit: what is to be in tune to a ten-thousandth of a hertz. An
    /// f32 has eight bits fewer.
    #[inline(always)]
    pub(crate) fn of_hertz(hertz: Sweep, rate: f32, frames: usize) -> Self {
        let units_per_hertz = f64::from(UNITS_PER_TURN) / f64::from(rate);
        let hertz = hertz.within(0.0, rate * 0.49);
        // Rounded; the casts saturate.
        let units = |lanes: Lanes| Words(lanes.0.map(|hertz| (f64::from(hertz) * units_per_hertz + 0.5) as u32));
        let (from, to) = (units(hertz.from), units(hertz.to));
        // What moves is heard while it moves: there an f32 will do.
        let step = ((hertz.to - hertz.from) * (units_per_hertz as f32) * part_of(frames)).to_words();
        let is_at_rest = from.equals(to);
        Self { value: from, step: step & !is_at_rest }
    }

    /// This frame's value; then it moves on.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Words {
        let value = self.value;
        self.value = value + self.step;
        value
    }
}

/// Units of a phase of 32 bits in a turn.
pub(crate) const UNITS_PER_TURN: f32 = 4_294_967_296.0;
