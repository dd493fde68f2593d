//! SuperCollider's server, rendering the voices to a file as fast as it can.

use std::path::{Path, PathBuf};

use chronus_tests::{build, script};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

use crate::patch::{RATE, frequency, level};
use crate::synth_def::{Motion, NAME, PARAMETERS, file};

/// The program, in Debian's package `supercollider-server`.
pub const PROGRAM: &str = "scsynth";

/// What is done at second `seconds` of the file.
fn at(seconds: u32, content: Vec<OscPacket>) -> OscPacket {
    OscPacket::Bundle(OscBundle { timetag: OscTime { seconds, fractional: 0 }, content })
}

fn message(address: &str, args: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_owned(), args })
}

/// All voices from the first sample on, and the end. Each packet has its length before it.
fn commands(motion: Motion, voices: usize, seconds: u32) -> Vec<u8> {
    let mut packets = vec![at(0, vec![message("/d_recv", vec![OscType::Blob(file(motion))])])];
    for voice in 0..voices {
        let [frequency_name, level_name] = PARAMETERS.map(|name| OscType::String(name.to_owned()));
        let mut arguments = vec![OscType::String(NAME.to_owned())];
        // Its number, at the head of the root group.
        arguments.extend([1000 + voice as i32, 0, 0].map(OscType::Int));
        arguments.extend([frequency_name, OscType::Float(frequency(voice))]);
        arguments.extend([level_name, OscType::Float(level(voices))]);
        packets.push(at(0, vec![message("/s_new", arguments)]));
    }
    packets.push(at(seconds, vec![message("/c_set", vec![OscType::Int(0), OscType::Float(0.0)])]));
    let mut bytes = Vec::new();
    for packet in packets {
        let packet = encoder::encode(&packet).expect("a packet");
        bytes.extend((packet.len() as i32).to_be_bytes());
        bytes.extend(packet);
    }
    bytes
}

/// A folder of this process for what it reads and writes.
fn folder() -> PathBuf {
    let folder = build::target().join("tmp").join(format!("voices-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Takes away what was written.
pub fn tidy() {
    // What is left over is found by the next build's cleaning.
    let _ = std::fs::remove_dir_all(folder());
}

/// Lets it render so many voices for so many seconds, one channel at its own block of 64 frames. Returns the root mean
/// square of the last half second, or what it complained of.
pub fn render(motion: Motion, voices: usize, seconds: u32) -> Result<f64, String> {
    let (commands_file, sound) = (folder().join("commands.osc"), folder().join("sound.wav"));
    std::fs::write(&commands_file, commands(motion, voices, seconds)).expect("the commands are written");
    let mut command = script::command(PROGRAM);
    // Room for all voices: nodes, and memory for them in KiB.
    command.args(["-i", "0", "-o", "1", "-n", "65536", "-m", "524288", "-D", "0", "-N"]);
    command.arg(&commands_file).arg("_").arg(&sound).args([RATE.to_string().as_str(), "WAV", "int16"]);
    let output = command.output().map_err(|error| error.to_string())?;
    let told = script::told(&output);
    if !output.status.success() || ["FAIL", "ERROR", "exception"].iter().any(|word| told.contains(word)) {
        return Err(told);
    }
    loudness(&sound, seconds)
}

/// The root mean square of the last half second of a file of one channel of 16 bits.
fn loudness(sound: &Path, seconds: u32) -> Result<f64, String> {
    let bytes = std::fs::read(sound).map_err(|error| error.to_string())?;
    let (half, all) = (RATE as usize / 2, (RATE * seconds) as usize);
    let samples: Vec<f64> = bytes.rchunks_exact(2).map(|two| f64::from(i16::from_le_bytes([two[0], two[1]]))).collect();
    if samples.len() < all - 64 {
        return Err(format!("it wrote {} samples of {all}", samples.len()));
    }
    Ok((samples[..half].iter().map(|sample| sample * sample).sum::<f64>() / half as f64).sqrt() / 32768.0)
}
