//! What the oscillators promise of their spectrum.
extern crate std;
use std::vec::Vec;

use super::osc::{self, OscControl, OscState, Shape};
use super::sine::{self, SineControl, SineState};
use super::spectrum_tests::{alias, distortion_and_noise};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep};

const LENGTH: usize = 16_384;
const RATE: f32 = 48_000.0;

/// One wave of each lane's frequency in Hz, after the start has died away.
fn waves(shape: Shape, hertz: Lanes, width: f32) -> [Vec<f64>; LANES] {
    let control = OscControl {
        rate: RATE,
        shape: [shape; 2],
        frequency: Sweep { from: hertz, to: hertz },
        detune: Sweep::at(0.0),
        width: Sweep::at(width),
    };
    let mut state = OscState::default();
    let mut waves = [const { Vec::new() }; LANES];
    for stretch in 0..(LENGTH / CONTROL_FRAMES + 8) {
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        osc::process(&mut state, &control, &mut output);
        for frame in output.iter().filter(|_| stretch >= 8) {
            waves.iter_mut().zip(frame.0).for_each(|(wave, sample)| wave.push(f64::from(sample)));
        }
    }
    waves
}

/// The worst alias over 64 fundamentals from `low` to `high` Hz, strongest and all together.
fn worst(shape: Shape, low: f32, high: f32, width: f32) -> (f64, f64) {
    let mut worst = (-200.0f64, -200.0f64);
    for group in 0..8u8 {
        let place = |lane: usize| (f32::from(group) + lane as f32 / 8.0) / 7.9;
        let hertz = Lanes(core::array::from_fn(|lane| low * (high / low).powf(place(lane))));
        for (wave, hertz) in waves(shape, hertz, width).iter().zip(hertz.0) {
            let (strongest, all) = alias(wave, f64::from(hertz) * LENGTH as f64 / f64::from(RATE));
            worst = (worst.0.max(strongest), worst.1.max(all));
        }
    }
    std::println!("{shape:?} {low} to {high} Hz: strongest alias {:.1} dB, all {:.1} dB", worst.0, worst.1);
    worst
}

#[test]
fn aliases_of_a_saw_lie_60_db_down_to_2_khz_and_40_db_to_5_khz() {
    assert!(worst(Shape::Saw, 60.0, 2000.0, 0.5).0 <= -60.0);
    assert!(worst(Shape::Saw, 2000.0, 5000.0, 0.5).0 <= -40.0);
}

#[test]
fn aliases_of_square_and_triangle_lie_as_low() {
    for shape in [Shape::Square, Shape::Triangle] {
        assert!(worst(shape, 60.0, 2000.0, 0.5).0 <= -60.0);
        assert!(worst(shape, 2000.0, 5000.0, 0.5).0 <= -40.0);
    }
    // The fundamental of a pulse a tenth of a turn wide is 10.2 dB weaker than that of a square.
    assert!(worst(Shape::Square, 60.0, 2000.0, 0.1).0 <= -49.8);
    assert!(worst(Shape::Square, 2000.0, 5000.0, 0.1).0 <= -29.8);
}

#[test]
fn a_sine_is_120_db_pure_at_every_frequency() {
    let mut worst = -200.0f64;
    for group in 0..16 {
        // Whole bins, so that the window's foot hides nothing that is near.
        let bins: [usize; LANES] = core::array::from_fn(|lane| 20 + (group * 8 + lane) * 61);
        let hertz = Lanes(bins.map(|bin| bin as f32 * RATE / LENGTH as f32));
        let control = SineControl { rate: RATE, frequency: Sweep { from: hertz, to: hertz }, gain: Sweep::at(1.0) };
        let mut state = SineState::default();
        let mut waves = [const { Vec::new() }; LANES];
        for _ in 0..LENGTH / CONTROL_FRAMES {
            let mut output = [Lanes::ZERO; CONTROL_FRAMES];
            sine::process(&mut state, &control, &[Lanes::ZERO; CONTROL_FRAMES], &mut output);
            for frame in output {
                waves.iter_mut().zip(frame.0).for_each(|(wave, sample)| wave.push(f64::from(sample)));
            }
        }
        for (wave, bin) in waves.iter().zip(bins) {
            worst = worst.max(distortion_and_noise(wave, bin));
        }
    }
    std::println!("sine: THD+N {worst:.1} dB at worst");
    assert!(worst <= -120.0);
}
