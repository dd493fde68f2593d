//! What was set is there again after the power was cut: the values of all parameters are kept in a file.

mod unread;

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::patch::{Kept, all_values, defaults, parse, read, set, text};
use chronus_tests::power_on::parameters;
use chronus_tests::random::Random;
use chronus_tests::skipped;
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rosc::{OscPacket, OscType};

/// Kills while the file is being written.
const KILLS: u64 = 24;

/// How long the values may stay as they are before they are in the file: the second that is promised, and a good half
/// for a busy machine.
const SOON: Duration = Duration::from_millis(1600);

fn name(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// Starts an engine in a process group of its own that keeps its values in `patch` and says what it has to say in
/// `messages`.
fn start(patch: &Path, messages: &Path) -> Engine {
    let arguments = ["--sink", "paced", "--osc", "127.0.0.1:0", "--patch", name(patch)];
    Engine::start_apart(Build::Release, &arguments, &[], messages)
}

/// Kills the supervisor and both workers at one instant. A power cut does more: what was written and not synchronised is
/// gone too (the virtual machine of the box cuts it; `the_file_is_synchronised_before_it_has_its_name` looks for the calls).
fn cut_power(engine: Engine) {
    killpg(Pid::from_raw(engine.id() as i32), Signal::SIGKILL).expect("the group is there");
    engine.wait();
}

fn wait_for_state(engine: &Engine, state: &str) {
    engine.wait_until(state, |status| status["patch"]["state"] == state);
}

/// Waits until the file was written so often.
fn wait_for_writes(engine: &Engine, count: u64) {
    engine.wait_until("a write", |status| number(status, "patch.written") >= count);
}

/// What is played: a value is changed, and with it all are written.
fn in_effect(engine: &Engine, patch: &Path) -> Kept {
    let before = engine.number("patch.written");
    set(engine, &[("sine.gain", 0.123)]);
    wait_for_writes(engine, before + 1);
    read(patch)
}

fn with(mut values: Kept, changes: &[(&str, f64)]) -> Kept {
    values.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), *value)));
    values
}

#[test]
fn all_values_are_there_again_after_a_power_cut() {
    let folder = Folder::new("patch");
    let (patch, messages) = (folder.file("last.toml"), folder.file("messages"));
    let mut random = Random::new(7);
    let mut engine = start(&patch, &messages);
    for round in 0..4 {
        // The lowest, the highest, and some in between.
        let keys: Vec<_> = defaults().into_keys().collect();
        let values: Vec<(&str, f64)> = keys
            .iter()
            .map(|key| {
                let all = parameters().into_iter();
                let named = all.map(|(module, _, parameter)| (format!("{module}.{}", parameter.name), parameter));
                let (_, parameter) = named.into_iter().find(|(name, _)| name == key).expect("it is in the table");
                let (low, high) = (parameter.minimum, parameter.maximum.at(48_000));
                let value = [low, high, random.between(low, high), random.between(low, high)][round];
                (key.as_str(), parameter.clamp(value, 48_000))
            })
            .collect();
        set(&engine, &values);
        // What is refused is not kept.
        set(&engine, &[("sine.freq", f64::NAN), ("sine.frequency", 5.0)]);
        std::thread::sleep(SOON);
        cut_power(engine);
        let kept = read(&patch);
        assert_eq!(kept, with(defaults(), &values));
        engine = start(&patch, &messages);
        engine.wait_until("the values", |status| number(status, "patch.loaded") == all_values());
        wait_for_state(&engine, "kept");
        assert_eq!(in_effect(&engine, &patch), with(kept, &[("sine.gain", 0.123)]));
    }
    // Whoever ends it in good order need not wait a second.
    set(&engine, &[("sine.freq", 777.0)]);
    engine.wait_until("the change", |status| status["patch"]["state"] == "changed");
    assert_eq!(engine.stop().0, 0);
    assert_eq!(read(&patch)["sine.freq"], 777.0);
}

/// The operations of a kept score, as addresses in their order.
fn operations(score: &Path) -> Vec<String> {
    let (bytes, mut addresses) = (std::fs::read(score).expect("the kept score"), Vec::new());
    let mut rest = &bytes[..];
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let (bundle, more) = more.split_at(i32::from_be_bytes(*length) as usize);
        let Ok((_, OscPacket::Bundle(bundle))) = rosc::decoder::decode_udp(bundle) else { panic!("a bundle") };
        let message = |packet| match packet {
            OscPacket::Message(message) => message.addr,
            OscPacket::Bundle(_) => panic!("a score is flat"),
        };
        addresses.extend(bundle.content.into_iter().map(message));
        rest = more;
    }
    addresses
}

#[test]
fn the_first_note_sounds_as_it_was_kept() {
    let folder = Folder::new("patch-first");
    let (patch, score) = (folder.file("last.toml"), folder.file("kept.osc"));
    std::fs::write(&patch, text(&[("sine.freq", 333.0), ("filter.q", 9.0)])).expect("a file");
    for _ in 0..5 {
        // A port that was free a moment ago, at which somebody plays before there is an engine.
        let free = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let playing = Mutex::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
                let message = rosc::OscMessage { addr: "/gate/adsr".to_owned(), args: vec![OscType::Int(1)] };
                let bytes = rosc::encoder::encode(&OscPacket::Message(message)).expect("a message encodes");
                while *playing.lock().expect("no panic") {
                    let _ = socket.send_to(&bytes, free);
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let (address, kept) = (free.to_string(), name(&score));
            let arguments = ["--sink", "paced", "--osc", &address, "--patch", name(&patch), "--keep-score", kept];
            let engine = Engine::start(Build::Release, &arguments);
            // A score is kept of what was played, not of what is rendered ahead.
            engine
                .wait_until("notes", |status| number(status, "commands.applied") > 10 && number(status, "block") > 100);
            *playing.lock().expect("no panic") = false;
            assert_eq!(engine.stop().0, 0);
        });
        let played = operations(&score);
        let first = played
            .iter()
            .position(|address| address == "/gate/adsr")
            .unwrap_or_else(|| panic!("no note in {played:?}"));
        assert_eq!(played[..first], ["/mod/filter/q", "/mod/sine/freq"], "{:?}", &played[..8]);
    }
}

/// Reads the file again and again until `done`; whatever is read at any instant must be whole and have been set.
fn read_until(patch: &Path, all: &[f64], mut done: impl FnMut(f64) -> bool) -> u64 {
    let (mut reads, mut last) = (0, f64::NAN);
    while !done(last) {
        let text = std::fs::read_to_string(patch).expect("it is always there");
        let values = parse(&text).unwrap_or_else(|why| panic!("a torn file: {why}"));
        let value = values["adsr.attack"];
        assert_eq!((values["adsr.decay"], values["adsr.release"]), (value, value), "values of different times");
        assert!(all.contains(&value), "{value} was never set");
        (reads, last) = (reads + 1, value);
    }
    reads
}

#[test]
fn a_kill_while_it_is_written_leaves_the_old_file_or_the_new_one() {
    let folder = Folder::new("patch-torn");
    let (patch, new, messages) = (folder.file("last.toml"), folder.file("last.toml.new"), folder.file("messages"));
    let mut random = Random::new(11);
    let belonging = |engine: &Engine, value| {
        set(engine, &[("adsr.attack", value), ("adsr.decay", value), ("adsr.release", value)]);
    };
    let engine = start(&patch, &messages);
    belonging(&engine, 1.0);
    wait_for_writes(&engine, 1);
    cut_power(engine);
    let (mut all, mut reads, mut cut) = (vec![1.0], 0, 0);
    for kill in 0..KILLS {
        let engine = start(&patch, &messages);
        engine.wait_until("the values", |status| number(status, "patch.loaded") == all_values());
        let value = 10.0 + kill as f64;
        all.push(value);
        belonging(&engine, value);
        // Half of the kills come in the middle of a write, the others whenever they come.
        let (started, wait) = (Instant::now(), Duration::from_micros(random.below(1_500_000)));
        let (shortly, writing) = (Duration::from_micros(random.below(1500)), kill % 2 == 0);
        let limit = Duration::from_secs(20);
        reads += read_until(&patch, &all, |last| match writing {
            // Who is kept from the processor may miss the write, and sees what it wrote.
            true => new.exists() || last == value || started.elapsed() > limit,
            false => started.elapsed() > wait,
        });
        assert!(started.elapsed() < limit, "it was never written");
        if writing {
            std::thread::sleep(shortly);
        }
        cut_power(engine);
        cut += u64::from(new.exists());
        let mut left = 1;
        read_until(&patch, &all, |_| std::mem::replace(&mut left, 0) == 0);
    }
    println!(
        "{KILLS} kills, {cut} of them in the middle of a write, {reads} reads meanwhile: the file was always whole"
    );
    assert!(reads > 0 && cut > 0, "no kill came while it was written");
}

/// The calls of a line of strace that make a file last, in short.
fn lasting(line: &str) -> Option<&'static str> {
    let last = |name: &str| line.contains(&format!("last.toml{name}\""));
    match () {
        () if line.contains("fsync(") => Some("fsync"),
        () if line.contains("rename") && last(".new") && last("") => Some("rename"),
        () => None,
    }
}

#[test]
fn the_file_is_synchronised_before_it_has_its_name_and_the_folder_after() {
    let folder = Folder::new("patch-synchronised");
    let (patch, messages, report) = (folder.file("last.toml"), folder.file("messages"), folder.file("calls"));
    let engine = start(&patch, &messages);
    engine.wait_for_lockstep();
    let mut strace = Command::new("strace");
    strace.args([
        "-f",
        "-e",
        "trace=fsync,rename,renameat,renameat2",
        "-p",
        &engine.id().to_string(),
        "-o",
        name(&report),
    ]);
    let Ok(mut strace) = strace.stderr(std::process::Stdio::null()).spawn() else {
        return skipped("the calls that make the patch last", "strace is not installed");
    };
    // It has attached when what it is told to do has an effect, or has ended if it may not.
    let traced = |number: u64| {
        set(&engine, &[("sine.freq", 100.0 + number as f64)]);
        wait_for_writes(&engine, number);
        std::fs::read_to_string(&report).unwrap_or_default().lines().filter_map(lasting).collect::<Vec<_>>()
    };
    let calls: Vec<_> = (1..=5).map(traced).collect();
    let refused = strace.try_wait().expect("its end").is_some();
    let _ = nix::sys::signal::kill(Pid::from_raw(strace.id() as i32), Signal::SIGINT);
    let _ = strace.wait();
    if refused {
        return skipped("the calls that make the patch last", "this kernel does not let strace attach");
    }
    let last = calls.last().expect("five");
    assert!(last.len() >= 3, "nothing was traced");
    assert_eq!(last[last.len() - 3..], ["fsync", "rename", "fsync"], "{last:?}");
}

#[test]
fn a_full_disk_is_told_once_and_not_heard() {
    let folder = Folder::new("patch-full");
    let disk = folder.file("disk");
    std::fs::create_dir(&disk).expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none", name(&disk)]).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        return skipped("a full disk", "no disk of its own can be mounted; run the test as root");
    }
    let result = std::panic::catch_unwind(|| undisturbed(|| full_disk(&folder, &disk)));
    let unmounted = Command::new("umount").args(["--lazy", name(&disk)]).status().expect("umount runs");
    assert!(unmounted.success());
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// Fills the disk under a playing engine and empties it again; gives how many blocks were late.
fn full_disk(folder: &Folder, disk: &Path) -> u64 {
    let (patch, filler, messages) = (disk.join("last.toml"), disk.join("filler"), folder.file("messages"));
    let _ = std::fs::remove_file(&messages);
    let engine = start(&patch, &messages);
    engine.wait_for_lockstep();
    set(&engine, &[("sine.freq", 100.0)]);
    wait_for_writes(&engine, 1);
    let late = engine.number("late_blocks");
    std::fs::write(&filler, vec![0; 1 << 20]).expect_err("the disk is small");
    set(&engine, &[("sine.freq", 200.0)]);
    wait_for_state(&engine, "failing");
    assert_eq!(read(&patch)["sine.freq"], 100.0, "the old one is untouched");
    // Two more attempts, while values change.
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(12) {
        set(&engine, &[("sine.freq", 200.0 + started.elapsed().as_secs_f64())]);
        std::thread::sleep(Duration::from_millis(300));
    }
    set(&engine, &[("sine.freq", 300.0)]);
    std::fs::remove_file(&filler).expect("there it is");
    wait_for_writes(&engine, 2);
    wait_for_state(&engine, "kept");
    assert_eq!(read(&patch)["sine.freq"], 300.0);
    let late = engine.number("late_blocks") - late;
    cut_power(engine);
    let said = std::fs::read_to_string(&messages).expect("its messages");
    assert_eq!(said.matches("cannot be written").count(), 1, "{said}");
    assert_eq!(said.matches("it is written again").count(), 1, "{said}");
    assert!(said.contains("No space left"), "{said}");
    std::fs::remove_file(&patch).expect("there it is");
    late
}
