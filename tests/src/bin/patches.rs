//! Measures what a block of a patch costs, as the workers render it: of the period of 48 kHz, at rest and with commands.
//!
//! `cargo run --release -p chronus-tests --bin patches`. Nothing here passes or fails. Of many rounds the fastest counts:
//! whatever else runs on the machine only ever adds.

use std::hint::black_box;
use std::time::Instant;

use abi::Edit;
use abi::{Block, FRAMES};
use dsp::instrument::{Instrument, Scratch};

const RATE: u32 = 48_000;
/// Blocks of which the fastest counts.
const ROUNDS: usize = 3000;
/// Commands of a busy block, each at a frame of its own: what a player of knobs and keys sends at most.
const COMMANDS: u32 = 8;

/// A voice of a synthesizer: modules, and connections with their amounts.
const MODULES: [(&str, &str); 6] =
    [("keys", "voice"), ("osc", "osc"), ("env", "adsr"), ("vcf", "svf"), ("amp", "vca"), ("pan", "pan")];
const CONNECTIONS: [(&str, &str, f32); 8] = [
    ("keys", "osc", 1.0),
    ("keys", "env", 1.0),
    ("osc", "vcf", 1.0),
    ("vcf", "amp", 1.0),
    ("env", "amp.level", 1.0),
    ("env", "vcf.cutoff", 2.0),
    ("amp", "pan", 0.1),
    ("pan", "out", 1.0),
];

/// The patch at power-on, or `voices` voices of a synthesizer; sounding.
fn patch(voices: u8) -> Box<Instrument> {
    let mut instrument = bytemuck::zeroed_box::<Instrument>();
    instrument.power_on(RATE);
    if voices == 0 {
        instrument.gate(instrument.wiring().find("adsr").expect("the envelope").0, true);
        return instrument;
    }
    instrument.begin(RATE);
    for (name, kind) in MODULES {
        let edit = instrument.wiring().create(name, kind).expect("room");
        instrument.edit(&edit);
    }
    for (source, destination, amount) in CONNECTIONS {
        let edit = instrument.wiring().connect(source, destination, amount).expect("room");
        instrument.edit(&edit);
    }
    let keys = instrument.wiring().find_edited("keys").expect("it was made").0;
    instrument.set(keys, 0, f64::from(voices));
    instrument.edit(&Edit::Commit);
    // A commit is heard after a silence of some milliseconds.
    let mut scratch = bytemuck::zeroed_box::<Scratch>();
    (0..4).for_each(|_| instrument.render(&mut scratch, |_, _| FRAMES as u32, &mut Block::SILENCE.clone()));
    (0..voices).for_each(|voice| instrument.note(keys, 30 + voice, 0.8));
    instrument
}

/// The fastest block in microseconds, with stretches ended by so many commands.
fn cost(instrument: &mut Instrument, commands: u32) -> f64 {
    let (mut scratch, mut block) = (bytemuck::zeroed_box::<Scratch>(), Block::SILENCE);
    // Odd places: where a stretch ends anyway a command costs nothing more.
    let next =
        |frame: u32| (0..commands).map(|number| 32 * number + 13).find(|at| *at > frame).unwrap_or(FRAMES as u32);
    let round = |_| {
        let started = Instant::now();
        instrument.render(&mut scratch, |_, frame| next(frame), black_box(&mut block));
        started.elapsed().as_secs_f64() * 1e6
    };
    let fastest = (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min);
    assert!(block.samples.iter().any(|sample| sample.abs() > 1e-3), "silence was measured");
    fastest
}

fn main() {
    let period = FRAMES as f64 / f64::from(RATE) * 1e6;
    for (name, voices) in [("the patch at power-on", 0), ("8 voices: osc, svf, adsr, vca", 8), ("64 of them", 64)] {
        let mut instrument = patch(voices);
        let [rest, busy] = [0, COMMANDS].map(|commands| cost(&mut instrument, commands));
        let share = rest / period * 100.0;
        println!(
            "{name:30} {rest:6.1} us a block ({share:.2} % of the period), {:.2} times that with {COMMANDS} commands",
            busy / rest
        );
    }
}
