//! The kernels: what each type of module does to the sound of eight lanes at once, and nothing else.
//!
//! A lane group is eight voices of a polyphonic branch side by side; for a module that is not polyphonic lane 0 is left
//! and lane 1 is right. The same kernel serves both. It is called for a stretch of 1 to [`CONTROL_FRAMES`] frames:
//!
//! ```text
//! module::process(&mut state, &control, inputs..., &mut output)
//! ```
//!
//! - The state is plain old data without padding. All zeros is where a note begins.
//! - The control holds the parameters of each lane at the first frame of the stretch and at the one behind its last
//!   ([`Sweep`]): the next stretch goes on from there. What would be heard as steps is interpolated.
//! - Inputs and output are slices of [`Lanes`], as long as the stretch.
//!
//! # What all of them keep to
//!
//! The rules of the crate: only operations that IEEE 754 fixes to the last bit, every frame costs the same, no panic for
//! any state and any control. Of whatever recirculates, nothing stays NaN or becomes subnormal: a filter that may die
//! away quickly is cut at every frame ([`Lanes::flush`]), everything else when a stretch begins ([`Lanes::heal`]); there
//! the slowest it can fall within a stretch keeps it far above the subnormal numbers.
//!
//! Under constant control a stretch split anywhere gives the same bits; but for `ladder` and `distortion`, which are healed
//! in the middle of a stretch too, 240 dB below full scale, and for `reverb`, whose lengths go straight within one.

mod hash;
mod lanes;
mod oversample;
mod polynomial;
mod sweep;
pub(crate) mod tape;

pub mod adsr;
pub mod delay;
pub mod distortion;
pub mod filter;
pub mod ladder;
pub mod lfo;
pub mod mixer;
pub mod noise;
pub mod osc;
pub mod osc_sync;
pub mod pan;
pub mod reverb;
pub mod sine;
pub mod svf;
pub mod vca;

#[cfg(test)]
mod adsr_tests;
#[cfg(test)]
mod all_tests;
#[cfg(test)]
mod ask_tests;
#[cfg(test)]
mod delay_tests;
#[cfg(test)]
mod filter_tests;
#[cfg(test)]
mod ladder_tests;
#[cfg(test)]
mod level_tests;
#[cfg(test)]
mod lfo_tests;
#[cfg(test)]
mod osc_sync_tests;
#[cfg(test)]
mod osc_tests;
#[cfg(test)]
mod reverb_tests;
#[cfg(test)]
mod spectrum_tests;
#[cfg(test)]
mod subject_tests;
#[cfg(test)]
mod svf_tests;

pub use lanes::{LANES, Lanes, Words};
pub use sweep::Sweep;
pub use tape::{Ring, Tape};

/// Longest stretch in frames: 0.67 ms at 48 kHz, so that modulation that is worked out once in a stretch follows an
/// envelope or an LFO closely, and what is worked out once in a stretch costs a thirtieth of what a frame does.
pub const CONTROL_FRAMES: usize = 32;

/// Magnitude below which a recirculating value is taken for zero: 300 dB under full scale.
pub(crate) const SMALLEST: f32 = 1e-15;

/// Magnitude above which a recirculating value can only be damage: 120 dB over full scale.
pub(crate) const LARGEST: f32 = 1e6;

/// A parameter of a module type: a row of the table, as the module knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name within the module.
    pub name: &'static str,
    /// Its unit, "" for a plain number.
    pub unit: &'static str,
    /// Lowest value.
    pub minimum: f64,
    /// Highest value.
    pub maximum: abi::Maximum,
    /// Value of a new module.
    pub default: f64,
    /// Milliseconds over which a change is spread; 0 where the value is only read at an event.
    pub ramp_ms: f64,
    /// Whether it changes by equal ratios, as a frequency is heard, and is moved by octaves. It is never 0 then.
    pub by_ratio: bool,
    /// For a parameter that chooses: the names of 0, 1, 2 and so on.
    pub choices: &'static [&'static str],
    /// What it does.
    pub description: &'static str,
}

impl Parameter {
    /// `value` brought into this parameter's range at a sample rate in Hz; whole where the parameter chooses. The caller has
    /// checked that it is finite.
    pub fn clamp(&self, value: f64, rate: u32) -> f64 {
        let value = value.clamp(self.minimum, self.maximum.at(rate));
        if !self.choices.is_empty() {
            // `f64::round` is not in core; the range is small and positive.
            return f64::from((value + 0.5) as u32);
        }
        // A subnormal gain would make every product subnormal, and those are slow on many processors.
        if value.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { value }
    }

    /// A plain number from 0 to 1, whose default is 0: what most rows differ from in little.
    pub(crate) const fn plain(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            unit: "",
            minimum: 0.0,
            maximum: abi::Maximum::Value(1.0),
            default: 0.0,
            ramp_ms: RAMP_MS,
            by_ratio: false,
            choices: &[],
            description,
        }
    }

    /// A time in milliseconds, read when what it is about begins.
    const fn time(name: &'static str, description: &'static str) -> Self {
        let maximum = abi::Maximum::Value(adsr::LONGEST_MS as f64);
        Self { unit: "ms", minimum: 0.1, maximum, ramp_ms: 0.0, ..Self::plain(name, description) }
    }

    /// A frequency in Hz.
    const fn frequency(name: &'static str, minimum: f64, default: f64, description: &'static str) -> Self {
        Self {
            unit: "Hz",
            minimum,
            maximum: abi::Maximum::BelowNyquist,
            default,
            by_ratio: true,
            ..Self::plain(name, description)
        }
    }
}

impl Parameter {
    /// Highest value at a sample rate in Hz.
    pub fn maximum_at(&self, rate: u32) -> f64 {
        self.maximum.at(rate)
    }
}

/// 2^`x`, exact to the last bits.
pub(crate) fn octaves(x: f32) -> f32 {
    polynomial::precise_power_of_two(f64::from(x)) as f32
}

/// 2^`x`, lane by lane.
pub(crate) fn octaves_of(x: Lanes) -> Lanes {
    polynomial::power_of_two(x)
}

/// Ramp of a pitch or level: 5 ms is short enough to feel immediate and long enough not to click.
const RAMP_MS: f64 = 5.0;
