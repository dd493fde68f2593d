//! A million detents of contacts that bounce, made up by a seeded model.

use super::*;
use crate::gpio::{Output, Pull};
use crate::surface::control::{Encoder, own_travel};
use crate::surface::{Resolution, Tally};
use rosc::OscMessage;

const MILLISECOND: u64 = 1_000_000;

/// Pins at rest.
struct Still;

impl Gpio for Still {
    fn input(&mut self, pin: u8, pull: Pull) -> Result<bool, String> {
        if pin == 13 { Err("GPIO 13 is unlucky".to_owned()) } else { Ok(pull == Pull::Up) }
    }

    fn output(&mut self, _: u8, _: bool) -> Result<Box<dyn Output>, String> {
        Err("no outputs".to_owned())
    }

    fn wait(&mut self, _: Option<std::time::Duration>, _: &mut Vec<Edge>) -> Result<(), String> {
        Ok(())
    }
}

/// The tests' own source of chance: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}

/// A knob with two contacts that bounce.
struct Knob {
    random: Random,
    time: u64,
    /// Quarters of the cycle from where it began.
    place: i64,
    sequence: [u32; 2],
    edges: Vec<Edge>,
    /// Longest time that a contact bounces, in nanoseconds.
    bounces: u64,
}

const PINS: [u8; 2] = [17, 27];

impl Knob {
    fn new(seed: u64, bounces: u64) -> Self {
        Self { random: Random(seed), time: 1_000_000_000, place: 0, sequence: [0; 2], edges: Vec::new(), bounces }
    }

    /// One quarter of the cycle, after so many nanoseconds. The contact that changes bounces for a while of its own.
    fn quarter(&mut self, direction: i64, after: u64) {
        self.time += after;
        let closed = |place: i64| [matches!(place.rem_euclid(4), 1 | 2), matches!(place.rem_euclid(4), 2 | 3)];
        let (before, now) = (closed(self.place), closed(self.place + direction));
        self.place += direction;
        let contact = if before[0] == now[0] { 1 } else { 0 };
        // Pulled up, so a closed contact is low. Nothing is left where it was: each bounce goes and comes back.
        let level = !now[contact];
        let mut times: Vec<u64> =
            (0..2 * self.random.below(6)).map(|_| self.random.below(self.bounces.max(1))).collect();
        times.sort_unstable();
        times.dedup();
        times.truncate(times.len() / 2 * 2);
        let mut at = level;
        self.edges.push(Edge { pin: PINS[contact], high: at, time_ns: self.time, sequence: 0 });
        for time in times {
            at = !at;
            self.edges.push(Edge { pin: PINS[contact], high: at, time_ns: self.time + 1 + time, sequence: 0 });
        }
    }

    /// Gives the edges that came up to now, or all of them, numbered in the order of their times.
    fn come(&mut self, all: bool) -> Vec<Edge> {
        self.edges.sort_by_key(|edge| edge.time_ns);
        let time = if all { u64::MAX } else { self.time };
        let count = self.edges.partition_point(|edge| edge.time_ns < time);
        let mut come: Vec<_> = self.edges.drain(..count).collect();
        for edge in &mut come {
            let sequence = &mut self.sequence[usize::from(edge.pin == PINS[1])];
            *sequence = sequence.wrapping_add(1);
            edge.sequence = *sequence;
        }
        come
    }
}

fn encoder(resolution: Resolution) -> Control {
    let address = "/mod/filter/cutoff".to_owned();
    let travel = own_travel(&address, 48_000, crate::input::catalogue::power_on()).unwrap();
    let kind = Kind::Encoder(Encoder { resolution, acceleration: 1.0, address, travel });
    Control { pins: PINS.to_vec(), pull: Pull::Up, active_low: true, bouncing: 2_250_000, kind }
}

fn surface(controls: &[Control]) -> (Surface, Arc<Board>) {
    let board: Arc<Board> = Arc::new(controls.iter().map(|_| Tally::default()).collect());
    (Surface::open(controls, &mut Still, board.clone(), &mut Vec::new()), board)
}

fn steps(moved: &mut Vec<Moved>) -> Vec<i64> {
    let steps = moved.drain(..).map(|moved| match moved.gesture {
        Gesture::Turn(steps) => steps as i64,
        other => panic!("{other:?}"),
    });
    steps.collect()
}

/// Turns detents, each with a direction, the time of a quarter and a rest before it, and compares each with what is told: the sum at every moment, and never a step the other way.
fn turn_all(
    resolution: Resolution,
    seed: u64,
    detents: usize,
    mut plan: impl FnMut(&mut Random) -> (i64, u64, u64),
) -> u64 {
    let (mut surface, board) = surface(&[encoder(resolution)]);
    let mut knob = Knob::new(seed, 2 * MILLISECOND);
    let quarters = match resolution {
        Resolution::Full => 4,
        Resolution::Half => 2,
        Resolution::Quarter => 1,
    };
    let (mut turned, mut told, mut edges, mut moved) = (0, 0, 0, Vec::new());
    for detent in 0..detents {
        let (direction, quarter, rest) = plan(&mut knob.random);
        knob.time += rest;
        for _ in 0..quarters {
            // No hand is even: up to a tenth shorter or longer.
            let after = quarter * 9 / 10 + knob.random.below(quarter / 5);
            knob.quarter(direction, after);
        }
        turned += direction;
        let mut come = knob.come(false);
        edges += come.len();
        surface.take(&mut come, knob.time + GRACE, &mut moved);
        for step in steps(&mut moved) {
            told += step;
            assert_eq!(step.abs(), 1, "detent {detent}");
        }
        // The last quarter has its first edge at this very moment, so it is at most one behind.
        assert!((turned - told).abs() <= 1, "detent {detent}: {turned} turned, {told} told");
    }
    surface.take(&mut knob.come(true), u64::MAX, &mut moved);
    told += steps(&mut moved).iter().sum::<i64>();
    let seen = board[0].seen();
    assert_eq!((told, seen.right as i64 - seen.left as i64), (turned, turned));
    assert_eq!((seen.lost, seen.illegal), (0, 0));
    assert!(seen.right + seen.left == detents as u64, "{} of {detents}", seen.right + seen.left);
    assert!(edges > 3 * detents, "it has bounced");
    seen.edges
}

/// Nanoseconds of a quarter of a Gray cycle at 200 detents a second with one detent a cycle.
const FAST: u64 = 1_000_000_000 / 200 / 4;

#[test]
fn a_million_detents_at_full_speed_lose_invent_and_reverse_none() {
    // Runs of some length each way, as fast as promised; where a hand turns round it rests for a moment, however short.
    let mut left = (0_u64, 1_i64);
    let edges = turn_all(Resolution::Full, 1, 1_000_000, |random| {
        let mut rest = 0;
        if left.0 == 0 {
            left = (1 + random.below(200), -left.1);
            rest = 5 * MILLISECOND;
        }
        left.0 -= 1;
        (left.1, FAST, rest)
    });
    println!("1000000 detents at 200 a second, {edges} edges with the bounces");
}

#[test]
fn slow_turns_and_reversals_at_every_detent_lose_none() {
    for (seed, resolution) in [(2, Resolution::Full), (3, Resolution::Half), (4, Resolution::Quarter)] {
        turn_all(resolution, seed, 50_000, |random| {
            let direction = if random.below(2) == 0 { 1 } else { -1 };
            (direction, 5 * MILLISECOND + random.below(500 * MILLISECOND), random.below(900 * MILLISECOND))
        });
    }
}

#[test]
fn half_step_encoders_lose_none_at_full_speed() {
    let mut left = (0_u64, 1_i64);
    turn_all(Resolution::Half, 5, 200_000, |random| {
        if left.0 == 0 {
            left = (1 + random.below(50), -left.1);
        }
        left.0 -= 1;
        (left.1, 2 * FAST, 0)
    });
}

#[test]
fn resting_between_detents_and_trembling_there_is_no_step() {
    let (mut surface, board) = surface(&[encoder(Resolution::Full)]);
    let (mut knob, mut moved) = (Knob::new(6, 2 * MILLISECOND), Vec::new());
    for _ in 0..20_000 {
        // Up to three quarters away and back again, some times in between.
        let way = knob.random.below(7) as i64 - 3;
        for _ in 0..way.abs() {
            knob.quarter(way.signum(), 3 * MILLISECOND);
        }
        knob.time += knob.random.below(2000) * MILLISECOND;
        for _ in 0..way.abs() {
            knob.quarter(-way.signum(), 3 * MILLISECOND);
        }
        surface.take(&mut knob.come(true), knob.time + 10 * MILLISECOND, &mut moved);
    }
    assert_eq!((moved.len(), board[0].seen().illegal), (0, 0));
    assert!(board[0].seen().edges > 60_000);
}

#[test]
fn lost_edges_are_counted_and_the_knob_goes_on_right() {
    let (mut surface, board) = surface(&[encoder(Resolution::Full)]);
    let (mut knob, mut moved) = (Knob::new(7, 0), Vec::new());
    let mut lost = 0;
    for detent in 0..1000 {
        (0..4).for_each(|_| knob.quarter(1, 10 * MILLISECOND));
        let mut come = knob.come(true);
        if detent % 10 == 3 {
            // A contact that opened and closed without anybody having been told.
            come.retain(|edge| edge.pin != PINS[1]);
            lost += 2;
        }
        surface.take(&mut come, knob.time + 5 * MILLISECOND, &mut moved);
    }
    assert_eq!(board[0].seen().lost, lost);
    assert_eq!(steps(&mut moved).iter().sum::<i64>(), 900, "only those are missing of which an edge was lost");
}

#[test]
fn both_contacts_at_one_time_are_one_transition_that_is_counted() {
    let (mut surface, board) = surface(&[encoder(Resolution::Full)]);
    let edge = |pin: usize, high, time_ns, sequence| Edge { pin: PINS[pin], high, time_ns, sequence };
    let time = |tenths: u64| 1_000_000_000 + tenths * 10 * MILLISECOND;
    let mut edges = vec![
        edge(1, false, time(0), 1),
        edge(0, false, time(0), 1),
        edge(0, true, time(1), 2),
        edge(1, true, time(2), 2),
    ];
    let mut moved = Vec::new();
    surface.take(&mut edges, time(9), &mut moved);
    assert_eq!((steps(&mut moved), board[0].seen().illegal), (vec![1], 1));
}

fn said(word: &str) -> Option<OscMessage> {
    Some(OscMessage { addr: word.to_owned(), args: vec![] })
}

#[test]
fn a_button_tells_what_was_done_and_when() {
    let kind = Kind::Button([said("/a"), said("/b"), said("/c"), said("/d")]);
    let button = Control { pins: vec![22], pull: Pull::Up, active_low: true, bouncing: 10 * MILLISECOND, kind };
    let switch = Control {
        pins: vec![5],
        active_low: false,
        pull: Pull::Down,
        kind: Kind::Switch([None, None]),
        ..button.clone()
    };
    let (mut surface, board) = surface(&[button, switch]);
    let (mut sequence, mut moved, base) = (0, Vec::new(), 5_000 * MILLISECOND);
    let mut change = |surface: &mut Surface, high: bool, millisecond: u64| {
        sequence += 1;
        let edge = Edge { pin: 22, high, time_ns: base + millisecond * MILLISECOND, sequence };
        surface.take(&mut vec![edge], edge.time_ns, &mut moved);
    };
    change(&mut surface, false, 0);
    // It bounces when it is let go: that is no press.
    change(&mut surface, true, 100);
    change(&mut surface, false, 103);
    change(&mut surface, true, 104);
    change(&mut surface, false, 300);
    assert_eq!(surface.due(), Some(base + 900 * MILLISECOND + GRACE));
    surface.take(&mut Vec::new(), base + 900 * MILLISECOND, &mut moved);
    surface.take(&mut Vec::new(), base + 901 * MILLISECOND, &mut moved);
    surface.take(
        &mut vec![Edge { pin: 5, high: true, time_ns: base, sequence: 1 }],
        base + 950 * MILLISECOND,
        &mut moved,
    );
    let told: Vec<_> = moved.iter().map(|one| (one.control, one.gesture, (one.time_ns - base) / MILLISECOND)).collect();
    let deed = Gesture::Deed;
    assert_eq!(
        told,
        [
            (0, deed(Deed::Press), 0),
            (0, deed(Deed::Release), 100),
            (0, deed(Deed::DoublePress), 300),
            (0, deed(Deed::LongPress), 900),
            (1, deed(Deed::Press), 0)
        ]
    );
    assert_eq!((board[0].seen().deeds, board[0].seen().closed, board[1].seen().closed), ([1, 1, 1, 1], true, true));
    assert_eq!(surface.due(), None);
}

#[test]
fn a_pin_that_cannot_be_had_is_said_and_the_others_work() {
    let unlucky = Control { pins: vec![13], kind: Kind::Switch([None, None]), ..encoder(Resolution::Full) };
    let board: Arc<Board> = Arc::new(vec![Tally::default(), Tally::default()]);
    let mut refused = Vec::new();
    let mut surface = Surface::open(&[unlucky, encoder(Resolution::Full)], &mut Still, board, &mut refused);
    assert!(refused.len() == 1 && refused[0].contains("switch on GPIO 13"), "{refused:?}");
    let (mut knob, mut moved) = (Knob::new(8, 0), Vec::new());
    (0..4).for_each(|_| knob.quarter(-1, 10 * MILLISECOND));
    surface.take(&mut knob.come(true), knob.time, &mut moved);
    assert_eq!((moved[0].control, moved[0].gesture), (1, Gesture::Turn(-1.0)));
}

#[test]
fn a_pin_that_floods_is_counted_and_the_others_go_on() {
    let button = |pin: u8| Control {
        pins: vec![pin],
        kind: Kind::Button([None, None, None, None]),
        ..encoder(Resolution::Full)
    };
    let (mut surface, board) = surface(&[button(5), button(6)]);
    let mut edges: Vec<_> = (1..=MOST_OF_A_PIN as u32)
        .map(|number| Edge { pin: 5, high: number % 2 == 0, time_ns: u64::from(number) * 10_000, sequence: number })
        .collect();
    edges.push(Edge { pin: 6, high: false, time_ns: 50_000, sequence: 1 });
    let mut moved = Vec::new();
    for turn in 1..=2 {
        surface.take(&mut edges.clone(), 20_000_000, &mut moved);
        assert_eq!((board[0].seen().floods, board[1].seen().floods), (turn, 0));
    }
    edges.remove(0);
    surface.take(&mut edges, 20_000_000, &mut moved);
    assert_eq!(board[0].seen().floods, 2, "one less is none");
    assert_eq!(board[1].seen().deeds[0], 1);
}
