//! What delays and reverbs promise as modules: what they remember is theirs, and goes with a state.
extern crate std;
use std::vec::Vec;

use abi::FRAMES;
use abi::tape::{DELAYS, REVERBS, reach_of};

use super::tests::Player;
use super::*;

/// Hz.
const RATE: u32 = 48_000;

/// A short tone into a delay of 100 ms that is not fed back, and nothing but the echo.
fn echoing() -> Player {
    let modules = [("sine", "sine"), ("env", "adsr"), ("echo", "delay")];
    let connections = [("sine", "env", 1.0), ("env", "echo", 1.0), ("echo", "out", 1.0)];
    let mut player = Player::with(&modules, &connections);
    for (parameter, value) in [("time", 100.0), ("feedback", 0.0), ("mix", 1.0)] {
        player.set("echo", parameter, value);
    }
    player.set("env", "release", 1.0);
    player.render(40);
    player
}

fn blip(player: &mut Player) {
    let row = player.row("env");
    player.instrument.gate(row, true);
    player.render(2);
    player.instrument.gate(row, false);
    player.render(1);
}

fn loudest(frames: &[[f32; 2]]) -> f32 {
    frames.iter().flatten().fold(0.0, |most, sample| most.max(sample.abs()))
}

#[test]
fn an_echo_comes_after_its_time_and_silence_before_it() {
    let mut player = echoing();
    let row = player.row("env");
    player.instrument.gate(row, true);
    let sound = player.render(30);
    let first = sound.iter().position(|frame| frame[0] != 0.0).unwrap();
    assert!((4796..=4802).contains(&first), "{first}");
}

#[test]
fn what_another_module_left_on_a_strip_is_never_heard() {
    let mut player = echoing();
    player.set("echo", "time", 1500.0);
    player.render(30);
    blip(&mut player);
    assert_eq!(player.instrument.strips().map(|strip| strip.number).collect::<Vec<_>>(), [0]);
    let edit = player.instrument.wiring().delete("echo").unwrap();
    player.instrument.edit(&edit);
    player.commit();
    player.render(20);
    player.edit(&[("other", "delay")], &[("env", "other", 1.0), ("other", "out", 1.0)]);
    player.commit();
    player.set("other", "mix", 1.0);
    player.set("other", "time", 1600.0);
    player.render(20);
    assert_eq!(player.instrument.strips().map(|strip| strip.number).collect::<Vec<_>>(), [0], "the same strip");
    assert_eq!(loudest(&player.render(400)), 0.0);
}

#[test]
fn a_panic_ends_echoes_too() {
    let mut player = echoing();
    blip(&mut player);
    player.instrument.silence();
    player.render(4);
    assert_eq!(loudest(&player.render(60)), 0.0);
}

#[test]
fn a_module_may_hear_itself_through_the_return_of_a_delay_and_nothing_else() {
    let mut player = echoing();
    let modules = [("tone", "svf")];
    player.edit(&modules, &[("echo", "tone", 1.0), ("tone", "echo.return", 0.5), ("tone", "out", 1.0)]);
    player.commit();
    player.render(20);
    blip(&mut player);
    let sound = player.render(120);
    // The second echo came back through the filter.
    let echoes: Vec<f32> = (0..6).map(|echo| loudest(&sound[echo * 4800..][..4800])).collect();
    assert!(echoes[1] > 0.05 && echoes[2] > 0.3 * echoes[1] && echoes[2] < 0.7 * echoes[1], "{echoes:?}");
    let edit = player.instrument.wiring().connect("tone", "echo", 0.5).unwrap();
    player.instrument.edit(&edit);
    assert!(matches!(player.instrument.wiring().check(), Err(Refusal::Cycle(_))));
}

#[test]
fn there_is_tape_for_so_many_and_one_more_is_refused() {
    for (kind, most) in [("delay", DELAYS), ("reverb", REVERBS)] {
        let mut player = Player::new();
        for number in 0..=most {
            let name = std::format!("m{number}");
            player.edit(&[(&name, kind)], &[(&name, "out", 1.0)]);
        }
        let found = player.instrument.wiring().check();
        assert!(matches!(found, Err(Refusal::Tape { most: found, .. }) if found == most), "{found:?}");
    }
}

/// A state and as many blocks of its strips as it says are all that its sound depends on.
#[test]
fn a_state_and_its_blocks_of_tape_are_enough_to_go_on_bit_for_bit() {
    let modules = [("noise", "noise"), ("env", "adsr"), ("echo", "delay"), ("room", "reverb")];
    let connections =
        [("noise", "env", 0.3), ("env", "echo", 1.0), ("env", "room", 1.0), ("echo", "out", 1.0), ("room", "out", 1.0)];
    for before in [1, 3, 50, 500] {
        let mut player = Player::with(&modules, &connections);
        player.set("echo", "time", 1999.0);
        player.set("echo", "feedback", 0.9);
        let row = player.row("env");
        player.instrument.gate(row, true);
        player.render(before);
        let mut other = Player::new();
        *other.instrument = *player.instrument;
        let strips: Vec<_> = player.instrument.strips().collect();
        assert_eq!(strips.len(), 2);
        for strip in strips {
            let most = u64::from(reach_of(strip.number, RATE)).div_ceil(FRAMES as u64);
            // The block in which it began, and two before that, are in it too.
            assert_eq!(strip.blocks, most.min(before as u64 + 2));
            for back in 0..strip.blocks {
                let words = player.written(strip.number, back).to_vec();
                other.written(strip.number, back).copy_from_slice(&words);
            }
        }
        assert_eq!(player.render(800), other.render(800), "after {before} blocks");
    }
}

/// What is published of the block in which a module begins is the same wherever it is rendered.
#[test]
fn what_was_on_a_strip_before_a_module_began_is_no_part_of_its_block() {
    for kind in ["delay", "reverb"] {
        let players = [0u64, u64::MAX / 3].map(|garbage| {
            let mut player = Player::with(&[("noise", "noise")], &[("noise", "out", 0.1)]);
            let strip = if kind == "delay" { 0 } else { DELAYS };
            // What another module has left, as far as it can be seen from here.
            for back in 0..1024 {
                player.written(strip, back).fill(garbage);
            }
            player.edit(&[("new", kind)], &[("noise", "new", 1.0), ("new", "out", 1.0)]);
            player.render_cut(1, &[100]);
            player.render_frames(100);
            player.commit();
            player.render_frames(FRAMES - 100);
            let written = player.written(strip, 0).to_vec();
            assert!(player.instrument.strips().any(|found| found.number == strip && found.blocks == 1));
            (written, player.render(300))
        });
        let [(clean, clean_sound), (dirty, dirty_sound)] = players;
        assert!(clean.iter().any(|word| *word != 0));
        assert!(clean == dirty && clean_sound == dirty_sound, "{kind}");
    }
}
