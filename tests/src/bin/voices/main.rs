//! What a voice of saw, filter and envelope costs, beside the same voice in SuperCollider's server, and on the box.
//!
//! `cargo run --release -p chronus-tests --bin voices`. Both programs render as many voices, all of which sound, at the
//! same rate on one core, in turns; counted is processor time, and the difference of two lengths, so that no start is in
//! it. Ours renders blocks of 256 frames, the server its usual 64. Ours cost the same whether anything changes or not; the
//! server's are measured both ways. Nothing here passes or fails.

mod instructions;
mod patch;
mod scsynth;
mod synth_def;

use std::hint::black_box;

use abi::FRAMES;
use chronus_tests::{script, skipped};
use nix::sys::resource::{UsageWho, getrusage};
use patch::{RATE, Voices};
use synth_def::Motion;

/// Voices: some hundred blocks of states lie outside the first cache, as they would in an instrument that is in full use.
const VOICES: usize = 1024;
/// Seconds of sound of the two lengths whose difference counts.
const SHORT: u32 = 1;
const LONG: u32 = 5;
/// Rounds, each of both programs. Their median counts.
const ROUNDS: usize = 9;
/// Both ways the server's voices are measured.
const MOTIONS: [Motion; 2] = [Motion::Still, Motion::Moving];
/// How much louder or softer than one voice all of them may be: what is missing here did not sound.
const AS_LOUD: std::ops::Range<f64> = 0.7..1.4;

/// Processor time in seconds that `work` costs, of this thread or of the programs it waits for.
fn processor_time(who: UsageWho, work: impl FnOnce()) -> f64 {
    let now = || {
        let usage = getrusage(who).expect("the kernel tells it");
        [usage.user_time(), usage.system_time()].iter().map(|t| t.tv_sec() as f64 + t.tv_usec() as f64 * 1e-6).sum()
    };
    let before: f64 = now();
    work();
    now() - before
}

/// Renders so many blocks of our voices. Returns the root mean square of the last half second.
fn render(voices: usize, blocks: usize) -> f64 {
    let mut voices = Voices::new(voices);
    let (mut block, mut squares) = ([0.0; FRAMES], 0.0);
    let half = (RATE as usize / 2 / FRAMES).min(blocks);
    for number in 0..blocks {
        voices.render(black_box(&mut block));
        if number >= blocks - half {
            squares += block.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
        }
    }
    (squares / (half * FRAMES) as f64).sqrt()
}

fn blocks(seconds: u32) -> usize {
    (RATE * seconds) as usize / FRAMES
}

/// Processor time for a second of one voice: the difference of two lengths.
fn each(who: UsageWho, mut work: impl FnMut(u32)) -> f64 {
    let short = processor_time(who, || work(SHORT));
    (processor_time(who, || work(LONG)) - short) / f64::from(LONG - SHORT) / VOICES as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Voices that fill 70 % of a core where each costs so much.
fn in_70_percent(each: f64) -> f64 {
    0.7 / each
}

/// Whether all voices of a program sound: they are as loud as one of it is.
fn all_sound(name: &str, loudness: impl Fn(usize) -> f64) -> bool {
    let ratio = loudness(VOICES) / loudness(8);
    println!("{name}: {VOICES} voices are {ratio:.2} times as loud as 8, of which each is louder in proportion");
    AS_LOUD.contains(&ratio)
}

/// The comparison.
fn compare() {
    if !script::there_is(scsynth::PROGRAM) {
        let ours = median((0..ROUNDS).map(|_| each(UsageWho::RUSAGE_THREAD, ours)).collect());
        println!("Chronus: {:.0} voices in 70 % of a core", in_70_percent(ours));
        return skipped("the comparison", "there is no scsynth here: apt-get install supercollider-server");
    }
    for motion in MOTIONS {
        let heard = |voices| scsynth::render(motion, voices, SHORT);
        if let Err(complaint) = heard(VOICES) {
            return skipped("the comparison", &format!("scsynth does not render: {complaint}"));
        }
        if !all_sound(&format!("scsynth, {motion:?}"), |voices| heard(voices).unwrap_or(0.0)) {
            return skipped("the comparison", "not all of its voices sound, so there is nothing to compare");
        }
    }
    assert!(all_sound("Chronus", |voices| render(voices, blocks(SHORT))), "all of ours sound");
    let rounds: Vec<[f64; 3]> = (0..ROUNDS).map(|_| round()).collect();
    scsynth::tidy();
    let of = |value: &dyn Fn(&[f64; 3]) -> f64| median(rounds.iter().map(value).collect());
    println!("voices in 70 % of a core, median of {ROUNDS} rounds; ratio, median of the rounds' (goal 10):");
    println!("Chronus          {:6.0}", in_70_percent(of(&|costs| costs[0])));
    for (place, motion) in (1..).zip(MOTIONS) {
        let (count, ratio) = (in_70_percent(of(&|costs| costs[place])), of(&|costs| costs[place] / costs[0]));
        println!("scsynth, {motion:8}{count:6.0}   ratio {ratio:.2}", motion = format!("{motion:?}"));
    }
}

/// What a second of one voice costs: ours, the server's still, the server's moving. Each round measures all three.
fn round() -> [f64; 3] {
    let ours = each(UsageWho::RUSAGE_THREAD, ours);
    let [still, moving] = MOTIONS.map(|motion| {
        each(UsageWho::RUSAGE_CHILDREN, |seconds| {
            black_box(scsynth::render(motion, VOICES, seconds)).expect("it did before");
        })
    });
    let [ours_count, still_count, moving_count] = [ours, still, moving].map(in_70_percent);
    println!("Chronus {ours_count:.0}, scsynth {still_count:.0} still and {moving_count:.0} moving");
    [ours, still, moving]
}

fn ours(seconds: u32) {
    black_box(render(VOICES, blocks(seconds)));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            compare();
            instructions::count();
        }
        // What the emulator runs: nothing but the voices.
        ["--render", voices, blocks] => {
            let number = |text: &str| text.parse::<usize>().expect("a number");
            println!("{:e}", render(number(voices), number(blocks)));
        }
        _ => {
            eprintln!("voices                          measures\nvoices --render VOICES BLOCKS   only renders");
            std::process::exit(2);
        }
    }
}
