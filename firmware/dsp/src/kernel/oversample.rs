//! Twice the rate and back: the half-band filter shared by whatever bends a wave.
//!
//! A half-band in two branches of allpasses (Valenzuela and Constantinides, "Digital signal processing schemes for
//! efficient interpolation and decimation", 1983; the elliptic design as in Laurent de Soras' hiir). Flat to 0.45 of the
//! rate, 80 dB down from 0.55: what folds lies above 21.6 kHz of 48.

use bytemuck::{Pod, Zeroable};

use super::Lanes;

/// The allpasses of each branch, of order 13 together, for a transition of a tenth of the rate.
const BRANCHES: [[f32; 3]; 2] = [[0.060_297_4, 0.412_590_7, 0.772_715_7], [0.215_971_4, 0.604_358_6, 0.923_886_1]];

/// A branch: what went into it at the last frame, and what came out of each of its allpasses.
type Branch = [Lanes; 4];

/// The states of both half-bands, up and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Oversampler {
    up: [Branch; 2],
    down: [Branch; 2],
}

/// Frames after which an oversampler is to be healed: the least coefficient is 0.06, so in eight frames a value falls by
/// 6 * 10^9 at most.
pub(super) const HEAL_FRAMES: usize = 8;

impl Oversampler {
    /// What is damaged or about to become subnormal is 0. To be called every `HEAL_FRAMES` frames.
    #[inline(always)]
    pub(super) fn heal(&mut self) {
        for branch in self.up.iter_mut().chain(&mut self.down) {
            *branch = branch.map(Lanes::heal);
        }
    }

    /// One frame of what `bend` makes of the input at twice the rate.
    #[inline(always)]
    pub(super) fn frame(&mut self, input: Lanes, mut bend: impl FnMut(Lanes) -> Lanes) -> Lanes {
        let early = bend(branch(&mut self.up[0], BRANCHES[0], input));
        let late = bend(branch(&mut self.up[1], BRANCHES[1], input));
        (branch(&mut self.down[0], BRANCHES[0], late) + branch(&mut self.down[1], BRANCHES[1], early)) * 0.5
    }
}

#[inline(always)]
fn branch(state: &mut Branch, coefficients: [f32; 3], input: Lanes) -> Lanes {
    let [before, first, second, third] = *state;
    let [one, two, three] = coefficients;
    let a = (input - first) * one + before;
    let b = (a - second) * two + first;
    let c = (b - third) * three + second;
    *state = [input, a, b, c];
    c
}

/// The hyperbolic tangent's Pade approximant x (27 + x^2) / (27 + 9 x^2), which is 1 with slope 0 at 3, and 1 beyond.
/// What is so small that its square would be subnormal is 0.
#[inline(always)]
pub(super) fn saturate(x: Lanes) -> Lanes {
    let x = x.within(-3.0, 3.0).flush();
    let square = x * x;
    x * (square + 27.0) / (square * 9.0 + 27.0)
}
