//! The types of modules: what each is called, what it takes, and how much memory it needs.

use abi::tape::{DELAYS, STRIPS};

use crate::kernel::{self, Lanes, Parameter, mixer};

use super::gate::AdsrGroup;
use super::voices::{self, VoiceGroup};

/// A type of module; its number is its place in [`KINDS`] and in commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is described by its row in KINDS")]
pub enum Kind {
    Out,
    Sine,
    Osc,
    Noise,
    Adsr,
    Filter,
    Svf,
    Ladder,
    Lfo,
    Vca,
    Mixer,
    Pan,
    Distortion,
    Voice,
    Delay,
    Reverb,
}

/// The input of a delay that goes to its tape alone.
pub(super) const RETURN: usize = 1;

/// What is to be known of a type.
#[derive(Clone, Copy, Debug)]
pub struct KindRow {
    /// Its name in the code.
    pub kind: Kind,
    /// Its name in `/patch/create`.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// What can be set.
    pub parameters: &'static [Parameter],
    /// Names of its inputs for sound; the first is the one that is meant where none is named.
    pub inputs: &'static [&'static str],
    /// What an input is where nothing is connected to it: 0, or 1 where it is a level.
    pub unconnected: &'static [f32],
    /// Whether it takes notes from a `voice`.
    pub takes_notes: bool,
    /// Whether voices end here: it has one left and one right, and takes the sum of all voices.
    pub sums: bool,
    /// Lane groups of [`Lanes`] that its state needs for eight voices.
    pub size: usize,
}

/// The places of `T` in the pool.
const fn size_of_state<T>() -> usize {
    size_of::<T>().div_ceil(size_of::<Lanes>())
}

const fn row(kind: Kind, name: &'static str, description: &'static str) -> KindRow {
    KindRow {
        kind,
        name,
        description,
        parameters: &[],
        inputs: &["in"],
        unconnected: &[0.0],
        takes_notes: false,
        sums: false,
        size: 0,
    }
}

/// All types, each at the place its [`Kind`] names.
pub static KINDS: [KindRow; 16] = [
    KindRow { sums: true, ..row(Kind::Out, "out", "What is heard. There is one, and it is always there.") },
    KindRow {
        parameters: &kernel::sine::PARAMETERS,
        takes_notes: true,
        size: size_of_state::<kernel::sine::SineState>(),
        ..row(Kind::Sine, "sine", "A sine. What is connected to its input moves its phase (FM as in the DX7).")
    },
    KindRow {
        parameters: &kernel::osc::PARAMETERS,
        inputs: &["sync"],
        takes_notes: true,
        // Two states side by side, of which one is used, so that a sync that comes and goes finds its own.
        size: size_of_state::<kernel::osc::OscState>() + size_of_state::<kernel::osc_sync::OscSyncState>(),
        ..row(Kind::Osc, "osc", "Saw, square with pulse width, and triangle, band-limited; hard sync by its input.")
    },
    KindRow {
        parameters: &kernel::noise::PARAMETERS,
        inputs: &[],
        unconnected: &[],
        takes_notes: true,
        size: size_of_state::<kernel::noise::NoiseState>(),
        ..row(Kind::Noise, "noise", "White or pink noise, the same at every start.")
    },
    KindRow {
        parameters: &kernel::adsr::PARAMETERS,
        unconnected: &[1.0],
        takes_notes: true,
        size: size_of_state::<AdsrGroup>(),
        ..row(Kind::Adsr, "adsr", "An envelope: the level of its input, or a signal by itself.")
    },
    KindRow {
        parameters: &kernel::filter::PARAMETERS,
        size: size_of_state::<kernel::filter::FilterState>(),
        ..row(Kind::Filter, "filter", "The equaliser's filters, exact: low, high, band, notch, peak, shelves.")
    },
    KindRow {
        parameters: &kernel::svf::PARAMETERS,
        size: size_of_state::<kernel::svf::SvfState>(),
        ..row(Kind::Svf, "svf", "A state-variable filter, light enough for voices by the dozen.")
    },
    KindRow {
        parameters: &kernel::ladder::PARAMETERS,
        size: size_of_state::<kernel::ladder::LadderState>(),
        ..row(Kind::Ladder, "ladder", "The four-pole lowpass with drive, at twice the rate; resonates by itself.")
    },
    KindRow {
        parameters: &kernel::lfo::PARAMETERS,
        inputs: &[],
        unconnected: &[],
        takes_notes: true,
        size: size_of_state::<kernel::lfo::LfoState>(),
        ..row(Kind::Lfo, "lfo", "Slow waves for modulation; a note begins a new turn.")
    },
    KindRow {
        parameters: &kernel::vca::PARAMETERS,
        inputs: &["in", "level"],
        unconnected: &[0.0, 1.0],
        ..row(Kind::Vca, "vca", "A level moved by a signal; with sound at `level` a ring modulator.")
    },
    KindRow {
        parameters: &kernel::mixer::PARAMETERS,
        inputs: &["in1", "in2", "in3", "in4", "in5", "in6", "in7", "in8"],
        unconnected: &[0.0; mixer::INPUTS],
        ..row(Kind::Mixer, "mixer", "Eight inputs with levels.")
    },
    KindRow {
        parameters: &kernel::pan::PARAMETERS,
        sums: true,
        ..row(Kind::Pan, "pan", "A place between left and right; voices are summed.")
    },
    KindRow {
        parameters: &kernel::distortion::PARAMETERS,
        size: size_of_state::<kernel::distortion::DistortionState>(),
        ..row(Kind::Distortion, "distortion", "Soft, hard, folding or crushing, at twice the rate.")
    },
    KindRow {
        parameters: &voices::PARAMETERS,
        inputs: &[],
        unconnected: &[],
        size: size_of_state::<VoiceGroup>(),
        ..row(Kind::Voice, "voice", "Takes notes and gives each a voice of whatever is connected behind it.")
    },
    KindRow {
        parameters: &kernel::delay::PARAMETERS,
        inputs: &["in", "return"],
        unconnected: &[0.0; 2],
        sums: true,
        size: size_of_state::<kernel::delay::DelayState>(),
        ..row(
            Kind::Delay,
            "delay",
            "Echoes up to two seconds late. What comes to `return` is in them and not in the \
            sound that passes; through it alone a module may hear itself.",
        )
    },
    KindRow {
        parameters: &kernel::reverb::PARAMETERS,
        sums: true,
        size: size_of_state::<kernel::reverb::ReverbState>(),
        ..row(Kind::Reverb, "reverb", "A room; voices are summed.")
    },
];

/// Most parameters a type has.
pub const MOST_PARAMETERS: usize = 9;

/// Most inputs for sound a type has.
pub const MOST_INPUTS: usize = mixer::INPUTS;

impl Kind {
    /// The type of this number.
    pub fn from_number(number: u8) -> Option<Self> {
        KINDS.get(usize::from(number)).map(|row| row.kind)
    }

    /// The names of all that can be made.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().filter(|row| row.kind != Self::Out).map(|row| row.name)
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        KINDS.iter().find(|row| row.name == name).map(|row| row.kind)
    }

    /// The strips of tape of which each module of this type needs one.
    pub(super) fn strips(self) -> Option<core::ops::Range<usize>> {
        match self {
            Self::Delay => Some(0..DELAYS),
            Self::Reverb => Some(DELAYS..STRIPS),
            _ => None,
        }
    }

    /// What is to be known of it.
    pub fn row(self) -> &'static KindRow {
        // Every kind has its row: a test says so.
        KINDS.get(self as usize).unwrap_or(&KINDS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_at_its_number_and_fits() {
        for (place, row) in KINDS.iter().enumerate() {
            assert_eq!(row.kind as usize, place);
            assert_eq!(Kind::from_name(row.name), Some(row.kind));
            assert_eq!(row.inputs.len(), row.unconnected.len(), "{}", row.name);
            assert!(row.parameters.len() <= MOST_PARAMETERS && row.inputs.len() <= MOST_INPUTS, "{}", row.name);
        }
        assert_eq!(Kind::from_number(KINDS.len() as u8), None);
    }
}
