//! What the kernel is told, so that the light does not lie: what is to be shown for as long as that is known to be true,
//! and after it, without anybody's doing, the pattern of silence.
//!
//! The kernel's trigger `pattern` takes pairs of brightness and milliseconds. It glides from one brightness to the next
//! one, unless the first is said twice, the second time for 0 ms.

use std::fmt::Write;

use super::pattern::{Pattern, Segment};
use crate::report::LightState;

/// Longest text that a file of the kernel takes at once, less one byte: a page.
const MOST_BYTES: usize = 4095;

/// Milliseconds of silence that are told behind what is to be shown. The box's hardware watchdog resets a box of which
/// nothing answers within 15 s.
const SILENCE: u64 = 17_000;

/// Milliseconds of dark behind that. The kernel begins anew after the last pair, and that would be light; eleven days are
/// for ever.
const FOR_EVER: u64 = 1_000_000_000;

/// The text for a state shown since `phase` milliseconds, of which nothing is known any more `trust` milliseconds from
/// now. `brightness` is that of the light when on.
pub fn text(state: LightState, phase: u64, trust: u64, brightness: u32) -> String {
    let silence = Pattern::of(LightState::Silent);
    if state == LightState::Silent {
        // This is true until somebody says otherwise.
        return line(&silence.cut(phase, silence.period()), brightness);
    }
    let mut segments = Pattern::of(state).cut(phase, trust);
    let dark = Segment { on: false, length: FOR_EVER };
    let (mut left, mut bytes) = (SILENCE, line(&segments, brightness).len());
    for segment in silence.segments().iter().cycle() {
        segments.push(*segment);
        left = left.saturating_sub(segment.length);
        bytes += line(&[*segment], brightness).len();
        // What is written for a bright light is longer. Light takes more room than dark.
        let light = Segment { on: true, ..*segment };
        let full = bytes + line(&[dark, light], brightness).len() > MOST_BYTES;
        if left == 0 || full {
            break;
        }
    }
    segments.push(dark);
    line(&segments, brightness)
}

fn line(segments: &[Segment], brightness: u32) -> String {
    let mut text = String::new();
    for Segment { on, length } in segments {
        let level = if *on { brightness } else { 0 };
        let _ = write!(text, "{level} {length} {level} 0 ");
    }
    // The kernel wants two pairs at least, and has them; a line ends as lines do.
    text.trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::light::kernel::KernelLight;

    /// What is seen at each millisecond, with this text armed at 0.
    fn seen(text: &str, length: u64) -> Vec<bool> {
        let mut light = KernelLight::default();
        light.arm(text, 0).unwrap();
        light.film(length)
    }

    #[test]
    fn every_state_is_shown_as_long_as_it_is_trusted_and_then_there_is_silence() {
        for state in LightState::all(7).into_iter().filter(|state| *state != LightState::Silent) {
            for phase in [0, 49, 50, 730, 1999, 12_345] {
                for (trust, brightness) in [(1500, 1), (1, 255), (700, 65_535)] {
                    let text = text(state, phase, trust, brightness);
                    let seen = seen(&text, 60_000);
                    let own: Vec<_> = (phase..phase + trust).map(|time| Pattern::of(state).at(time).on).collect();
                    let (shown, after) = seen.split_at(trust as usize);
                    assert_eq!(shown, own, "{state:?} from {phase}");
                    let silence = &after[..15_000];
                    assert!(silence.iter().enumerate().all(|(time, on)| *on == (time % 100 < 50)), "{state:?}");
                    // Never again the light of somebody who is well.
                    let longest = after.chunk_by(|a, b| a == b).filter(|run| run[0]).map(<[bool]>::len).max();
                    assert_eq!(longest, Some(50), "{state:?} from {phase}");
                }
            }
        }
    }

    #[test]
    fn silence_goes_on_and_every_text_fits_into_a_page() {
        let silence = text(LightState::Silent, 1300, 0, 255);
        assert_eq!(silence, "255 50 255 0 0 50 0 0\n");
        assert!(seen(&silence, 60_000).iter().enumerate().all(|(time, on)| *on == (time % 100 < 50)));
        for state in LightState::all(9) {
            for brightness in [1, 255, 65_535, u32::MAX] {
                let text = text(state, 1234, 1500, brightness);
                assert!(text.len() <= MOST_BYTES && text.split_whitespace().count() / 2 <= 1024, "{}", text.len());
            }
        }
    }
}
