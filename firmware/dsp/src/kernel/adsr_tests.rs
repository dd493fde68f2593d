//! What the envelope promises: levels and times, exact to the frame.
extern crate std;
use std::vec::Vec;

use super::adsr::{self, AdsrControl, AdsrState, NEVER};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep, Words};

/// Attack 2 ms, decay 3 ms, sustain 0.5, release 4 ms: 96, 144 and 192 frames.
fn control(curve: f32) -> AdsrControl {
    AdsrControl {
        rate: 48_000.0,
        attack: Lanes::splat(2.0),
        decay: Lanes::splat(3.0),
        sustain: Sweep::at(0.5),
        release: Lanes::splat(4.0),
        curve: Sweep::at(curve),
        on: Words::splat(NEVER),
        off: Words::splat(NEVER),
        velocity: Lanes::splat(1.0),
    }
}

/// The levels of one lane, with its gate opened and closed at these absolute frames. The other lanes have theirs a
/// frame later each, which must change nothing.
fn levels(control: &AdsrControl, frames: u32, ons: &[u32], offs: &[u32], lane: u32) -> Vec<f32> {
    let mut state = AdsrState::default();
    let mut levels = Vec::new();
    for start in (0..frames).step_by(CONTROL_FRAMES) {
        let within = |events: &[u32], other: u32| {
            let event = |frame: &u32| (frame + other).wrapping_sub(lane).wrapping_sub(start);
            events.iter().map(event).find(|frame| *frame < CONTROL_FRAMES as u32).unwrap_or(NEVER)
        };
        let on = Words(core::array::from_fn(|other| within(ons, other as u32)));
        let off = Words(core::array::from_fn(|other| within(offs, other as u32)));
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        adsr::process(&mut state, &AdsrControl { on, off, ..*control }, &mut output);
        levels.extend(output.map(|frame| frame.0[lane as usize]));
    }
    levels
}

#[test]
fn every_segment_takes_its_frames_exactly_whatever_its_curve_and_its_lane() {
    for curve in [0.0, 0.5, 1.0] {
        for lane in [0, 3, 7] {
            for on in [100, 127, 128, 135] {
                let levels = levels(&control(curve), 1024, &[on], &[on + 400], lane);
                let at = |frame: u32| levels[(on + frame) as usize];
                assert_eq!(levels[on as usize - 1], 0.0);
                assert!(at(0) > 0.0 && at(94) < 1.0, "{} {}", at(0), at(94));
                assert_eq!(at(95), 1.0, "the attack is over after 96 frames");
                assert!(at(96) < 1.0 && at(238) > 0.5);
                assert_eq!((at(239), at(399)), (0.5, 0.5), "the decay after 144 more");
                assert!(at(400) < 0.5 && at(590) > 0.0);
                assert_eq!((at(591), at(600)), (0.0, 0.0), "the release after 192");
            }
        }
    }
}

#[test]
fn straight_is_straight_and_exponential_what_a_capacitor_does() {
    let straight = levels(&control(0.0), 1024, &[0], &[400], 0);
    let bent = levels(&control(1.0), 1024, &[0], &[400], 0);
    for frame in 0..96u16 {
        let part = f64::from(frame + 1) / 96.0;
        assert!((f64::from(straight[usize::from(frame)]) - part).abs() < 1e-6);
        let expected = 1.0 - ((5.0 * (1.0 - part)).exp() - 1.0) / (5f64.exp() - 1.0);
        assert!((f64::from(bent[usize::from(frame)]) - expected).abs() < 2e-3, "{frame}");
    }
    // Half of the release is over where (e^2.5 - 1) / (e^5 - 1) is left.
    assert!((f64::from(bent[400 + 95]) / 0.5 - 0.0759).abs() < 1e-3, "{}", bent[400 + 95]);
}

#[test]
fn long_segments_are_exact_too() {
    for (milliseconds, frames) in [(10_000.0, 480_000), (20_000.0, 960_000)] {
        let control = AdsrControl { attack: Lanes::splat(milliseconds), ..control(0.0) };
        let levels = levels(&control, frames + 64, &[0], &[], 5);
        assert!(levels[frames as usize - 2] < 1.0);
        assert_eq!(levels[frames as usize - 1], 1.0);
        assert!((levels[frames as usize / 2 - 1] - 0.5).abs() < 1e-6);
    }
}

#[test]
fn a_gate_opened_again_goes_on_from_the_present_level_without_a_click() {
    for curve in [0.0, 1.0] {
        for again in [40, 96, 180, 300, 450, 560] {
            let levels = levels(&control(curve), 1024, &[0, again], &[400, again], 2);
            let steepest = levels.windows(2).fold(0.0f32, |most, pair| most.max((pair[1] - pair[0]).abs()));
            // The attack's own first step: 1 / 96 where it is straight, 5.03 times that where it is bent.
            assert!(steepest <= if curve == 0.0 { 0.0105 } else { 0.0525 }, "{again}: {steepest}");
            assert_eq!(levels[(again + 95) as usize], 1.0);
        }
    }
}

#[test]
fn velocity_scales_peak_and_sustain_and_is_read_when_the_gate_opens() {
    let mut state = AdsrState::default();
    let mut output = [Lanes::ZERO; CONTROL_FRAMES];
    let velocity = Lanes(core::array::from_fn(|lane| (lane + 1) as f32 / LANES as f32));
    adsr::process(&mut state, &AdsrControl { on: Words::ZERO, velocity, ..control(0.0) }, &mut output);
    adsr::process(&mut state, &control(0.0), &mut output);
    adsr::process(&mut state, &control(0.0), &mut output);
    assert_eq!(output[31], velocity);
    (0..8).for_each(|_| adsr::process(&mut state, &control(0.0), &mut output));
    assert_eq!(output[31], velocity * 0.5);
}

#[test]
fn a_moving_sustain_moves_the_level_and_an_unopened_gate_closes_to_nothing() {
    let mut state = AdsrState::default();
    let mut output = [Lanes::ZERO; CONTROL_FRAMES];
    adsr::process(&mut state, &AdsrControl { off: Words::ZERO, ..control(0.0) }, &mut output);
    assert_eq!(output, [Lanes::ZERO; CONTROL_FRAMES]);
    adsr::process(&mut state, &AdsrControl { on: Words::ZERO, ..control(0.0) }, &mut output);
    (0..10).for_each(|_| adsr::process(&mut state, &control(0.0), &mut output));
    let sustain = Sweep { from: Lanes::splat(0.5), to: Lanes::splat(0.9) };
    adsr::process(&mut state, &AdsrControl { sustain, ..control(0.0) }, &mut output);
    for (frame, level) in output.iter().enumerate() {
        assert!((level.0[0] - (0.5 + 0.4 * frame as f32 / CONTROL_FRAMES as f32)).abs() < 1e-6);
    }
}
