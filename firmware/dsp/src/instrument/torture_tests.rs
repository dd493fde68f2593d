//! The instrument with patches and bytes that nobody would choose.
extern crate std;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::render::LOUDEST;
use super::tests::Player;
use super::*;
use abi::{Link, NAME_BYTES};

/// Xorshift of 64 bits (Marsaglia 2003): the same numbers on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn part(&mut self) -> f64 {
        self.below(1001) as f64 / 1000.0
    }
}

/// Edits the patch at random: what is refused is refused.
pub(super) fn edit(player: &mut Player, random: &mut Random) {
    let instrument = &mut player.instrument;
    let names: Vec<String> = instrument.wiring().edited().map(|(_, row)| row.name().into()).collect();
    let name = |random: &mut Random| names[random.below(names.len())].clone();
    match random.below(16) {
        0..4 => {
            let kind = KINDS[random.below(KINDS.len())].name;
            let made = instrument.wiring().create(&format!("m{}", random.below(99)), kind);
            made.into_iter().for_each(|edit| instrument.edit(&edit));
        }
        4..12 => {
            let (source, destination) = (name(random), name(random));
            connect(instrument, random, &source, &destination);
        }
        12 => instrument.wiring().delete(&name(random)).into_iter().for_each(|edit| instrument.edit(&edit)),
        13 => {
            let disconnected = instrument.wiring().disconnect_named(&name(random), &name(random));
            disconnected.into_iter().for_each(|edit| instrument.edit(&edit));
        }
        14 => instrument.edit(&Edit::Commit),
        _ if random.below(20) == 0 => instrument.edit(&Edit::Clear),
        _ => instrument.edit(&Edit::Abort),
    }
}

/// To any input or parameter, by any amount, if it is no cycle.
fn connect(instrument: &mut Instrument, random: &mut Random, source: &str, destination: &str) {
    let Some((_, row)) = instrument.wiring().find_edited(destination) else { return };
    let kind = row.kind().unwrap().row();
    let parts = kind.inputs.iter().copied().chain(kind.parameters.iter().map(|parameter| parameter.name));
    let parts: Vec<&str> = parts.collect();
    let destination = match random.below(parts.len() + 1) {
        0 => destination.into(),
        place => format!("{destination}.{}", parts[place - 1]),
    };
    let amount = (random.part() * 2.0 - 1.0) * [1.0, 4.0, 16.0, 1e5][random.below(4)];
    let Ok(edit) = instrument.wiring().connect(source, &destination, amount as f32) else { return };
    let kept = *instrument.wiring();
    instrument.edit(&edit);
    if instrument.wiring().check().is_err() {
        instrument.wiring = kept;
    }
}

/// Plays it at random.
pub(super) fn play(player: &mut Player, random: &mut Random) {
    let instrument = &mut player.instrument;
    let rows: Vec<(u8, Kind)> =
        instrument.wiring().committed().map(|(row, found)| (row, found.kind().unwrap())).collect();
    let (row, kind) = rows[random.below(rows.len())];
    match (random.below(8), kind) {
        (0..3, Kind::Voice) => instrument.note(row, random.below(128) as u8, random.below(3) as f32 * 0.5),
        (0..3, Kind::Adsr) => instrument.gate(row, random.below(2) == 0),
        (7, _) if random.below(40) == 0 => instrument.silence(),
        _ if kind.row().parameters.is_empty() => {}
        _ => {
            let place = random.below(kind.row().parameters.len());
            let parameter = &kind.row().parameters[place];
            let span = parameter.maximum_at(48_000) - parameter.minimum;
            // Cubed: most cutoffs and times musical, some extreme.
            let value = parameter.minimum + span * random.part().powi(3);
            instrument.set(row, place, if parameter.choices.is_empty() { value } else { value.round() });
        }
    }
}

/// Plays and edits; a hash of what is heard, and how many blocks are not silent.
fn torture(blocks: usize, seed: u64) -> (u64, usize) {
    let (mut random, mut player) = (Random(seed), Player::with(super::tests::POLYPHONIC.0, super::tests::POLYPHONIC.1));
    let mut heard = 0;
    let hash = (0..blocks).fold(0xcbf2_9ce4_8422_2325, |hash, _| {
        (0..random.below(6)).for_each(|_| play(&mut player, &mut random));
        (0..random.below(4)).for_each(|_| edit(&mut player, &mut random));
        let frames = player.render_cut(1, &[random.below(256) as u32, random.below(256) as u32]);
        heard += usize::from(frames.iter().flatten().any(|sample| *sample != 0.0));
        frames.iter().flatten().fold(hash, |hash: u64, sample| {
            assert!(f64::from(sample.abs()) <= LOUDEST * 1.000_001, "{sample} with {seed}");
            (hash ^ u64::from(sample.to_bits())).wrapping_mul(0x0100_0000_01b3)
        })
    });
    (hash, heard)
}

#[test]
fn the_bits_are_these_on_every_machine_and_in_every_build() {
    // FNV-1a. A deliberate change of the sound changes these numbers; a difference between two machines or two builds is
    // a fault.
    let tortures = [0x2545_f491_4f6c_dd1d, 7, 0x1234_5678].map(|seed| torture(600, seed));
    let (hashes, heard) = (tortures.map(|torture| torture.0), tortures.map(|torture| torture.1));
    assert!(heard.iter().sum::<usize>() > 600, "silence proves nothing: {heard:?} of 600 blocks");
    assert_eq!(hashes, [0xce72_afd2_e692_6bd4, 0xfad7_fc10_1fa6_cac8, 0xb46f_d963_7620_0abc], "{hashes:#x?}");
}

#[test]
fn no_patch_is_too_loud_or_not_a_number() {
    // As many as the patience of a test allows; CHRONUS_TEST_PATCHES asks for more.
    let count = std::env::var("CHRONUS_TEST_PATCHES").ok().and_then(|count| count.parse().ok()).unwrap_or(40);
    let heard: usize = (1..=count).map(|seed| torture(60, seed * 0x9e37_79b9).1).sum();
    assert!(heard as u64 > count * 20, "{heard} of {} blocks are no silence", count * 60);
}

#[test]
fn no_state_makes_it_panic() {
    let mut random = Random(3);
    for round in 0..60 {
        let mut player = Player::with(super::tests::POLYPHONIC.0, super::tests::POLYPHONIC.1);
        (0..40).for_each(|_| edit(&mut player, &mut random));
        player.instrument.edit(&Edit::Commit);
        let words: &mut [u64] = bytemuck::cast_slice_mut(core::slice::from_mut(&mut *player.instrument));
        if round % 2 == 0 {
            // Single bits of what is in use.
            for _ in 0..400 {
                let place = random.below(words.len() / 4);
                words[place] ^= 1 << random.below(64);
            }
        } else {
            words.iter_mut().for_each(|word| *word = random.next());
        }
        (0..20).for_each(|_| {
            play_anything(&mut player, &mut random);
            edit_anything(&mut player, &mut random);
        });
        player.render_cut(2, &[random.below(256) as u32]);
    }
}

/// As `play`, with rows that may not be.
fn play_anything(player: &mut Player, random: &mut Random) {
    let row = random.next() as u8;
    match random.below(4) {
        0 => player.instrument.note(row, random.next() as u8, 1.0),
        1 => player.instrument.gate(row, true),
        2 => player.instrument.silence(),
        _ => player.instrument.set(row, random.below(12), random.part() * 1e4),
    }
}

fn edit_anything(player: &mut Player, random: &mut Random) {
    let link = Link {
        source: random.next() as u8,
        output: random.next() as u8,
        destination: random.next() as u8,
        input: random.next() as u8,
    };
    let edits = [
        Edit::Create(random.next() as u8, random.below(KINDS.len() + 1) as u8, [random.next() as u8; NAME_BYTES]),
        Edit::Delete(random.next() as u8),
        Edit::Connect(random.next() as u16, link, f32::from_bits(random.next() as u32)),
        Edit::Disconnect(random.next() as u16),
        Edit::Commit,
    ];
    player.instrument.edit(&edits[random.below(edits.len())]);
}
