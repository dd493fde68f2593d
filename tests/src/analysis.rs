//! Listening: what the quality tests play the DSP with and measure its sound by.

use std::f64::consts::TAU;

use abi::{Block, CHANNELS, Command, FRAMES, Operation, Place, Stamp};
use dsp::{Instrument, Scratch};

use crate::power_on::{ADSR, parameters};
use crate::random::Random;

/// A value for a parameter.
pub fn set(place: Place, value: f64) -> Operation {
    Operation::Set(place, value)
}

/// The envelope's gate.
pub fn gate(open: bool) -> Operation {
    Operation::Gate(ADSR, open)
}

/// A synthesizer of its own, played block by block.
#[derive(Clone)]
pub struct Player {
    /// The state before the next block.
    pub state: Box<Instrument>,
    scratch: Box<Scratch>,
}

impl Player {
    /// At engine start, at `rate` Hz.
    pub fn new(rate: u32) -> Self {
        let mut state = bytemuck::zeroed_box::<Instrument>();
        state.power_on(rate);
        Self { state, scratch: bytemuck::zeroed_box() }
    }

    /// With these operations on its first frame, and half a second gone by so that all ramps are over.
    pub fn settled(rate: u32, operations: &[Operation]) -> Self {
        let mut player = Self::new(rate);
        let commands: Vec<_> = operations.iter().map(|&operation| (0, operation)).collect();
        player.play(rate as usize / 2, &commands);
        player
    }

    /// One block with the commands given, each at its frame.
    pub fn block(&mut self, commands: &[Command]) -> Block {
        let mut block = Block::SILENCE;
        dsp::render(&mut self.state, &mut self.scratch, &mut commands.iter().copied().peekable(), &mut block);
        block
    }

    /// The left channel of at least `frames` frames, in whole blocks. Operations are at frames counted from now,
    /// in order of time.
    pub fn play(&mut self, frames: usize, operations: &[(u64, Operation)]) -> Vec<f64> {
        let mut sound = Vec::with_capacity(frames + FRAMES);
        let commands: Vec<_> = operations
            .iter()
            .map(|&(frame, operation)| Command { stamp: Stamp::from_frame(frame), operation })
            .collect();
        for number in 0..frames.div_ceil(FRAMES) as u64 {
            let here: Vec<_> = commands.iter().copied().filter(|command| command.stamp.block == number).collect();
            let block = self.block(&here);
            sound.extend(block.samples.chunks(CHANNELS).map(|frame| f64::from(frame[0])));
        }
        sound
    }
}

/// Decibels of an amplitude ratio.
pub fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

/// The sine nearest to a piece of sound.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Its frequency in cycles per frame.
    pub frequency: f64,
    /// Its peak.
    pub amplitude: f64,
    /// Root mean square of what it leaves: noise, harmonics and offset.
    pub residual: f64,
}

/// Least squares with sine, cosine and offset at a frequency of `frequency` cycles per frame; each of the
/// `refinements` solves for the frequency as a fourth unknown (the four-parameter fit of IEEE 1057).
pub fn fit_sine(sound: &[f64], frequency: f64, refinements: usize) -> Fit {
    let mut frequency = frequency;
    let basis = |frequency: f64, [sine, cosine]: [f64; 2]| {
        move |time: f64| {
            let (s, c) = (TAU * frequency * time).sin_cos();
            [s, c, 1.0, TAU * time * (sine * c - cosine * s)]
        }
    };
    let mut wave = least_squares(sound, 3, basis(frequency, [0.0; 2]));
    for _ in 0..refinements {
        frequency += least_squares(sound, 4, basis(frequency, [wave[0], wave[1]]))[3];
        wave = least_squares(sound, 3, basis(frequency, [0.0; 2]));
    }
    let fitted = basis(frequency, [0.0; 2]);
    let squares: f64 = sound
        .iter()
        .zip(times(sound))
        .map(|(sample, time)| {
            let [sine, cosine, ..] = fitted(time);
            (sample - wave[0] * sine - wave[1] * cosine).powi(2)
        })
        .sum();
    Fit { frequency, amplitude: wave[0].hypot(wave[1]), residual: (squares / sound.len() as f64).sqrt() }
}

/// Frames counted from the middle, where a change of frequency is least like a change of phase.
fn times(sound: &[f64]) -> impl Iterator<Item = f64> + use<> {
    let middle = (sound.len() - 1) as f64 / 2.0;
    (0..sound.len()).map(move |place| place as f64 - middle)
}

/// The factors of the first `unknowns` (3 or 4) functions whose sum comes nearest to `sound`.
fn least_squares(sound: &[f64], unknowns: usize, functions: impl Fn(f64) -> [f64; 4]) -> [f64; 4] {
    let mut equations = [[0.0; 5]; 4];
    for (&sample, time) in sound.iter().zip(times(sound)) {
        let [a, b, c, d] = functions(time);
        let row = [a, b, c, d, sample];
        for (equation, factor) in equations.iter_mut().zip(row).take(unknowns) {
            equation.iter_mut().zip(row).for_each(|(sum, value)| *sum += factor * value);
        }
    }
    // Gauss-Jordan. The matrix is positive definite, so it needs no pivoting.
    for pivot in 0..unknowns {
        let divisor = equations[pivot][pivot];
        let row = equations[pivot].map(|value| value / divisor);
        for (place, equation) in equations.iter_mut().take(unknowns).enumerate() {
            let factor = equation[pivot];
            if place == pivot {
                *equation = row;
            } else {
                equation.iter_mut().zip(row).for_each(|(value, pivotal)| *value -= factor * pivotal);
            }
        }
    }
    let mut solution = equations.map(|equation| equation[4]);
    solution[unknowns..].fill(0.0);
    solution
}

/// Gain of the Audio EQ Cookbook's biquad: `mode` 0 lowpass, 1 highpass, 2 bandpass with 0 dB at its peak;
/// frequencies in Hz. Straight from the cookbook's coefficients, which the DSP does not use.
pub fn cookbook_gain(mode: usize, cutoff: f64, q: f64, frequency: f64, rate: f64) -> f64 {
    let (sine, cosine) = (TAU * cutoff / rate).sin_cos();
    let alpha = sine / (2.0 * q);
    let b = match mode {
        0 => [(1.0 - cosine) / 2.0, 1.0 - cosine, (1.0 - cosine) / 2.0],
        1 => [(1.0 + cosine) / 2.0, -(1.0 + cosine), (1.0 + cosine) / 2.0],
        _ => [alpha, 0.0, -alpha],
    };
    let a = [1.0 + alpha, -2.0 * cosine, 1.0 - alpha];
    let magnitude = |polynomial: [f64; 3]| {
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (power, coefficient) in polynomial.into_iter().enumerate() {
            let (s, c) = (-TAU * frequency / rate * power as f64).sin_cos();
            real += coefficient * c;
            imaginary += coefficient * s;
        }
        f64::hypot(real, imaginary)
    };
    magnitude(b) / magnitude(a)
}

/// The largest difference between neighbouring samples.
pub fn largest_step(sound: &[f64]) -> f64 {
    sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max)
}

/// A score meant to hurt, a list of commands for each block: up to `most` commands in a block, of every kind and
/// over every range, now dense, now followed by seconds of dying away and silence.
pub fn torture(random: &mut Random, rate: u32, blocks: usize, most: u64) -> Vec<Vec<Command>> {
    let mut score = Vec::with_capacity(blocks);
    let mut quiet = 0;
    for number in 0..blocks as u64 {
        let count = if quiet > 0 { 0 } else { random.below(most + 1) };
        quiet = if quiet > 0 { quiet - 1 } else { 0 };
        let mut block: Vec<_> = (0..count)
            .map(|_| {
                let stamp = Stamp { block: number, frame: random.below(FRAMES as u64) as u32 };
                Command { stamp, operation: any_operation(random, rate) }
            })
            .collect();
        if quiet == 0 && random.below(100) == 0 {
            quiet = 100 + random.below(600);
            let stamp = Stamp { block: number, frame: FRAMES as u32 - 1 };
            block.truncate(most as usize - 1);
            block.push(Command { stamp, operation: gate(false) });
        }
        block.sort_by_key(|command| command.stamp);
        score.push(block);
    }
    score
}

fn any_operation(random: &mut Random, rate: u32) -> Operation {
    if random.below(3) == 0 {
        return gate(random.below(2) == 0);
    }
    let parameters = parameters();
    let (_, place, parameter) = parameters[random.below(parameters.len() as u64) as usize];
    let (lowest, highest) = (parameter.minimum, parameter.maximum.at(rate));
    // Cubed, so that most times and frequencies are musical and some extreme; every tenth is a limit.
    let part = match random.below(20) {
        0 => 0.0,
        1 => 1.0,
        _ => (random.below(1001) as f64 / 1000.0).powi(3),
    };
    set(place, parameter.clamp(lowest + (highest - lowest) * part, rate))
}
