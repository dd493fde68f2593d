//! Recordings are read by a program that nobody here wrote: libsndfile, as Python's `soundfile` brings it.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use chronus_tests::build::{Build, target};
use chronus_tests::client::Client;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::process::send;
use chronus_tests::skipped;
use chronus_tests::wav::Wav;
use nix::sys::signal::Signal;
use rosc::OscType;

/// Bytes of a frame of 24-bit integers, left and right.
const FRAME: u64 = 6;

/// Where soundfile is, fetched once if need be; or why it is not.
fn soundfile() -> Result<PathBuf, String> {
    let folder = target().join("soundfile");
    if !folder.join("soundfile.py").exists() {
        let words = ["-m", "pip", "install", "--quiet", "--target"];
        let output = Command::new("python3").args(words).arg(&folder).arg("soundfile").output();
        let output = output.map_err(|error| format!("there is no python3: {error}"))?;
        if !output.status.success() {
            return Err(format!("pip cannot install soundfile: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
    }
    Ok(folder)
}

/// Says what a file is, and writes its last frames from one on, as 32-bit integers.
const PYTHON: &str = r#"
import sys, soundfile
with soundfile.SoundFile(sys.argv[1]) as sound:
    print(sound.format, sound.subtype, sound.samplerate, sound.channels, sound.frames)
    sound.seek(int(sys.argv[2]))
    open(sys.argv[3], "wb").write(bytes(sound.buffer_read(dtype="int32")))
"#;

/// What soundfile says of a file, and its frames from one on, in 24 bits.
fn read(library: &Path, file: &Path, from: u64) -> (String, Vec<[u32; 2]>) {
    let raw = file.with_extension("raw");
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON]).arg(file).arg(from.to_string()).arg(&raw).env("PYTHONPATH", library);
    let output = command.output().expect("python3 runs");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{text}");
    let bytes = std::fs::read(&raw).expect("what it has read");
    // It fills 32 bits from above.
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes")) >> 8;
    let frames = bytes.chunks_exact(8).map(|frame| [word(&frame[..4]), word(&frame[4..])]).collect();
    (text.trim().to_owned(), frames)
}

#[test]
fn libsndfile_reads_what_was_recorded_and_beyond_four_gib() {
    let library = match soundfile() {
        Ok(library) => library,
        Err(reason) => return skipped("recordings read by libsndfile", &reason),
    };
    let folder = Folder::new("foreign-wav");
    let text = |word: &str| OscType::String(word.to_owned());
    let recordings = folder.file("");
    let recordings = recordings.to_str().expect("a path of text");
    let arguments = ["--sink", "paced", "--osc", "127.0.0.1:0", "--recordings", recordings];
    let mut engine = Engine::start(Build::Release, &arguments);
    let client = Client::of(&engine.address());
    client.send("/test", vec![]);
    client.ask("/record/start", vec![text("short")]).expect("it records");
    engine.wait_until("sound", |status| number(status, "record.frames") > 48_000);
    client.ask("/record/stop", vec![]).expect("it is whole");
    let file = folder.file("short.wav");
    let own = Wav::read(&file).frames;
    let (told, frames) = read(&library, &file, 0);
    assert_eq!(told, format!("WAV PCM_24 48000 2 {}", own.len()));
    assert!(frames == own && own.iter().any(|frame| frame[0] != 0), "the same samples");

    // One that is cut off while it is written, and was long by then: four hours of silence, which a disk keeps in no
    // room at all, and at its end a block that is none.
    client.ask("/record/start", vec![text("long")]).expect("it records");
    engine.wait_until("sound", |status| number(status, "record.frames") > 256);
    assert!(send(engine.id(), Signal::SIGKILL));
    engine.wait();
    let file = folder.file("long.wav");
    let header = Wav::read(&file).header;
    let blocks = (u64::from(u32::MAX) + 1) / (256 * FRAME) + 100;
    let last: Vec<[u32; 2]> = (0..256).map(|number| [number * 30_001, 0xFF_FFFF - number]).collect();
    let bytes: Vec<u8> = last.iter().flatten().flat_map(|sample| sample.to_le_bytes().into_iter().take(3)).collect();
    let long = std::fs::File::options().write(true).open(&file).expect("the file");
    if let Err(error) = long.write_all_at(&bytes, header + (blocks - 1) * 256 * FRAME) {
        return skipped("a RF64 read by libsndfile", &format!("no file beyond 4 GiB can be made here: {error}"));
    }
    engine = Engine::start(Build::Release, &arguments);
    engine.wait_for_lockstep();
    let (told, frames) = read(&library, &file, (blocks - 2) * 256);
    assert_eq!(told, format!("RF64 PCM_24 48000 2 {}", blocks * 256));
    assert!(frames[..256].iter().all(|frame| *frame == [0, 0]) && frames[256..] == last, "the same samples");
    println!("{} frames of {told}", own.len());
    assert_eq!(engine.stop().0, 0);
}
