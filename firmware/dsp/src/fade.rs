//! The fade at the end of the chain, by which everything that sounds is silenced at once.

use bytemuck::{Pod, Zeroable};

use crate::ramp::frames_in;

/// Milliseconds from full level to silence: no click, and with a frame to spare within the 5 ms that are promised. As
/// long again it takes to come back.
const FADE_MS: f64 = 4.0;

/// The level of the output: 1, but for the milliseconds in which it goes to 0 and comes back.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Fade {
    /// Frames until it is back at full level; 0 at rest. A count, so that damage is gone after these milliseconds.
    left: u64,
}

impl Fade {
    /// At full level.
    pub(crate) const fn new() -> Self {
        Self { left: 0 }
    }

    /// To silence, and back. Where it goes down already it goes on; on its way back it turns round where it is.
    pub(crate) fn begin(&mut self, rate: u32) {
        let half = u64::from(frames_in(FADE_MS, rate));
        if self.left <= half {
            // The way down is as far from its end as the way back is from its start.
            // Right after the frame of silence there is another one.
            self.left = (2 * half - self.left).max(half + 1);
        }
    }

    /// Frames until the one of silence, that included; never, if it is not on its way there.
    pub(crate) fn until_silent(&self, rate: u32) -> u32 {
        let half = u64::from(frames_in(FADE_MS, rate));
        self.left.checked_sub(half).filter(|left| *left > 0).map_or(u32::MAX, |left| left as u32)
    }

    /// One frame: its level, 0 to 1, and whether it is the one of silence.
    pub(crate) fn frame(&mut self, rate: u32) -> (f64, bool) {
        let half = u64::from(frames_in(FADE_MS, rate));
        self.left = self.left.min(2 * half).saturating_sub(1);
        let away = self.left.abs_diff(half);
        (if self.left == 0 { 1.0 } else { away as f64 / half as f64 }, self.left == half)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn levels(fade: &mut Fade, frames: usize) -> Vec<f64> {
        (0..frames).map(|_| fade.frame(48_000).0).collect()
    }

    #[test]
    fn it_is_silent_after_four_milliseconds_and_back_after_eight() {
        let mut fade = Fade::new();
        assert_eq!(levels(&mut fade, 10), [1.0; 10]);
        fade.begin(48_000);
        let fading = levels(&mut fade, 400);
        assert_eq!(fading.iter().position(|level| *level == 0.0), Some(191));
        assert_eq!(fading.iter().position(|level| *level == 1.0), Some(383));
        assert!(fading.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1.0 / 191.0));
    }

    #[test]
    fn begun_once_more_it_never_jumps_and_damage_heals() {
        for after in [0, 1, 100, 191, 192, 193, 300, 383, 384] {
            let mut fade = Fade::new();
            fade.begin(48_000);
            let mut all = levels(&mut fade, after);
            fade.begin(48_000);
            all.extend(levels(&mut fade, 400));
            assert!(all.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1.0 / 191.0), "{after}");
            assert!(all[after..].contains(&0.0), "it is silent again, begun anew after {after} frames");
            assert_eq!(all.last(), Some(&1.0));
        }
        let mut damaged = Fade { left: u64::MAX };
        assert_eq!(levels(&mut damaged, 400).last(), Some(&1.0));
        assert!((0.0..=1.0).contains(&Fade { left: 7 }.frame(0).0));
    }
}
