//! Measures what the kernels of the DSP cost: nanoseconds for a frame of eight lanes, each kernel alone, and the voices
//! of a patch of saw, svf and adsr that one core renders in 70 % of the time of a block. And what time costs: a sequencer.
//!
//! `cargo run --release -p chronus-tests --bin kernels`. Nothing here passes or fails. Of many rounds the fastest
//! counts: whatever else runs on the machine only ever adds.

use std::hint::black_box;
use std::time::Instant;

use dsp::kernel::{
    CONTROL_FRAMES, LANES, Lanes, Ring, Sweep, Words, adsr, delay, distortion, filter, ladder, lfo, mixer, noise, osc,
    osc_sync, pan, reverb, sine, svf, vca,
};
use dsp::time::{self, Config, Sequencer, TRACKS};

/// A stretch of sound.
type Stretch = [Lanes; CONTROL_FRAMES];

/// Sample rate in Hz.
const RATE: f32 = 48_000.0;
/// Rounds, of which the fastest counts, and stretches in one: some 100 us, so that a round is seldom interrupted.
const ROUNDS: usize = 400;
const STRETCHES: usize = 256;

/// The fastest time of a frame in ns.
fn cost(mut work: impl FnMut()) -> f64 {
    let round = |work: &mut dyn FnMut()| {
        let started = Instant::now();
        (0..STRETCHES).for_each(|_| work());
        started.elapsed().as_secs_f64()
    };
    let fastest = (0..ROUNDS).map(|_| round(&mut work)).fold(f64::INFINITY, f64::min);
    fastest * 1e9 / (STRETCHES * CONTROL_FRAMES) as f64
}

fn show(name: &str, cost: f64) {
    println!("{name:24} {cost:7.2} ns per frame of {LANES} lanes");
}

fn saw() -> osc::OscControl {
    let hertz = Lanes(std::array::from_fn(|lane| 110.0 * (lane + 1) as f32));
    let frequency = Sweep { from: hertz, to: hertz * 1.001 };
    let shape = [osc::Shape::Saw; 2];
    osc::OscControl { rate: RATE, shape, frequency, detune: Sweep::at(3.0), width: Sweep::at(0.4) }
}

fn filter() -> svf::SvfControl {
    let cutoff = Sweep { from: Lanes::splat(800.0), to: Lanes::splat(820.0) };
    svf::SvfControl { rate: RATE, mode: Sweep::at(0.0), cutoff, q: Sweep::at(2.0) }
}

fn envelope() -> adsr::AdsrControl {
    adsr::AdsrControl {
        rate: RATE,
        attack: Lanes::splat(5.0),
        decay: Lanes::splat(90.0),
        sustain: Sweep::at(0.6),
        release: Lanes::splat(300.0),
        curve: Sweep::at(1.0),
        on: Words::splat(adsr::NEVER),
        off: Words::splat(adsr::NEVER),
        velocity: Lanes::splat(0.8),
    }
}

/// The input of whatever has one: noise of a kind, with nothing subnormal about it.
fn sound() -> Stretch {
    std::array::from_fn(|frame| Lanes(std::array::from_fn(|lane| ((frame * 7 + lane * 3) % 11) as f32 / 11.0 - 0.4)))
}

/// One group of eight voices.
#[derive(Clone, Copy, Default)]
struct Voices {
    osc: osc::OscState,
    svf: svf::SvfState,
    adsr: adsr::AdsrState,
}

/// What a frame of eight voices costs, with as many of them as fill their share of a block, so that their states do not
/// all lie in the first cache.
fn voices() -> f64 {
    let mut groups = vec![Voices::default(); STRETCHES];
    let (osc_control, svf_control, adsr_control) = (saw(), filter(), envelope());
    let mut mixed = [Lanes::ZERO; CONTROL_FRAMES];
    let mut place = 0;
    cost(|| {
        let group = &mut groups[place];
        place = (place + 1) % STRETCHES;
        let [mut wave, mut filtered, mut level]: [Stretch; 3] = [[Lanes::ZERO; CONTROL_FRAMES]; 3];
        osc::process(&mut group.osc, black_box(&osc_control), &mut wave);
        svf::process(&mut group.svf, black_box(&svf_control), &wave, &mut filtered);
        adsr::process(&mut group.adsr, black_box(&adsr_control), &mut level);
        for (mixed, (filtered, level)) in mixed.iter_mut().zip(filtered.iter().zip(level)) {
            *mixed = *mixed * 0.5 + *filtered * level;
        }
        black_box(&mut mixed);
    })
}

/// The kernels that are not in every voice.
fn others(input: &Stretch) {
    let mut output = [Lanes::ZERO; CONTROL_FRAMES];
    let mut state = osc_sync::OscSyncState::default();
    show("osc, synced", cost(|| osc_sync::process(&mut state, black_box(&saw()), input, black_box(&mut output))));
    let (cutoff, gain) = (filter().cutoff, Sweep::at(6.0));
    let (modes, before) = ([filter::Mode::Peak; 2], [0.0; 2]);
    let control = filter::FilterControl { rate: RATE, modes, before, cutoff, q: Sweep::at(2.0), gain };
    let mut state = filter::FilterState::default();
    show("filter", cost(|| filter::process(&mut state, black_box(&control), input, black_box(&mut output))));
    let level = Sweep::at(0.5);
    show("vca", cost(|| vca::process(black_box(&level), input, input, black_box(&mut output))));
    let control = mixer::MixerControl { levels: [level; mixer::INPUTS], gain: level };
    let inputs = [input.as_slice(); mixer::INPUTS];
    show("mixer, 8 inputs", cost(|| mixer::process(black_box(&control), &inputs, black_box(&mut output))));
    let mut right = output;
    show("pan", cost(|| pan::process(black_box(&level), input, black_box(&mut output), black_box(&mut right))));
    let reset = Words::splat(adsr::NEVER);
    let shape = lfo::Shape::Sine;
    let control = lfo::LfoControl { rate: RATE, shape, frequency: Sweep::at(3.0), depth: level, reset, seed: 1 };
    let mut state = lfo::LfoState::default();
    show("lfo, sine", cost(|| lfo::process(&mut state, black_box(&control), black_box(&mut output))));
    let control = noise::NoiseControl { seed: 1, color: level, gain: level };
    let mut state = noise::NoiseState::default();
    show("noise", cost(|| noise::process(&mut state, black_box(&control), black_box(&mut output))));
    let control = ladder::LadderControl { rate: RATE, cutoff, resonance: level, drive: gain };
    let mut state = ladder::LadderState::default();
    show("ladder", cost(|| ladder::process(&mut state, black_box(&control), input, black_box(&mut output))));
    for shape in [distortion::Shape::Soft, distortion::Shape::Crush] {
        let (mix, bits, hold) = (Sweep::at(1.0), Sweep::at(8.0), Sweep::at(9000.0));
        let control = distortion::DistortionControl { rate: RATE, shape, drive: gain, mix, gain: level, bits, hold };
        let mut state = distortion::DistortionState::default();
        let cost = cost(|| distortion::process(&mut state, black_box(&control), input, black_box(&mut output)));
        show(&format!("distortion, {shape:?}"), cost);
    }
    with_tape(input, &mut output);
}

/// Delay and reverb, on tapes as long as they are to be.
fn with_tape(input: &Stretch, output: &mut Stretch) {
    let (damping, mix) = (Sweep::at(6000.0), Sweep::at(0.3));
    let mut memory = vec![[0.0; delay::CHANNELS]; 1 << 17];
    let mut tape = Ring::at(&mut memory, 0);
    let control = delay::DelayControl { rate: RATE, time: Sweep::at(700.0), feedback: Sweep::at(0.5), damping, mix };
    let mut state = delay::DelayState::default();
    show(
        "delay, stereo",
        cost(|| delay::process(&mut state, black_box(&control), &mut tape, input, black_box(output))),
    );
    let mut memory = vec![[0.0; LANES]; 1 << 13];
    let mut tape = Ring::at(&mut memory, 0);
    let control = reverb::ReverbControl { rate: RATE, decay: Sweep::at(2.0), size: Sweep::at(1.0), damping, mix };
    let mut state = reverb::ReverbState::default();
    show(
        "reverb, stereo",
        cost(|| reverb::process(&mut state, black_box(&control), &mut tape, input, black_box(output))),
    );
}

/// Eight tracks with four lanes each, 9 to 16 steps to a beat at 174: what 32 frames cost in ns, with
/// the steps that begin in them.
fn sequencer() -> f64 {
    let mut sequencer = Sequencer::new(RATE as u32);
    sequencer.bpm(174.0).expect("a tempo");
    for track in 0..TRACKS {
        sequencer.create(track).expect("a track");
        let config = Config { steps_per_beat: 9 + track as u32, swing: 0.6, probability: 0.9, seed: 1 };
        sequencer.config(track, &config).expect("a configuration");
        sequencer.pattern(track, "X.xx".parse().expect("a pattern")).expect("a track");
        sequencer.assign_gate(track, track as u32).expect("a track");
        for lane in 0..time::LANES {
            sequencer.param_lane(track, lane, &[0.5, 0.25]).expect("a lane");
            sequencer.assign_lane(track, lane, 1).expect("a lane");
        }
        sequencer.start(track).expect("a track");
    }
    sequencer.start_clock();
    let each = cost(|| {
        let mut left = CONTROL_FRAMES as u32;
        while left > 0 {
            sequencer.take(|event| {
                black_box(event);
            });
            let frames = sequencer.wait(black_box(left));
            sequencer.advance(frames);
            left -= frames;
        }
    });
    each * CONTROL_FRAMES as f64
}

fn main() {
    println!("sequencer, 8 tracks      {:7.0} ns for {CONTROL_FRAMES} frames, cut wherever a step begins", sequencer());
    let (input, mut output) = (sound(), [Lanes::ZERO; CONTROL_FRAMES]);
    let mut state = sine::SineState::default();
    let control = sine::SineControl { rate: RATE, frequency: Sweep::at(440.0), gain: Sweep::at(0.5) };
    show("sine", cost(|| sine::process(&mut state, black_box(&control), &input, black_box(&mut output))));
    for shape in [osc::Shape::Saw, osc::Shape::Square, osc::Shape::Triangle] {
        let mut state = osc::OscState::default();
        let control = osc::OscControl { shape: [shape; 2], ..saw() };
        let cost = cost(|| osc::process(&mut state, black_box(&control), black_box(&mut output)));
        show(&format!("osc, {shape:?}"), cost);
    }
    let mut state = svf::SvfState::default();
    show("svf", cost(|| svf::process(&mut state, black_box(&filter()), black_box(&input), black_box(&mut output))));
    let mut state = adsr::AdsrState::default();
    show("adsr", cost(|| adsr::process(&mut state, black_box(&envelope()), black_box(&mut output))));
    let gates = adsr::AdsrControl { on: Words([0, 4, 8, 12, 16, 20, 24, 28]), ..envelope() };
    show("adsr, 8 gates a stretch", cost(|| adsr::process(&mut state, black_box(&gates), black_box(&mut output))));
    others(&input);

    let together = voices();
    show("saw + svf + adsr, mixed", together);
    let count = 0.7e9 / f64::from(RATE) / together * LANES as f64;
    println!("{count:.0} such voices on one core in 70 % of the time, and none of it for anything else");
}
