//! Each type of module with what goes into it: from the patch to the [`kernel`](crate::kernel).

use bytemuck::Pod;

use crate::kernel::{
    CONTROL_FRAMES, LANES, Lanes, Sweep, Words, adsr, delay, distortion, filter, ladder, lfo, mixer, noise, osc,
    osc_sync, pan, reverb, sine, svf, vca,
};

use super::Instrument;
use super::gate::{AdsrGroup, Gates};
use super::inputs::{Place, Stretch};
use super::kind::Kind;
use super::render::Scratch;
use super::setting::Crossfade;
use super::wiring::{CLOSES, OPENS, SOFT};
use crate::time::{VELOCITY_ACCENT, VELOCITY_NORMAL};

impl Instrument {
    /// Renders a stretch of eight voices of a module.
    pub(super) fn render_group(&mut self, scratch: &mut Scratch, number: u8, group: usize, output: &mut [Lanes]) {
        let Some(row) = self.wiring.row(number).copied() else { return };
        let Some(kind) = row.kind() else { return };
        let frames = output.len() as u32;
        let place = Place { instrument: self, scratch, row: &row, kind: kind.row(), group, frames };
        let first = row.first as usize;
        match kind {
            Kind::Out => output.copy_from_slice(part(&place.sound(0), output.len())),
            Kind::Voice => {}
            Kind::Vca => {
                let (input, level) = (place.sound(0), place.sound(1));
                vca::process(&place.sweep(0), &input, &level, output);
            }
            Kind::Mixer => mix(&place, output),
            Kind::Pan => place_voices(&place, output),
            Kind::Sine => {
                let input = place.sound(0);
                let control =
                    sine::SineControl { rate: place.rate(), frequency: place.frequency(0), gain: place.sweep(1) };
                self.with(first, group, |state| sine::process(state, &control, &input, output));
            }
            Kind::Osc => self.osc(scratch, number, group, output),
            Kind::Noise => {
                let choice = place.choice(0);
                let color =
                    choice.levels.map(|level| choice.before as f32 * level + choice.after as f32 * (1.0 - level));
                let [from, to] = color.map(Lanes::splat);
                let seed = seed_of(number, group);
                let control = noise::NoiseControl { seed, color: Sweep { from, to }, gain: place.sweep(1) };
                self.with(first, group, |state| noise::process(state, &control, output));
            }
            Kind::Adsr => {
                let (input, gates, control) = (place.sound(0), gates_of(&place), adsr_control(&place));
                let rate = self.rate;
                self.with(first, group, |state| envelope(state, rate, &gates, control, &input, output));
            }
            Kind::Filter => {
                let (input, choice) = (place.sound(0), place.choice(0));
                let [cutoff, q, gain] = [1, 2, 3].map(|parameter| place.sweep(parameter));
                let modes = [choice.after, choice.before].map(|mode| *chosen(&MODES, mode));
                let before = choice.levels;
                let control = filter::FilterControl { rate: place.rate(), modes, before, cutoff, q, gain };
                self.with(first, group, |state| filter::process(state, &control, &input, output));
            }
            Kind::Svf => {
                let (input, choice) = (place.sound(0), place.choice(0));
                let control = svf::SvfControl {
                    rate: place.rate(),
                    mode: Sweep::at(0.0),
                    cutoff: place.sweep(1),
                    q: place.sweep(2),
                };
                self.with(first, group, |state| {
                    crossfaded(state, &choice, output, |state, mode, output| {
                        svf::process(
                            state,
                            &svf::SvfControl { mode: Sweep::at(mode as f32), ..control },
                            &input,
                            output,
                        );
                    });
                });
            }
            Kind::Ladder => {
                let input = place.sound(0);
                let [cutoff, resonance, drive] = [0, 1, 2].map(|parameter| place.sweep(parameter));
                let control = ladder::LadderControl { rate: place.rate(), cutoff, resonance, drive };
                self.with(first, group, |state| ladder::process(state, &control, &input, output));
            }
            Kind::Lfo => {
                let (choice, opens) = (place.choice(0), place.notes().map_or(Words::ZERO, |notes| notes.gates.opens));
                let (beats, clock) =
                    (lfo::beats(row.value(lfo::BEATS).unwrap_or(0.0) as f32), *self.wiring.sequencer.clock());
                let synced = |beats: f64| Sweep::at((clock.bpm() / 60.0 / beats) as f32);
                let turn = beats.filter(|_| clock.running()).map(|beats| clock.turns_of(beats));
                let opens = if turn.is_some() { Words::ZERO } else { opens };
                let control = lfo::LfoControl {
                    rate: place.rate(),
                    shape: lfo::Shape::Sine,
                    frequency: beats.map_or_else(|| place.sweep(1), synced),
                    depth: place.sweep(2),
                    reset: opens.choose(Words::ZERO, Words::splat(adsr::NEVER)),
                    seed: seed_of(number, group),
                };
                self.with(first, group, |state: &mut lfo::LfoState| {
                    turn.into_iter().for_each(|(turn, part)| state.lock(turn, part));
                    crossfaded(state, &choice, output, |state, shape, output| {
                        let shape = *chosen(&LFO_SHAPES, shape);
                        lfo::process(state, &lfo::LfoControl { shape, ..control }, output);
                    });
                });
            }
            Kind::Distortion => {
                let (input, choice) = (place.sound(0), place.choice(0).brief());
                let [drive, mix, gain, bits, hold] = [1, 2, 3, 4, 5].map(|parameter| place.sweep(parameter));
                let rate = place.rate();
                let control = |shape| distortion::DistortionControl { rate, shape, drive, mix, gain, bits, hold };
                let controls = DISTORTIONS.map(control);
                self.with(first, group, |state| {
                    crossfaded(state, &choice, output, |state, shape, output| {
                        distortion::process(state, chosen(&controls, shape), &input, output);
                    });
                });
            }
            Kind::Delay => {
                let input = place.sound(0);
                let [time, feedback, damping, mix] = [0, 1, 2, 3].map(|parameter| place.sweep(parameter));
                let control = delay::DelayControl { rate: place.rate(), time, feedback, damping, mix };
                let at = self.position(number);
                let Scratch { tapes, written, .. } = scratch;
                let Some(written) = written.get_mut(at.strip) else { return };
                let tape = tapes.delay(at);
                self.with(first, group, |state| delay::render(state, &control, &tape, &input, output, written));
            }
            Kind::Reverb => {
                let input = place.sound(0);
                let [decay, size, damping, mix] = [0, 1, 2, 3].map(|parameter| place.sweep(parameter));
                let control = reverb::ReverbControl { rate: place.rate(), decay, size, damping, mix };
                let at = self.position(number);
                if at.age == 0 {
                    scratch.tapes.begin(at);
                }
                let mut tape = scratch.tapes.reverb(at);
                self.with(first, group, |state| reverb::process(state, &control, &mut tape, &input, output));
            }
        }
    }

    /// The oscillator: where something is connected to its sync, the one that is slower and can be synced.
    fn osc(&mut self, scratch: &Scratch, number: u8, group: usize, output: &mut [Lanes]) {
        let Some(row) = self.wiring.row(number).copied() else { return };
        let place =
            Place { instrument: self, scratch, row: &row, kind: Kind::Osc.row(), group, frames: output.len() as u32 };
        let choice = place.choice(0).brief();
        let [before, after] = [choice.before, choice.after].map(|shape| *chosen(&WAVES, shape));
        let shape = if choice.levels[0] > 0.0 { [before, after] } else { [after; 2] };
        let [detune, width] = [2, 3].map(|parameter| place.sweep(parameter));
        let control = osc::OscControl { rate: place.rate(), shape, frequency: place.frequency(1), detune, width };
        let sync = place.has_sound(0).then(|| place.sound(0));
        self.with(row.first as usize, group, |state: &mut [Lanes; OSC]| {
            let (free, synced) = state.split_at_mut(size_of::<osc::OscState>() / size_of::<Lanes>());
            match sync {
                Some(sync) => {
                    let synced = bytemuck::try_from_bytes_mut(bytemuck::cast_slice_mut(synced)).ok();
                    synced.into_iter().for_each(|state| osc_sync::process(state, &control, &sync, output));
                }
                None => {
                    let free = bytemuck::try_from_bytes_mut(bytemuck::cast_slice_mut(free)).ok();
                    free.into_iter().for_each(|state| osc::process(state, &control, output));
                }
            }
        });
    }

    /// Does this with the state of a group.
    fn with<T: Pod>(&mut self, first: usize, group: usize, work: impl FnOnce(&mut T)) {
        let lanes = size_of::<T>() / size_of::<Lanes>();
        let from = first.saturating_add(group.saturating_mul(lanes));
        let Some(place) = self.pool.get_mut(from..from.saturating_add(lanes)) else { return };
        // Whatever needs more than the lanes' own alignment is copied.
        let mut state = bytemuck::pod_read_unaligned(bytemuck::cast_slice(place));
        work(&mut state);
        bytemuck::cast_slice_mut::<_, u8>(place).copy_from_slice(bytemuck::bytes_of(&state));
    }
}

/// Lanes of the state of an oscillator: with sync and without.
const OSC: usize = (size_of::<osc::OscState>() + size_of::<osc_sync::OscSyncState>()) / size_of::<Lanes>();

const WAVES: [osc::Shape; 3] = [osc::Shape::Saw, osc::Shape::Square, osc::Shape::Triangle];
const LFO_SHAPES: [lfo::Shape; 5] =
    [lfo::Shape::Sine, lfo::Shape::Triangle, lfo::Shape::Saw, lfo::Shape::Square, lfo::Shape::Hold];
const DISTORTIONS: [distortion::Shape; 4] =
    [distortion::Shape::Soft, distortion::Shape::Hard, distortion::Shape::Fold, distortion::Shape::Crush];
const MODES: [filter::Mode; 7] = [
    filter::Mode::Lowpass,
    filter::Mode::Highpass,
    filter::Mode::Bandpass,
    filter::Mode::Notch,
    filter::Mode::Peak,
    filter::Mode::LowShelf,
    filter::Mode::HighShelf,
];

/// The choice of this number, or the first one where there is none.
fn chosen<T, const N: usize>(all: &[T; N], number: u32) -> &T {
    all.get(number as usize).unwrap_or(&all[0])
}

/// Each group of each row makes noise of its own, the same at every start.
fn seed_of(number: u8, group: usize) -> u32 {
    u32::from(number) * LANES as u32 + group as u32
}

/// As many frames as there are.
fn part(stretch: &Stretch, frames: usize) -> &[Lanes] {
    stretch.get(..frames).unwrap_or(stretch)
}

/// What a choice renders; or two of them on their way from one to the other. The state is that of the newer one.
fn crossfaded<S: Copy>(
    state: &mut S,
    choice: &Crossfade,
    output: &mut [Lanes],
    mut process: impl FnMut(&mut S, u32, &mut [Lanes]),
) {
    let mut before = [Lanes::ZERO; CONTROL_FRAMES];
    if choice.levels[0] > 0.0 {
        let mut copy = *state;
        let frames = output.len().min(CONTROL_FRAMES);
        before.get_mut(..frames).into_iter().for_each(|before| process(&mut copy, choice.before, before));
    }
    process(state, choice.after, output);
    if choice.levels[0] > 0.0 {
        let [from, to] = choice.levels.map(Lanes::splat);
        let mut level = Sweep { from, to }.line(output.len());
        for (output, before) in output.iter_mut().zip(before) {
            *output = *output + (before - *output) * level.next();
        }
    }
}

/// What happens to the gates of an envelope: by its own address, and by notes.
fn gates_of(place: &Place) -> Gates {
    let mask = |flag| Words::splat(if place.row.gate & flag != 0 { u32::MAX } else { 0 });
    let (opens, closes) = (mask(OPENS), mask(CLOSES));
    let notes = place.notes().map(|notes| notes.gates).unwrap_or_default();
    let own = if place.row.gate & SOFT != 0 { VELOCITY_NORMAL } else { VELOCITY_ACCENT };
    let velocity = notes.opens.select(notes.velocity, Lanes::splat(own));
    // What begins after a gate was closed, or all was silenced, is not ended by that.
    Gates { opens: opens | notes.opens, closes: (closes & !notes.opens) | notes.closes, velocity }
}

fn adsr_control(place: &Place) -> adsr::AdsrControl {
    let [attack, decay, sustain, release, curve] = [0, 1, 2, 3, 4].map(|parameter| place.sweep(parameter));
    adsr::AdsrControl {
        rate: place.rate(),
        attack: attack.from,
        decay: decay.from,
        sustain,
        release: release.from,
        curve,
        on: Words::splat(adsr::NEVER),
        off: Words::splat(adsr::NEVER),
        velocity: Lanes::splat(1.0),
    }
}

fn envelope(
    group: &mut AdsrGroup,
    rate: u32,
    gates: &Gates,
    control: adsr::AdsrControl,
    input: &Stretch,
    output: &mut [Lanes],
) {
    let (on, off) = group.take(gates, output.len() as u32, rate);
    adsr::process(&mut group.envelope, &adsr::AdsrControl { on, off, velocity: gates.velocity, ..control }, output);
    for (output, input) in output.iter_mut().zip(input) {
        *output = *output * *input;
    }
}

fn mix(place: &Place, output: &mut [Lanes]) {
    let inputs: [Stretch; mixer::INPUTS] = core::array::from_fn(|input| place.sound(input));
    let levels = core::array::from_fn(|input| place.sweep(input));
    let control = mixer::MixerControl { levels, gain: place.sweep(mixer::INPUTS) };
    mixer::process(&control, &inputs.each_ref().map(|input| part(input, output.len())), output);
}

/// `pan`: what comes from the left goes to the left, as loud as its place says, and likewise the right.
fn place_voices(place: &Place, output: &mut [Lanes]) {
    let input = place.sound(0);
    let [mut left, mut right] = [[Lanes::ZERO; CONTROL_FRAMES]; 2];
    pan::process(&place.sweep(0), part(&input, output.len()), &mut left, &mut right);
    for (output, (left, right)) in output.iter_mut().zip(left.iter().zip(&right)) {
        // A sound in the middle is as loud as without this module.
        output.0 = [left.0[0] * LOUDNESS, right.0[1] * LOUDNESS, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    }
}

/// What makes good for the middle's half of the power on either side.
const LOUDNESS: f32 = core::f32::consts::SQRT_2;
