//! A lane: values for a parameter, one for each step, with a length of its own.

use abi::Name;
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
    /// Its name; zeros if it has none, and nobody uses it.
    pub(super) name: Name,
}

impl Lane {
    /// A lane without values that is assigned to nothing.
    pub(super) fn new() -> Self {
        Self { target: NONE, ..Self::zeroed() }
    }

    /// Its values from now on, 1 to 64 finite ones.
    pub(super) fn set(&mut self, values: &[f32]) -> Result<(), Refusal> {
        if values.is_empty() || values.len() > STEPS {
            return Err(Refusal::LaneLength);
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Refusal::NotFinite);
        }
        // Nothing is left of what was there, so that equal lanes are equal bit by bit.
        self.values = [0.0; STEPS];
        self.values.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
        self.length = values.len() as u32;
        Ok(())
    }

    /// Its name; zeros if nobody uses it.
    pub fn name(&self) -> Name {
        self.name
    }

    /// Whose parameter it sets; [`NONE`].
    pub fn target(&self) -> u32 {
        self.target
    }

    /// Its values.
    pub fn values(&self) -> &[f32] {
        self.values.get(..self.length as usize).unwrap_or(&[])
    }

    /// Target and value at a step, if there are both. What is damaged is left out.
    pub(super) fn at(&self, step: u64) -> Option<(u32, f32)> {
        let place = step.checked_rem(u64::from(self.length.min(STEPS as u32)))?;
        let value = *self.values.get(place as usize)?;
        (self.target != NONE && value.is_finite()).then_some((self.target, value))
    }
}
