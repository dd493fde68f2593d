//! `pan`: a place between left and right, of equal power: cosine and sine of a quarter turn. In the middle both are
//! 3 dB down.

use super::polynomial::sine_of_half_turns;
use super::{Lanes, Parameter, Sweep};

/// What can be set.
pub static PARAMETERS: [Parameter; 1] =
    [Parameter { minimum: -1.0, ..Parameter::plain("pan", "Place of the sound: -1 left, 0 in the middle, 1 right.") }];

/// Renders a stretch: each lane of `input` at its place in the same lane of `left` and `right`. The gains are exact at the
/// ends of the stretch and straight lines between. There is no state.
pub fn process(pan: &Sweep, input: &[Lanes], left: &mut [Lanes], right: &mut [Lanes]) {
    // A quarter turn is half a half turn.
    let place = pan.within(-1.0, 1.0).map(|pan| (pan + 1.0) * 0.25);
    let mut left_gain = place.map(|place| sine_of_half_turns(-place + 0.5)).line(input.len());
    let mut right_gain = place.map(sine_of_half_turns).line(input.len());
    for (input, (left, right)) in input.iter().zip(left.iter_mut().zip(right)) {
        *left = *input * left_gain.next();
        *right = *input * right_gain.next();
    }
}
