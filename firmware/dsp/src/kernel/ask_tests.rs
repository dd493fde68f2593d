//! Parameters made at random, for the tests of all kernels.

use super::{Lanes, Sweep, Words, adsr};

/// How controls are made.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// Every lane from somewhere in the range to somewhere else.
    Sweeping,
    /// Every lane somewhere, and it stays there.
    Resting,
    /// At rest in the lower part of the range, frequencies from 200 Hz to 5 kHz: nothing rings for long.
    Calm,
    /// Any bits, within the range or not.
    Wild,
}

/// Makes parameters at random, from xorshift (Marsaglia 2003): the same on every machine.
pub(crate) struct Ask {
    number: u64,
    manner: Manner,
    /// Sample rate in Hz.
    pub(crate) rate: f32,
}

impl Ask {
    fn new(seed: u64, manner: Manner) -> Self {
        Self { number: seed.wrapping_mul(2).wrapping_add(0x2545_f491_4f6c_dd1d), manner, rate: 48_000.0 }
    }

    pub(crate) fn sweeping(seed: u64) -> Self {
        Self::new(seed, Manner::Sweeping)
    }

    pub(crate) fn resting(seed: u64) -> Self {
        Self::new(seed, Manner::Resting)
    }

    pub(crate) fn calm(seed: u64) -> Self {
        Self::new(seed, Manner::Calm)
    }

    pub(crate) fn wild(seed: u64) -> Self {
        Self::new(seed, Manner::Wild)
    }

    fn next(&mut self) -> u64 {
        self.number ^= self.number << 13;
        self.number ^= self.number >> 7;
        self.number ^= self.number << 17;
        self.number
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 20) as usize % limit
    }

    /// Somewhere between two bounds, in each lane; now and then at one of them.
    pub(crate) fn lanes(&mut self, low: f32, high: f32) -> Lanes {
        Lanes(core::array::from_fn(|_| match self.below(20) {
            0 => low,
            1 => high,
            _ => low + (high - low) * (self.below(1 << 20) as f32 / (1 << 20) as f32),
        }))
    }

    /// Bits without any sense.
    fn bits(&mut self) -> Lanes {
        Lanes(core::array::from_fn(|_| f32::from_bits(self.next() as u32)))
    }

    /// Values without any sense.
    pub(crate) fn wild_lanes(&mut self) -> Lanes {
        self.bits()
    }

    /// A value without any sense.
    pub(crate) fn any(&mut self) -> f32 {
        self.bits().0[0]
    }

    /// A parameter, in its range unless it is to be wild.
    pub(crate) fn sweep(&mut self, low: f32, high: f32) -> Sweep {
        let from = self.lanes(low, high);
        match self.manner {
            Manner::Sweeping => Sweep { from, to: self.lanes(low, high) },
            Manner::Resting => Sweep { from, to: from },
            Manner::Calm => {
                let from = self.lanes(low + 0.1 * (high - low), low + 0.2 * (high - low));
                Sweep { from, to: from }
            }
            Manner::Wild => Sweep { from: self.bits(), to: if self.below(2) == 0 { from } else { self.bits() } },
        }
    }

    /// A frequency, every octave as likely as the other.
    pub(crate) fn hertz(&mut self, low: f32) -> Sweep {
        if self.manner == Manner::Calm {
            let from = self.lanes(200.0, 5000.0);
            return Sweep { from, to: from };
        }
        let highest = self.rate / 2.0;
        self.sweep(0.0, 1.0).map(|place| place.map(|place| low + (highest - low) * place * place * place * place))
    }

    /// Whether nothing rings for long.
    pub(crate) fn is_calm(&self) -> bool {
        self.manner == Manner::Calm
    }

    fn rests(&self) -> bool {
        matches!(self.manner, Manner::Resting | Manner::Calm)
    }

    /// Frames of events.
    pub(crate) fn events(&mut self) -> Words {
        let resting = self.rests();
        Words(core::array::from_fn(|_| if resting { adsr::NEVER } else { self.below(100) as u32 }))
    }

    pub(crate) fn choice<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A choice at both ends of a stretch.
    pub(crate) fn choices<T: Copy>(&mut self, choices: &[T]) -> [T; 2] {
        let first = self.choice(choices);
        [first, if self.rests() { first } else { self.choice(choices) }]
    }
}
