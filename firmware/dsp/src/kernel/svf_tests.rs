//! What the state-variable filter promises.
extern crate std;
use std::vec::Vec;

use super::svf::{self, SvfControl, SvfState};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep};

/// Sample rates in Hz.
const RATES: [f32; 3] = [44_100.0, 48_000.0, 96_000.0];

/// The response of a kernel to an impulse, lane by lane: `length` frames of it, in stretches.
pub(crate) fn impulse_response(length: usize, mut process: impl FnMut(&[Lanes], &mut [Lanes])) -> [Vec<f64>; LANES] {
    let mut responses = [const { Vec::new() }; LANES];
    let mut input = [Lanes::ZERO; CONTROL_FRAMES];
    input[0] = Lanes::splat(1.0);
    for _ in 0..length / CONTROL_FRAMES {
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        process(&input, &mut output);
        input[0] = Lanes::ZERO;
        for frame in output {
            responses.iter_mut().zip(frame.0).for_each(|(response, sample)| response.push(f64::from(sample)));
        }
    }
    responses
}

/// The magnitude of an impulse response at so many turns per frame.
pub(crate) fn magnitude(response: &[f64], turns: f64) -> f64 {
    let (real, imaginary) = response.iter().enumerate().fold((0.0, 0.0), |(real, imaginary), (frame, sample)| {
        let angle = core::f64::consts::TAU * (turns * frame as f64).fract();
        (real + sample * angle.cos(), imaginary + sample * angle.sin())
    });
    (real * real + imaginary * imaginary).sqrt()
}

/// The magnitude of the analogue prototype at s = i w, where w is the frequency over the cutoff, both through the
/// bilinear transform: lowpass, bandpass, highpass, notch.
fn analytic(mode: usize, turns: f64, cutoff: f64, q: f64) -> f64 {
    let warp = |turns: f64| (core::f64::consts::PI * turns).tan();
    let w = warp(turns) / warp(cutoff);
    let below = ((1.0 - w * w).powi(2) + (w / q).powi(2)).sqrt();
    [1.0, w / q, w * w, (1.0 - w * w).abs()][mode] / below
}

#[test]
fn its_response_is_the_analytic_one() {
    let mut worst = 0.0f64;
    for rate in RATES {
        for mode in 0..4u8 {
            for q in [0.3, 0.707, 4.0, 15.0f32] {
                // 15 / (pi * 200 Hz) are 2,300 frames at 96 kHz, of which the response holds 28.
                let cutoff = Lanes([200.0, 300.0, 440.0, 1000.0, 3000.0, 8000.0, 15_000.0, 20_000.0]);
                let control = SvfControl {
                    rate,
                    mode: Sweep::at(f32::from(mode)),
                    cutoff: Sweep { from: cutoff, to: cutoff },
                    q: Sweep::at(q),
                };
                let mut state = SvfState::default();
                let responses =
                    impulse_response(65_536, |input, output| svf::process(&mut state, &control, input, output));
                for (response, cutoff) in responses.iter().zip(cutoff.0) {
                    let cutoff = f64::from(cutoff) / f64::from(rate);
                    for factor in [0.25, 0.5, 0.9, 1.0, 1.1, 2.0, 4.0] {
                        let turns = cutoff * factor;
                        let expected = analytic(usize::from(mode), turns, cutoff, f64::from(q));
                        // Where there is next to nothing, as in the notch, rounding is all there is.
                        if turns < 0.49 && expected > 1e-3 {
                            let error = (20.0 * (magnitude(response, turns) / expected).log10()).abs();
                            worst = worst.max(error);
                        }
                    }
                }
            }
        }
    }
    std::println!("svf: {worst:.5} dB from its analytic response at worst");
    assert!(worst < 0.01);
}

#[test]
fn between_two_modes_is_a_mixture_and_a_change_of_mode_is_a_crossfade() {
    let at = |mode: Sweep, output: &mut [Lanes]| {
        let control = SvfControl { rate: 48_000.0, mode, cutoff: Sweep::at(900.0), q: Sweep::at(2.0) };
        let input: Vec<Lanes> = (0..output.len()).map(|frame| Lanes::splat(f32::from(frame % 9 < 4))).collect();
        svf::process(&mut SvfState::default(), &control, &input, output);
    };
    let mut outputs = [[Lanes::ZERO; CONTROL_FRAMES]; 4];
    at(Sweep::at(0.0), &mut outputs[0]);
    at(Sweep::at(1.0), &mut outputs[1]);
    at(Sweep::at(0.25), &mut outputs[2]);
    at(Sweep { from: Lanes::ZERO, to: Lanes::splat(1.0) }, &mut outputs[3]);
    for frame in 0..CONTROL_FRAMES {
        let [low, band, mixed, faded] = outputs.map(|output| output[frame].0[0]);
        assert!((mixed - (0.75 * low + 0.25 * band)).abs() < 1e-6);
        // In steps of four frames.
        let part = (frame / 4 * 4) as f32 / CONTROL_FRAMES as f32;
        assert!((faded - (low + part * (band - low))).abs() < 1e-5, "{frame}");
    }
}

#[test]
fn the_wildest_sweeps_do_not_excite_it() {
    let mut state = SvfState::default();
    let mut highest = 0.0f32;
    for stretch in 0..4000 {
        let (low, high) = (Lanes::splat(10.0), Lanes::splat(23_000.0));
        let cutoff = if stretch % 2 == 0 { Sweep { from: low, to: high } } else { Sweep { from: high, to: low } };
        let q = if stretch % 3 == 0 { 0.1 } else { 40.0 };
        let control = SvfControl { rate: 48_000.0, mode: Sweep::at((stretch % 4) as f32), cutoff, q: Sweep::at(q) };
        let input = core::array::from_fn::<_, CONTROL_FRAMES, _>(|frame| {
            Lanes::splat(if (frame + stretch * CONTROL_FRAMES) % 11 < 5 { 1.0 } else { -1.0 })
        });
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        svf::process(&mut state, &control, &input, &mut output);
        highest = output.iter().flat_map(|frame| frame.0).fold(highest, |highest, sample| highest.max(sample.abs()));
    }
    std::println!("svf: a wild sweep reaches {highest}");
    // A square of level 1 whose fundamental lies at the resonance reaches 4 / pi * 40 = 51 with the cutoff at rest.
    assert!(highest < 2.0 * 51.0);
}
