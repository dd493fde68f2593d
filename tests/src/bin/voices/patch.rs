//! The voices, as our kernels render them: saw, svf and adsr, mixed to one channel.

use abi::FRAMES;
use dsp::kernel::{CONTROL_FRAMES, LANES, Lanes, Sweep, Words, adsr, osc, svf};

/// Sample rate in Hz, of both programs.
pub const RATE: u32 = 48_000;
/// Cutoff of the filter in Hz, and its resonance.
pub const CUTOFF: f32 = 800.0;
pub const RESONANCE: f32 = 2.0;
/// The envelope in seconds, and its level while the gate is open, which it is all the time.
pub const ATTACK: f32 = 0.005;
pub const DECAY: f32 = 0.09;
pub const SUSTAIN: f32 = 0.6;
pub const RELEASE: f32 = 0.3;

/// What a voice plays in Hz: somewhere in four octaves from 55 Hz, no two the same, spread by the golden section.
pub fn frequency(voice: usize) -> f32 {
    const GOLDEN_SECTION: f32 = 0.618_034;
    55.0 * 16f32.powf((voice as f32 * GOLDEN_SECTION).fract())
}

/// Level of each of so many voices: all of them together are as loud as one, since they add up like noise.
pub fn level(voices: usize) -> f32 {
    0.2 / (voices as f32).sqrt()
}

/// Eight voices.
struct Group {
    osc: osc::OscState,
    svf: svf::SvfState,
    adsr: adsr::AdsrState,
    waves: osc::OscControl,
    filter: svf::SvfControl,
    envelope: adsr::AdsrControl,
}

impl Group {
    fn new(number: usize, level: f32) -> Self {
        let rate = RATE as f32;
        let hertz = Lanes(std::array::from_fn(|lane| frequency(number * LANES + lane)));
        let frequency = Sweep { from: hertz, to: hertz };
        let shape = [osc::Shape::Saw; 2];
        Self {
            osc: osc::OscState::default(),
            svf: svf::SvfState::default(),
            adsr: adsr::AdsrState::default(),
            waves: osc::OscControl { rate, shape, frequency, detune: Sweep::at(0.0), width: Sweep::at(0.5) },
            filter: svf::SvfControl { rate, mode: Sweep::at(0.0), cutoff: Sweep::at(CUTOFF), q: Sweep::at(RESONANCE) },
            envelope: adsr::AdsrControl {
                rate,
                attack: Lanes::splat(ATTACK * 1000.0),
                decay: Lanes::splat(DECAY * 1000.0),
                sustain: Sweep::at(SUSTAIN),
                release: Lanes::splat(RELEASE * 1000.0),
                curve: Sweep::at(1.0),
                on: Words::splat(0),
                off: Words::splat(adsr::NEVER),
                velocity: Lanes::splat(level),
            },
        }
    }

    /// Adds a stretch to `mixed`.
    fn render(&mut self, mixed: &mut [Lanes; CONTROL_FRAMES]) {
        let [mut wave, mut filtered, mut level] = [[Lanes::ZERO; CONTROL_FRAMES]; 3];
        osc::process(&mut self.osc, &self.waves, &mut wave);
        svf::process(&mut self.svf, &self.filter, &wave, &mut filtered);
        adsr::process(&mut self.adsr, &self.envelope, &mut level);
        // The gate opens once.
        self.envelope.on = Words::splat(adsr::NEVER);
        for (mixed, (filtered, level)) in mixed.iter_mut().zip(filtered.iter().zip(level)) {
            *mixed = *mixed + *filtered * level;
        }
    }
}

/// So many voices, in groups of eight, all of which sound.
pub struct Voices(Vec<Group>);

impl Voices {
    /// `count` is a multiple of eight.
    pub fn new(count: usize) -> Self {
        Self((0..count / LANES).map(|number| Group::new(number, level(count))).collect())
    }

    /// Renders a block.
    pub fn render(&mut self, block: &mut [f32; FRAMES]) {
        for stretch in block.chunks_exact_mut(CONTROL_FRAMES) {
            let mut mixed = [Lanes::ZERO; CONTROL_FRAMES];
            self.0.iter_mut().for_each(|group| group.render(&mut mixed));
            for (sample, lanes) in stretch.iter_mut().zip(mixed) {
                *sample = lanes.0.iter().sum();
            }
        }
    }
}
