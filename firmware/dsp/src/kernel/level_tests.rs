//! What vca, mixer and pan promise.
extern crate std;

use super::mixer::{self, MixerControl};
use super::{CONTROL_FRAMES, LANES, Lanes, Sweep, pan, vca};

/// A different value in every lane and frame.
fn ramp(scale: f32) -> [Lanes; CONTROL_FRAMES] {
    core::array::from_fn(|frame| Lanes(core::array::from_fn(|lane| scale * (frame * LANES + lane) as f32)))
}

/// From 0 to 1 in a stretch.
fn rising() -> Sweep {
    Sweep { from: Lanes::ZERO, to: Lanes::splat(1.0) }
}

#[test]
fn a_level_is_a_product_and_goes_straight_from_one_to_the_next() {
    let mut output = [Lanes::ZERO; CONTROL_FRAMES];
    vca::process(&rising(), &ramp(1.0), &ramp(0.5), &mut output);
    for (frame, output) in output.iter().enumerate() {
        let input = (frame * LANES + 3) as f32;
        assert_eq!(output.0[3], input * (0.5 * input * (frame as f32 / 32.0)));
    }
}

#[test]
fn a_mixer_adds_every_input_at_its_own_level() {
    let inputs: [[Lanes; CONTROL_FRAMES]; mixer::INPUTS] = core::array::from_fn(|input| ramp((1 << input) as f32));
    let mut levels = [Sweep::at(0.0); mixer::INPUTS];
    for input in 0..mixer::INPUTS {
        levels[input] = Sweep::at(1.0);
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        let slices = inputs.each_ref().map(|input| input.as_slice());
        mixer::process(&MixerControl { levels, gain: Sweep::at(0.5) }, &slices, &mut output);
        let expected = ((2 << input) - 1) as f32 * 0.5;
        assert_eq!(output, ramp(expected), "the first {} inputs", input + 1);
    }
    let mut output = ramp(1.0);
    mixer::process(&MixerControl { levels, gain: Sweep::at(0.5) }, &[], &mut output);
    assert_eq!(output, [Lanes::ZERO; CONTROL_FRAMES], "without inputs it is silent");
}

#[test]
fn the_power_is_the_same_at_every_place() {
    let input = [Lanes::splat(1.0); CONTROL_FRAMES];
    for step in -40..=40i8 {
        let place = f32::from(step) / 40.0;
        let [mut left, mut right] = [[Lanes::ZERO; CONTROL_FRAMES]; 2];
        pan::process(&Sweep::at(place), &input, &mut left, &mut right);
        let (left, right) = (left[9].0[2], right[9].0[2]);
        assert!((left * left + right * right - 1.0).abs() < 1e-6);
        let angle = (place + 1.0) * core::f32::consts::FRAC_PI_4;
        assert!((left - angle.cos()).abs() < 1e-6 && (right - angle.sin()).abs() < 1e-6);
    }
    let [mut left, mut right] = [[Lanes::ZERO; CONTROL_FRAMES]; 2];
    pan::process(&Sweep::at(-1.0), &input, &mut left, &mut right);
    assert_eq!(right[0].0[0], 0.0, "nothing is left of the other side");
    // Within a stretch from one side to the other it dips: a straight line between the two ends.
    let sweep = Sweep { from: Lanes::splat(0.0), to: Lanes::splat(0.1) };
    pan::process(&sweep, &input, &mut left, &mut right);
    for (left, right) in left.iter().zip(right) {
        assert!((left.0[0] * left.0[0] + right.0[0] * right.0[0] - 1.0).abs() < 2e-3);
    }
}
