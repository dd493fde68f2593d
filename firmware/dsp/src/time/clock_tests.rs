//! The clock against exact arithmetic.
extern crate std;
use std::format;

use super::{Clock, Position, Refusal, units_per_beat};

/// The frame of a step as it should be: floor(step * rate * 60 / (bpm * steps per beat)), in integers.
pub(super) fn exact(step: u64, rate: u32, thousandths: u64, steps_per_beat: u64) -> u64 {
    let frames = u128::from(step) * u128::from(rate) * 60_000 / (u128::from(thousandths) * u128::from(steps_per_beat));
    u64::try_from(frames).expect("a frame")
}

/// Where a step is on the clock.
fn position_of(step: u64, rate: u32, steps_per_beat: u64) -> Position {
    let unit = step % steps_per_beat * (units_per_beat(u64::from(rate)) / steps_per_beat);
    Position { beat: step / steps_per_beat, unit }
}

fn running(rate: u32, thousandths: u64) -> Clock {
    let mut clock = Clock::new(rate);
    clock.set_bpm(thousandths as f64 / 1000.0).expect("a tempo");
    clock.start();
    clock
}

/// Goes on until `frame`, in as few advances as there can be.
fn go_to(clock: &mut Clock, now: u64, frame: u64) {
    let mut left = frame - now;
    while left > 0 {
        let frames = u32::try_from(left).unwrap_or(u32::MAX);
        clock.advance(frames);
        left -= u64::from(frames);
    }
}

#[test]
fn every_step_is_in_the_frame_exact_arithmetic_has_it_in_and_after_a_thousand_million_steps_too() {
    for rate in abi::RATES {
        for thousandths in [1_000, 59_999, 61_803, 120_000, 120_001, 133_333, 174_000, 998_999, 999_000] {
            for steps_per_beat in [1, 3, 4, 7, 11, 13, 16] {
                let mut clock = running(rate, thousandths);
                let mut now = 0;
                for step in [0, 1, 2, 3, 1000, 1_000_000, 999_999_999, 1_000_000_000, 1_000_000_001, 4_000_000_007] {
                    let due = exact(step, rate, thousandths, steps_per_beat);
                    let before = due.saturating_sub(200).max(now);
                    go_to(&mut clock, now, before);
                    now = before;
                    let wait = clock.wait(position_of(step, rate, steps_per_beat), 1000);
                    assert_eq!(now + u64::from(wait), due, "{rate} {thousandths} {steps_per_beat} step {step}");
                }
            }
        }
    }
}

#[test]
fn units_are_whole_in_every_step_and_millionth_of_it() {
    for rate in abi::RATES {
        let beat = units_per_beat(u64::from(rate));
        (1..=16).for_each(|steps| assert_eq!(beat % (steps * 1_000_000), 0, "{rate} {steps}"));
    }
}

#[test]
fn a_tempo_change_keeps_the_position() {
    let mut clock = running(48_000, 120_000);
    clock.advance(24_000 + 6_000);
    let half = units_per_beat(48_000) / 4;
    assert_eq!(clock.position(), Position { beat: 1, unit: half });
    clock.set_bpm(60.0).expect("a tempo");
    assert_eq!(clock.position(), Position { beat: 1, unit: half });
    // Three quarters of a beat are left, of a second now.
    assert_eq!(clock.wait(Position { beat: 2, unit: 0 }, 100_000), 36_000);
}

#[test]
fn it_stops_goes_on_and_starts_anew() {
    let mut clock = running(44_100, 174_000);
    clock.advance(12_345);
    let there = clock.position();
    clock.stop();
    clock.advance(1000);
    assert_eq!((clock.position(), clock.running()), (there, false));
    clock.resume();
    clock.advance(1);
    assert!(clock.position() > there && clock.running());
    clock.start();
    assert_eq!((clock.position(), clock.running()), (Position::default(), true));
}

#[test]
fn a_tempo_is_a_number_within_the_range_with_three_decimals() {
    let mut clock = Clock::new(48_000);
    for (asked, is) in [(174.0, 174.0), (0.0, 1.0), (-5.0, 1.0), (1e9, 999.0), (120.0004, 120.0), (120.0006, 120.001)] {
        clock.set_bpm(asked).expect("a tempo");
        assert_eq!(clock.bpm().to_bits(), f64::to_bits(is), "{asked}");
    }
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(clock.set_bpm(wrong), Err(Refusal::NotFinite), "{wrong}");
        assert_eq!(format!("{}", clock.bpm()), "120.001");
    }
}

#[test]
fn a_wait_is_never_longer_than_asked_for() {
    let clock = running(48_000, 1_000);
    assert_eq!(clock.wait(Position { beat: 1000, unit: 0 }, 17), 17);
    assert_eq!(clock.wait(Position { beat: u64::MAX, unit: u64::MAX }, u32::MAX), 1 << 24);
    assert_eq!(clock.wait(Position { beat: 0, unit: 0 }, 17), 0);
}
