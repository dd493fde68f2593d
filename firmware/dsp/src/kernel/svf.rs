//! `svf`: the state-variable filter, for voices by the thousand.
//!
//! Topology-preserving transform of the analogue state-variable filter (Zavalishin, "The Art of VA Filter Design",
//! chapter 4), solved as in Simper, "Solving the continuous SVF equations using trapezoidal integration and equivalent
//! currents" (Cytomic, 2013): g = tan(pi cutoff / rate), k = 1 / q. Its states are those of the circuit, so it stays
//! stable and does not click however its cutoff moves. g is exact at the start of a stretch, goes on in steps of four
//! frames, and all else is worked out from it exactly, without which a wild sweep would be unstable.

use bytemuck::{Pod, Zeroable};

use super::polynomial::tangent_of_half_turns;
use super::sweep::Line;
use super::{Lanes, Parameter, Sweep};

/// What can be set.
pub static PARAMETERS: [Parameter; 3] = [
    Parameter {
        maximum: abi::Maximum::Value(3.0),
        ramp_ms: FILTER_RAMP_MS,
        choices: &["lowpass", "bandpass", "highpass", "notch"],
        ..Parameter::plain("mode", "Response of the filter; changes are crossfaded. Bandpass has 0 dB at its peak.")
    },
    Parameter {
        ramp_ms: FILTER_RAMP_MS,
        ..Parameter::frequency("cutoff", 10.0, 1000.0, "Corner or centre frequency.")
    },
    Parameter {
        minimum: 0.1,
        maximum: abi::Maximum::Value(40.0),
        default: 0.707,
        ramp_ms: FILTER_RAMP_MS,
        by_ratio: true,
        ..Parameter::plain("q", "Quality factor: 0.707 is flat, higher resonates.")
    },
];

/// Twice the ramp of a level, because a resonant filter rings on what a ramp excites.
pub(super) const FILTER_RAMP_MS: f64 = 10.0;

/// The state: Simper's ic1eq and ic2eq, the equivalent currents of the two integrators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct SvfState {
    currents: [Lanes; 2],
}

/// The parameters during a stretch.
#[derive(Clone, Copy, Debug)]
pub struct SvfControl {
    /// Sample rate in Hz.
    pub rate: f32,
    /// 0 lowpass, 1 bandpass, 2 highpass, 3 notch; between two of them a mixture, so it can be modulated.
    pub mode: Sweep,
    /// Hz, 0 to 0.49 of the rate.
    pub cutoff: Sweep,
    /// Quality factor, 0.1 to 40.
    pub q: Sweep,
}

/// Frames that share their coefficients: a sweep goes on in steps of 0.08 ms, an eighth of a stretch, which nobody hears,
/// and the division is paid for once in four frames.
const SHARED: usize = 4;

/// Renders a stretch.
pub fn process(state: &mut SvfState, control: &SvfControl, input: &[Lanes], output: &mut [Lanes]) {
    // The last group may be shorter.
    let groups = output.len().div_ceil(SHARED);
    let mut tangent = control.cutoff.turns(control.rate).map(tangent_of_half_turns).line(groups);
    let mut damping = control.q.map(|q| Lanes::splat(1.0) / q.within(0.1, 40.0)).line(groups);
    let mut weights = weights(control, groups);
    let [mut first, mut second] = state.currents.map(Lanes::heal);
    for (output, input) in output.chunks_mut(SHARED).zip(input.chunks(SHARED)) {
        let (g, k) = (tangent.next(), damping.next());
        let [low_weight, band_weight, input_weight] = weights.each_mut().map(Line::next);
        let band_weight = k * band_weight;
        let scale = Lanes::splat(1.0) / (g * (g + k) + 1.0);
        let across = g * scale;
        let through = g * across;
        for (output, input) in output.iter_mut().zip(input) {
            // What the states wait for is kept short: everything else here is worked out beside it.
            let drive = *input - second;
            let band = scale * first + across * drive;
            let drop = across * first + through * drive;
            let low = second + drop;
            first = (band + band - first).flush();
            second = (low + drop).flush();
            *output = low * low_weight + band * band_weight + *input * input_weight;
        }
    }
    state.currents = [first, second];
}

/// Of lowpass, bandpass (0 dB at its peak) and input in the output: the highpass is the input less both, the notch the
/// input less the bandpass.
fn weights(control: &SvfControl, groups: usize) -> [Line; 3] {
    let share = |mode: Lanes, place: f32| (-((mode - place).abs()) + 1.0).at_least(0.0);
    let mode = control.mode.within(0.0, 3.0);
    let low = mode.map(|mode| share(mode, 0.0) - share(mode, 2.0));
    let band = mode.map(|mode| share(mode, 1.0) - share(mode, 2.0) - share(mode, 3.0));
    let input = mode.map(|mode| (mode - 1.0).within(0.0, 1.0));
    [low, band, input].map(|weight| weight.line(groups))
}
