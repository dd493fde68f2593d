//! What the instrument promises as a whole.
extern crate std;
use std::boxed::Box;
use std::vec::Vec;

use abi::Block;

use super::editor::Mistake;
use super::*;

const RATE: u32 = 48_000;

/// An instrument with what it needs to be rendered.
pub(super) struct Player {
    pub(super) instrument: Box<Instrument>,
    scratch: Box<Scratch>,
}

impl Player {
    pub(super) fn new() -> Self {
        let mut instrument = bytemuck::zeroed_box::<Instrument>();
        instrument.begin(RATE);
        Self { instrument, scratch: bytemuck::zeroed_box() }
    }

    /// With these modules (name and type), connections (from, to and how much) and committed.
    pub(super) fn with(modules: &[(&str, &str)], connections: &[(&str, &str, f32)]) -> Self {
        let mut player = Self::new();
        player.edit(modules, connections);
        player.commit();
        // What is committed first is heard at once where nothing was heard before.
        player.render(2);
        player
    }

    pub(super) fn edit(&mut self, modules: &[(&str, &str)], connections: &[(&str, &str, f32)]) {
        for (name, kind) in modules {
            let edit = self.instrument.wiring().create(name, kind).unwrap();
            self.instrument.edit(&edit);
        }
        for (source, destination, amount) in connections {
            let edit = self.instrument.wiring().connect(source, destination, *amount).unwrap();
            self.instrument.edit(&edit);
        }
    }

    pub(super) fn commit(&mut self) {
        self.instrument.wiring().check().unwrap();
        self.instrument.edit(&Edit::Commit);
    }

    pub(super) fn set(&mut self, name: &str, parameter: &str, value: f64) {
        let (row, found) = self.instrument.wiring().find(name).unwrap();
        let place = found.parameter(parameter).unwrap().0;
        self.instrument.set(row, place, value);
    }

    pub(super) fn row(&self, name: &str) -> u8 {
        self.instrument.wiring().find(name).unwrap().0
    }

    /// A block, with `due` asked before each stretch.
    pub(super) fn render_with(&mut self, due: impl FnMut(&mut Instrument, u32) -> u32, block: &mut Block) {
        self.instrument.render(&mut self.scratch, due, block);
    }

    /// The left and right of so many blocks.
    pub(super) fn render(&mut self, blocks: usize) -> Vec<[f32; 2]> {
        self.render_cut(blocks, &[])
    }

    /// So many frames, in pieces of a block: what comes after them goes on from there.
    pub(super) fn render_frames(&mut self, frames: usize) {
        for _ in 0..frames {
            self.instrument.one_frame(&mut self.scratch);
        }
    }

    /// The words of a block of a strip of tape: 0 is the last one.
    pub(super) fn written(&mut self, strip: usize, back: u64) -> &mut [u64] {
        self.instrument.written(&mut self.scratch, strip, back).unwrap()
    }

    /// The same, with stretches that end at these frames of each block too.
    pub(super) fn render_cut(&mut self, blocks: usize, cuts: &[u32]) -> Vec<[f32; 2]> {
        let mut all = Vec::new();
        for _ in 0..blocks {
            let mut block = Block::SILENCE;
            let due =
                |_: &mut Instrument, frame: u32| cuts.iter().copied().filter(|cut| *cut > frame).min().unwrap_or(256);
            self.instrument.render(&mut self.scratch, due, &mut block);
            all.extend(block.samples.chunks(2).map(|frame| [frame[0], frame[1]]));
        }
        all
    }
}

/// Modules (name and type), and connections (from, to and how much).
type Patch = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str, f32)]);

/// The patch at power-on.
pub(super) const CHAIN: Patch = (
    &[("sine", "sine"), ("adsr", "adsr"), ("filter", "filter")],
    &[("sine", "adsr", 1.0), ("adsr", "filter", 1.0), ("filter", "out", 1.0)],
);

/// A voice of a synthesizer.
pub(super) const POLYPHONIC: Patch = (
    &[("keys", "voice"), ("osc", "osc"), ("env", "adsr"), ("vcf", "svf"), ("amp", "vca"), ("pan", "pan")],
    &[
        ("keys", "osc", 1.0),
        ("keys", "env", 1.0),
        ("osc", "vcf", 1.0),
        ("vcf", "amp", 1.0),
        ("env", "amp.level", 1.0),
        ("env", "vcf.cutoff", 2.0),
        ("amp", "pan", 0.3),
        ("pan", "out", 1.0),
    ],
);

pub(super) fn loudest(frames: &[[f32; 2]]) -> f32 {
    frames.iter().flatten().fold(0.0, |loudest, sample| sample.abs().max(loudest))
}

/// The largest step from frame to frame.
pub(super) fn steepest(frames: &[[f32; 2]]) -> f32 {
    frames.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs()).fold(0.0, f32::max)
}

#[test]
fn nothing_is_heard_of_nothing_and_a_gate_opens_the_chain() {
    assert_eq!(loudest(&Player::new().render(4)), 0.0);
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    assert_eq!(loudest(&player.render(4)), 0.0);
    let row = player.row("adsr");
    player.instrument.gate(row, true);
    let sounding = player.render(40);
    assert!((0.3..0.52).contains(&loudest(&sounding)), "{}", loudest(&sounding));
    assert!(sounding.iter().all(|frame| frame[0] == frame[1]));
    player.instrument.gate(row, false);
    player.render(60);
    assert_eq!(loudest(&player.render(4)), 0.0);
}

#[test]
fn a_sound_is_the_same_however_its_stretches_are_cut() {
    // But for modulation, which is worked out once a stretch, and of which there is none here.
    let play = |cuts: &[u32]| {
        let mut player = Player::with(CHAIN.0, CHAIN.1);
        player.instrument.gate(player.row("adsr"), true);
        player.render_cut(30, cuts)
    };
    let whole = play(&[]);
    for cuts in [&[1u32, 2, 3][..], &[100, 101], &[31, 33, 255], &[7, 77, 177]] {
        let cut = play(cuts);
        let differs = whole.iter().zip(&cut).map(|(a, b)| (a[0] - b[0]).abs()).fold(0.0, f32::max);
        // The envelope's first frame is at another place of its curve; its level is exact.
        assert!(differs < 2e-6, "{cuts:?}: {differs}");
    }
}

#[test]
fn notes_are_voices_of_their_own() {
    let mut player = Player::with(POLYPHONIC.0, POLYPHONIC.1);
    let keys = player.row("keys");
    player.instrument.note(keys, 69, 1.0);
    let one = player.render(100);
    assert!(loudest(&one) > 0.1, "{}", loudest(&one));
    // 440 Hz: as many rises through 0 as turns.
    let rises = |frames: &[[f32; 2]]| frames.windows(2).filter(|pair| pair[0][0] <= 0.0 && pair[1][0] > 0.0).count();
    let turns = 440 * 100 * 256 / RATE as usize;
    assert!(rises(&one).abs_diff(turns) <= 3, "{} of {turns}", rises(&one));
    player.instrument.note(keys, 76, 1.0);
    let two = player.render(100);
    assert!(loudest(&two) > loudest(&one) * 1.2);
    player.instrument.note(keys, 69, 0.0);
    player.instrument.note(keys, 76, 0.0);
    player.render(100);
    assert_eq!(loudest(&player.render(2)), 0.0);
}

#[test]
fn sixty_four_voices_sound_and_the_next_takes_one_without_a_click() {
    let mut player = Player::new();
    player.edit(POLYPHONIC.0, POLYPHONIC.1);
    let keys = player.instrument.wiring().find_edited("keys").unwrap().0;
    player.instrument.set(keys, 0, 64.0);
    player.commit();
    player.render(2);
    for note in 20..84 {
        player.instrument.note(keys, note, 0.2);
    }
    let all = player.render(60);
    assert!(loudest(&all) > 0.5);
    let before = steepest(&all[all.len() - 4000..]);
    player.instrument.note(keys, 100, 0.2);
    let stolen = player.render(4);
    assert!(steepest(&stolen) < before * 1.5, "{} {before}", steepest(&stolen));
}

#[test]
fn an_edit_is_heard_when_it_is_committed_and_nothing_clicks() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.instrument.gate(player.row("adsr"), true);
    player.render(60);
    let before = player.render(8);
    let steep = steepest(&before);
    player.edit(&[("second", "sine")], &[("second", "adsr", 1.0)]);
    let second = player.instrument.wiring().find_edited("second").unwrap().0;
    player.instrument.set(second, 0, 660.0);
    assert!(loudest(&player.render(8)) < loudest(&before) * 1.01, "not yet");
    player.commit();
    let both = player.render(20);
    assert!(loudest(&both) > loudest(&before) * 1.3);
    assert!(steepest(&both) < steep * 2.6, "{} {steep}", steepest(&both));
    // Taken away again, and the first goes on as if nothing had been.
    let edit = player.instrument.wiring().delete("second").unwrap();
    player.instrument.edit(&edit);
    player.commit();
    let after = player.render(20);
    assert!(steepest(&after) < steep * 2.6);
    assert!((loudest(&after[1000..]) - loudest(&before)).abs() < 0.01);
    assert!(player.instrument.wiring().rows.iter().filter(|row| row.flags != 0).count() == 4);
}

#[test]
fn a_patch_that_was_edited_back_is_the_same_bit_by_bit() {
    let mut plain = Player::with(CHAIN.0, CHAIN.1);
    let mut edited = Player::with(CHAIN.0, CHAIN.1);
    for player in [&mut plain, &mut edited] {
        player.instrument.gate(player.row("adsr"), true);
        player.render(10);
    }
    edited.edit(&[("x", "noise")], &[("x", "out", 1.0)]);
    edited.instrument.edit(&Edit::Abort);
    edited.commit();
    edited.edit(&[("x", "noise")], &[]);
    edited.commit();
    edited.instrument.edit(&edited.instrument.wiring().delete("x").unwrap());
    edited.commit();
    assert_eq!(edited.render(20), plain.render(20));
    // But for where the next module would go.
    edited.instrument.wiring.newest = plain.instrument.wiring.newest;
    assert!(edited.instrument == plain.instrument);
}

#[test]
fn rows_depend_on_the_edits_and_not_on_what_is_still_heard() {
    let rows = |blocks: usize| {
        let mut player = Player::with(CHAIN.0, CHAIN.1);
        let mut rows = Vec::new();
        for name in ["a", "b", "c"] {
            player.edit(&[(name, "noise")], &[(name, "out", 1.0)]);
            player.commit();
            rows.push((player.row(name), player.instrument.wiring().free_place()));
            player.render(blocks);
            player.instrument.edit(&player.instrument.wiring().delete(name).unwrap());
            player.commit();
        }
        rows
    };
    assert_eq!(rows(0), rows(10));
}

#[test]
fn what_gets_voices_is_changed_in_silence_and_comes_back() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.instrument.gate(player.row("adsr"), true);
    player.render(60);
    let steep = steepest(&player.render(8));
    player.edit(&[("keys", "voice")], &[("keys", "adsr", 1.0)]);
    player.commit();
    let changed = player.render(8);
    assert!(steepest(&changed) < steep * 2.0, "{} {steep}", steepest(&changed));
    assert_eq!(player.instrument.pending, 0);
    assert_eq!(player.instrument.wiring.row(player.row("adsr")).unwrap().allocator, u32::from(player.row("keys")) + 1);
    player.instrument.note(player.row("keys"), 60, 1.0);
    assert!(loudest(&player.render(20)) > 0.1);
}

#[test]
fn a_cycle_is_refused_with_a_module_in_it_and_so_are_two_voices_and_too_many() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.edit(
        &[("a", "svf"), ("b", "svf"), ("c", "svf")],
        &[("a", "b", 1.0), ("b", "a", 1.0), ("b", "c", 1.0), ("c", "out", 1.0)],
    );
    let names: Vec<u8> = ["a", "b"].map(|name| player.instrument.wiring().find_edited(name).unwrap().0).into();
    assert!(matches!(player.instrument.wiring().check(), Err(Refusal::Cycle(row)) if names.contains(&row)));
    let sounding = player.instrument.clone();
    player.instrument.edit(&Edit::Commit);
    assert!(player.instrument == sounding, "a commit that is refused changes nothing");
    player.instrument.edit(&Edit::Abort);
    player.edit(&[("k", "voice"), ("l", "voice"), ("o", "osc")], &[("k", "o", 1.0), ("l", "o.detune", 9.0)]);
    assert!(matches!(player.instrument.wiring().check(), Err(Refusal::TwoVoices(..))));
    player.instrument.edit(&Edit::Abort);
    // 20 lanes each, eight groups: 26 of them are too many.
    player.edit(&[("k", "voice")], &[]);
    player.instrument.set(player.instrument.wiring().find_edited("k").unwrap().0, 0, 64.0);
    for number in 0..26 {
        let name = std::format!("l{number}");
        player.edit(&[(&name, "ladder")], &[("k.pitch", &name, 1.0)]);
    }
    assert!(matches!(player.instrument.wiring().check(), Err(Refusal::Room { needed }) if needed > POOL));
}

#[test]
fn mistakes_are_told_apart() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.edit(&[("keys", "voice")], &[]);
    let wiring = player.instrument.wiring();
    for (name, kind, mistake) in [
        ("Osc", "osc", Mistake::Name),
        ("0", "osc", Mistake::Name),
        ("a.b", "osc", Mistake::Name),
        ("abcdefghijklmnopq", "osc", Mistake::Name),
        ("", "osc", Mistake::Name),
        ("x", "oscillator", Mistake::Type),
        ("x", "out", Mistake::Out),
        ("sine", "osc", Mistake::Taken),
    ] {
        assert_eq!(wiring.create(name, kind), Err(mistake), "{name} {kind}");
    }
    for (source, destination, amount, mistake) in [
        ("sine", "nobody", 1.0, Mistake::NoModule),
        ("out", "sine", 1.0, Mistake::Out),
        ("sine", "filter.colour", 1.0, Mistake::NoInput),
        ("sine.left", "filter", 1.0, Mistake::NoOutput),
        ("keys", "filter", 1.0, Mistake::TakesNothing),
        ("keys.velocity", "out", 1.0, Mistake::Summed),
        ("sine", "keys", 1.0, Mistake::TakesNothing),
        ("sine", "filter.mode", 1.0, Mistake::NotMoved),
        ("sine", "filter", 9.0, Mistake::Amount(4)),
        ("sine", "filter.cutoff", f32::NAN, Mistake::Amount(16)),
    ] {
        assert_eq!(wiring.connect(source, destination, amount), Err(mistake), "{source} {destination}");
    }
    assert_eq!(wiring.disconnect_named("sine", "out"), Err(Mistake::NotConnected));
    assert_eq!(wiring.delete("out"), Err(Mistake::Out));
}

#[test]
fn sixty_four_modules_and_256_connections_are_all_there_is() {
    let mut player = Player::new();
    for number in 0..MOST_MODULES - 1 {
        player.edit(&[(&std::format!("m{number}"), "mixer")], &[]);
    }
    assert_eq!(player.instrument.wiring().create("more", "vca"), Err(Mistake::Modules));
    let mut places = (0..62).flat_map(|from| (1..=8).map(move |input| (from, from + 1, input)));
    for (from, to, input) in places.by_ref().take(MOST_CONNECTIONS) {
        player.edit(&[], &[(&std::format!("m{from}"), &std::format!("m{to}.in{input}"), 0.1)]);
    }
    let (from, to, input) = places.next().unwrap();
    let more = player.instrument.wiring().connect(&std::format!("m{from}"), &std::format!("m{to}.in{input}"), 0.1);
    assert_eq!(more, Err(Mistake::Connections));
    player.commit();
    // Replaced as a whole, twice in a row.
    for _ in 0..2 {
        player.instrument.edit(&Edit::Clear);
        for number in 0..MOST_MODULES - 1 {
            player.edit(&[(&std::format!("n{number}"), "mixer")], &[]);
        }
        player.commit();
        player.render(1);
    }
    player.render(4);
    assert_eq!(player.instrument.wiring().committed().count(), MOST_MODULES);
}

#[test]
fn silence_is_there_within_five_milliseconds_and_nothing_rings_on() {
    let mut player = Player::with(CHAIN.0, CHAIN.1);
    player.set("filter", "q", 20.0);
    player.instrument.gate(player.row("adsr"), true);
    player.render(40);
    player.instrument.silence();
    let fading = player.render(1);
    assert_eq!(fading[191], [0.0; 2]);
    assert!(loudest(&fading[191..]) == 0.0 && loudest(&player.render(10)) == 0.0);
    player.instrument.gate(player.row("adsr"), true);
    assert!(loudest(&player.render(20)) > 0.1);
}
