//! What the tests of the kernels measure with: a Fourier transform and what is read off it.
extern crate std;
use std::vec;
use std::vec::Vec;

/// The power in each bin of a Fourier transform of `samples` (a power of two of them) behind a window of
/// Blackman-Harris type whose sidelobes lie 92 dB down and which is 4 bins wide to each side, `wide` false; or, `wide`
/// true, of the seven-term one, 180 dB down and 7 bins wide.
pub(crate) fn powers(samples: &[f64], wide: bool) -> Vec<f64> {
    let length = samples.len();
    assert!(length.is_power_of_two());
    let terms: &[f64] = if wide {
        &[
            0.271_051_400_693_42,
            -0.433_297_939_234_48,
            0.218_122_999_543_11,
            -0.065_925_446_388_03,
            0.010_811_742_098_37,
            -0.000_776_584_825_22,
            0.000_013_887_217_35,
        ]
    } else {
        &[0.358_75, -0.488_29, 0.141_28, -0.011_68]
    };
    let mut line: Vec<(f64, f64)> = samples
        .iter()
        .enumerate()
        .map(|(place, sample)| {
            let angle = place as f64 / length as f64 * core::f64::consts::TAU;
            let window: f64 = terms.iter().enumerate().map(|(k, term)| term * (k as f64 * angle).cos()).sum();
            (sample * window, 0.0)
        })
        .collect();
    transform(&mut line);
    line[..length / 2].iter().map(|(real, imaginary)| real * real + imaginary * imaginary).collect()
}

/// The Fourier transform, by Cooley and Tukey's way of halving, in place.
fn transform(line: &mut [(f64, f64)]) {
    let length = line.len();
    let bits = length.trailing_zeros();
    for place in 0..length {
        let mirrored = place.reverse_bits() >> (usize::BITS - bits);
        if place < mirrored {
            line.swap(place, mirrored);
        }
    }
    let turns: Vec<(f64, f64)> = (0..length / 2)
        .map(|place| {
            let angle = -core::f64::consts::TAU * place as f64 / length as f64;
            (angle.cos(), angle.sin())
        })
        .collect();
    let mut half = 1;
    while half < length {
        for start in (0..length).step_by(2 * half) {
            for place in 0..half {
                let (cosine, sine) = turns[place * (length / (2 * half))];
                let (a, b) = (line[start + place], line[start + place + half]);
                let turned = (b.0 * cosine - b.1 * sine, b.0 * sine + b.1 * cosine);
                line[start + place] = (a.0 + turned.0, a.1 + turned.1);
                line[start + place + half] = (a.0 - turned.0, a.1 - turned.1);
            }
        }
        half *= 2;
    }
}

/// Decibels of a ratio of powers.
pub(crate) fn decibels(power: f64) -> f64 {
    10.0 * power.max(1e-40).log10()
}

/// The strongest of what is no harmonic of `fundamental` (in bins, need not be whole), in decibels relative to the
/// fundamental; and all of it together. Direct current is left out.
pub(crate) fn alias(samples: &[f64], fundamental: f64) -> (f64, f64) {
    let powers = powers(samples, false);
    // The window is 4 bins wide to each side.
    const REACH: f64 = 4.5;
    let harmonic = |bin: usize| {
        let nearest = (bin as f64 / fundamental).round() * fundamental;
        (bin as f64 - nearest).abs() < REACH
    };
    let near = |bin: &usize| (*bin as f64 - fundamental).abs() < REACH;
    let bins = 0..powers.len();
    let (carrier, highest) = bins
        .clone()
        .filter(near)
        .fold((0.0, 0.0f64), |(sum, highest), bin| (sum + powers[bin], highest.max(powers[bin])));
    let rest = bins.filter(|bin| !harmonic(*bin)).map(|bin| powers[bin]);
    let (all, strongest) = rest.fold((0.0, 0.0f64), |(all, strongest), power| (all + power, strongest.max(power)));
    (decibels(strongest / highest), decibels(all / carrier))
}

/// A spectrum of one tone on a whole bin: total harmonic distortion and noise in decibels relative to the tone.
pub(crate) fn distortion_and_noise(samples: &[f64], bin: usize) -> f64 {
    let powers = powers(samples, true);
    let near = |other: usize| other.abs_diff(bin) <= 8;
    let tone: f64 = (0..powers.len()).filter(|bin| near(*bin)).map(|bin| powers[bin]).sum();
    let rest: f64 = (8..powers.len()).filter(|bin| !near(*bin)).map(|bin| powers[bin]).sum();
    decibels(rest / tone)
}

#[test]
fn the_transform_finds_a_tone_and_what_was_added_to_it() {
    let mut samples = vec![0.0; 8192];
    for (place, sample) in samples.iter_mut().enumerate() {
        let turn = place as f64 / 8192.0 * core::f64::consts::TAU;
        *sample = (turn * 500.0).sin() + 1e-3 * (turn * 1730.0).sin();
    }
    let (strongest, all) = alias(&samples, 500.0);
    assert!((strongest + 60.0).abs() < 0.01 && (all + 60.0).abs() < 0.01, "{strongest} {all}");
    assert!((distortion_and_noise(&samples, 500) + 60.0).abs() < 0.01);
}
