//! What a parameter is set to, and how it gets there.
//!
//! No value is added up: where a ramp has got to follows from its end and the frames that are left, so a ramp of any length
//! ends exactly where it should, and a damaged one heals when it is over.

use bytemuck::{Pod, Zeroable};

use crate::kernel::Parameter;
use crate::ramp::frames_in;

/// Milliseconds of the crossfade between two choices: as long as the ramp of a filter, which rings on what is faster.
const CROSSFADE_MS: f64 = 10.0;

/// No ramp takes as long as this many milliseconds.
const LONGEST_RAMP_MS: f64 = 1000.0;

/// A parameter of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Setting {
    /// What it has been set to, in its own unit.
    target: f64,
    /// How far a frame takes it: in its own unit, or in octaves if it changes by ratio. Of a choice: between which two it is on its
    /// way, as [`Pair::to_step`].
    step: f32,
    /// Frames until it is there; 0 at rest.
    remaining: u32,
}

/// Two choices between which a module is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    before: u32,
    after: u32,
}

/// More than any parameter has choices.
const CHOICES: u32 = 16;

impl Pair {
    /// As a number that an f32 holds exactly.
    fn to_step(self) -> f32 {
        (self.before % CHOICES + CHOICES * (self.after % CHOICES)) as f32
    }

    fn of_step(step: f32) -> Self {
        let number = step as u32;
        Self { before: number % CHOICES, after: number / CHOICES % CHOICES }
    }
}

/// How a module is on its way from one choice to another during a stretch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crossfade {
    /// The one that was before.
    pub(super) before: u32,
    /// The one that comes.
    pub(super) after: u32,
    /// Level of the one before, at the first frame and at the one behind the last.
    pub(super) levels: [f32; 2],
}

impl Crossfade {
    /// The same within its first stretch, for what has memory of what it has rendered: two of those cannot go side by side.
    pub(super) fn brief(self) -> Self {
        Self { levels: if self.levels[0] >= 1.0 { [1.0, 0.0] } else { [0.0; 2] }, ..self }
    }
}

impl Setting {
    /// At rest.
    pub(super) const fn at(value: f64) -> Self {
        Self { target: value, step: 0.0, remaining: 0 }
    }

    /// What it has been set to.
    pub(super) const fn target(&self) -> f64 {
        self.target
    }

    /// From where it is now to `target`, as its row says, at `rate` Hz.
    pub(super) fn aim(&mut self, parameter: &Parameter, target: f64, rate: u32) {
        if !parameter.choices.is_empty() {
            // A crossfade that is under way goes on to its end; then the newest choice has its turn.
            if self.remaining == 0 {
                self.step = Pair { before: self.target as u32, after: target as u32 }.to_step();
                self.remaining = frames_in(CROSSFADE_MS, rate);
            }
            self.target = target;
            return;
        }
        if parameter.ramp_ms <= 0.0 {
            *self = Self::at(target);
            return;
        }
        let frames = frames_in(parameter.ramp_ms, rate);
        let now = f64::from(self.value(parameter, self.remaining));
        let way = if parameter.by_ratio {
            crate::glide::logarithm(target / now) * core::f64::consts::LOG2_E
        } else {
            target - now
        };
        *self = Self { target, step: (way / f64::from(frames)) as f32, remaining: frames };
    }

    /// Its value when so many frames are left.
    fn value(&self, parameter: &Parameter, remaining: u32) -> f32 {
        let target = self.target as f32;
        if remaining == 0 {
            return target;
        }
        let left = self.step * remaining as f32;
        if parameter.by_ratio { target * crate::kernel::octaves(-left) } else { target - left }
    }

    /// Its values at the next frame and at the one behind so many more. The frame at which it is set is the first of the ramp.
    pub(super) fn ends(&self, parameter: &Parameter, frames: u32) -> [f32; 2] {
        let next = self.remaining.saturating_sub(1);
        [self.value(parameter, next), self.value(parameter, next.saturating_sub(frames))]
    }

    /// Of a choice: between which two it is for the next frames.
    pub(super) fn crossfade(&self, frames: u32, rate: u32) -> Crossfade {
        if self.remaining == 0 {
            let choice = self.target as u32;
            return Crossfade { before: choice, after: choice, levels: [0.0; 2] };
        }
        let whole = frames_in(CROSSFADE_MS, rate) as f32;
        let level = |remaining: u32| (remaining as f32 / whole).min(1.0);
        let Pair { before, after } = Pair::of_step(self.step);
        let levels = [level(self.remaining), level(self.remaining.saturating_sub(frames))];
        Crossfade { before, after, levels }
    }

    /// Whether nothing moves.
    #[cfg(test)]
    pub(super) const fn is_at_rest(&self) -> bool {
        self.remaining == 0
    }

    /// So many frames are over.
    pub(super) fn advance(&mut self, parameter: &Parameter, frames: u32, rate: u32) {
        let arrives = self.remaining > 0 && self.remaining <= frames;
        // More than any ramp has can only be damage.
        self.remaining = self.remaining.min(frames_in(LONGEST_RAMP_MS, rate)).saturating_sub(frames);
        let Pair { after, .. } = Pair::of_step(self.step);
        if arrives && !parameter.choices.is_empty() && after != self.target as u32 {
            self.step = Pair { before: after, after: self.target as u32 }.to_step();
            self.remaining = frames_in(CROSSFADE_MS, rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{filter, sine};

    const RATE: u32 = 48_000;

    #[test]
    fn a_ramp_is_straight_and_ends_exactly_where_it_should() {
        let gain = &sine::PARAMETERS[1];
        let mut setting = Setting::at(0.5);
        setting.aim(gain, 1.0, RATE);
        for frame in 0..240u32 {
            let expected = 0.5 + 0.5 * f64::from(frame + 1) / 240.0;
            assert!((f64::from(setting.ends(gain, 1)[0]) - expected).abs() < 1e-6, "{frame}");
            setting.advance(gain, 1, RATE);
        }
        assert_eq!((setting.ends(gain, 32), setting.is_at_rest()), ([1.0, 1.0], true));
        // From the midst of a ramp it goes on from where it is.
        setting.aim(gain, 0.0, RATE);
        setting.advance(gain, 120, RATE);
        setting.aim(gain, 1.0, RATE);
        assert!((setting.ends(gain, 1)[0] - 0.5).abs() < 0.5 / 239.0);
    }

    #[test]
    fn a_frequency_takes_equal_ratios() {
        let cutoff = &filter::PARAMETERS[1];
        let mut setting = Setting::at(8000.0);
        setting.aim(cutoff, 125.0, RATE);
        setting.advance(cutoff, 239, RATE);
        let [half, end] = setting.ends(cutoff, 240);
        assert!((half / 1000.0 - 1.0).abs() < 1e-5, "{half}");
        assert_eq!(end, 125.0);
    }

    #[test]
    fn a_choice_is_crossfaded_and_a_hurried_one_too() {
        let mode = &filter::PARAMETERS[0];
        let mut setting = Setting::at(0.0);
        setting.aim(mode, 2.0, RATE);
        assert_eq!(setting.crossfade(240, RATE), Crossfade { before: 0, after: 2, levels: [1.0, 0.5] });
        setting.advance(mode, 240, RATE);
        setting.aim(mode, 1.0, RATE);
        setting.aim(mode, 3.0, RATE);
        assert_eq!(setting.crossfade(240, RATE), Crossfade { before: 0, after: 2, levels: [0.5, 0.0] });
        setting.advance(mode, 240, RATE);
        assert_eq!(setting.crossfade(480, RATE), Crossfade { before: 2, after: 3, levels: [1.0, 0.0] });
        setting.advance(mode, 480, RATE);
        assert!(setting.is_at_rest() && setting.target() == 3.0);
        assert_eq!(setting.crossfade(32, RATE).levels, [0.0; 2]);
    }
}
