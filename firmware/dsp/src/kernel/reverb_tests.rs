//! What the reverb promises.
extern crate std;
use std::vec;
use std::vec::Vec;

use super::ask_tests::Ask;
use super::reverb::{self, ReverbControl, ReverbState};
use super::tape::Ring;
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep};

fn control(decay: f32, damping: f32) -> ReverbControl {
    ReverbControl {
        rate: 48_000.0,
        decay: Sweep::at(decay),
        size: Sweep::at(1.0),
        damping: Sweep::at(damping),
        mix: Sweep::at(1.0),
    }
}

/// A room and its memory, and the next frame.
struct Room {
    state: ReverbState,
    memory: Vec<[f32; LANES]>,
    next: u64,
}

impl Room {
    fn new() -> Self {
        Self { state: ReverbState::default(), memory: vec![[0.0; LANES]; 8192], next: 0 }
    }

    fn stretch(&mut self, control: &ReverbControl, input: &[Lanes; CONTROL_FRAMES]) -> [Lanes; CONTROL_FRAMES] {
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        let mut tape = Ring::at(&mut self.memory, self.next);
        reverb::process(&mut self.state, control, &mut tape, input, &mut output);
        self.next += CONTROL_FRAMES as u64;
        output
    }

    /// The power of left and right in so many stretches of silence.
    fn power(&mut self, control: &ReverbControl, stretches: usize) -> [f64; 2] {
        let mut power = [0.0; 2];
        for _ in 0..stretches {
            for frame in self.stretch(control, &[Lanes::ZERO; CONTROL_FRAMES]) {
                power.iter_mut().zip(frame.0).for_each(|(power, sample)| *power += f64::from(sample * sample));
            }
        }
        power
    }

    /// Fills it with noise for a second.
    fn fill(&mut self, control: &ReverbControl) {
        let mut ask = Ask::resting(4);
        for _ in 0..1500 {
            let input = core::array::from_fn(|_| ask.lanes(-1.0, 1.0));
            let output = self.stretch(control, &input);
            assert!(output.iter().all(|frame| frame.0.iter().all(|sample| sample.abs() < 16.0)));
        }
    }
}

#[test]
fn it_falls_by_60_db_in_its_decay() {
    for decay in [0.5, 2.0, 8.0f32] {
        // Without damping to speak of; a straight line between frames takes a little of the treble too.
        let control = control(decay, 23_000.0);
        let mut room = Room::new();
        room.fill(&control);
        // From a tenth of the decay to four tenths it should fall by 18 dB. The treble falls faster.
        let tenth = (decay * 150.0) as usize;
        room.power(&control, tenth);
        let early = room.power(&control, 150);
        room.power(&control, 3 * tenth - 150);
        let late = room.power(&control, 150);
        for (early, late) in early.iter().zip(late) {
            let fallen = 10.0 * (early / late).log10();
            std::println!("reverb of {decay} s: {fallen:.1} dB in three tenths of it");
            assert!((15.0..26.0).contains(&fallen));
        }
    }
}

#[test]
fn damping_takes_the_treble_and_silence_becomes_exact() {
    let tail = |damping| {
        let control = control(1.0, damping);
        let mut room = Room::new();
        room.fill(&control);
        room.power(&control, 300);
        let power = room.power(&control, 150);
        room.power(&control, 12_000);
        assert_eq!(room.power(&control, 100), [0.0; 2]);
        assert!(room.memory.iter().flatten().all(|value| *value == 0.0));
        power[0] + power[1]
    };
    assert!(tail(500.0) < 0.1 * tail(20_000.0));
}

#[test]
fn left_and_right_differ_and_both_channels_are_heard_on_both_sides() {
    let control = control(2.0, 20_000.0);
    for channel in 0..2 {
        let mut room = Room::new();
        let mut input = [Lanes::ZERO; CONTROL_FRAMES];
        input[0].0[channel] = 1.0;
        let mut frames: Vec<Lanes> = room.stretch(&control, &input).to_vec();
        for _ in 0..600 {
            frames.extend(room.stretch(&control, &[Lanes::ZERO; CONTROL_FRAMES]));
        }
        let sum = |f: fn(f64, f64) -> f64| -> f64 {
            frames.iter().map(|frame| f(f64::from(frame.0[0]), f64::from(frame.0[1]))).sum()
        };
        let (left, right, both) = (sum(|l, _| l * l), sum(|_, r| r * r), sum(|l, r| l * r));
        assert!(left / right > 0.2 && left / right < 5.0, "{left} {right}");
        assert!((both / (left * right).sqrt()).abs() < 0.3);
    }
}

#[test]
fn a_damaged_tape_and_any_control_neither_panic_nor_stay() {
    let mut ask = Ask::wild(15);
    for length in [0, 1, 2, 100, 8192] {
        let mut room = Room::new();
        room.memory = (0..length).map(|_| core::array::from_fn(|_| ask.any())).collect();
        bytemuck::bytes_of_mut(&mut room.state).fill_with(|| ask.below(256) as u8);
        for _ in 0..200 {
            let [decay, size, damping, mix] =
                core::array::from_fn(|_| Sweep { from: ask.wild_lanes(), to: ask.wild_lanes() });
            let input = core::array::from_fn(|_| ask.wild_lanes());
            room.stretch(&ReverbControl { rate: ask.any(), decay, size, damping, mix }, &input);
        }
        let calm = control(0.2, 5000.0);
        room.power(&calm, 1500);
        let [left, right] = room.power(&calm, 10);
        // From 120 dB over full scale it fell by 60 dB five times.
        assert!(left < 1e-6 && right < 1e-6, "{length}: {left} {right}");
    }
}
