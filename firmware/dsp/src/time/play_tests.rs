//! What is played, against exact arithmetic.
extern crate std;
use std::vec::Vec;

use super::clock_tests::exact;
use abi::TrackEdit;

use super::{Config, Event, Sequencer, VELOCITY_ACCENT, VELOCITY_NORMAL};

/// Renders nothing for so many frames, as a renderer would, and notes what happened at which.
pub(super) fn play(sequencer: &mut Sequencer, frames: u64, mut cut: impl FnMut(u32) -> u32) -> Vec<(u64, Event)> {
    let (mut now, mut events) = (0, Vec::new());
    while now < frames {
        sequencer.take(|event| events.push((now, event)));
        let most = u32::try_from(frames - now).unwrap_or(u32::MAX);
        let stretch = sequencer.wait(cut(most));
        assert!(stretch > 0, "what is due has been taken");
        sequencer.advance(stretch);
        now += u64::from(stretch);
    }
    events
}

/// A running clock and one started track, whose gate is 7.
pub(super) fn one_track(rate: u32, bpm: f64, text: &str, config: Config) -> Sequencer {
    let mut sequencer = Sequencer::new(rate);
    sequencer.bpm(bpm).expect("a tempo");
    sequencer.create(0).expect("a track");
    sequencer.config(0, &config).expect("a configuration");
    sequencer.pattern(0, text.parse().expect("a pattern")).expect("a track");
    sequencer.assign_gate(0, 7).expect("a track");
    sequencer.start(0).expect("a track");
    sequencer.start_clock();
    sequencer
}

pub(super) fn on(target: u32, velocity: f32) -> Event {
    Event::GateOn { target, velocity }
}

pub(super) fn off(target: u32) -> Event {
    Event::GateOff { target }
}

fn ons(events: &[(u64, Event)]) -> Vec<u64> {
    events.iter().filter(|(_, event)| matches!(event, Event::GateOn { .. })).map(|(frame, _)| *frame).collect()
}

#[test]
fn twelve_hours_at_174_beats_a_minute_are_174_000() {
    let (rate, hours) = (48_000, 12);
    let mut sequencer = one_track(rate, 174.0, "X...x...", Config { steps_per_beat: 4, ..Config::default() });
    let frames = u64::from(rate) * 3600 * hours;
    let events = play(&mut sequencer, frames, |most| most);
    let notes = ons(&events);
    // Two notes in eight steps, 696 steps a minute.
    assert_eq!(notes.len() as u64, 696 * 60 * hours / 4);
    for (number, frame) in (0..).zip(&notes) {
        assert_eq!(*frame, exact(4 * number, rate, 174_000, 4), "note {number}");
    }
    let loud = |event: &Event| *event == on(7, VELOCITY_ACCENT);
    assert_eq!(events.iter().filter(|(_, event)| loud(event)).count(), notes.len() / 2);
    assert!(events.contains(&(exact(4, rate, 174_000, 4), on(7, VELOCITY_NORMAL))));
}

#[test]
fn swing_delays_every_second_step_and_no_other() {
    for (swing, millionths) in [(0.5, 500_000), (0.58, 580_000), (2.0 / 3.0, 666_667), (0.75, 750_000)] {
        for steps_per_beat in [3, 4] {
            let config = Config { steps_per_beat, swing, ..Config::default() };
            let notes = ons(&play(&mut one_track(44_100, 133.333, "x", config), 44_100 * 60, |most| most));
            assert!(notes.len() > 390);
            for (step, frame) in (0u64..).zip(&notes) {
                // In millionths of a pair of steps.
                let place = step / 2 * 1_000_000 + step % 2 * millionths;
                let frames = u128::from(place) * 44_100 * 60_000 * 2;
                let due = frames / (133_333 * u128::from(steps_per_beat) * 1_000_000);
                assert_eq!(u128::from(*frame), due, "{swing} {steps_per_beat} step {step}");
            }
        }
    }
}

#[test]
fn a_gate_is_open_for_its_part_of_its_step() {
    // 48 kHz, 120, four to a beat: 6,000 frames to a step.
    for (length, frames) in [(0.05, 300), (0.5, 3_000), (0.333_333, 1_999), (0.999_999, 5_999)] {
        let mut sequencer = one_track(48_000, 120.0, "x.", Config::default());
        sequencer.gate_len(0, length).expect("a length");
        let expected = [(0, on(7, VELOCITY_NORMAL)), (frames, off(7)), (12_000, on(7, VELOCITY_NORMAL))];
        assert_eq!(play(&mut sequencer, 12_001, |most| most), expected, "{length}");
    }
    // With swing the first of two steps is longer than the second, and so is its gate.
    let mut sequencer = one_track(48_000, 120.0, "x", Config { swing: 0.75, ..Config::default() });
    let frames: Vec<_> = play(&mut sequencer, 12_000, |most| most).iter().map(|(frame, _)| *frame).collect();
    assert_eq!(frames, [0, 4_500, 9_000, 10_500]);
}

#[test]
fn a_whole_gate_is_tied_to_the_next_note_and_ends_before_a_rest() {
    let mut sequencer = one_track(48_000, 120.0, "Xx..", Config::default());
    sequencer.gate_len(0, 1.0).expect("a length");
    let expected = [
        (0, on(7, VELOCITY_ACCENT)),
        (6_000, on(7, VELOCITY_NORMAL)),
        (12_000, off(7)),
        (24_000, on(7, VELOCITY_ACCENT)),
    ];
    assert_eq!(play(&mut sequencer, 24_001, |most| most), expected);
}

#[test]
fn lanes_have_lengths_of_their_own_and_come_before_the_note() {
    let mut sequencer = one_track(48_000, 120.0, "x.", Config::default());
    sequencer.param_lane(0, 0, &[1.0, 2.0, 3.0]).expect("a lane");
    sequencer.param_lane(0, 3, &[-1.0, -2.0]).expect("a lane");
    sequencer.param_lane(0, 1, &[9.0]).expect("a lane assigned to nothing");
    sequencer.assign_lane(0, 0, 40).expect("a lane");
    sequencer.assign_lane(0, 3, 43).expect("a lane");
    let parameter = |target, value| Event::Parameter { target, value };
    let events = play(&mut sequencer, 6 * 6_000, |most| most);
    for step in 0..6u64 {
        let values = [[1.0, 2.0, 3.0][step as usize % 3], [-1.0, -2.0][step as usize % 2]];
        let mut expected = std::vec![parameter(40, values[0]), parameter(43, values[1])];
        expected.extend(step.is_multiple_of(2).then(|| on(7, VELOCITY_NORMAL)));
        let at: Vec<_> = events.iter().filter(|(frame, _)| *frame == step * 6_000).map(|(_, event)| *event).collect();
        assert_eq!(at, expected, "step {step}");
    }
}

/// Which of the first steps of a track are played.
fn played(seed: u64, probability: f64, steps: u64) -> Vec<bool> {
    let config = Config { steps_per_beat: 16, probability, seed, ..Config::default() };
    let mut sequencer = one_track(48_000, 999.0, "x", config);
    let notes = ons(&play(&mut sequencer, exact(steps, 48_000, 999_000, 16), |most| most));
    (0..steps).map(|step| notes.binary_search(&exact(step, 48_000, 999_000, 16)).is_ok()).collect()
}

#[test]
fn chance_is_as_probable_as_asked_for_and_steps_know_nothing_of_each_other() {
    let steps = 20_000;
    for (probability, seed) in [(0.1, 1), (0.5, 2), (0.9, 3)] {
        let is = played(seed, probability, steps);
        // Of both, and of pairs at a distance, within 3.9 deviations: by chance one of 10,000 such tests fails, and
        // these are the same at every run.
        let within = |count: usize, probability: f64, what: &str| {
            let mean = steps as f64 * probability;
            let off = (count as f64 - mean) / (mean * (1.0 - probability)).sqrt();
            std::println!("{what} at {probability}: {count}, {off:.2} deviations");
            assert!(off.abs() < 3.9, "{what} at {probability}: {count} of {steps}");
        };
        within(is.iter().filter(|played| **played).count(), probability, "played");
        for distance in [1, 2, 3, 4, 8, 16] {
            let both = is.iter().zip(is.iter().cycle().skip(distance)).filter(|(one, other)| **one && **other);
            within(both.count(), probability * probability, "pairs");
        }
    }
    assert!(played(1, 0.0, 1000).iter().all(|played| !played));
    assert!(played(1, 1.0, 1000).iter().all(|played| *played));
}

#[test]
fn chance_comes_of_seed_track_and_step_and_of_nothing_else() {
    assert_eq!(played(5, 0.5, 500), played(5, 0.5, 500));
    assert_ne!(played(5, 0.5, 500), played(6, 0.5, 500));
    // A track of another name plays something else.
    let mut sequencer = one_track(48_000, 999.0, "x", Config { probability: 0.5, seed: 5, ..Config::default() });
    sequencer.tell(1, &TrackEdit::Create(*b"other\0\0\0\0\0\0\0\0\0\0\0"), |_| {});
    sequencer.config(1, &Config { probability: 0.5, seed: 5, ..Config::default() }).expect("a configuration");
    sequencer.pattern(1, "x".parse().expect("a pattern")).expect("a track");
    sequencer.assign_gate(1, 8).expect("a track");
    sequencer.start(1).expect("a track");
    let events = play(&mut sequencer, 500_000, |most| most);
    let of = |target| events.iter().filter(move |(_, event)| *event == on(target, VELOCITY_NORMAL)).map(|at| at.0);
    assert_ne!(of(7).collect::<Vec<_>>(), of(8).collect::<Vec<_>>());
    // After a reset it plays what it played before.
    sequencer.reset_all();
    assert_eq!(play(&mut sequencer, 500_000, |most| most)[1..], events[1..]);
}
