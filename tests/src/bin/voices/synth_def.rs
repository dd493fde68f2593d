//! The same voice for SuperCollider's server: a synth definition in its file format SCgf, version 2.
//!
//! `Out.ar(0, RLPF.ar(Saw.ar(freq), 800, 1/2) * EnvGen.ar(Env.adsr(...), 1, level))`. The server has no state variable
//! filter of its own; RLPF, two poles with resonance, is the nearest. All that can be is constant, so the server works
//! nothing out anew that it need not.
//!
//! All numbers of the format are big-endian, and a string is its length in a byte and its bytes.

use crate::patch::{ATTACK, CUTOFF, DECAY, RELEASE, RESONANCE, SUSTAIN};

/// Name of the definition.
pub const NAME: &str = "voice";
/// Names of its parameters: frequency in Hz, and level.
pub const PARAMETERS: [&str; 2] = ["freq", "level"];

/// Calculation rates, as the format has them.
const CONTROL: u8 = 1;
const AUDIO: u8 = 2;

/// Where an input comes from.
#[derive(Clone, Copy)]
enum Input {
    Constant(f32),
    /// Output 0 of a unit generator, but for the parameters: which output of which.
    Output(i32, i32),
}

/// A unit generator with one output, or as many as said.
struct Unit {
    class: &'static str,
    rate: u8,
    inputs: Vec<Input>,
    outputs: usize,
    /// Which operator, for a `BinaryOpUGen`.
    special: i16,
}

/// Curve of the envelope's segments: the server's own for `Env.adsr`.
const CURVE: f32 = -4.0;
/// That the shape of a segment is its curve.
const CURVED: f32 = 5.0;
/// That an envelope has no loop.
const NO_LOOP: f32 = -99.0;
/// Multiplication.
const TIMES: i16 = 2;

fn units() -> Vec<Unit> {
    use Input::{Constant as C, Output as O};
    let one = |class, inputs| Unit { class, rate: AUDIO, inputs, outputs: 1, special: 0 };
    // Gate, level, bias, time scale, what to do at the end: nothing.
    let mut envelope = vec![C(1.0), O(0, 1), C(0.0), C(1.0), C(0.0)];
    // First level, segments, the segment that waits for the gate, loop; then each segment's level, time, shape and curve.
    envelope.extend([0.0, 3.0, 2.0, NO_LOOP].map(C));
    envelope.extend(
        [(1.0, ATTACK), (SUSTAIN, DECAY), (0.0, RELEASE)].into_iter().flat_map(|(l, t)| [l, t, CURVED, CURVE]).map(C),
    );
    vec![
        Unit { class: "Control", rate: CONTROL, inputs: vec![], outputs: PARAMETERS.len(), special: 0 },
        one("Saw", vec![O(0, 0)]),
        one("RLPF", vec![O(1, 0), C(CUTOFF), C(1.0 / RESONANCE)]),
        one("EnvGen", envelope),
        Unit { special: TIMES, ..one("BinaryOpUGen", vec![O(2, 0), O(3, 0)]) },
        Unit { outputs: 0, ..one("Out", vec![C(0.0), O(4, 0)]) },
    ]
}

/// The bytes of the file.
pub fn file() -> Vec<u8> {
    let units = units();
    let mut constants: Vec<f32> = Vec::new();
    let mut body = count(units.len());
    for unit in &units {
        string(&mut body, unit.class);
        body.push(unit.rate);
        body.extend(count(unit.inputs.len()));
        body.extend(count(unit.outputs));
        body.extend(unit.special.to_be_bytes());
        for input in &unit.inputs {
            let (from, which) = match *input {
                Input::Output(unit, output) => (unit, output),
                Input::Constant(value) => {
                    constants.push(value);
                    (-1, constants.len() as i32 - 1)
                }
            };
            body.extend(from.to_be_bytes());
            body.extend(which.to_be_bytes());
        }
        body.extend(std::iter::repeat_n(unit.rate, unit.outputs));
    }
    let mut file = b"SCgf".to_vec();
    file.extend(2i32.to_be_bytes());
    // One definition.
    file.extend(1i16.to_be_bytes());
    string(&mut file, NAME);
    file.extend(count(constants.len()));
    constants.iter().for_each(|value| file.extend(value.to_be_bytes()));
    file.extend(count(PARAMETERS.len()));
    PARAMETERS.iter().for_each(|_| file.extend(0f32.to_be_bytes()));
    file.extend(count(PARAMETERS.len()));
    for (place, name) in (0i32..).zip(PARAMETERS) {
        string(&mut file, name);
        file.extend(place.to_be_bytes());
    }
    file.extend(body);
    // No variants.
    file.extend(0i16.to_be_bytes());
    file
}

fn count(length: usize) -> Vec<u8> {
    (length as i32).to_be_bytes().to_vec()
}

fn string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(text.len() as u8);
    bytes.extend(text.as_bytes());
}
