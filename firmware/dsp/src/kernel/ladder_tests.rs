//! What ladder and distortion promise.
extern crate std;
use std::vec::Vec;

use super::distortion::{self, DistortionControl, DistortionState, Shape};
use super::ladder::{self, LadderControl, LadderState};
use super::spectrum_tests::{alias, decibels, powers};
use super::svf_tests::{impulse_response, magnitude};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep};

const RATE: f32 = 48_000.0;

fn control(cutoff: Lanes, resonance: f32, drive: f32) -> LadderControl {
    let cutoff = Sweep { from: cutoff, to: cutoff };
    LadderControl { rate: RATE, cutoff, resonance: Sweep::at(resonance), drive: Sweep::at(drive) }
}

/// So many frames of each lane, from an input by its frame, after a start that is left out.
fn run(
    frames: usize,
    left_out: usize,
    input: impl Fn(usize) -> f32,
    mut process: impl FnMut(&[Lanes], &mut [Lanes]),
) -> [Vec<f64>; LANES] {
    let mut waves = [const { Vec::new() }; LANES];
    for start in (0..frames + left_out).step_by(CONTROL_FRAMES) {
        let input: [Lanes; CONTROL_FRAMES] = core::array::from_fn(|frame| Lanes::splat(input(start + frame)));
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        process(&input, &mut output);
        for frame in output.iter().filter(|_| start >= left_out) {
            waves.iter_mut().zip(frame.0).for_each(|(wave, sample)| wave.push(f64::from(sample)));
        }
    }
    waves
}

/// The bin with the most power, between bins by the parabola through its logarithms.
fn peak(wave: &[f64]) -> f64 {
    let powers = powers(wave, false);
    let bin = (1..powers.len() - 1).max_by(|a, b| powers[*a].total_cmp(&powers[*b])).expect("bins");
    let [left, middle, right] = [bin - 1, bin, bin + 1].map(|bin| powers[bin].ln());
    bin as f64 + 0.5 * (left - right) / (left - 2.0 * middle + right)
}

#[test]
fn it_oscillates_by_itself_in_tune() {
    let cutoff = Lanes([60.0, 150.0, 400.0, 1000.0, 2500.0, 5000.0, 8000.0, 11_000.0]);
    let mut state = LadderState::default();
    let control = control(cutoff, 1.0, 0.0);
    let impulse = |frame| if frame == 0 { 0.5 } else { 0.0 };
    let waves = run(32_768, 96_000, impulse, |input, output| ladder::process(&mut state, &control, input, output));
    for (wave, cutoff) in waves.iter().zip(cutoff.0) {
        let level = wave.iter().fold(0.0f64, |most, sample| most.max(sample.abs()));
        let cents = 1200.0 * (peak(wave) * f64::from(RATE) / 32_768.0 / f64::from(cutoff)).log2();
        std::println!("ladder at {cutoff} Hz oscillates {cents:.2} cents off, level {level:.3}");
        assert!((0.2..2.0).contains(&level));
        assert!(cents.abs() < 5.0);
    }
}

#[test]
fn without_resonance_it_is_four_poles_and_falls_by_24_db_per_octave() {
    let cutoff = Lanes([100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 9000.0]);
    let mut state = LadderState::default();
    // So quiet that the saturation is straight.
    let control = control(cutoff, 0.0, -60.0);
    let responses = impulse_response(16_384, |input, output| ladder::process(&mut state, &control, input, output));
    for (response, cutoff) in responses.iter().zip(cutoff.0) {
        for factor in [0.1, 0.5, 1.0, 2.0] {
            let warp = |hertz: f64| (core::f64::consts::PI * hertz / 96_000.0).tan();
            let hertz = f64::from(cutoff) * factor;
            let w = warp(hertz) / warp(f64::from(cutoff));
            let expected = (1.0 + w * w).powi(-2) * 1e-3;
            let found = magnitude(response, hertz / f64::from(RATE));
            assert!((20.0 * (found / expected).log10()).abs() < 0.05, "{cutoff} {factor}: {found} {expected}");
        }
    }
}

#[test]
fn nothing_makes_it_louder_than_its_saturation() {
    let mut state = LadderState::default();
    for (resonance, drive, level) in [(1.0, 36.0, 1.0), (1.0, 60.0, 1e5), (0.5, 0.0, 10.0), (0.0, 36.0, 0.1)] {
        let control =
            control(Lanes([20.0, 100.0, 500.0, 2000.0, 6000.0, 12_000.0, 20_000.0, 24_000.0]), resonance, drive);
        let square = |frame: usize| if frame % 97 < 48 { level } else { -level };
        let waves = run(48_000, 0, square, |input, output| ladder::process(&mut state, &control, input, output));
        let highest = waves.iter().flatten().fold(0.0f64, |most, sample| most.max(sample.abs()));
        // The saturation lets in 3, and the half-band overshoots on an edge.
        assert!(highest < 4.5, "{highest}");
    }
}

fn distorted(shape: Shape, drive: f32, mix: f32, level: f32, turns: f32) -> Vec<f64> {
    let control = DistortionControl {
        rate: RATE,
        shape,
        drive: Sweep::at(drive),
        mix: Sweep::at(mix),
        gain: Sweep::at(1.0),
        bits: Sweep::at(4.0),
        hold: Sweep::at(6000.0),
    };
    let mut state = DistortionState::default();
    let tone = |frame: usize| level * (core::f32::consts::TAU * (turns * frame as f32).fract()).sin();
    let [first, ..] = run(16_384, 512, tone, |input, output| distortion::process(&mut state, &control, input, output));
    first
}

#[test]
fn every_distortion_is_bounded_and_adds_harmonics_and_the_oversampled_ones_little_else() {
    // Bin 683 of 16,384: 2.0 kHz, an odd number, so that no alias falls on a harmonic.
    let turns = 683.0 / 16_384.0;
    for (shape, most) in [(Shape::Soft, -60.0), (Shape::Hard, -45.0), (Shape::Fold, -60.0)] {
        let wave = distorted(shape, 12.0, 1.0, 0.8, turns);
        let (alias, _) = alias(&wave, 683.0);
        let powers = powers(&wave, false);
        let third = decibels(powers[3 * 683] / powers[683]);
        std::println!("{shape:?}: third harmonic {third:.1} dB, strongest alias {alias:.1} dB");
        assert!(third > -30.0 && alias < most);
    }
    for shape in [Shape::Soft, Shape::Hard, Shape::Fold, Shape::Crush] {
        for level in [1e-3, 1.0, 100.0] {
            let highest = distorted(shape, 48.0, 1.0, level, turns).iter().fold(0.0f64, |most, x| most.max(x.abs()));
            // What lies within 1 and goes through the half-band: the sizes of its response add up to 3.23.
            assert!((0.1..3.23).contains(&highest), "{shape:?} {level}: {highest}");
        }
    }
}

#[test]
fn undistorted_sound_passes_unharmed_and_the_crusher_has_as_many_steps_as_bits_allow() {
    let clean = distorted(Shape::Hard, 0.0, 0.0, 0.5, 683.0 / 16_384.0);
    let (strongest, _) = alias(&clean, 683.0);
    assert!(strongest < -100.0, "{strongest}");
    let mut values: Vec<i64> = distorted(Shape::Crush, 0.0, 1.0, 1.0, 0.001_234)
        .iter()
        .map(|value| (value * 8.0 * 1e6).round() as i64)
        .collect();
    values.sort_unstable();
    values.dedup();
    assert!(values.iter().all(|value| value % 1_000_000 == 0));
    assert_eq!(values.len(), 17, "four bits and 0 in the middle");
    let held = distorted(Shape::Crush, 0.0, 1.0, 1.0, 0.031);
    let changes = held.windows(2).filter(|pair| pair[0] != pair[1]).count();
    // One in eight frames at most, for 6 kHz of 48; now and then the rounded value is the same.
    assert!((1000..=2048).contains(&changes), "{changes}");
}
