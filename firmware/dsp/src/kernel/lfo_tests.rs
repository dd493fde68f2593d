//! What lfo and noise promise.
extern crate std;
use std::vec::Vec;

use super::adsr::NEVER;
use super::lfo::{self, LfoControl, LfoState, Shape};
use super::noise::{self, NoiseControl, NoiseState};
use super::spectrum_tests::{decibels, powers};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep, Words};

/// 93.75 Hz at 48 kHz: a turn is 512 frames, exactly.
fn control(shape: Shape) -> LfoControl {
    LfoControl {
        rate: 48_000.0,
        shape,
        frequency: Sweep::at(93.75),
        depth: Sweep::at(1.0),
        reset: Words::splat(NEVER),
        seed: 5,
    }
}

/// So many stretches of all lanes.
fn run(control: &LfoControl, stretches: usize) -> Vec<Lanes> {
    let mut state = LfoState::default();
    let mut all = Vec::new();
    for _ in 0..stretches {
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        lfo::process(&mut state, control, &mut output);
        all.extend(output);
    }
    all
}

#[test]
fn every_shape_is_its_formula() {
    type Formula = fn(f64) -> f64;
    let formulas: [(Shape, Formula); 4] = [
        (Shape::Sine, |turn| (turn * core::f64::consts::TAU).sin()),
        (Shape::Triangle, |turn| {
            let quarter = (turn + 0.75).fract();
            4.0 * (quarter - 0.5).abs() - 1.0
        }),
        (Shape::Saw, |turn| 2.0 * turn - 1.0),
        (Shape::Square, |turn| if turn < 0.5 { 1.0 } else { -1.0 }),
    ];
    for (shape, formula) in formulas {
        for (frame, output) in run(&control(shape), 64).iter().enumerate() {
            let expected = formula((frame % 512) as f64 / 512.0);
            assert!((f64::from(output.0[4]) - expected).abs() < 1e-6, "{shape:?} {frame}");
        }
    }
}

#[test]
fn hold_takes_a_new_value_at_every_turn_and_each_lane_its_own() {
    let all = run(&control(Shape::Hold), 512 / CONTROL_FRAMES * 200);
    for (turn, values) in all.chunks(512).enumerate() {
        assert!(values.iter().all(|value| *value == values[0]), "turn {turn}");
    }
    let mut held: Vec<u32> = all.chunks(512).flat_map(|values| values[0].0.map(f32::to_bits)).collect();
    let mean = all.iter().map(|frame| f64::from(frame.0[0])).sum::<f64>() / all.len() as f64;
    assert!(mean.abs() < 0.15, "{mean}");
    held.sort_unstable();
    held.dedup();
    assert_eq!(held.len(), 200 * LANES);
}

#[test]
fn a_reset_begins_a_new_turn_at_its_frame_in_its_lane() {
    for shape in [Shape::Saw, Shape::Hold] {
        let free = run(&control(shape), 1);
        let reset = Words(core::array::from_fn(|lane| if lane == 3 { 17 } else { NEVER }));
        let one = run(&LfoControl { reset, ..control(shape) }, 1);
        for frame in 0..CONTROL_FRAMES {
            for lane in 0..LANES {
                let (free, one) = (free[frame].0[lane], one[frame].0[lane]);
                assert_eq!(free != one, lane == 3 && frame >= 17, "{shape:?}");
            }
        }
        if shape == Shape::Saw {
            assert_eq!(one[17].0[3], -1.0);
        }
    }
}

/// The mean power of noise in each octave from 23 Hz, in decibels.
fn octaves(color: f32) -> Vec<f64> {
    const LENGTH: usize = 16_384;
    let control = NoiseControl { seed: 77, color: Sweep::at(color), gain: Sweep::at(1.0) };
    let mut state = NoiseState::default();
    let mut sums = [0.0; 10];
    for _ in 0..16 {
        let mut waves = [const { Vec::new() }; LANES];
        for _ in 0..LENGTH / CONTROL_FRAMES {
            let mut output = [Lanes::ZERO; CONTROL_FRAMES];
            noise::process(&mut state, &control, &mut output);
            for frame in output {
                assert!(frame.0.iter().all(|sample| sample.abs() <= 1.0));
                waves.iter_mut().zip(frame.0).for_each(|(wave, sample)| wave.push(f64::from(sample)));
            }
        }
        for wave in waves {
            let powers = powers(&wave, false);
            for (octave, sum) in sums.iter_mut().enumerate() {
                let bins = 8 << octave..16 << octave;
                *sum += powers[bins.clone()].iter().sum::<f64>() / bins.len() as f64;
            }
        }
    }
    sums.iter().map(|sum| decibels(*sum)).collect()
}

#[test]
fn white_is_flat_and_pink_falls_by_3_db_per_octave() {
    let (white, pink) = (octaves(0.0), octaves(1.0));
    std::println!("white {white:.2?}\npink {pink:.2?}");
    // The lowest octave is a mean of a thousand bins, of which 0.3 dB is two standard deviations.
    for octave in &white {
        assert!((octave - white[9]).abs() < 0.5);
    }
    // An octave is 3.01 dB; its mean power lies 0.16 dB above that of its middle, the same for all.
    for (place, octave) in pink.iter().enumerate() {
        let expected = pink[5] - 3.01 * (place as f64 - 5.0);
        assert!((octave - expected).abs() < 0.6, "{place}: {octave} instead of {expected}");
    }
}

#[test]
fn lanes_and_seeds_know_nothing_of_each_other() {
    let waves = [1, 2].map(|seed| {
        let control = NoiseControl { seed, color: Sweep::at(0.0), gain: Sweep::at(1.0) };
        let (mut state, mut all) = (NoiseState::default(), Vec::new());
        for _ in 0..2000 {
            let mut output = [Lanes::ZERO; CONTROL_FRAMES];
            noise::process(&mut state, &control, &mut output);
            all.extend(output);
        }
        all
    });
    let value = |wave: usize, frame: usize| f64::from(waves[wave / LANES][frame].0[wave % LANES]);
    let frames = waves[0].len();
    for first in 0..2 * LANES {
        for second in 0..first {
            for shift in [0, 1, 7] {
                let sum: f64 = (0..frames - 7).map(|frame| value(first, frame) * value(second, frame + shift)).sum();
                // The standard deviation is 1 / 3 / sqrt(64,000) = 0.0013.
                assert!((sum / frames as f64).abs() < 0.0066, "{first} {second}");
            }
        }
    }
}
