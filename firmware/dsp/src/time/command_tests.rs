//! What commands do, and what they refuse.
extern crate std;
use std::string::ToString;
use std::vec::Vec;

use super::play_tests::{off, on, one_track, play};
use super::{Config, Event, LANES, NONE, Refusal, STEPS, Sequencer, TRACKS, VELOCITY_ACCENT, VELOCITY_NORMAL};

/// Loud at the first step, soft at the three others. 48 kHz, 120: a step has 6,000 frames, its gate 3,000.
fn bar() -> Sequencer {
    one_track(48_000, 120.0, "Xxxx", Config::default())
}

fn frames(events: &[(u64, Event)]) -> Vec<u64> {
    events.iter().map(|(frame, _)| *frame).collect()
}

const LOUD: Event = Event::GateOn { target: 7, velocity: VELOCITY_ACCENT };
const SOFT: Event = Event::GateOn { target: 7, velocity: VELOCITY_NORMAL };

#[test]
fn a_stopped_clock_closes_gates_and_goes_on_where_it_was() {
    let mut sequencer = bar();
    assert_eq!(play(&mut sequencer, 7_000, |most| most), [(0, LOUD), (3_000, off(7)), (6_000, SOFT)]);
    sequencer.stop_clock();
    assert_eq!(play(&mut sequencer, 50_000, |most| most), [(0, off(7))]);
    sequencer.continue_clock();
    // 1,000 frames of the second step had passed. Its note has ended, the third comes 5,000 later.
    assert_eq!(play(&mut sequencer, 8_001, |most| most), [(5_000, SOFT), (8_000, off(7))]);
    sequencer.start_clock();
    assert_eq!(play(&mut sequencer, 3_001, |most| most), [(0, LOUD), (3_000, off(7))]);
}

#[test]
fn starting_the_clock_while_a_note_sounds_ends_it_first() {
    let mut sequencer = bar();
    play(&mut sequencer, 7_000, |most| most);
    sequencer.start_clock();
    assert_eq!(play(&mut sequencer, 1, |most| most), [(0, off(7)), (0, LOUD)]);
}

#[test]
fn reset_makes_the_next_step_the_first_and_keeps_the_beat() {
    let mut sequencer = bar();
    play(&mut sequencer, 7_000, |most| most);
    sequencer.reset(0).expect("a track");
    let expected = [(2_000, off(7)), (5_000, LOUD), (8_000, off(7)), (11_000, SOFT)];
    assert_eq!(play(&mut sequencer, 11_001, |most| most), expected);
}

#[test]
fn reset_all_takes_everything_to_the_beginning_running_or_not() {
    let mut sequencer = bar();
    play(&mut sequencer, 7_000, |most| most);
    sequencer.reset_all();
    assert_eq!(play(&mut sequencer, 6_001, |most| most), [(0, off(7)), (0, LOUD), (3_000, off(7)), (6_000, SOFT)]);
    sequencer.stop_clock();
    sequencer.reset_all();
    assert_eq!(play(&mut sequencer, 6_001, |most| most), [(0, off(7))]);
    sequencer.continue_clock();
    assert_eq!(play(&mut sequencer, 1, |most| most), [(0, LOUD)]);
}

#[test]
fn a_track_is_silent_when_stopped_and_starts_on_the_grid() {
    let mut sequencer = bar();
    play(&mut sequencer, 7_000, |most| most);
    sequencer.stop(0).expect("a track");
    assert_eq!(play(&mut sequencer, 1_234, |most| most), [(0, off(7))]);
    sequencer.start(0).expect("a track");
    assert_eq!(play(&mut sequencer, 9_767, |most| most), [(3_766, LOUD), (6_766, off(7)), (9_766, SOFT)]);
    // A swung step that is still to come is one to start with.
    let mut sequencer = one_track(48_000, 120.0, "Xx", Config { swing: 0.75, ..Config::default() });
    play(&mut sequencer, 8_000, |most| most);
    sequencer.start(0).expect("a track");
    assert_eq!(play(&mut sequencer, 1_001, |most| most), [(1_000, LOUD)]);
}

#[test]
fn another_tempo_keeps_what_has_passed_of_a_step() {
    let mut sequencer = bar();
    play(&mut sequencer, 1_500, |most| most);
    sequencer.bpm(60.0).expect("a tempo");
    // A quarter of the step has passed. A quarter is left of the gate, three of the step, of 12,000 frames.
    assert_eq!(frames(&play(&mut sequencer, 21_001, |most| most)), [3_000, 9_000, 15_000, 21_000]);
}

#[test]
fn other_steps_per_beat_stay_on_the_grid_and_begin_no_step_twice() {
    for (passed, next) in [(0, 0), (1, 7_999), (6_001, 1_999), (8_000, 0), (18_001, 5_999)] {
        let mut sequencer = bar();
        play(&mut sequencer, passed, |most| most);
        sequencer.config(0, &Config { steps_per_beat: 3, ..Config::default() }).expect("a configuration");
        let events = play(&mut sequencer, 8_001, |most| most);
        let first = events.iter().find(|(_, event)| *event != off(7)).expect("a note");
        assert_eq!(first.0, next, "after {passed}");
    }
    // What is at this frame has been taken already: the next step is that of the next line.
    let mut sequencer = bar();
    let mut events = Vec::new();
    sequencer.take(|event| events.push(event));
    sequencer.config(0, &Config { steps_per_beat: 3, ..Config::default() }).expect("a configuration");
    assert_eq!(events, [LOUD]);
    assert_eq!(play(&mut sequencer, 8_001, |most| most), [(3_000, off(7)), (8_000, SOFT)]);
}

#[test]
fn less_swing_loses_no_step() {
    let mut sequencer = one_track(48_000, 120.0, "x", Config { swing: 0.75, ..Config::default() });
    play(&mut sequencer, 7_000, |most| most);
    sequencer.config(0, &Config::default()).expect("a configuration");
    // It would have come 1,000 frames ago.
    assert_eq!(play(&mut sequencer, 1, |most| most), [(0, on(7, VELOCITY_NORMAL))]);
    assert_eq!(sequencer.wait(100_000), 1_999);
}

#[test]
fn a_gate_that_is_assigned_anew_or_removed_closes() {
    let mut sequencer = bar();
    sequencer.gate_len(0, 1.0).expect("a length");
    play(&mut sequencer, 6_000, |most| most);
    sequencer.assign_gate(0, 9).expect("a track");
    let expected = [(0, off(7)), (0, on(9, VELOCITY_NORMAL)), (6_000, on(9, VELOCITY_NORMAL))];
    assert_eq!(play(&mut sequencer, 6_001, |most| most), expected);
    sequencer.assign_gate(0, NONE).expect("a track");
    assert_eq!(play(&mut sequencer, 20_000, |most| most), [(0, off(9))]);
    sequencer.assign_gate(0, 3).expect("a track");
    play(&mut sequencer, 12_000, |most| most);
    let mut events = Vec::new();
    sequencer.remove(0, |event| events.push(event)).expect("a track");
    assert_eq!(events, [off(3)]);
    assert_eq!(play(&mut sequencer, 100_000, |most| most), []);
    assert_eq!(sequencer.remove(0, |_| ()), Err(Refusal::NotCreated));
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let mut sequencer = bar();
    let before = sequencer;
    let long = [0.0; STEPS + 1];
    let refusals = [
        (sequencer.create(0), Refusal::Exists),
        (sequencer.create(TRACKS), Refusal::NoSuchTrack),
        (sequencer.start(1), Refusal::NotCreated),
        (sequencer.stop(usize::MAX), Refusal::NoSuchTrack),
        (sequencer.param_lane(0, LANES, &[1.0]), Refusal::NoSuchLane),
        (sequencer.param_lane(0, 0, &[]), Refusal::LaneLength),
        (sequencer.param_lane(0, 0, &long), Refusal::LaneLength),
        (sequencer.param_lane(0, 0, &[1.0, f32::NAN]), Refusal::NotFinite),
        (sequencer.assign_lane(0, LANES, 1), Refusal::NoSuchLane),
        (sequencer.gate_len(0, f64::NAN), Refusal::NotFinite),
        (sequencer.bpm(f64::INFINITY), Refusal::NotFinite),
        (sequencer.config(0, &Config { swing: f64::NAN, ..Config::default() }), Refusal::NotFinite),
        (
            sequencer.config(0, &Config { probability: f64::NAN, steps_per_beat: 3, ..Config::default() }),
            Refusal::NotFinite,
        ),
    ];
    for (number, (result, refusal)) in refusals.into_iter().enumerate() {
        assert_eq!(result, Err(refusal), "{number}");
        assert!(refusal.to_string().len() > 20, "{refusal}");
    }
    assert_eq!(bytemuck::bytes_of(&sequencer), bytemuck::bytes_of(&before));
}
