//! Whole sessions: cut anywhere, and the same on every machine.
extern crate std;
use std::vec::Vec;

use super::play_tests::play;
use super::{Config, Event, LANES, Pattern, STEPS, Sequencer, Step, TRACKS};

/// Random numbers: xorshift (Marsaglia 2003), the same on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 20) as usize % limit
    }

    /// A number of thousandths from 0 to 1.
    fn part(&mut self) -> f64 {
        self.below(1001) as f64 / 1000.0
    }
}

fn pattern(random: &mut Random) -> Pattern {
    let mut pattern = Pattern::default();
    for _ in 0..1 + random.below(STEPS) {
        pattern.push([Step::Rest, Step::Normal, Step::Accent][random.below(3)]).expect("room");
    }
    pattern
}

fn config(random: &mut Random) -> Config {
    Config {
        steps_per_beat: 1 + random.below(16) as u32,
        swing: random.part(),
        probability: random.part(),
        seed: random.next(),
    }
}

/// One command of any kind, refused or not.
fn command(sequencer: &mut Sequencer, random: &mut Random, events: &mut Vec<Event>) {
    let (track, lane, target) = (random.below(TRACKS), random.below(LANES), random.below(20) as u32);
    let _ = match random.below(16) {
        0 => sequencer.remove(track, |event| events.push(event)),
        1 | 2 => sequencer.config(track, &config(random)),
        3 => sequencer.pattern(track, pattern(random)),
        4 => {
            let values: Vec<f32> = (0..1 + random.below(STEPS)).map(|_| random.part() as f32).collect();
            sequencer.param_lane(track, lane, &values)
        }
        5 => sequencer.gate_len(track, random.part() * 1.2),
        6 => sequencer.assign_gate(track, target),
        7 => sequencer.assign_lane(track, lane, target),
        8 => sequencer.stop(track),
        9 => sequencer.reset(track),
        10 => sequencer.bpm(1.0 + random.part() * 998.0),
        11 => {
            let clock =
                [Sequencer::reset_all, Sequencer::start_clock, Sequencer::stop_clock, Sequencer::continue_clock];
            clock[random.below(4)](sequencer);
            Ok(())
        }
        12 => sequencer.create(track),
        _ => sequencer.start(track),
    };
}

/// A sequencer in which everything is in use.
pub(super) fn session(random: &mut Random, rate: u32) -> Sequencer {
    let mut sequencer = Sequencer::new(rate);
    for track in 0..TRACKS {
        sequencer.create(track).expect("a track");
        sequencer.config(track, &config(random)).expect("a configuration");
        sequencer.pattern(track, pattern(random)).expect("a pattern");
        sequencer.assign_gate(track, track as u32).expect("a gate");
        sequencer.start(track).expect("a track");
        sequencer.gate_len(track, random.part()).expect("a length");
        for lane in 0..LANES {
            sequencer.param_lane(track, lane, &[0.25, 0.5, 0.75][..1 + random.below(3)]).expect("a lane");
            sequencer.assign_lane(track, lane, 100 + lane as u32).expect("a lane");
        }
    }
    sequencer.start_clock();
    sequencer
}

/// Plays a session with commands at random frames, cut as `cut` says.
fn perform(seed: u64, rate: u32, mut cut: impl FnMut(u32) -> u32) -> (Vec<(u64, Event)>, Sequencer) {
    let mut random = Random(seed);
    let mut sequencer = session(&mut random, rate);
    let (mut now, mut all) = (0, Vec::new());
    for _ in 0..40 {
        let frames = 1 + random.below(20_000) as u64;
        all.extend(play(&mut sequencer, frames, &mut cut).into_iter().map(|(frame, event)| (now + frame, event)));
        now += frames;
        let mut events = Vec::new();
        (0..random.below(4)).for_each(|_| command(&mut sequencer, &mut random, &mut events));
        all.extend(events.into_iter().map(|event| (now, event)));
    }
    (all, sequencer)
}

#[test]
fn cutting_time_anywhere_changes_neither_events_nor_state() {
    let mut events = 0;
    for seed in 1..=100 {
        let rate = abi::RATES[seed as usize % 3];
        let (whole, end) = perform(seed, rate, |most| most);
        events += whole.len();
        for longest in [1, 32, 256, 5_000] {
            if longest == 1 && seed > 5 {
                continue;
            }
            let mut random = Random(seed + 1_000);
            let (cut, cut_end) = perform(seed, rate, |most| most.min(1 + random.below(longest) as u32));
            assert!(whole == cut, "seed {seed}, up to {longest}");
            assert!(bytemuck::bytes_of(&end) == bytemuck::bytes_of(&cut_end), "seed {seed}, up to {longest}");
        }
    }
    std::println!("{events} events");
    assert!(events > 100_000, "{events}");
}

#[test]
fn every_gate_that_opens_closes() {
    for seed in 1..=100 {
        let mut random = Random(seed);
        let mut sequencer = session(&mut random, 48_000);
        let mut open = [false; TRACKS];
        let mut hear = |event: &Event| match event {
            Event::GateOn { target, .. } => open[*target as usize] = true,
            Event::GateOff { target } => {
                assert!(open[*target as usize], "seed {seed}: {target} is not open");
                open[*target as usize] = false;
            }
            Event::Parameter { .. } => {}
        };
        for _ in 0..40 {
            play(&mut sequencer, 1 + random.below(20_000) as u64, |most| most)
                .iter()
                .for_each(|(_, event)| hear(event));
            let track = random.below(TRACKS);
            let _ = match random.below(6) {
                0 => sequencer.stop(track),
                1 => sequencer.start(track),
                2 => sequencer.gate_len(track, random.part()),
                3 => sequencer.config(track, &config(&mut random)),
                4 => sequencer.bpm(30.0 + random.part() * 900.0),
                _ => {
                    sequencer.reset_all();
                    Ok(())
                }
            };
        }
        sequencer.stop_clock();
        play(&mut sequencer, 1, |most| most).iter().for_each(|(_, event)| hear(event));
        assert_eq!(open, [false; TRACKS], "seed {seed}");
    }
}

/// FNV-1a over frames, targets and the bits of values.
fn hash_of(events: &[(u64, Event)]) -> u64 {
    let words = events.iter().flat_map(|(frame, event)| match event {
        Event::GateOn { target, velocity } => [*frame, 1, u64::from(*target), u64::from(velocity.to_bits())],
        Event::GateOff { target } => [*frame, 2, u64::from(*target), 0],
        Event::Parameter { target, value } => [*frame, 3, u64::from(*target), u64::from(value.to_bits())],
    });
    words.fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| (hash ^ word).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn the_events_are_these_on_every_machine_and_in_every_build() {
    // A deliberate change of what is played changes these numbers; a difference between machines or builds is a fault.
    let golden = [0x9ebb_504c_5fba_4d8f, 0x1d3c_4b47_64e5_d794, 0x3f5d_3394_f84e_b436];
    let found = abi::RATES.map(|rate| hash_of(&perform(0x5EED, rate, |most| most.min(256)).0));
    assert_eq!(found, golden, "{found:#x?}");
}
