//! What the cookbook filter promises.
extern crate std;

use super::filter::{self, FilterControl, FilterState, Mode};
use super::svf_tests::{impulse_response, magnitude};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep};

const MODES: [Mode; 7] =
    [Mode::Lowpass, Mode::Highpass, Mode::Bandpass, Mode::Notch, Mode::Peak, Mode::LowShelf, Mode::HighShelf];

/// The magnitude of the cookbook's transfer function, from its own formulae for b0 to a2, at so many turns a frame.
fn cookbook(mode: Mode, turns: f64, cutoff: f64, q: f64, gain: f64) -> f64 {
    let a = 10f64.powf(gain / 40.0);
    let (sine, cosine) = (cutoff * core::f64::consts::TAU).sin_cos();
    let alpha = sine / (2.0 * q);
    let root = 2.0 * a.sqrt() * alpha;
    let (b, a) = match mode {
        Mode::Lowpass => {
            let b = (1.0 - cosine) / 2.0;
            ([b, 2.0 * b, b], [1.0 + alpha, -2.0 * cosine, 1.0 - alpha])
        }
        Mode::Highpass => {
            let b = (1.0 + cosine) / 2.0;
            ([b, -2.0 * b, b], [1.0 + alpha, -2.0 * cosine, 1.0 - alpha])
        }
        Mode::Bandpass => ([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * cosine, 1.0 - alpha]),
        Mode::Notch => ([1.0, -2.0 * cosine, 1.0], [1.0 + alpha, -2.0 * cosine, 1.0 - alpha]),
        Mode::Peak => {
            ([1.0 + alpha * a, -2.0 * cosine, 1.0 - alpha * a], [1.0 + alpha / a, -2.0 * cosine, 1.0 - alpha / a])
        }
        Mode::LowShelf => (
            [
                a * (a + 1.0 - (a - 1.0) * cosine + root),
                2.0 * a * (a - 1.0 - (a + 1.0) * cosine),
                a * (a + 1.0 - (a - 1.0) * cosine - root),
            ],
            [
                a + 1.0 + (a - 1.0) * cosine + root,
                -2.0 * (a - 1.0 + (a + 1.0) * cosine),
                a + 1.0 + (a - 1.0) * cosine - root,
            ],
        ),
        Mode::HighShelf => (
            [
                a * (a + 1.0 + (a - 1.0) * cosine + root),
                -2.0 * a * (a - 1.0 + (a + 1.0) * cosine),
                a * (a + 1.0 + (a - 1.0) * cosine - root),
            ],
            [
                a + 1.0 - (a - 1.0) * cosine + root,
                2.0 * (a - 1.0 - (a + 1.0) * cosine),
                a + 1.0 - (a - 1.0) * cosine - root,
            ],
        ),
    };
    magnitude(&b, turns) / magnitude(&a, turns)
}

#[test]
fn it_is_within_a_hundredth_of_a_decibel_of_the_cookbook_from_10_hz_at_any_rate() {
    let mut worst = 0.0f64;
    for rate in [44_100.0, 48_000.0, 96_000.0f32] {
        for mode in MODES {
            for (q, gain) in [(0.3, 12.0), (0.707, -9.0), (5.0, -24.0), (20.0, 24.0f32)] {
                // A ringing filter at 10 Hz or near half the rate would need a response of many seconds.
                let (lowest, highest) = if q > 1.0 { (100.0 * q, 0.49) } else { (10.0, 0.4985) };
                let cutoff =
                    Lanes([lowest, 200.0 * q + 40.0, 1000.0, 4000.0, 9000.0, 15_000.0, 20_000.0, highest * rate]);
                let control = FilterControl {
                    rate,
                    modes: [mode; 2],
                    before: [0.0; 2],
                    cutoff: Sweep { from: cutoff, to: cutoff },
                    q: Sweep::at(q),
                    gain: Sweep::at(gain),
                };
                let mut state = FilterState::default();
                let length = if q > 1.0 { 32_768 } else { 65_536 };
                let responses =
                    impulse_response(length, |input, output| filter::process(&mut state, &control, input, output));
                for (response, cutoff) in responses.iter().zip(cutoff.0) {
                    let cutoff = f64::from(cutoff) / f64::from(rate);
                    for factor in [0.3, 0.9, 1.0, 1.1, 3.0] {
                        let turns = cutoff * factor;
                        let expected = cookbook(mode, turns, cutoff, f64::from(q), f64::from(gain));
                        if turns < 0.499 && expected > 1e-4 {
                            let error = 20.0 * (magnitude(response, turns) / expected).log10();
                            worst = worst.max(error.abs());
                        }
                    }
                }
            }
        }
    }
    std::println!("filter: {worst:.6} dB from the cookbook at worst");
    assert!(worst < 0.01);
}

#[test]
fn modes_and_cutoffs_change_without_a_jump() {
    // A tone of 100 Hz moves by 0.013 a frame at most.
    for (first, last) in [(Mode::Lowpass, Mode::LowShelf), (Mode::Peak, Mode::Bandpass), (Mode::Highpass, Mode::Notch)]
    {
        let (mut state, mut before, mut steepest) = (FilterState::default(), 0.0, 0.0f32);
        for stretch in 0..400u16 {
            let (modes, share) = match stretch {
                0..200 => ([first; 2], [0.0; 2]),
                200 => ([last, first], [1.0, 0.0]),
                _ => ([last; 2], [0.0; 2]),
            };
            let hertz = |stretch: u16| Lanes::splat(300.0 + 2.0 * f32::from(stretch));
            let control = FilterControl {
                rate: 48_000.0,
                modes,
                before: share,
                cutoff: Sweep { from: hertz(stretch), to: hertz(stretch + 1) },
                q: Sweep::at(0.707),
                gain: Sweep::at(6.0),
            };
            let tone = |frame: usize| {
                let turn = (usize::from(stretch) * CONTROL_FRAMES + frame) as f32 / 480.0;
                Lanes::splat((turn * core::f32::consts::TAU).sin())
            };
            let input: [Lanes; CONTROL_FRAMES] = core::array::from_fn(tone);
            let mut output = [Lanes::ZERO; CONTROL_FRAMES];
            filter::process(&mut state, &control, &input, &mut output);
            for frame in output {
                steepest = steepest.max((frame.0[LANES - 1] - before).abs());
                before = frame.0[LANES - 1];
            }
        }
        // The crossfade itself adds at most the difference of the two, which is 2, over 32 frames.
        assert!(steepest < 0.013 * 2.0 + 2.0 / 32.0, "{steepest}");
    }
}
