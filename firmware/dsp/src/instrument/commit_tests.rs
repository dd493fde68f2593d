//! Edits that come at awkward moments.
extern crate std;
use super::tests::{CHAIN, POLYPHONIC, Player, loudest, steepest};
use super::*;

/// The chain, sounding, and the largest step that it has by itself.
fn sounding() -> (Player, f32) {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.instrument.gate(player.row("adsr"), true);
    player.render(60);
    let steep = steepest(&player.render(8));
    (player, steep)
}

#[test]
fn a_change_in_silence_waits_for_it_though_a_crossfade_ends_before() {
    // 480 frames of the first commit; the second is silent after 192.
    for later in (0..480).step_by(48) {
        let (mut player, steep) = sounding();
        player.edit(&[("second", "sine")], &[("second", "adsr", 0.2)]);
        player.commit();
        player.render_frames(later);
        player.edit(&[("keys", "voice")], &[("keys", "adsr", 1.0)]);
        player.commit();
        let heard = player.render(8);
        assert!(steepest(&heard) < steep * 2.0, "{later} frames later: {} {steep}", steepest(&heard));
        assert_eq!(player.instrument.pending, 0, "{later}");
        assert!(player.instrument.wiring().row(player.row("adsr")).unwrap().allocator != 0);
    }
}

#[test]
fn a_commit_right_after_the_silence_of_another_is_heard_too() {
    for later in 185..200 {
        let (mut player, _) = sounding();
        player.edit(&[("keys", "voice")], &[("keys", "adsr", 1.0)]);
        player.commit();
        player.render_frames(later);
        player.edit(&[("more", "voice")], &[]);
        player.instrument.edit(&player.instrument.wiring().delete("keys").unwrap());
        player.edit(&[], &[("more", "adsr", 1.0)]);
        player.commit();
        player.render(8);
        assert_eq!(player.instrument.pending, 0, "{later}");
        let adsr = player.instrument.wiring().row(player.row("adsr")).unwrap();
        assert_eq!(adsr.allocator, u32::from(player.row("more")) + 1, "{later}");
    }
}

#[test]
fn how_many_voices_there_are_changes_with_a_commit_and_without_a_click() {
    let mut player = Player::with(POLYPHONIC.0, POLYPHONIC.1);
    let keys = player.row("keys");
    (0..8).for_each(|note| player.instrument.note(keys, 40 + 5 * note, 0.5));
    player.render(60);
    let before = player.render(8);
    for voices in [1.0, 64.0] {
        player.instrument.set(keys, 0, voices);
        let after = player.render(8);
        assert!(steepest(&after) < steepest(&before) * 1.3 && loudest(&after) > loudest(&before) * 0.5, "{voices}");
        // Nor by another commit's crossfade, which ends in between.
        player.instrument.set(keys, 0, 8.0);
        player.edit(&[("x", "noise")], &[]);
        player.commit();
        player.instrument.set(keys, 0, voices);
        assert!(steepest(&player.render(8)) < steepest(&before) * 1.3, "{voices}");
        player.instrument.set(keys, 0, 8.0);
        player.instrument.edit(&player.instrument.wiring().delete("x").unwrap());
        player.commit();
        player.render(8);
    }
}

#[test]
fn fewer_voices_are_heard_from_a_silence_on() {
    let modules = [("keys", "voice"), ("osc", "sine"), ("env", "adsr")];
    let connections = [("keys", "osc", 1.0), ("keys", "env", 1.0), ("osc", "env", 1.0), ("env", "out", 0.2)];
    let mut player = Player::with(&modules, &connections);
    let keys = player.row("keys");
    (0..8).for_each(|note| player.instrument.note(keys, 40 + 2 * note, 1.0));
    player.render(60);
    let before = player.render(8);
    player.instrument.set(keys, 0, 3.0);
    player.commit();
    let fewer = [&before[before.len() - 1..], &player.render(8)].concat();
    assert!(steepest(&fewer) < steepest(&before) * 1.3, "{} {}", steepest(&fewer), steepest(&before));
    assert_eq!(player.instrument.wiring().row(keys).unwrap().voices, [3, 3]);
}

#[test]
fn a_note_that_begins_at_the_frame_of_a_silence_is_heard() {
    let mut player = Player::with(POLYPHONIC.0, POLYPHONIC.1);
    let keys = player.row("keys");
    player.instrument.note(keys, 60, 1.0);
    player.render(40);
    player.instrument.silence();
    player.instrument.note(keys, 67, 1.0);
    player.render(20);
    assert!(loudest(&player.render(40)) > 0.1);
}

/// 32 mixers in a row with as many connections as there may be, the first of them to `out`.
fn full(player: &mut Player, letter: &str) {
    let name = |number: usize| std::format!("{letter}{number}");
    (0..32).for_each(|number| player.edit(&[(&name(number), "mixer")], &[]));
    player.edit(&[], &[(&name(31), "out", 1.0)]);
    let row = (0..31).map(|from| (from, from + 1));
    let links = row.chain([(0, 2)]).flat_map(|(from, to)| (1..=8).map(move |input| (from, to, input)));
    for (from, to, input) in links.take(MOST_CONNECTIONS - 1) {
        player.edit(&[], &[(&name(from), &std::format!("{}.in{input}", name(to)), 0.1)]);
    }
}

#[test]
fn what_is_only_edited_is_not_heard_though_it_takes_the_place_of_what_fades_out() {
    let mut player = Player::new();
    full(&mut player, "a");
    player.commit();
    player.render(4);
    player.instrument.edit(&Edit::Clear);
    full(&mut player, "b");
    player.edit(&[("n", "noise")], &[]);
    player.commit();
    // Every place is taken, half of them by what fades out; one of those is given to what is edited now.
    let disconnect = player.instrument.wiring().disconnect_named("b0", "b2.in1").unwrap();
    player.instrument.edit(&disconnect);
    player.edit(&[], &[("n", "out", 4.0)]);
    assert_eq!(loudest(&player.render(8)), 0.0, "not committed");
    player.commit();
    assert!(loudest(&player.render(8)) > 0.5);
}

#[test]
fn an_envelope_whose_notes_do_not_come_any_more_is_closed() {
    let mut player = Player::with(POLYPHONIC.0, POLYPHONIC.1);
    player.edit(&[], &[("keys.velocity", "env.sustain", 0.1)]);
    player.commit();
    player.instrument.note(player.row("keys"), 60, 1.0);
    assert!(loudest(&player.render(40)) > 0.1);
    player.instrument.edit(&player.instrument.wiring().disconnect_named("keys", "env").unwrap());
    player.commit();
    player.render(100);
    assert_eq!(loudest(&player.render(4)), 0.0);
}

#[test]
fn a_sync_that_comes_and_goes_is_changed_in_silence() {
    let modules = [("osc", "osc"), ("other", "sine"), ("svf", "svf")];
    let mut player = Player::with(&modules, &[("osc", "svf", 0.3), ("svf", "out", 1.0)]);
    let steep = steepest(&player.render(20));
    player.edit(&[], &[("other", "osc.sync", 1.0)]);
    player.commit();
    let silent = player.render(2);
    assert!(silent.contains(&[0.0; 2]));
    assert!(steepest(&silent) < steep * 1.5);
}
