//! The same voice for SuperCollider's server: a synth definition in its file format SCgf, version 2.
//!
//! `Out.ar(0, RLPF.ar(Saw.ar(freq), 800, 1/2) * EnvGen.ar(Env.adsr(...), 1, level))`. The server has no state variable
//! filter of its own; RLPF, two poles with resonance, is the nearest. There are two: in one all that can be is constant, and
//! the server works nothing out anew that it need not; in the other pitch and cutoff follow a slow sine, as often as the
//! server looks, and the envelope is in its attack, so that it works out all the time what our kernels do at any time.
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

/// What a voice does while it is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    /// Everything is constant, and the envelope at its sustain level.
    Still,
    /// Pitch, cutoff and level change all the time.
    Moving,
}

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

/// An attack that is not over before the longest measurement is, in seconds.
const ENDLESS: f32 = 60.0;

fn units(motion: Motion) -> Vec<Unit> {
    use Input::{Constant as C, Output as O};
    let one = |class, rate, inputs| Unit { class, rate, inputs, outputs: 1, special: 0 };
    let mut units = vec![Unit { outputs: PARAMETERS.len(), ..one("Control", CONTROL, vec![]) }];
    let (mut pitch, mut cutoff, mut attack) = (O(0, 0), C(CUTOFF), ATTACK);
    if motion == Motion::Moving {
        // A sine of 3 Hz; of it 1 Hz at the pitch, and 200 Hz at the cutoff.
        units.push(one("SinOsc", CONTROL, vec![C(3.0), C(0.0)]));
        units.push(one("MulAdd", CONTROL, vec![O(1, 0), C(1.0), pitch]));
        units.push(one("MulAdd", CONTROL, vec![O(1, 0), C(200.0), cutoff]));
        (pitch, cutoff, attack) = (O(2, 0), O(3, 0), ENDLESS);
    }
    // Gate, level, bias, time scale, what to do at the end: nothing.
    let mut envelope = vec![C(1.0), O(0, 1), C(0.0), C(1.0), C(0.0)];
    // First level, segments, the segment that waits for the gate, loop; then each segment's level, time, shape and curve.
    envelope.extend([0.0, 3.0, 2.0, NO_LOOP].map(C));
    let segments = [(1.0, attack), (SUSTAIN, DECAY), (0.0, RELEASE)];
    envelope.extend(segments.into_iter().flat_map(|(level, time)| [level, time, CURVED, CURVE]).map(C));
    let saw = units.len() as i32;
    units.push(one("Saw", AUDIO, vec![pitch]));
    units.push(one("RLPF", AUDIO, vec![O(saw, 0), cutoff, C(1.0 / RESONANCE)]));
    units.push(one("EnvGen", AUDIO, envelope));
    units.push(Unit { special: TIMES, ..one("BinaryOpUGen", AUDIO, vec![O(saw + 1, 0), O(saw + 2, 0)]) });
    units.push(Unit { outputs: 0, ..one("Out", AUDIO, vec![C(0.0), O(saw + 3, 0)]) });
    units
}

/// The bytes of the file.
pub fn file(motion: Motion) -> Vec<u8> {
    let units = units(motion);
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
