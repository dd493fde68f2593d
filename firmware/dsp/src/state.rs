//! Everything the sound depends on, as plain old data.

use abi::{GateId, Operation, PARAMETERS, ParameterId};
use bytemuck::{Pod, Zeroable};

use crate::adsr::Envelope;
use crate::fade::Fade;
use crate::filter::Filter;
use crate::flush;
use crate::ramp::{Ramp, frames_in};
use crate::sine::Sine;

/// The whole state of the synthesizer: rate, ramps, phase, envelope, filter and fade.
///
/// Plain old data of fixed size, without pointers or padding, size a multiple of 8 and alignment 8: a
/// copy of its bytes is a snapshot, and equal bytes are equal sound.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct State {
    /// Hz, one of [`abi::RATES`]. 64 bits wide so that the struct has no padding.
    pub(crate) rate: u64,
    pub(crate) sine: Sine,
    pub(crate) envelope: Envelope,
    pub(crate) filter: Filter,
    pub(crate) fade: Fade,
}

/// A snapshot is copied and hashed in 64-bit words.
const _: () = assert!(size_of::<State>().is_multiple_of(8) && align_of::<State>() == 8);

impl State {
    /// The state at engine start: table defaults, gate closed, silence. `rate` is one of [`abi::RATES`], in Hz.
    pub fn new(rate: u32) -> Self {
        Self {
            rate: u64::from(rate),
            sine: Sine::new(),
            envelope: Envelope::new(),
            filter: Filter::new(),
            fade: Fade::new(),
        }
    }

    /// The sample rate in Hz, as given to [`State::new`].
    pub const fn rate(&self) -> u32 {
        self.rate as u32
    }

    /// The value a parameter has, or is on its way to, in its own unit. Of a damaged state anything: the caller checks
    /// it against the table.
    pub fn value(&self, id: ParameterId) -> f64 {
        match id {
            ParameterId::SineFreq => self.sine.frequency.target(),
            ParameterId::SineGain => self.sine.gain.target(),
            ParameterId::AdsrAttack => self.envelope.attack,
            ParameterId::AdsrDecay => self.envelope.decay,
            ParameterId::AdsrSustain => self.envelope.sustain.target(),
            ParameterId::AdsrRelease => self.envelope.release,
            ParameterId::FilterMode => self.filter.chosen(),
            ParameterId::FilterCutoff => self.filter.cutoff.target(),
            ParameterId::FilterQ => self.filter.q.target(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        Clock::of(self.rate())
    }

    /// Makes an operation take effect at the next frame rendered. Values are in range: [`Operation`] says so.
    pub(crate) fn apply(&mut self, operation: Operation) {
        let rate = self.rate();
        match operation {
            Operation::Set(id, value) => self.set(id, value, frames_in(ramp_ms_of(id), rate)),
            Operation::Gate(GateId::Adsr, true) => self.envelope.open(rate),
            Operation::Gate(GateId::Adsr, false) => self.envelope.close(rate),
            Operation::Silence => self.silence(rate),
            #[cfg(feature = "faults")]
            Operation::Poison(poison) => self.swallow(poison),
        }
    }

    /// Fades out whatever sounds: the envelope, and by the fade what rings in the filter. A gate that is opened after
    /// this is heard, faded in.
    fn silence(&mut self, rate: u32) {
        self.envelope.close(rate);
        self.fade.begin(rate);
    }

    fn set(&mut self, id: ParameterId, value: f64, frames: u32) {
        let ramp: &mut Ramp = match id {
            ParameterId::SineFreq => &mut self.sine.frequency,
            ParameterId::SineGain => &mut self.sine.gain,
            ParameterId::AdsrAttack => return self.envelope.attack = value,
            ParameterId::AdsrDecay => return self.envelope.decay = value,
            ParameterId::AdsrSustain => &mut self.envelope.sustain,
            ParameterId::AdsrRelease => return self.envelope.release = value,
            ParameterId::FilterMode => return self.filter.choose(value, frames),
            ParameterId::FilterCutoff => return self.filter.cutoff.aim(value, frames),
            ParameterId::FilterQ => return self.filter.q.aim(value, frames),
        };
        ramp.aim(value, frames);
    }

    /// Test builds: the poisons that are wrong arithmetic. The others are for the process.
    #[cfg(feature = "faults")]
    fn swallow(&mut self, poison: abi::Poison) {
        match poison {
            abi::Poison::NotANumber => self.filter.poison(),
            abi::Poison::Curse => self.sine.curse(),
            abi::Poison::OutOfRange => {
                let place = self.rate() as usize;
                self.envelope.attack = PARAMETERS[place].default;
            }
            _ => {}
        }
    }

    /// One frame of the patch: the sample of both channels.
    pub(crate) fn frame(&mut self, clock: &Clock) -> f32 {
        let sine = self.sine.frame(clock);
        let level = self.envelope.frame(clock.rate);
        let filtered = self.filter.frame(sine * level, clock);
        let (fade, silent) = self.fade.frame(clock.rate);
        if silent {
            // Nothing of it is heard at this frame, so nothing jumps.
            self.filter.calm();
            self.envelope.cut();
        }
        flush(filtered * fade) as f32
    }
}

/// What a frame needs to know of the sample rate, worked out once per block.
pub(crate) struct Clock {
    /// Hz.
    pub(crate) rate: u32,
    /// Units of oscillator phase a frame advances for every Hz; a turn is 2^32 units.
    pub(crate) phase_per_hertz: f64,
    /// pi times a frequency over the rate, counted in quarter turns, for every Hz.
    pub(crate) quarters_per_hertz: f64,
}

impl Clock {
    /// The clock of a rate in Hz. A rate of 0, from a damaged state, gives infinities and no panic.
    pub(crate) fn of(rate: u32) -> Self {
        let hertz = f64::from(rate);
        Self { rate, phase_per_hertz: 4_294_967_296.0 / hertz, quarters_per_hertz: 2.0 / hertz }
    }
}

/// Value of a parameter at engine start, from the table.
pub(crate) fn default_of(id: ParameterId) -> f64 {
    PARAMETERS.get(id as usize).map_or(0.0, |parameter| parameter.default)
}

/// Milliseconds over which a change is spread, from the table.
fn ramp_ms_of(id: ParameterId) -> f64 {
    PARAMETERS.get(id as usize).map_or(0.0, |parameter| parameter.ramp_ms)
}
