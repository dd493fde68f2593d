//! Milliseconds in frames.

/// Frames in `milliseconds` at `rate` Hz, rounded, at least 1. Saturates; NaN gives 1.
pub(crate) fn frames_in(milliseconds: f64, rate: u32) -> u32 {
    ((milliseconds * f64::from(rate) / 1000.0 + 0.5) as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_to_frames_and_are_never_none() {
        assert_eq!((frames_in(5.0, 48_000), frames_in(5.0, 44_100), frames_in(5.0, 96_000)), (240, 221, 480));
        assert_eq!((frames_in(0.0, 48_000), frames_in(f64::NAN, 48_000), frames_in(1.0, 0)), (1, 1, 1));
        assert_eq!(frames_in(f64::INFINITY, 48_000), u32::MAX);
    }
}
