//! A lane: values for a parameter, one for each step, with a length of its own.

use bytemuck::{Pod, Zeroable};

use super::{NONE, Refusal, STEPS};

/// Lanes of a track.
pub const LANES: usize = 4;

/// A lane. All zeros is an empty one, of which nothing comes.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Lane {
    /// Whose parameter it sets; [`NONE`].
    pub(super) target: u32,
    /// Values in use, at most [`STEPS`]; 0 for none.
    length: u32,
    values: [f32; STEPS],
}

impl Lane {
    /// A lane without values that is assigned to nothing.
    pub(super) fn new() -> Self {
        Self { target: NONE, ..Self::zeroed() }
    }

    /// Its values from now on, 1 to 64 finite ones.
    pub(super) fn set(&mut self, values: &[f32]) -> Result<(), Refusal> {
        let room = self.values.get_mut(..values.len()).filter(|room| !room.is_empty()).ok_or(Refusal::LaneLength)?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Refusal::NotFinite);
        }
        room.copy_from_slice(values);
        self.length = values.len() as u32;
        Ok(())
    }

    /// Target and value at a step, if there are both. What is damaged is left out.
    pub(super) fn at(&self, step: u64) -> Option<(u32, f32)> {
        let place = step.checked_rem(u64::from(self.length.min(STEPS as u32)))?;
        let value = *self.values.get(place as usize)?;
        (self.target != NONE && value.is_finite()).then_some((self.target, value))
    }
}
