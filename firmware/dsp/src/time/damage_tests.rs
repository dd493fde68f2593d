//! States of random bytes.
extern crate std;

use super::sequencer_tests::Random;
use super::{Config, LANES, STEPS_PER_BEAT, Sequencer, TRACKS};

/// More than a track can give before one frame: a beat of steps that are late, each with its lanes and two gates, and the
/// end of what was damaged.
const MOST_EVENTS: usize = TRACKS * ((STEPS_PER_BEAT as usize + 3) * (LANES + 2) + 2);

/// Plays 600 frames of a state, whatever it holds.
fn survives(sequencer: &mut Sequencer) {
    let mut left = 600;
    while left > 0 {
        let mut events = 0;
        // Asked at each, so that a track that never ends fails instead of hanging.
        sequencer.take(|_| {
            events += 1;
            assert!(events <= MOST_EVENTS, "{events} events at once");
        });
        let frames = sequencer.wait(left);
        assert!(frames > 0, "time goes on");
        sequencer.advance(frames);
        left -= frames;
    }
}

#[test]
fn no_state_of_random_bytes_panics_or_stands_still() {
    let mut random = Random(1);
    for round in 0..100_000 {
        let mut sequencer = Sequencer::new(48_000);
        match round % 3 {
            0 => bytemuck::bytes_of_mut(&mut sequencer).fill_with(|| random.next() as u8),
            // Bytes that are nearly all ones or zeros find other limits than random ones.
            1 => bytemuck::bytes_of_mut(&mut sequencer).fill_with(|| [0, 0xff, 1, 0x80, 0x7f][random.below(5)]),
            _ => {
                sequencer = super::sequencer_tests::session(&mut random, 48_000);
                let bytes = bytemuck::bytes_of_mut(&mut sequencer);
                for _ in 0..1 + random.below(8) {
                    bytes[random.below(bytes.len())] ^= 1 << random.below(8);
                }
            }
        }
        survives(&mut sequencer);
        let _ = sequencer.bpm(random.below(2000) as f64);
        let track = random.below(TRACKS);
        let _ = sequencer.config(track, &Config { steps_per_beat: random.next() as u32, ..Config::default() });
        let _ = sequencer.gate_len(track, 1.0);
        let _ = sequencer.start(track);
        let _ = sequencer.remove(random.below(TRACKS), |_| ());
        sequencer.continue_clock();
        survives(&mut sequencer);
        let _ = std::format!("{:?} {:?}", sequencer.clock().bpm(), sequencer.clock().rate());
    }
}

#[test]
fn a_damaged_line_or_clock_is_on_the_grid_again_at_once() {
    let mut random = Random(2);
    for _ in 0..2_000 {
        let mut sequencer = super::play_tests::one_track(48_000, 120.0, "x", Config::default());
        // Clock's position, then rate, tempo, running; the first track's line, step and end of its gate follow.
        for byte in bytemuck::bytes_of_mut(&mut sequencer)[32..48].iter_mut() {
            *byte = random.next() as u8;
        }
        let events = super::play_tests::play(&mut sequencer, 7_000, |most| most);
        let notes = events.iter().filter(|(_, event)| matches!(event, super::Event::GateOn { .. }));
        assert!(notes.map(|(frame, _)| *frame).eq([0, 6_000]), "{events:?}");
    }
}
