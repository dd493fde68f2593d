//! What every kernel promises, each asked the same.
extern crate std;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::ask_tests::Ask;
use super::subject_tests::{
    Adsr, Delay, Distortion, Filter, Kernel, Ladder, Lfo, Noise, Osc, OscSync, Reverb, Sine, Svf, Vca,
};
use super::{CONTROL_FRAMES, Lanes};

/// A second of stretches at 48 kHz.
const SECOND: usize = 48_000 / CONTROL_FRAMES;

type Stretch = [Lanes; CONTROL_FRAMES];

/// Runs a test for every kernel.
macro_rules! for_each_kernel {
    ($test:ident) => {
        $test::<Sine>();
        $test::<Osc>();
        $test::<OscSync>();
        $test::<Svf>();
        $test::<Adsr>();
        $test::<Filter>();
        $test::<Vca>();
        $test::<Lfo>();
        $test::<Noise>();
        $test::<Ladder>();
        $test::<Distortion>();
        $test::<Delay>();
        $test::<Reverb>();
    };
}

/// Random sound from -1 to 1.
fn sound(ask: &mut Ask) -> Stretch {
    core::array::from_fn(|_| ask.lanes(-1.0, 1.0))
}

fn highest(output: &[Lanes]) -> f32 {
    output
        .iter()
        .flat_map(|frame| frame.0)
        .fold(0.0, |most: f32, sample| if sample.abs() <= most { most } else { sample.abs() })
}

fn splits_anywhere<K: Kernel>() {
    let mut ask = Ask::resting(K::NAME.len() as u64);
    for _ in 0..50 {
        let control = K::control(&mut ask);
        let (mut whole, mut split) = (K::State::default(), K::State::default());
        for _ in 0..20 {
            let input = sound(&mut ask);
            let [mut one, mut many] = [[Lanes::ZERO; CONTROL_FRAMES]; 2];
            K::process(&mut whole, &control, &input, &mut one);
            let mut start = 0;
            while start < CONTROL_FRAMES {
                let end = (start + 1 + ask.below(CONTROL_FRAMES)).min(CONTROL_FRAMES);
                K::process(&mut split, &control, &input[start..end], &mut many[start..end]);
                start = end;
            }
            let same = one.iter().zip(&many).all(|(one, many)| highest(&[*one - *many]) <= K::SPLIT);
            assert!(same, "{}", K::NAME);
            assert!(K::SPLIT > 0.0 || whole == split, "{}", K::NAME);
        }
    }
}

#[test]
fn splitting_a_stretch_anywhere_changes_nothing() {
    for_each_kernel!(splits_anywhere);
}

fn takes_any_parameters<K: Kernel>() {
    let mut ask = Ask::sweeping(99);
    let mut state = K::State::default();
    let mut most = 0.0f32;
    for _ in 0..10_000 {
        let (control, input) = (K::control(&mut ask), sound(&mut ask));
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        K::process(&mut state, &control, &input, &mut output);
        most = most.max(highest(&output));
        assert!(output.iter().all(|frame| frame.0.iter().all(|sample| sample.is_finite())), "{}", K::NAME);
    }
    std::println!("{}: up to {most}", K::NAME);
    assert!(most <= K::BOUND, "{}: {most}", K::NAME);
}

#[test]
fn a_hundred_thousand_random_parameters_give_neither_nan_nor_more_than_the_bound() {
    // Ten thousand for each.
    for_each_kernel!(takes_any_parameters);
}

fn heals<K: Kernel>() {
    let mut ask = Ask::wild(7);
    for _ in 0..20 {
        let mut state = K::State::default();
        bytemuck::bytes_of_mut(&mut state).fill_with(|| ask.below(256) as u8);
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        for _ in 0..8 {
            let control = K::control(&mut ask);
            let input: Stretch = core::array::from_fn(|_| ask.lanes(-1.0, 1.0));
            K::process(&mut state, &control, &input, &mut output);
        }
        let mut calm = Ask::calm(3);
        let control = K::control(&mut calm);
        for _ in 0..SECOND {
            K::process(&mut state, &control, &sound(&mut calm), &mut output);
        }
        assert!(highest(&output) <= K::BOUND, "{}: {}", K::NAME, highest(&output));
    }
}

#[test]
fn random_bytes_and_any_control_never_panic_and_are_forgotten_within_a_second() {
    for_each_kernel!(heals);
}

fn falls_silent<K: Kernel>() {
    let mut ask = Ask::calm(11);
    for _ in 0..3 {
        let (mut state, control) = (K::State::default(), K::control(&mut ask));
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        K::process(&mut state, &control, &sound(&mut ask), &mut output);
        let mut silent = 0;
        // A resonance of 8 at 200 Hz takes half a second to fall by 300 dB, the room one.
        for _ in 0..2 * SECOND {
            K::process(&mut state, &control, &[Lanes::ZERO; CONTROL_FRAMES], &mut output);
            assert!(K::floats(&state).iter().all(|value| !value.is_subnormal()), "{}", K::NAME);
            assert!(output.iter().all(|frame| frame.0.iter().all(|sample| !sample.is_subnormal())), "{}", K::NAME);
            silent = if highest(&output) == 0.0 { silent + 1 } else { 0 };
            if silent == 100 {
                break;
            }
        }
        assert!(silent == 100 || K::SOUNDS_BY_ITSELF, "{} rings on", K::NAME);
    }
}

#[test]
fn silence_becomes_exact_and_nothing_is_ever_subnormal() {
    for_each_kernel!(falls_silent);
}

/// FNV-1a over two thousand stretches of random parameters and input.
fn hash_of<K: Kernel>(rate: f32) -> u64 {
    let mut ask = Ask::sweeping(0x5EED);
    ask.rate = rate;
    let mut state = K::State::default();
    (0..2000).fold(0xcbf2_9ce4_8422_2325, |hash, _| {
        let (control, input) = (K::control(&mut ask), sound(&mut ask));
        let length = 1 + ask.below(CONTROL_FRAMES);
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        K::process(&mut state, &control, &input[..length], &mut output[..length]);
        output
            .iter()
            .flat_map(|frame| frame.0)
            .fold(hash, |hash: u64, sample| (hash ^ u64::from(sample.to_bits())).wrapping_mul(0x0100_0000_01b3))
    })
}

#[test]
fn the_bits_are_these_on_every_machine_and_in_every_build() {
    // A deliberate change of the sound changes these numbers; a difference between machines or builds is a fault.
    let golden = [
        ("sine", [0x34b5_78f6_de61_624c, 0xc80f_e715_ad41_8d51, 0xc80f_e715_ad41_8d51]),
        ("osc", [0x7923_bb18_2e41_b0fd, 0x1b97_2230_7a47_c10f, 0x1b97_2230_7a47_c10f]),
        ("osc_sync", [0x8f3c_8911_f6e8_5bf8, 0xd00c_2138_ddc3_16b3, 0xd00c_2138_ddc3_16b3]),
        ("svf", [0x793b_f7f4_4561_b373, 0x1e13_bdf2_dcab_d03b, 0xa65f_a83d_96e5_5361]),
        ("adsr", [0xa9df_ac75_3435_dce4, 0x8d60_727e_9cdb_594b, 0x7ecf_e7ae_af3d_0d89]),
        ("filter", [0x3c59_9653_5ce9_9de0, 0xf082_0935_50f5_7186, 0x1c1f_795a_3141_092a]),
        ("vca", [0x3ede_6f91_1a4d_4a5f, 0x3ede_6f91_1a4d_4a5f, 0x3ede_6f91_1a4d_4a5f]),
        ("lfo", [0xdd9e_e29f_f37b_3d92, 0xaf02_3fef_3b97_4aa7, 0x03ac_301a_3ec4_3c23]),
        ("noise", [0xbf99_24e9_c290_cef7, 0xbf99_24e9_c290_cef7, 0xbf99_24e9_c290_cef7]),
        ("ladder", [0x5432_8138_58a1_0697, 0x60b4_6eed_f2fd_038a, 0xdb40_820a_c47a_048b]),
        ("distortion", [0xde77_9ea6_164f_c10f, 0xb683_1767_c572_b9e4, 0xc2da_94ce_3777_8ad9]),
        ("delay", [0xe238_3977_d353_696c, 0x9afe_8081_b71e_7a15, 0xce77_8956_ec40_f2aa]),
        ("reverb", [0xb6a3_44ee_d901_75d9, 0xdfa5_c513_bff5_b5b5, 0x0705_5a5c_7c49_6094]),
    ];
    let mut found: Vec<(&str, [u64; 3])> = Vec::new();
    macro_rules! hash {
        ($($kernel:ident)*) => { $(found.push(($kernel::NAME, abi::RATES.map(|rate| hash_of::<$kernel>(rate as f32))));)* };
    }
    hash!(Sine Osc OscSync Svf Adsr Filter Vca Lfo Noise Ladder Distortion Delay Reverb);
    let shown: String = found.iter().map(|(name, hashes)| format!("({name:?}, {hashes:#x?}),\n")).collect();
    assert_eq!(found, golden, "\n{shown}");
}

#[test]
fn every_parameter_has_its_default_within_its_range() {
    let tables: [&[super::Parameter]; 14] = [
        &super::sine::PARAMETERS,
        &super::osc::PARAMETERS,
        &super::svf::PARAMETERS,
        &super::adsr::PARAMETERS,
        &super::filter::PARAMETERS,
        &super::vca::PARAMETERS,
        &super::mixer::PARAMETERS,
        &super::pan::PARAMETERS,
        &super::lfo::PARAMETERS,
        &super::noise::PARAMETERS,
        &super::ladder::PARAMETERS,
        &super::distortion::PARAMETERS,
        &super::delay::PARAMETERS,
        &super::reverb::PARAMETERS,
    ];
    for parameter in tables.iter().copied().flatten() {
        let maximum = match parameter.maximum {
            abi::Maximum::Value(value) => value,
            abi::Maximum::BelowNyquist => 22_040.0,
        };
        assert!((parameter.minimum..=maximum).contains(&parameter.default), "{}", parameter.name);
        assert!(parameter.choices.is_empty() || parameter.choices.len() as f64 == maximum + 1.0, "{}", parameter.name);
        assert!(parameter.description.ends_with('.'), "{}", parameter.name);
    }
}
