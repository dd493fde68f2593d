//! The grid: the lines at which the steps of a track begin, some to a beat and every second one swung.

use bytemuck::{Pod, Zeroable};

use super::{Clock, Position};

/// Most steps to a beat.
pub const STEPS_PER_BEAT: u32 = 16;

/// Parts of a step in which swing and gate lengths are kept: six decimals.
pub(super) const PARTS: u64 = 1_000_000;

/// A part of 0 to 1 in [`PARTS`].
pub(super) fn parts(part: f64) -> u32 {
    (part * PARTS as f64 + 0.5) as u32
}

/// A grid. Its line n is n / steps per beat beats from the clock's beginning. All zeros is one step to a beat, straight.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Grid {
    /// 1 to [`STEPS_PER_BEAT`].
    pub(super) steps_per_beat: u32,
    /// What the first of two steps has of both, in [`PARTS`].
    pub(super) swing: u32,
}

impl Grid {
    /// The first line that begins at `position` or later.
    pub(super) fn first_line(&self, position: Position, clock: &Clock) -> u64 {
        let straight = position.unit.div_ceil(self.units_per_part(clock).saturating_mul(PARTS).max(1));
        let line = position.beat.wrapping_mul(self.steps()).wrapping_add(straight);
        // The one before may be late by its swing.
        let before = line.saturating_sub(1);
        if before < line && self.time_of(before, clock) >= position { before } else { line }
    }

    /// When a line's step begins: every second one is delayed by the swing.
    pub(super) fn time_of(&self, line: u64, clock: &Clock) -> Position {
        let part = self.units_per_part(clock);
        let delay = if line & 1 == 1 { 2 * self.swing() - PARTS } else { 0 };
        let steps = self.steps();
        let grid = Position { beat: line / steps, unit: line % steps * PARTS * part };
        grid.later(u128::from(delay * part), clock.units_per_beat())
    }

    /// Units of a gate that is open for `gate` [`PARTS`] of a line's step.
    pub(super) fn gate_units(&self, line: u64, gate: u32, clock: &Clock) -> u128 {
        let length = if line & 1 == 1 { 2 * (PARTS - self.swing()) } else { 2 * self.swing() };
        let gate = u64::from(gate).clamp(PARTS / 20, PARTS);
        u128::from(length * gate) * u128::from(self.units_per_part(clock)) / u128::from(PARTS)
    }

    /// Units in a part of a step: a whole number, see [`super::units_per_beat`].
    fn units_per_part(&self, clock: &Clock) -> u64 {
        clock.units_per_beat() / PARTS / self.steps()
    }

    fn steps(&self) -> u64 {
        u64::from(self.steps_per_beat.clamp(1, STEPS_PER_BEAT))
    }

    fn swing(&self) -> u64 {
        u64::from(self.swing).clamp(PARTS / 2, PARTS * 3 / 4)
    }
}
