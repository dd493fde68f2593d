//! What tracks do to the modules is what operations at the same frames do.
extern crate std;
use std::vec;
use std::vec::Vec;

use abi::{NAME_BYTES, NOTE, Operation, PART, Part, Place, TrackEdit, Transport};

use super::tests::{CHAIN, POLYPHONIC, Player};
use super::*;
use crate::time::{Pattern, TRACKS};

fn name(text: &str) -> [u8; NAME_BYTES] {
    name_of(text).unwrap()
}

impl Player {
    fn tell(&mut self, track: u8, edits: &[TrackEdit]) {
        edits.iter().for_each(|edit| self.instrument.apply(Operation::Track(track, *edit)));
    }

    fn clock(&mut self, transport: Transport) {
        self.instrument.apply(Operation::Transport(transport));
    }

    /// A track that plays this pattern on a module.
    fn track(&mut self, track: u8, pattern: &str, module: &str) {
        let pattern: Pattern = pattern.parse().unwrap();
        let gate = TrackEdit::AssignGate(Some(self.row(module)));
        self.tell(track, &[TrackEdit::Create(name("t")), TrackEdit::Pattern(pattern.into()), gate, TrackEdit::Start]);
    }

    /// A lane of a track: values for a parameter, or for the note.
    fn lane(&mut self, track: u8, lane: u8, values: &[f32], (module, parameter): (&str, Option<&str>)) {
        let row = self.row(module);
        let found = self.instrument.wiring().row(row).unwrap();
        let place = parameter.map_or(NOTE, |parameter| found.parameter(parameter).unwrap().0 as u8);
        let mut part = Part { place: 0, of: values.len() as u8, values: [0.0; PART] };
        part.values[..values.len()].copy_from_slice(values);
        let target = Some(Place { row, parameter: place });
        let named = TrackEdit::Lane(lane, name(["a", "b", "c", "d"][usize::from(lane)]));
        self.tell(track, &[named, TrackEdit::Values(lane, part), TrackEdit::AssignLane(lane, target)]);
    }
}

/// Renders so many frames with operations at their frames, in order.
fn played(player: &mut Player, blocks: usize, operations: &[(usize, Operation)]) -> Vec<[f32; 2]> {
    let (mut all, mut next) = (Vec::new(), 0);
    for number in 0..blocks {
        let mut block = abi::Block::SILENCE;
        let due = |instrument: &mut Instrument, frame: u32| {
            let now = number * 256 + frame as usize;
            while let Some((_, operation)) = operations.get(next).filter(|(at, _)| *at <= now) {
                instrument.apply(*operation);
                next += 1;
            }
            operations.get(next).map_or(u32::MAX, |(at, _)| (at - number * 256) as u32)
        };
        player.render_with(due, &mut block);
        all.extend(block.samples.chunks(2).map(|frame| [frame[0], frame[1]]));
    }
    all
}

fn power(sound: &[[f32; 2]]) -> f64 {
    sound.iter().flatten().map(|sample| f64::from(*sample).powi(2)).sum()
}

#[test]
fn a_clock_that_runs_reads_as_one_that_stands_and_another_tempo_does_not() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.track(0, "x...............", "adsr");
    player.clock(Transport::Start);
    // The first note opens the gate: that is to be read.
    played(&mut player, 1, &[]);
    let before = *player.instrument.wiring();
    played(&mut player, 3, &[]);
    assert!(*player.instrument.wiring() != before && player.instrument.wiring().reads_as(&before));
    player.tell(1, &[TrackEdit::Create(name("more"))]);
    assert!(!player.instrument.wiring().reads_as(&before));
    player.tell(1, &[TrackEdit::Delete]);
    assert!(player.instrument.wiring().reads_as(&before));
    player.clock(Transport::Tempo(121.0));
    assert!(!player.instrument.wiring().reads_as(&before));
}

#[test]
fn a_track_plays_an_envelope_as_gates_at_those_frames_do() {
    // 174 beats a minute at 48 kHz: a sixteenth is 4137.931 frames, its gate half of it.
    let mut track = Player::with(CHAIN.0, CHAIN.1);
    let mut gates = Player::with(CHAIN.0, CHAIN.1);
    track.track(0, "X.XX", "adsr");
    track.lane(0, 2, &[300.0, 4000.0, 600.0], ("filter", Some("cutoff")));
    track.clock(Transport::Tempo(174.0));
    track.clock(Transport::Start);
    let (adsr, cutoff) = (gates.row("adsr"), Place { row: gates.row("filter"), parameter: 1 });
    let step = |step: u64| (step * 60_000 * 48_000 / 4 / 174_000) as usize;
    let mut operations = Vec::new();
    for number in 0..20u64 {
        operations.push((step(number), Operation::Set(cutoff, [300.0, 4000.0, 600.0][number as usize % 3])));
        if number % 4 != 1 {
            // Half a step later, of which the fraction is carried too.
            let end = ((2 * number + 1) * 60_000 * 48_000 / 8 / 174_000) as usize;
            operations.extend([(step(number), Operation::Gate(adsr, true)), (end, Operation::Gate(adsr, false))]);
        }
    }
    operations.retain(|(frame, _)| *frame < 300 * 256);
    let (one, other) = (played(&mut track, 300, &[]), played(&mut gates, 300, &operations));
    let first = one.iter().zip(&other).position(|(one, other)| one != other);
    assert_eq!(first, None, "the first frame that differs");
    assert!(power(&one) > 100.0);
}

#[test]
fn a_track_plays_voices_as_notes_at_those_frames_do() {
    for (length, tied) in [(0.5, false), (1.0, true)] {
        let mut track = Player::with(POLYPHONIC.0, POLYPHONIC.1);
        let mut notes = Player::with(POLYPHONIC.0, POLYPHONIC.1);
        track.track(3, "xXx", "keys");
        track.lane(3, 0, &[45.0, 52.4, 45.0, 45.0], ("keys", None));
        track.tell(3, &[TrackEdit::GateLength(length), TrackEdit::Division(8)]);
        track.clock(Transport::Start);
        // 120 beats a minute, 8 steps to a beat: 3000 frames.
        let (keys, mut operations, mut open) = (notes.row("keys"), Vec::new(), None);
        for number in 0..25usize {
            let (frame, note) = (number * 3000, [45, 52, 45, 45][number % 4]);
            operations.extend(open.filter(|_| tied).map(|before| (frame, Operation::Note(keys, before, 0.0))));
            operations.push((frame, Operation::Note(keys, note, [0.7, 1.0, 0.7][number % 3])));
            operations.extend((!tied).then_some((frame + 1500, Operation::Note(keys, note, 0.0))));
            open = Some(note);
        }
        let (one, other) = (played(&mut track, 280, &[]), played(&mut notes, 280, &operations));
        let first = one.iter().zip(&other).position(|(one, other)| one != other);
        assert_eq!(first, None, "the first frame that differs, tied: {tied}");
        assert!(power(&one) > 10.0, "{}", power(&one));
    }
}

#[test]
fn an_accent_is_louder() {
    let play = |pattern: &str| {
        let mut player = Player::with(CHAIN.0, CHAIN.1);
        player.track(0, pattern, "adsr");
        player.clock(Transport::Start);
        power(&player.render(20))
    };
    let decibels = 10.0 * (play("X") / play("x")).log10();
    assert!((3.0..3.2).contains(&decibels), "{decibels}");
}

#[test]
fn silence_stops_the_clock_and_all_that_tracks_play() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.track(0, "X", "adsr");
    player.tell(0, &[TrackEdit::GateLength(1.0)]);
    player.clock(Transport::Start);
    player.render(10);
    player.instrument.apply(Operation::Silence);
    player.render(10);
    assert_eq!(power(&player.render(500)), 0.0);
    player.clock(Transport::Continue);
    assert!(power(&player.render(100)) > 0.0);
}

#[test]
fn what_was_assigned_to_a_module_that_is_gone_plays_no_other_one() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.track(0, "X", "adsr");
    player.lane(0, 0, &[0.9], ("sine", Some("gain")));
    player.clock(Transport::Start);
    assert!(power(&player.render(100)) > 0.0);
    let delete = player.instrument.wiring().delete("adsr").unwrap();
    player.instrument.edit(&delete);
    let assigned = |player: &Player| player.instrument.wiring().sequencer().tracks().next().unwrap().1.gate();
    assert_eq!(assigned(&player), u32::from(player.row("adsr")), "until it is committed");
    player.edit(&[("adsr", "adsr")], &[("sine", "adsr", 1.0), ("adsr", "filter", 1.0)]);
    player.commit();
    player.render(10);
    let track = *player.instrument.wiring().sequencer().tracks().next().unwrap().1;
    assert_eq!(track.gate(), crate::time::NONE);
    assert_ne!(track.lanes()[0].target(), crate::time::NONE);
    player.render(400);
    assert_eq!(power(&player.render(100)), 0.0, "the clock runs, and its envelope stays closed");
}

#[test]
fn a_track_that_is_taken_away_leaves_nothing_open() {
    let mut player = Player::with(POLYPHONIC.0, POLYPHONIC.1);
    player.track(0, "X", "keys");
    player.tell(0, &[TrackEdit::GateLength(1.0)]);
    player.clock(Transport::Start);
    assert!(power(&player.render(10)) > 0.0);
    player.tell(0, &[TrackEdit::Delete]);
    player.render(1000);
    assert_eq!(power(&player.render(10)), 0.0);
}

#[test]
fn tracks_that_do_nothing_change_no_bit() {
    let (mut with, mut without) = (Player::with(CHAIN.0, CHAIN.1), Player::with(CHAIN.0, CHAIN.1));
    for track in 0..TRACKS as u8 {
        with.track(track, "XxX.", "adsr");
    }
    with.clock(Transport::Tempo(999.0));
    with.clock(Transport::Start);
    with.clock(Transport::Stop);
    let gate = vec![(1000, Operation::Gate(with.row("adsr"), true))];
    let (one, other) = (played(&mut with, 50, &gate), played(&mut without, 50, &gate));
    assert!(one == other && power(&one) > 0.0);
}

/// The frames at which a saw falls.
fn falls(sound: &[[f32; 2]]) -> Vec<usize> {
    let fall = |frame: &usize| sound[*frame][0] < sound[*frame - 1][0] - 0.5;
    (1..sound.len()).filter(fall).collect()
}

#[test]
fn an_lfo_of_beats_is_where_the_beat_is() {
    let mut player = Player::with(&[("lfo", "lfo")], &[("lfo", "out", 1.0)]);
    player.set("lfo", "shape", 2.0);
    player.set("lfo", "beats", 0.75);
    player.render(100);
    player.clock(Transport::Tempo(174.0));
    player.clock(Transport::Start);
    let sound = player.render_cut(2000, &[7, 100, 101]);
    // The first frame that begins when the turn has begun.
    let turn = |turn: u64| (turn * 3 * 60_000 * 48_000).div_ceil(4 * 174_000) as usize;
    let expected: Vec<_> = (1..).map(turn).take_while(|frame| *frame < sound.len()).collect();
    assert_eq!(falls(&sound), expected);
    assert!(expected.len() > 40);
    // Stopped it goes on as fast, from where it was; and free it has its own frequency.
    player.clock(Transport::Stop);
    let stopped = falls(&player.render(1000));
    assert!(stopped.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(turn(1)) < 2), "{stopped:?}");
    player.set("lfo", "beats", 0.0);
    let free = falls(&player.render(1000));
    assert!(free.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(24_000) < 2) && free.len() > 8, "{free:?}");
}

#[test]
fn what_ends_on_one_track_comes_before_what_begins_on_another_whichever_was_made_first() {
    let sounds = [["X.", ".X"], [".X", "X."]].map(|patterns| {
        let mut player = Player::with(CHAIN.0, CHAIN.1);
        for (track, pattern) in (0..).zip(patterns) {
            player.track(track, pattern, "adsr");
            // Until the next step, where the other track begins.
            player.tell(track, &[TrackEdit::GateLength(1.0)]);
        }
        player.clock(Transport::Tempo(120.0));
        player.clock(Transport::Start);
        player.render(400)
    });
    assert!(power(&sounds[0]) > 100.0, "{}", power(&sounds[0]));
    assert!(sounds[0] == sounds[1]);
}

#[test]
fn a_tied_note_does_not_cut_one_that_another_track_begins_where_it_ends() {
    // One is tied from note 60 to 64, where the other begins 60.
    let powers = [[0, 1], [1, 0]].map(|[tied, other]| {
        let mut player = Player::with(POLYPHONIC.0, POLYPHONIC.1);
        for (track, pattern, notes) in [(tied, "xx..", &[60.0, 64.0][..]), (other, ".x..", &[60.0])] {
            player.track(track, pattern, "keys");
            player.lane(track, 0, notes, ("keys", None));
            player.tell(track, &[TrackEdit::GateLength(1.0)]);
        }
        player.clock(Transport::Tempo(60.0));
        player.clock(Transport::Start);
        power(&player.render(90))
    });
    assert!(powers[0] > 1.0 && (powers[0] / powers[1] - 1.0).abs() < 0.01, "{powers:?}");
}

#[test]
fn a_lane_for_the_note_of_another_voice_is_nobodys_and_one_that_is_taken_away_is_forgotten() {
    // The first step has no note, so nothing has sounded when something else is told.
    let played_with = |tell: fn(&mut Player)| {
        let mut player = Player::with(POLYPHONIC.0, POLYPHONIC.1);
        player.track(0, ".x..", "keys");
        player.lane(0, 0, &[72.0], ("keys", None));
        player.clock(Transport::Tempo(240.0));
        player.clock(Transport::Start);
        player.render(1);
        tell(&mut player);
        player.render(100)
    };
    let as_told = played_with(|_| {});
    let middle = played_with(|player| player.lane(0, 0, &[60.0], ("keys", None)));
    let of_another = played_with(|player| {
        let place = Place { row: player.row("osc"), parameter: NOTE };
        player.tell(0, &[TrackEdit::AssignLane(0, Some(place))]);
    });
    let taken_away = played_with(|player| player.tell(0, &[TrackEdit::AssignLane(0, None)]));
    assert!(power(&as_told) > 1.0 && as_told != middle);
    assert!(middle == of_another && middle == taken_away);
}
