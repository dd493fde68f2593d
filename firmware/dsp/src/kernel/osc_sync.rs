//! `osc` with hard sync: each rise of another signal through 0 begins a new turn.
//!
//! The waves, splines and filter of [`super::osc`]. There the next step is foreseen from the phase; here it may come from
//! outside at any moment, so the wave is delayed by three frames, and each step's spline is added to the frames around
//! it when the step has come (Brandt, "Hard Sync Without Aliasing", 2001, with B-splines in place of his minimum-phase
//! steps). Where between two frames the other signal rose is found by a straight line between them.
//!
//! Saw and square are band-limited; of the triangle the step that sync makes is, its corners are not (their aliases lie
//! 12 dB an octave lower to begin with). A second step within one frame takes its place from the first one.

use bytemuck::{Pod, Zeroable};

use super::osc::{OscControl, Pitch, Shape, TILT_GAIN, Tilt};
use super::sweep::UNITS_PER_TURN;
use super::{Lanes, Words};

/// Frames on either side of a step that its spline reaches.
const REACH: usize = 3;

/// The state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct OscSyncState {
    /// 2^32 units are a turn.
    pub phase: Words,
    /// The other signal at the last frame.
    before: Lanes,
    /// The wave that is still to be heard, and what the splines add to it: the next frame first.
    coming: [Lanes; 2 * REACH],
    tilt: Tilt,
}

/// Renders a stretch. `sync` is the other signal; shape, frequency, detune and width are those of [`super::osc`]. A change
/// of shape takes place at the start of a stretch.
pub fn process(state: &mut OscSyncState, control: &OscControl, sync: &[Lanes], output: &mut [Lanes]) {
    let pitch = Pitch::of(control, output.len());
    state.tilt.heal();
    state.coming = state.coming.map(Lanes::heal);
    state.before = state.before.heal();
    match control.shape[1] {
        // The phase as a whole number with its sign jumps half a turn on; from there it is a saw.
        Shape::Saw => wave(state, pitch, sync, output, Words::splat(0), |phase, _| {
            (phase - Words::splat(1 << 31)).signed() * (2.0 / UNITS_PER_TURN)
        }),
        Shape::Square => wave(state, pitch, sync, output, Words::splat(u32::MAX), |phase, width| {
            let high = (phase.map(|phase| phase >> 1)).below(width);
            high.select(Lanes::splat(1.0), Lanes::splat(-1.0))
        }),
        Shape::Triangle => wave(state, pitch, sync, output, Words::splat(0), |phase, _| {
            phase.signed().abs() * (-4.0 / UNITS_PER_TURN) + 1.0
        }),
    }
}

/// `second_step` is a mask of the lanes whose wave has a step at the width too.
#[inline(always)]
fn wave(
    state: &mut OscSyncState,
    mut pitch: Pitch,
    sync: &[Lanes],
    output: &mut [Lanes],
    second_step: Words,
    shape: impl Fn(Words, Words) -> Lanes,
) {
    let OscSyncState { mut phase, mut before, mut coming, mut tilt } = *state;
    for (output, sync) in output.iter_mut().zip(sync) {
        let (increment, frames, width) = (pitch.increment.next(), pitch.frames.next(), pitch.width.next());
        let now = sync.heal();
        // Frames since it rose, 0 to 1.
        let since = (now / (now - before)).within(0.0, 1.0);
        let rose = before.at_most_mask(Lanes::ZERO) & now.above(Lanes::ZERO);
        before = now;

        // The phase without sync, and with it: just before, and now.
        let free = phase + increment;
        let begun = (since / frames).at_most(UNITS_PER_TURN * 0.49).to_words();
        let last = free - begun;
        let next = rose.choose(begun, free);

        // Of the wave's own steps the one that was passed last, if any.
        let wrapped = next.below(increment);
        let past_width = next - width - width;
        let crossed = past_width.below(increment) & second_step & !wrapped;
        let own = crossed.choose(past_width, next).signed() * frames;
        let away = rose.select(since, own.within(0.0, 1.0));
        let here = shape(next, width);
        let turned = shape(Words::ZERO, width) - shape(Words::splat(u32::MAX), width);
        let forced = shape(Words::ZERO, width) - shape(last, width);
        let stepped = crossed.select(Lanes::splat(-2.0), wrapped.keep(turned));
        let height = rose.select(forced, stepped);

        for (coming, rest) in coming.iter_mut().zip(splines(away)) {
            *coming = *coming + rest * height;
        }
        // This frame's wave is heard three frames from now.
        coming[REACH] = coming[REACH] + here;
        *output = tilt.frame(coming[0] * TILT_GAIN);
        coming.rotate_left(1);
        coming[2 * REACH - 1] = Lanes::ZERO;
        phase = next;
    }
    *state = OscSyncState { phase, before, coming, tilt };
}

/// What a step of height 1, so many frames ago (0 to 1), adds to the three frames before it and the three from it on: the
/// truncated powers of the B-spline of [`super::osc`], of which each knot is needed twice.
#[inline(always)]
fn splines(away: Lanes) -> [Lanes; 2 * REACH] {
    let power = |x: Lanes| {
        let square = x * x;
        square * square * square * (1.0 / 720.0)
    };
    let [third, second, first] = [3.0, 2.0, 1.0].map(|knot| power(-away + knot));
    let [before_third, before_second, before_first] = [2.0, 1.0, 0.0].map(|knot| power(away + knot));
    [
        before_first,
        before_second - before_first * 6.0,
        before_third - before_second * 6.0 + before_first * 15.0,
        -(third - second * 6.0 + first * 15.0),
        -(second - first * 6.0),
        -first,
    ]
}
