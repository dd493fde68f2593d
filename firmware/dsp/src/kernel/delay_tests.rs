//! What delay and tape promise.
extern crate std;
use std::vec;
use std::vec::Vec;

use super::ask_tests::Ask;
use super::delay::{self, CHANNELS, DelayControl, DelayState};
use super::tape::{Ring, Tape};
use super::{CONTROL_FRAMES, Lanes, Sweep};

/// Times in frames of left and right, wet only.
fn control(frames: [f32; CHANNELS], feedback: f32) -> DelayControl {
    let time = Lanes([frames[0], frames[1], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]) * (1.0 / 48.0);
    DelayControl {
        rate: 48_000.0,
        time: Sweep { from: time, to: time },
        feedback: Sweep::at(feedback),
        damping: Sweep::at(20_000.0),
        mix: Sweep::at(1.0),
    }
}

/// So many frames of an input by its frame, both channels.
fn run(control: &DelayControl, frames: usize, input: impl Fn(usize) -> f32) -> [Vec<f32>; CHANNELS] {
    let (mut state, mut memory, mut waves) = (DelayState::default(), vec![[0.0; CHANNELS]; 4096], [vec![], vec![]]);
    for start in (0..frames).step_by(CONTROL_FRAMES) {
        let input: [Lanes; CONTROL_FRAMES] = core::array::from_fn(|frame| Lanes::splat(input(start + frame)));
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        // A new ring each time: nothing but the memory and the frame number is kept.
        let mut tape = Ring::at(&mut memory, start as u64);
        delay::process(&mut state, control, &mut tape, &input, &mut output);
        for frame in output {
            waves.iter_mut().zip(frame.0).for_each(|(wave, sample)| wave.push(sample));
            assert_eq!(frame.0[CHANNELS..], [0.0; 6]);
        }
    }
    waves
}

#[test]
fn an_impulse_comes_back_after_its_time_and_again_at_the_level_of_the_feedback() {
    let waves = run(&control([1000.0, 1500.0], 0.5), 4000, |frame| if frame == 5 { 1.0 } else { 0.0 });
    for (wave, time) in waves.iter().zip([1000, 1500]) {
        assert!((wave[5 + time] - 1.0).abs() < 1e-3);
        // The damping at 20 kHz takes a little, and spreads it.
        let second: f32 = wave[5 + 2 * time..][..20].iter().sum();
        assert!((second - 0.5).abs() < 0.01, "{second}");
        let elsewhere = wave[..5 + time - 3].iter().chain(&wave[5 + time + 3..5 + 2 * time - 3]);
        assert!(elsewhere.fold(0.0f32, |most, sample| most.max(sample.abs())) < 1e-4);
    }
}

#[test]
fn between_two_frames_it_is_late_by_the_part_of_a_frame() {
    let tone = |frame: f32| (core::f32::consts::TAU * 0.02 * frame).sin();
    for part in [0.0, 0.25, 0.5, 0.9] {
        let [left, _] = run(&control([100.0 + part, 50.0], 0.0), 960, |frame| tone(frame as f32));
        for (frame, sample) in left.iter().enumerate().skip(200) {
            let expected = tone(frame as f32 - 100.0 - part);
            assert!((sample - expected).abs() < 1e-4, "{part} {frame}");
        }
    }
}

#[test]
fn a_split_changes_no_bit_and_the_longest_feedback_stays_bounded_and_dies() {
    let mut ask = Ask::resting(8);
    let long = control([700.3, 911.7], 0.98);
    let [mut one, mut other] = [DelayState::default(); 2];
    let [mut first, mut second] = [vec![[0.0f32; CHANNELS]; 1024], vec![[0.0f32; CHANNELS]; 1024]];
    let mut highest = 0.0f32;
    for stretch in 0..60_000u64 {
        let loud = stretch < 500;
        let input: [Lanes; CONTROL_FRAMES] =
            core::array::from_fn(|_| if loud { ask.lanes(-1.0, 1.0) } else { Lanes::ZERO });
        let [mut whole, mut split] = [[Lanes::ZERO; CONTROL_FRAMES]; 2];
        let start = stretch * CONTROL_FRAMES as u64;
        delay::process(&mut one, &long, &mut Ring::at(&mut first, start), &input, &mut whole);
        let cut = 1 + ask.below(CONTROL_FRAMES - 1);
        delay::process(&mut other, &long, &mut Ring::at(&mut second, start), &input[..cut], &mut split[..cut]);
        let mut tape = Ring::at(&mut second, start + cut as u64);
        delay::process(&mut other, &long, &mut tape, &input[cut..], &mut split[cut..]);
        assert_eq!(whole, split);
        assert!(whole.iter().all(|frame| frame.0.iter().all(|sample| !sample.is_subnormal())));
        highest = whole.iter().flat_map(|frame| frame.0).fold(highest, |most, sample| most.max(sample.abs()));
    }
    // 1 / (1 - 0.98), and what the polynomial overshoots.
    assert!(highest < 60.0, "{highest}");
    assert!(first.iter().flatten().all(|value| *value == 0.0), "the tape falls silent");
}

#[test]
fn a_damaged_tape_and_any_control_neither_panic_nor_stay() {
    let mut ask = Ask::wild(5);
    for length in [0, 1, 2, 3, 64, 1000] {
        let mut state = DelayState::default();
        bytemuck::bytes_of_mut(&mut state).fill_with(|| ask.below(256) as u8);
        let mut memory: Vec<[f32; CHANNELS]> =
            (0..length).map(|_| [f32::from_bits(ask.below(1 << 32) as u32), f32::NAN]).collect();
        for start in 0..2000u64 {
            let wild = DelayControl {
                rate: ask.any(),
                time: Sweep::at(ask.any()),
                feedback: Sweep::at(ask.any()),
                damping: Sweep::at(ask.any()),
                mix: Sweep::at(ask.any()),
            };
            let calm = control([20.0, 30.0], 0.5);
            let used = if start < 100 { &wild } else { &calm };
            let mut output = [Lanes::ZERO; CONTROL_FRAMES];
            let mut tape = Ring::at(&mut memory, start * CONTROL_FRAMES as u64);
            delay::process(&mut state, used, &mut tape, &[Lanes::ZERO; CONTROL_FRAMES], &mut output);
            assert!(start < 1900 || output == [Lanes::ZERO; CONTROL_FRAMES], "{length}");
        }
    }
}

#[test]
fn a_ring_gives_back_what_was_appended_by_its_number() {
    let mut memory = vec![[0.0f32; 3]; 20];
    let mut ring = Ring::at(&mut memory, 1_000_000);
    assert_eq!(ring.length(), 16);
    for number in 0..100 {
        ring.append([number as f32, -(number as f32), 0.5]);
    }
    for frames in 1..=16 {
        assert_eq!(ring.behind(0, frames), 100.0 - frames as f32);
        assert_eq!(ring.behind(1, frames), frames as f32 - 100.0);
    }
    assert_eq!(ring.behind(7, 1), 0.0);
}
