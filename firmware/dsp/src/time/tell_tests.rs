//! What operations do: the same as the words they stand for.
extern crate std;
use std::vec::Vec;

use abi::{NAME_BYTES, NOTE, PART, Part, Place, TrackEdit, Transport};

use super::play_tests::play;
use super::{Config, NONE, Pattern, Sequencer, lane_target, place_of};

fn parts(values: &[f32]) -> Vec<Part> {
    let of = values.len() as u8;
    let part = |(place, some): (usize, &[f32])| {
        let mut values = [0.0; PART];
        values[..some.len()].copy_from_slice(some);
        Part { place: (place * PART) as u8, of, values }
    };
    values.chunks(PART).enumerate().map(part).collect()
}

fn told(edits: &[TrackEdit]) -> Sequencer {
    let mut sequencer = Sequencer::new(48_000);
    edits.iter().for_each(|edit| sequencer.tell(0, edit, |_| ()));
    sequencer
}

fn name(byte: u8) -> [u8; NAME_BYTES] {
    [byte; NAME_BYTES]
}

fn lane(sequencer: &Sequencer) -> Vec<f32> {
    sequencer.tracks().next().expect("a track").1.lanes()[1].values().to_vec()
}

#[test]
fn each_does_what_the_sequencer_does_for_its_word() {
    let pattern: Pattern = "X..x".parse().expect("a pattern");
    let place = Place { row: 9, parameter: NOTE };
    let mut sequencer = told(&[
        TrackEdit::Create(name(b'k')),
        TrackEdit::Division(3),
        TrackEdit::Swing(0.6),
        TrackEdit::Probability(0.5),
        TrackEdit::Seed(7),
        TrackEdit::GateLength(0.25),
        TrackEdit::Pattern(pattern.into()),
        TrackEdit::Length(5),
        TrackEdit::AssignGate(Some(4)),
        TrackEdit::Lane(1, name(b'l')),
        TrackEdit::AssignLane(1, Some(place)),
        TrackEdit::Start,
    ]);
    parts(&[1.0, 2.0]).iter().for_each(|part| sequencer.tell(0, &TrackEdit::Values(1, *part), |_| ()));
    sequencer.transport(&Transport::Tempo(174.0));
    sequencer.transport(&Transport::Start);

    let mut other = Sequencer::new(48_000);
    other.create(0).expect("a track");
    (other.tracks[0].name, other.tracks[0].lanes[1].name) = (name(b'k'), name(b'l'));
    let config = Config { steps_per_beat: 3, swing: 0.6, probability: 0.5, seed: 7 };
    other.config(0, &config).expect("a track");
    other.gate_len(0, 0.25).expect("a track");
    other.pattern(0, "X..x.".parse().expect("a pattern")).expect("a track");
    other.assign_gate(0, 4).expect("a track");
    other.assign_lane(0, 1, lane_target(place)).expect("a track");
    other.param_lane(0, 1, &[1.0, 2.0]).expect("a track");
    other.start(0).expect("a track");
    other.bpm(174.0).expect("a tempo");
    other.start_clock();
    assert_eq!(sequencer.tracks().next(), other.tracks().next());
    assert_eq!(sequencer.clock(), other.clock());
    assert_eq!(play(&mut sequencer, 400_000, |most| most), play(&mut other, 400_000, |most| most));

    let track = sequencer.tracks().next().expect("a track").1;
    assert_eq!((track.config(), track.gate_length()), (config, 0.25));
    assert_eq!((place_of(track.lanes()[1].target()), track.gate()), (Some(place), 4));
}

/// Makes a track, and two of its lanes.
fn lanes_named() -> [TrackEdit; 3] {
    [TrackEdit::Create(name(b'k')), TrackEdit::Lane(1, name(b'l')), TrackEdit::Lane(2, name(b'm'))]
}

#[test]
fn a_lane_has_all_its_values_or_none_of_them() {
    let values: Vec<f32> = (0..64u8).map(f32::from).collect();
    for length in [1, 3, 4, 5, 63, 64] {
        let values = &values[..length];
        let parts = parts(values);
        let mut whole = told(&lanes_named());
        parts.iter().for_each(|part| whole.tell(0, &TrackEdit::Values(1, *part), |_| ()));
        assert_eq!(lane(&whole), values);
        for missing in 0..parts.len() {
            let mut broken = told(&lanes_named());
            let left = parts.iter().enumerate().filter(|(place, _)| *place != missing);
            left.for_each(|(_, part)| broken.tell(0, &TrackEdit::Values(1, *part), |_| ()));
            assert_eq!(lane(&broken), [0.0; 0], "without part {missing} of {length}");
        }
    }
    // Those of two lanes at a time are neither's.
    let mut mixed = told(&lanes_named());
    for part in parts(&values) {
        [1, 2].iter().for_each(|lane| mixed.tell(0, &TrackEdit::Values(*lane, part), |_| ()));
    }
    assert_eq!(lane(&mixed), [0.0; 0]);
}

#[test]
fn what_is_assigned_to_a_row_that_is_gone_is_assigned_to_nothing() {
    let place = |row| Some(Place { row, parameter: 2 });
    let mut sequencer = told(&[
        TrackEdit::Create(name(b'k')),
        TrackEdit::AssignGate(Some(4)),
        TrackEdit::Lane(0, name(b'l')),
        TrackEdit::Lane(1, name(b'm')),
        TrackEdit::AssignLane(0, place(4)),
        TrackEdit::AssignLane(1, place(5)),
    ]);
    sequencer.lapse(|row| row == 5);
    let track = sequencer.tracks().next().expect("a track").1;
    assert_eq!((track.gate(), track.lanes()[0].target()), (NONE, NONE));
    assert_eq!(place_of(track.lanes()[1].target()), place(5));
}

#[test]
fn what_cannot_be_done_does_nothing() {
    let nothing = Sequencer::new(48_000);
    let mut sequencer = nothing;
    for edit in [TrackEdit::Start, TrackEdit::Length(9), TrackEdit::Lane(0, name(b'l')), TrackEdit::Delete] {
        for track in [0, 7, 8, 255] {
            sequencer.tell(track, &edit, |_| ());
        }
    }
    sequencer.tell(255, &TrackEdit::Create(name(b'k')), |_| ());
    sequencer.transport(&Transport::Tempo(f64::NAN));
    assert_eq!(sequencer, nothing);
    let mut one = told(&[TrackEdit::Create(name(b'k')), TrackEdit::Length(200)]);
    let before = one;
    // Lanes without a name are nobody's.
    one.tell(0, &TrackEdit::AssignLane(0, Some(Place { row: 9, parameter: NOTE })), |_| ());
    parts(&[1.0]).iter().for_each(|part| one.tell(0, &TrackEdit::Values(0, *part), |_| ()));
    [TrackEdit::Create(name(b'x')), TrackEdit::Lane(4, name(b'l')), TrackEdit::Swing(f64::NAN)]
        .iter()
        .for_each(|edit| one.tell(0, edit, |_| ()));
    assert_eq!(one, before);
}
