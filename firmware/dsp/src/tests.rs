//! What `render` promises as a whole.
extern crate std;
use std::vec::Vec;

use abi::{FRAMES, Operation, Place, Stamp};

use crate::kernel::Parameter;

use super::*;
use abi::CHANNELS;
use std::boxed::Box;

/// The row of the envelope.
const ADSR: u8 = 2;
const SINE_FREQ: Place = Place { row: 1, parameter: 0 };
const SINE_GAIN: Place = Place { row: 1, parameter: 1 };
const ADSR_ATTACK: Place = Place { row: ADSR, parameter: 0 };
const FILTER_MODE: Place = Place { row: 3, parameter: 0 };
const FILTER_CUTOFF: Place = Place { row: 3, parameter: 1 };
const FILTER_Q: Place = Place { row: 3, parameter: 2 };

/// All parameters of the patch at power-on.
fn parameters() -> Vec<(Place, &'static Parameter)> {
    let of_module = |module: Module| {
        let kind = instrument::Kind::from_name(module.name()).expect("a type of that name");
        let place = move |parameter| Place { row: module.row(), parameter };
        (0u8..).map(place).zip(kind.row().parameters)
    };
    MODULES.into_iter().flat_map(of_module).collect()
}

/// The instrument at power-on, and what it needs to be rendered.
#[derive(Clone)]
struct State {
    instrument: Box<Instrument>,
    scratch: Box<Scratch>,
}

impl State {
    fn new(rate: u32) -> Self {
        let mut instrument = bytemuck::zeroed_box::<Instrument>();
        instrument.power_on(rate);
        Self { instrument, scratch: bytemuck::zeroed_box() }
    }
}

/// Xorshift of 64 bits (Marsaglia 2003): the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn operation(&mut self, rate: u32) -> Operation {
        if self.below(4) == 0 {
            return Operation::Gate(ADSR, self.below(2) == 0);
        }
        let parameters = parameters();
        let (place, parameter) = parameters[self.below(parameters.len() as u64) as usize];
        let span = parameter.maximum.at(rate) - parameter.minimum;
        // Cubed: most cutoffs and times musical, some extreme.
        let part = self.below(1001) as f64 / 1000.0;
        Operation::Set(place, parameter.clamp(parameter.minimum + span * part * part * part, rate))
    }

    fn block(&mut self, rate: u32) -> Vec<Command> {
        let mut commands: Vec<Command> =
            (0..self.below(9)).map(|_| command(self.below(abi::FRAMES as u64) as u32, self.operation(rate))).collect();
        commands.sort_by_key(|command| command.stamp.frame);
        commands
    }
}

fn command(frame: u32, operation: Operation) -> Command {
    Command { stamp: Stamp { block: 0, frame }, operation }
}

fn rendered(state: &mut State, commands: &[Command]) -> Block {
    let mut block = Block::SILENCE;
    let mut commands = commands.iter().copied().peekable();
    render(&mut state.instrument, &mut state.scratch, &mut commands, &mut block);
    assert_eq!(commands.next(), None, "a command was left");
    block
}

/// Opens the gate with no attack to speak of.
fn sounding(rate: u32) -> State {
    let mut state = State::new(rate);
    rendered(&mut state, &[command(0, Operation::Gate(ADSR, true))]);
    state
}

#[test]
fn the_bits_are_these_on_every_machine_and_in_every_build() {
    // FNV-1a over 2000 blocks of torture per rate. A deliberate change of the sound changes these numbers; a
    // difference between two machines or two builds is a fault.
    let golden = [0x22e8_7305_23cd_5fdf, 0xe061_cf4c_ff1a_a32e, 0xe97f_5602_223b_a129];
    let hashes = abi::RATES.map(|rate| {
        let (mut random, mut state) = (Random(0x2545_f491_4f6c_dd1d), State::new(rate));
        (0..2000).fold(0xcbf2_9ce4_8422_2325, |hash, _| {
            let block = rendered(&mut state, &random.block(rate));
            assert!(block.samples.iter().all(|sample| sample.is_finite()));
            block.words().iter().fold(hash, |hash: u64, word| (hash ^ word).wrapping_mul(0x0100_0000_01b3))
        })
    });
    assert_eq!(hashes, golden, "{hashes:#x?}");
}

/// Commands that do nothing but end a stretch: times that are set to what they are.
fn cuts(random: &mut Random) -> Vec<Command> {
    let attack = Operation::Set(ADSR_ATTACK, 10.0);
    let mut frames: Vec<u32> = (0..random.below(20)).map(|_| random.below(256) as u32).collect();
    frames.sort_unstable();
    frames.into_iter().map(|frame| command(frame, attack)).collect()
}

#[test]
fn where_a_stretch_ends_changes_no_bit_of_what_is_at_rest_and_nothing_audible_of_what_moves() {
    let mut random = Random(1);
    for rate in abi::RATES {
        let (mut whole, mut split) = (State::new(rate), State::new(rate));
        let mut worst = 0.0f32;
        for number in 0..200 {
            let open = [command(0, Operation::Gate(ADSR, number % 50 == 0))];
            let commands = if number % 25 == 0 { &open[..] } else { &[] };
            let cut: Vec<Command> = commands.iter().copied().chain(cuts(&mut random)).collect();
            let (a, b) = (rendered(&mut whole, commands), rendered(&mut split, &cut));
            let differs = a.samples.iter().zip(&b.samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // Attack and decay are over after 110 ms.
            if number % 25 > 110 * rate as usize / 1000 / 256 && number % 50 < 25 {
                assert_eq!(differs, 0.0, "block {number} at {rate}");
            }
            worst = worst.max(differs);
        }
        // 120 dB below full scale.
        assert!(worst < 1e-6, "{worst} at {rate}");
    }
}

#[test]
fn a_command_takes_effect_at_its_frame_in_the_order_given() {
    for frame in [0, 1, 100, 255] {
        let (mut with, mut without) = (sounding(48_000), sounding(48_000));
        let gain = |value| command(frame, Operation::Set(SINE_GAIN, value));
        let (a, b) = (rendered(&mut with, &[gain(1.0), gain(0.0)]), rendered(&mut without, &[]));
        let first = (0..abi::FRAMES).find(|&frame| a.samples[2 * frame] != b.samples[2 * frame]);
        assert_eq!(first, Some(frame as usize));
        (0..20).for_each(|_| _ = rendered(&mut with, &[]));
        assert_eq!(rendered(&mut with, &[]), Block::SILENCE, "the second command wins");
    }
}

#[test]
fn both_channels_are_alike() {
    let mut random = Random(7);
    let mut state = State::new(48_000);
    for _ in 0..200 {
        let block = rendered(&mut state, &random.block(48_000));
        assert!(block.samples.chunks(CHANNELS).all(|frame| frame[0] == frame[1]));
    }
}

#[test]
fn every_command_is_taken_and_applied_even_one_out_of_its_place() {
    let gate = |frame| command(frame, Operation::Gate(ADSR, true));
    let mut state = State::new(48_000);
    assert_eq!(rendered(&mut state, &[gate(256)]), Block::SILENCE);
    assert_ne!(rendered(&mut state, &[]), Block::SILENCE);
    let (mut late, mut straight) = (State::new(48_000), State::new(48_000));
    let quiet = |frame| command(frame, Operation::Set(SINE_GAIN, 0.1));
    assert_eq!(rendered(&mut late, &[gate(90), quiet(3)]), rendered(&mut straight, &[gate(90), quiet(90)]));
}

#[test]
fn a_gate_on_and_off_on_one_frame_sounds() {
    let mut state = State::new(48_000);
    let gate = |on| command(40, Operation::Gate(ADSR, on));
    let block = rendered(&mut state, &[gate(true), gate(false)]);
    assert!(block.samples[..80].iter().all(|&sample| sample == 0.0));
    assert!(block.samples.iter().any(|sample| sample.abs() > 1e-3));
}

#[test]
fn silence_after_a_release_becomes_exact_and_no_state_is_ever_subnormal() {
    let mut state = sounding(48_000);
    (0..40).for_each(|_| _ = rendered(&mut state, &[]));
    rendered(&mut state, &[command(0, Operation::Gate(ADSR, false))]);
    for _ in 0..200 {
        let block = rendered(&mut state, &[]);
        assert!(block.samples.iter().all(|sample| !sample.is_subnormal()));
    }
    assert_eq!(rendered(&mut state, &[]), Block::SILENCE);
}

#[test]
fn a_state_of_random_bytes_and_values_out_of_range_neither_panic_nor_escape() {
    let mut random = Random(99);
    let wild = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e300, 5e-324];
    for round in 0..1000 {
        let mut state = State::new(48_000);
        let used = state.instrument.used_bytes();
        let bytes = &mut bytemuck::bytes_of_mut(&mut *state.instrument)[..used];
        if round % 2 == 0 {
            bytes.fill_with(|| random.next() as u8);
        } else {
            // One word of a good state: the flipped bits a real fault leaves.
            let word = random.below(bytes.len() as u64 / 8) as usize;
            let value = if round % 4 == 1 { random.next() } else { wild[random.below(7) as usize].to_bits() };
            bytes[word * 8..][..8].copy_from_slice(&value.to_le_bytes());
        }
        for _ in 0..4 {
            let mut commands = random.block(48_000);
            let (parameter, _) = parameters()[random.below(9) as usize];
            commands.push(command(random.next() as u32, Operation::Set(parameter, wild[random.below(7) as usize])));
            let block = rendered(&mut state, &commands);
            assert!(block.samples.iter().all(|sample| sample.is_finite() && !sample.is_subnormal()));
        }
    }
}

#[test]
fn not_a_number_in_any_parameter_is_gone_when_the_parameter_is_set_again() {
    for (place, parameter) in parameters() {
        let set = |value| command(0, Operation::Set(place, value));
        let (mut hurt, gate) = (State::new(48_000), command(0, Operation::Gate(ADSR, true)));
        rendered(&mut hurt, &[gate, set(f64::NAN)]);
        (0..4).for_each(|_| _ = rendered(&mut hurt, &[]));
        rendered(&mut hurt, &[set(parameter.default), gate]);
        (0..20).for_each(|_| _ = rendered(&mut hurt, &[]));
        let peak = rendered(&mut hurt, &[]).samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak > 0.2 && peak < 1.0, "{}: {peak}", parameter.name);
    }
}

/// Samples of the left channel of so many blocks, the first with this command at its start.
fn left_after(state: &mut State, operation: Operation, blocks: usize) -> Vec<f32> {
    let first = rendered(state, &[command(0, operation)]);
    let rest = (1..blocks).map(|_| rendered(state, &[]));
    let all: Vec<Block> = std::iter::once(first).chain(rest).collect();
    all.iter().flat_map(|block| block.samples.chunks_exact(CHANNELS).map(|frame| frame[0])).collect()
}

#[test]
fn silence_comes_within_five_milliseconds_without_a_click_whatever_sounds() {
    for rate in abi::RATES {
        let mut random = Random(77);
        let (mut heard, mut within) = (0, 0);
        for _ in 0..300 {
            let mut state = State::new(rate);
            // A note in a filter that rings, at any pitch, level and stage; nothing of it is still on its way.
            let set = |id: Place, value: f64| command(0, Operation::Set(id, value));
            let low = 20.0 * 100_f64.powf(random.below(1000) as f64 / 1000.0);
            let commands = [
                set(FILTER_Q, 20.0),
                set(SINE_FREQ, low),
                set(SINE_GAIN, 1.0),
                set(FILTER_CUTOFF, low),
                set(FILTER_MODE, random.below(3) as f64),
                command(9, Operation::Gate(ADSR, true)),
            ];
            rendered(&mut state, &commands);
            let before: Vec<f32> = (0..20 + random.below(20))
                .flat_map(|_| {
                    rendered(&mut state, &[]).samples.chunks_exact(CHANNELS).map(|frame| frame[0]).collect::<Vec<_>>()
                })
                .collect();
            if random.below(2) == 0 {
                rendered(&mut state, &[command(0, Operation::Gate(ADSR, false))]);
            }
            let (peak, steepest) = extremes(&before);
            let after = left_after(&mut state, Operation::Silence, 12);
            let frames = after.iter().rposition(|sample| *sample != 0.0).map_or(0, |last| last + 1);
            within = within.max(frames);
            heard += usize::from(peak > 0.1);
            // No steeper than what was heard, and the slope of the fade itself.
            let fade = peak / (rate as f32 * 0.004 - 1.0);
            let (_, steep) = extremes(&after);
            assert!(steep <= 1.3 * steepest + fade, "{steep} after {steepest} with a peak of {peak}");
        }
        assert!(within * 1000 <= 5 * rate as usize, "{within} frames at {rate}");
        assert!(heard > 200, "{heard}");
        std::println!("silent after {within} frames at most, at {rate} Hz");
    }
}

/// The highest sample and the highest step from one to the next.
fn extremes(samples: &[f32]) -> (f32, f32) {
    let peak = samples.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    let step = samples.windows(2).fold(0.0, |step: f32, pair| step.max((pair[1] - pair[0]).abs()));
    (peak, step)
}

#[test]
fn a_gate_opened_right_after_silence_is_heard_and_without_silence_no_bit_changes() {
    let mut state = sounding(48_000);
    let commands = [command(0, Operation::Silence), command(3, Operation::Gate(ADSR, true))];
    rendered(&mut state, &commands);
    let (peak, _) = extremes(&left_after(&mut state, Operation::Set(SINE_GAIN, 1.0), 8));
    assert!(peak > 0.5, "{peak}");
    // All that has been silenced begins anew from silence.
    let mut silent = sounding(48_000);
    left_after(&mut silent, Operation::Silence, 4);
    assert_eq!(left_after(&mut silent, Operation::Set(SINE_GAIN, 1.0), 40), [0.0; 40 * FRAMES]);
}
