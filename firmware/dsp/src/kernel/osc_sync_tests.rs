//! What hard sync promises.
extern crate std;
use std::vec::Vec;

use super::osc::{self, OscControl, OscState, Shape};
use super::osc_sync::{self, OscSyncState};
use super::spectrum_tests::{alias, decibels, powers};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep};

const LENGTH: usize = 16_384;

fn control(shape: Shape, hertz: Lanes) -> OscControl {
    OscControl {
        rate: 48_000.0,
        shape: [shape; 2],
        frequency: Sweep { from: hertz, to: hertz },
        detune: Sweep::at(0.0),
        width: Sweep::at(0.5),
    }
}

/// Each lane synced by a sine of its own frequency in Hz, slave at `ratio` times that.
fn synced(shape: Shape, master: Lanes, ratio: f32) -> [Vec<f64>; LANES] {
    let (mut state, mut waves) = (OscSyncState::default(), [const { Vec::new() }; LANES]);
    let control = control(shape, master * ratio);
    for start in (0..LENGTH + 1024).step_by(CONTROL_FRAMES) {
        let sync: [Lanes; CONTROL_FRAMES] = core::array::from_fn(|frame| {
            Lanes(master.0.map(|hertz| {
                let turns = f64::from(hertz) * (start + frame) as f64 / 48_000.0;
                (turns.fract() * core::f64::consts::TAU).sin() as f32
            }))
        });
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        osc_sync::process(&mut state, &control, &sync, &mut output);
        for frame in output.iter().filter(|_| start >= 1024) {
            waves.iter_mut().zip(frame.0).for_each(|(wave, sample)| wave.push(f64::from(sample)));
        }
    }
    waves
}

#[test]
fn without_sync_it_is_the_free_oscillator_three_frames_later() {
    let hertz = Lanes([50.0, 110.0, 440.0, 997.0, 1500.0, 2000.0, 3000.0, 5000.0]);
    for shape in [Shape::Saw, Shape::Square] {
        let control = control(shape, hertz);
        let (mut free, mut synced) = (OscState::default(), OscSyncState::default());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            let [mut one, mut other] = [[Lanes::ZERO; CONTROL_FRAMES]; 2];
            osc::process(&mut free, &control, &mut one);
            osc_sync::process(&mut synced, &control, &[Lanes::ZERO; CONTROL_FRAMES], &mut other);
            first.extend(one);
            second.extend(other);
        }
        // It begins a frame into its turn; after the start both are the same wave.
        for (frame, free) in first.iter().enumerate().skip(300).take(2000) {
            for lane in 0..LANES {
                let error = (free.0[lane] - second[frame + 2].0[lane]).abs();
                assert!(error < 2e-4, "{shape:?}, frame {frame}, lane {lane}: {error}");
            }
        }
    }
}

#[test]
fn a_synced_wave_has_the_period_of_its_master_and_little_else() {
    let master = Lanes([101.3, 163.7, 257.9, 389.1, 501.7, 631.3, 777.7, 991.3]);
    for shape in [Shape::Saw, Shape::Square] {
        for ratio in [1.37, 2.61, 4.29] {
            for (wave, hertz) in synced(shape, master, ratio).iter().zip(master.0) {
                let fundamental = f64::from(hertz) * LENGTH as f64 / 48_000.0;
                // Against the strongest harmonic: the fundamental of a synced wave is none of the strong ones.
                let powers = powers(wave, false);
                let most = |powers: &[f64]| powers.iter().fold(0.0, |most: f64, power| most.max(*power));
                let around = fundamental as usize - 3..fundamental as usize + 5;
                let strongest = alias(wave, fundamental).0 + decibels(most(&powers[around]) / most(&powers[5..]));
                std::println!("{shape:?} at {hertz} Hz times {ratio}: strongest alias {strongest:.1} dB");
                assert!(strongest < -55.0);
            }
        }
    }
}
