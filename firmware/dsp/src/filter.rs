//! The filter: second-order lowpass, highpass and bandpass from one structure.
//!
//! The responses are those of Robert Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter
//! coefficients" (bandpass: the one with 0 dB at its peak). The structure is the trapezoidal state-variable
//! filter of Andrew Simper, "Solving the continuous SVF equations using trapezoidal integration and equivalent
//! currents" (Cytomic, 2013): the same transfer functions, but its two states are those of the analogue
//! circuit, so it stays stable and does not click when the coefficients change at every frame.

use abi::ParameterId;
use bytemuck::{Pod, Zeroable};

use crate::flush;
use crate::glide::Glide;
use crate::ramp::Ramp;
use crate::sine::sine_of_quarters;
use crate::state::{Clock, default_of};

/// The state-variable filter.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Filter {
    /// Corner or centre frequency in Hz. It and q change by equal ratios: in straight lines, they clicked.
    pub(crate) cutoff: Glide,
    /// Quality factor.
    pub(crate) q: Glide,
    /// Weights of lowpass, highpass and bandpass in the output. Their sum is 1.
    weights: [Ramp; 3],
    /// Simper's ic1eq and ic2eq: the equivalent currents of the two integrators.
    currents: [f64; 2],
}

impl Filter {
    /// At rest with the table's defaults.
    pub(crate) fn new() -> Self {
        let mut filter = Self {
            cutoff: Glide::at(default_of(ParameterId::FilterCutoff)),
            q: Glide::at(default_of(ParameterId::FilterQ)),
            weights: [Ramp::at(0.0); 3],
            currents: [0.0; 2],
        };
        filter.choose(default_of(ParameterId::FilterMode), 1);
        filter.weights.iter_mut().for_each(|weight| _ = weight.next());
        filter
    }

    /// Crossfades to a mode, by its place in the choices of the parameter, in `frames` frames. The three
    /// responses are always there, so a change of mode is a change of three weights.
    pub(crate) fn choose(&mut self, mode: f64, frames: u32) {
        let chosen = (mode + 0.5) as u32;
        for (place, weight) in (0..).zip(&mut self.weights) {
            weight.aim(if place == chosen { 1.0 } else { 0.0 }, frames);
        }
    }

    /// The mode it is in or on its way to, by its place in the choices; NaN for a damaged state without one.
    pub(crate) fn chosen(&self) -> f64 {
        (0..)
            .zip(&self.weights)
            .find(|(_, weight)| weight.target() == 1.0)
            .map_or(f64::NAN, |(place, _)| f64::from(place))
    }

    /// Lets nothing ring on.
    pub(crate) fn calm(&mut self) {
        self.currents = [0.0; 2];
    }

    /// Test builds: puts NaN into both integrators.
    #[cfg(feature = "faults")]
    pub(crate) fn poison(&mut self) {
        self.currents = [f64::NAN; 2];
    }

    /// One frame.
    ///
    /// With g = tan(pi cutoff / rate) = s / c and k = 1 / q, Simper divides by 1 + g (g + k). Multiplied through by
    /// q c^2 that is q + s c (for s^2 + c^2 = 1), which needs neither the tangent, infinite at half the rate,
    /// nor 1 / q: it is positive for every cutoff and q in range.
    pub(crate) fn frame(&mut self, input: f64, clock: &Clock) -> f64 {
        let quarters = self.cutoff.next() * clock.quarters_per_hertz;
        let q = self.q.next();
        let (s, c) = (sine_of_quarters(quarters), sine_of_quarters(1.0 - quarters));
        let scale = 1.0 / (q + s * c);

        let [first, second] = self.currents;
        let drive = (c * first + s * (input - second)) * scale;
        // Simper's v1 times k: the bandpass with 0 dB at its peak.
        let band = c * drive;
        let low = second + s * q * drive;
        let high = input - band - low;
        self.currents = [flush(2.0 * q * band - first), flush(2.0 * low - second)];

        let [low_weight, high_weight, band_weight] = &mut self.weights;
        low * low_weight.next() + high * high_weight.next() + band * band_weight.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(mode: f64, cutoff: f64, q: f64) -> Filter {
        let mut filter = Filter { cutoff: Glide::at(cutoff), q: Glide::at(q), ..Filter::new() };
        filter.choose(mode, 1);
        filter
    }

    #[test]
    fn the_modes_stand_in_the_order_of_the_table() {
        let choices = abi::PARAMETERS[ParameterId::FilterMode as usize].choices;
        assert_eq!(choices, ["lowpass", "highpass", "bandpass"]);
        let clock = Clock::of(48_000);
        for (mode, at_zero_hertz) in [(0.0, 1.0), (1.0, 0.0), (2.0, 0.0)] {
            let mut filter = set(mode, 1000.0, 0.707);
            let last = (0..48_000).fold(0.0, |_, _| filter.frame(1.0, &clock));
            assert!((last - at_zero_hertz).abs() < 1e-9, "mode {mode}: {last}");
        }
    }

    #[test]
    fn it_is_stable_over_the_whole_range_and_when_everything_moves_at_every_frame() {
        for rate in abi::RATES {
            let clock = Clock::of(rate);
            let highest = f64::from(rate) / 2.0 - 10.0;
            for (cutoff, q) in [(10.0, 0.1), (10.0, 20.0), (highest, 0.1), (highest, 20.0)] {
                let mut filter = set(2.0, cutoff, q);
                for frame in 0..rate {
                    let input = if frame % 7 < 3 { 1.0 } else { -1.0 };
                    assert!(filter.frame(input, &clock).abs() < 50.0);
                }
                for frame in 0..rate {
                    filter.cutoff = Glide::at(if frame % 3 == 0 { 10.0 } else { highest });
                    filter.q = Glide::at(if frame % 5 < 2 { 0.1 } else { 20.0 });
                    assert!(filter.frame(if frame % 11 < 5 { 1.0 } else { -1.0 }, &clock).abs() < 1000.0);
                }
            }
        }
    }

    #[test]
    fn a_dying_tail_ends_in_exact_zero_and_damage_heals() {
        let clock = Clock::of(48_000);
        for damage in [1.0, f64::INFINITY, f64::NAN, -1e300, 1e-310] {
            for currents in [[damage, 0.0], [0.0, damage], [damage, -damage]] {
                let mut filter = Filter { currents, ..set(0.0, 1000.0, 0.707) };
                (0..4800).for_each(|_| _ = filter.frame(0.0, &clock));
                assert_eq!(filter.currents, [0.0, 0.0], "{currents:?}");
            }
        }
    }
}
