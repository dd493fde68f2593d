//! The memory of delays: what is long does not live in a state.

/// What has been written, frame after frame, and is never changed: `LINES` values a frame. So it can be published block by
/// block, as sound is.
pub trait Tape<const LINES: usize> {
    /// How many frames it holds.
    fn length(&self) -> usize;

    /// What was appended on one line so many frames ago: 1 is the last. What lies further back than the length, or on a
    /// line there is not, is anything; on a tape that was damaged not even finite.
    fn behind(&self, line: usize, frames: usize) -> f32;

    /// Writes the next frame.
    fn append(&mut self, values: [f32; LINES]);
}

/// A tape in a ring of memory, by absolute frame numbers.
pub struct Ring<'a, const LINES: usize> {
    /// As many as a power of two.
    frames: &'a mut [[f32; LINES]],
    /// Number of the next frame, from the start of the engine.
    next: u64,
}

impl<'a, const LINES: usize> Ring<'a, LINES> {
    /// A ring whose next frame has this number. Of memory whose length is no power of two only so much is used.
    pub fn at(frames: &'a mut [[f32; LINES]], next: u64) -> Self {
        let length = if frames.is_empty() { 0 } else { 1 << frames.len().ilog2() };
        Self { frames: frames.split_at_mut(length).0, next }
    }

    fn place(&self, number: u64) -> usize {
        number as usize & self.frames.len().wrapping_sub(1)
    }
}

impl<const LINES: usize> Tape<LINES> for Ring<'_, LINES> {
    fn length(&self) -> usize {
        self.frames.len()
    }

    fn behind(&self, line: usize, frames: usize) -> f32 {
        let place = self.place(self.next.wrapping_sub(frames as u64));
        self.frames.get(place).and_then(|values| values.get(line)).copied().unwrap_or(0.0)
    }

    fn append(&mut self, values: [f32; LINES]) {
        let place = self.place(self.next);
        if let Some(frame) = self.frames.get_mut(place) {
            *frame = values;
        }
        self.next = self.next.wrapping_add(1);
    }
}

/// A value of a tape as something that may recirculate: no damage, nothing subnormal.
pub(crate) fn healed(value: f32) -> f32 {
    if (super::SMALLEST..=super::LARGEST).contains(&value.abs()) { value } else { 0.0 }
}
