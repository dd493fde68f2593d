//! What is recorded is what was played, to the bit; what was not recorded can be kept afterwards, to the bit; and no disk,
//! fault or name does harm.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use chronus_tests::build::Build;
use chronus_tests::client::Client;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::process::{send, thread_named};
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use chronus_tests::score::Score;
use chronus_tests::service::Service;
use chronus_tests::skipped;
use chronus_tests::wav::Wav;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use rosc::{OscMessage, OscType};

const START: &str = "/record/start";
const STOP: &str = "/record/stop";
const KEEP: &str = "/record/keep";

/// An engine in real time that records all it plays by itself, to compare with, and a player.
struct Stage {
    engine: Engine,
    client: Client,
    folder: Folder,
    music: std::iter::Cycle<std::vec::IntoIter<OscMessage>>,
}

fn text(word: &str) -> OscType {
    OscType::String(word.to_owned())
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

fn long(argument: &OscType) -> u64 {
    let OscType::Long(number) = argument else { panic!("{argument:?} is no int64") };
    *number as u64
}

impl Stage {
    fn new(name: &str, more: &[&str]) -> Self {
        let folder = Folder::new(name);
        let sink = format!("paced:{}", path(&folder.file("played.wav")));
        let recordings = folder.file("recordings");
        let arguments = [&["--sink", &sink, "--recordings", path(&recordings), "--osc", "127.0.0.1:0"], more].concat();
        let engine = Engine::start(Build::Release, &arguments);
        engine.wait_for_lockstep();
        let music = Score::torture(48_000, 20_000, 7).messages().into_iter().cycle();
        let client = Client::of(&engine.address());
        // Behind tapes, which are no part of a state.
        let words = |words: &[&str]| words.iter().map(|word| text(word)).collect();
        client.send("/patch/create", words(&["echo", "delay"]));
        client.send("/patch/create", words(&["room", "reverb"]));
        for ends in [["filter", "echo"], ["echo", "room"], ["room", "out"]] {
            client.send("/patch/connect", words(&ends));
        }
        client.send("/patch/commit", vec![]);
        Self { client, engine, folder, music }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.file("recordings").join(name)
    }

    /// Plays until so many more blocks were played, and calls `meanwhile` at each message.
    fn play(&mut self, blocks: u64, mut meanwhile: impl FnMut(&Engine)) {
        let end = self.engine.number("block") + blocks;
        while self.engine.number("block") < end {
            for message in self.music.by_ref().take(20) {
                self.client.send(&message.addr, message.args);
                meanwhile(&self.engine);
                std::thread::sleep(Duration::from_micros(500));
            }
        }
    }

    fn ask(&self, address: &str, arguments: Vec<OscType>) -> Vec<OscType> {
        self.client.ask(address, arguments).unwrap_or_else(|error| panic!("{address}: {error:?}"))
    }

    /// Keeps so many minutes, waits until it is done, and gives the first block.
    fn keep(&self, minutes: f64, name: &str) -> u64 {
        let began = self.ask(KEEP, vec![OscType::Double(minutes), text(name)]);
        assert_eq!((&began[0], &began[1]), (&text("keeping"), &text(&format!("{name}.wav"))));
        let done = self.client.next("/record/keep.reply");
        assert_eq!((&done[0], &done[1], &done[3]), (&text("kept"), &began[1], &began[3]));
        assert_eq!(began[2], done[2], "as long as was said");
        long(&began[3])
    }

    /// Ends the engine and gives what it has played.
    fn finish(self) -> (Recording, Folder) {
        // What the engine's own recorder has dropped is in no file.
        assert_eq!(self.engine.number("recorder_drops"), 0, "this machine's disk is too slow for this test");
        let (code, output) = self.engine.stop();
        assert_eq!(code, 0, "{output}");
        (Recording::read(&self.folder.file("played.wav")), self.folder)
    }
}

/// Checks that a file of floats is what was played from this block on.
fn assert_played(file: &Path, first: u64, played: &Recording) -> usize {
    let wav = Wav::read(file);
    assert_eq!((wav.bits, wav.untold), (32, 0), "{}", file.display());
    let from = first as usize * 256;
    let same = wav.frames.iter().zip(&played.frames[from..]).take_while(|(a, b)| a == b).count();
    assert_eq!(same, wav.frames.len(), "{}: frame {same} of {} differs", file.display(), wav.frames.len());
    assert!(wav.frames.iter().filter(|frame| frame[0] != 0).count() > wav.frames.len() / 10, "it sounds");
    wav.frames.len()
}

/// Kills a worker now and then.
fn killing(random: &mut Random, killed: &mut u64) -> impl FnMut(&Engine) {
    |engine| {
        let workers = engine.workers();
        if random.below(8) == 0 && !workers.is_empty() {
            *killed += u64::from(send(workers[random.below(workers.len() as u64) as usize], Signal::SIGKILL));
        }
    }
}

#[test]
fn recordings_and_what_is_kept_of_the_past_are_what_was_played_under_kills_and_stops() {
    let mut stage = Stage::new("record", &["--recording-format", "float"]);
    let (mut random, mut killed) = (Random::new(3), 0);
    stage.play(100, |_| {});
    let begun = stage.ask(START, vec![text("one")]);
    assert_eq!(begun[0], text("one.wav"));
    stage.play(600, killing(&mut random, &mut killed));
    // Both at a time for some blocks: they are late, and what is heard then is no worker's.
    let before = stage.engine.number("late_blocks");
    for _ in 0..3 {
        let workers = stage.engine.workers();
        workers.iter().for_each(|worker| _ = send(*worker, Signal::SIGSTOP));
        std::thread::sleep(Duration::from_millis(30));
        workers.iter().for_each(|worker| _ = send(*worker, Signal::SIGCONT));
        stage.play(50, |_| {});
    }
    let late = stage.engine.number("late_blocks") - before;
    let ended = stage.ask(STOP, vec![]);
    assert_eq!((&ended[0], long(&ended[2])), (&text("one.wav"), 0), "no block is missing");
    stage.play(200, killing(&mut random, &mut killed));
    let kept = stage.keep(30.0, "all");
    let second = stage.keep(0.02, "newest");
    stage.play(50, |_| {});
    let status = stage.engine.status();
    assert_eq!((status["record"]["state"].as_str(), number(&status, "record.frames")), (Some("off"), long(&ended[1])));
    let (played, folder) = stage.finish();
    let file = |name: &str| folder.file("recordings").join(name);
    let recorded = assert_played(&file("one.wav"), long(&begun[1]), &played);
    assert_eq!(recorded as u64, long(&ended[1]));
    assert!(recorded > 700 * 256);
    assert_eq!(kept, 0, "all from the start");
    let all = assert_played(&file("all.wav"), 0, &played);
    let newest = assert_played(&file("newest.wav"), second, &played);
    assert_eq!(newest, (0.02_f64 * 60.0 * 48_000.0 / 256.0).ceil() as usize * 256);
    assert!(killed > 5 && late > 0, "{killed} kills, {late} late blocks");
    println!(
        "{recorded} frames recorded, {all} kept, under {killed} kills and with {late} late blocks: no bit differs"
    );
}

#[test]
fn twenty_four_bits_are_the_nearest_and_names_are_given_and_guarded() {
    let mut stage = Stage::new("record-24", &[]);
    let begun = stage.ask(START, vec![]);
    let own = begun[0].clone().string().expect("a name");
    assert!(own.ends_with("-001.wav") && !own.contains('/'), "{own}");
    let refused = stage.client.ask(START, vec![text("two")]).expect_err("one at a time");
    assert!(refused.0 == "failed" && refused.1.contains(&own), "{refused:?}");
    stage.play(100, |_| {});
    stage.ask(STOP, vec![]);
    let refused = stage.client.ask(STOP, vec![]).expect_err("it is over");
    assert_eq!(refused.0, "failed");
    for wrong in ["../x", "/tmp/x", ".x", "a/b", "-x"] {
        for (address, arguments) in [(START, vec![text(wrong)]), (KEEP, vec![OscType::Int(1), text(wrong)])] {
            let refused = stage.client.ask(address, arguments).expect_err(wrong);
            assert!(refused.0 == "wrong_type" || refused.0 == "malformed", "{wrong}: {refused:?}");
        }
    }
    let bytes = std::fs::read(stage.file(&own)).expect("the recording");
    for (address, arguments) in [(START, vec![text(&own)]), (KEEP, vec![OscType::Int(1), text(&own)])] {
        let refused = stage.client.ask(address, arguments).expect_err("it is there");
        assert!(refused.0 == "failed" && refused.1.contains("never overwritten"), "{refused:?}");
    }
    assert_eq!(std::fs::read(stage.file(&own)).expect("the recording"), bytes);
    std::os::unix::fs::symlink("elsewhere.wav", stage.file("link.wav")).expect("a link");
    assert_eq!(stage.client.ask(START, vec![text("link")]).expect_err("a link").0, "failed");
    assert!(!stage.file("elsewhere.wav").exists());
    let next = stage.ask(START, vec![])[0].clone().string().expect("a name");
    assert!(next.ends_with("-002.wav"), "{next}");
    // Ended with the engine, it is whole.
    stage.play(50, |_| {});
    let (played, folder) = stage.finish();
    assert!(Wav::read(&folder.file("recordings").join(&next)).frames.len() > 40 * 256);
    let wav = Wav::read(&folder.file("recordings").join(&own));
    assert_eq!((wav.bits, wav.rate), (24, 48_000));
    let first = long(&begun[1]) as usize * 256;
    for (frame, (recorded, played)) in wav.frames.iter().zip(&played.frames[first..]).enumerate() {
        let nearest = |bits: u32| {
            let scaled = (f64::from(f32::from_bits(bits)) * 8_388_608.0).round();
            (scaled.clamp(-8_388_608.0, 8_388_607.0) as i32) as u32 & 0xFF_FFFF
        };
        assert_eq!(*recorded, played.map(nearest), "frame {frame}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.file("recordings")).expect("the folder").flatten().collect();
    assert_eq!(left.len(), 3, "no mark is left: {left:?}");
}

#[test]
fn without_a_folder_nothing_is_recorded_and_that_is_said() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let client = Client::of(&engine.address());
    engine.wait_for_lockstep();
    for (address, arguments) in [(START, vec![]), (KEEP, vec![OscType::Int(1)])] {
        let refused = client.ask(address, arguments).expect_err("there is no folder");
        assert!(refused.0 == "failed" && refused.1.contains("--recordings"), "{refused:?}");
    }
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn after_the_supervisors_death_the_file_is_whole_and_the_recording_goes_on_in_the_next() {
    let mut service = Service::new("record-killed", &["--osc", "127.0.0.1:0", "--recording-format", "float"]);
    let recordings = service.folder.file("recordings");
    let sink = service.sink("played.wav");
    service.arguments.extend(["--sink", &sink, "--recordings", path(&recordings)].map(str::to_owned));
    let mut engine = service.start();
    engine.wait_for_lockstep();
    let client = Client::of(&engine.address());
    client.send("/test", vec![]);
    let begun = client.ask(START, vec![text("jam")]).expect("it records");
    let (mut continued, mut first) = (0, long(&begun[1]));
    for (life, (name, sink)) in [("jam.wav", "played.wav"), ("jam.2.wav", "played.2.wav")].into_iter().enumerate() {
        engine.wait_until("sound", |status| number(status, "record.frames") > (150 + 77 * life as u64) * 256);
        assert!(send(engine.id(), Signal::SIGKILL));
        engine.wait();
        // As it lies there it can be read, and once an engine is there again nothing of it is beyond its header.
        let before = Wav::read(&recordings.join(name)).frames.len();
        engine = service.start();
        let next = format!("jam.{}.wav", life + 2);
        let status = engine.wait_until("the recording to go on", |status| {
            status["record"]["file"].as_str() == Some(next.as_str()) && number(status, "record.frames") > 0
        });
        let wav = Wav::read(&recordings.join(name));
        assert!(wav.untold == 0 && wav.frames.len() >= before, "{} bytes, {before} frames", wav.untold);
        assert!(service.messages().contains(&format!("it goes on in {next}")), "{}", service.messages());
        let sunk = Recording::read_cut_off(&service.folder.file(sink));
        let own = sunk.frames[(first - continued) as usize * 256..].iter();
        // The engine's own recorder may be behind or ahead when it dies.
        let compared = wav.frames.iter().zip(own).inspect(|(a, b)| assert_eq!(a, b)).count();
        assert!(compared > 100 * 256, "{compared} frames are in both");
        (continued, first) = (number(&status, "continued_at_block"), number(&status, "record.first_block"));
        assert!(first >= continued && continued > 0);
    }
    engine.wait_until("sound", |status| number(status, "record.frames") > 100 * 256);
    // The past of the engines before is lost with them.
    let client = Client::of(&engine.address());
    let kept = client.ask(KEEP, vec![OscType::Int(30), text("past")]).expect("there is some");
    assert!(long(&kept[3]) >= continued, "from block {} on, and the engine began at {continued}", long(&kept[3]));
    client.next("/record/keep.reply");
    assert_eq!(client.ask(STOP, vec![]).expect("it was recording")[0], text("jam.3.wav"));
    assert_eq!(engine.stop().0, 0);
    let sunk = Recording::read(&service.folder.file("played.3.wav"));
    assert_played(&recordings.join("jam.3.wav"), first - continued, &sunk);
    assert_played(&recordings.join("past.wav"), long(&kept[3]) - continued, &sunk);
    let files = std::fs::read_dir(&recordings).expect("the folder").flatten().count();
    assert_eq!(files, 4, "three parts and the past, and no mark is left");
}

/// Stops one thread of another process, while the others go on. To be continued from the same thread.
fn stop(process: u32, name: &str) -> Result<Pid, String> {
    let thread = thread_named(process, name).ok_or_else(|| format!("there is no thread {name}"))?;
    let thread = Pid::from_raw(thread as i32);
    ptrace::seize(thread, ptrace::Options::empty())
        .and_then(|()| ptrace::interrupt(thread))
        .and_then(|()| waitpid(thread, Some(WaitPidFlag::__WALL)))
        .map_err(|error| format!("no thread may be stopped here: {error}"))?;
    Ok(thread)
}

/// Waits until the engine with this first status has played so many more blocks.
fn wait_for(engine: &Engine, blocks: u64) {
    let end = engine.number("block") + blocks;
    engine.wait_until("blocks", |status| number(status, "block") >= end);
}

#[test]
fn a_slow_disk_costs_nothing_and_one_that_stands_still_costs_silence_of_the_same_length() {
    // At this rate the room in memory is used up in half the time.
    let stage = Stage::new("record-slow", &["--recording-format", "float", "--rate", "96000"]);
    stage.client.send("/test", vec![]);
    let begun = stage.ask(START, vec![text("slow")]);
    wait_for(&stage.engine, 100);
    // As a disk does that takes its time to write: the thread that writes waits in it.
    let writer = match stop(stage.engine.id(), "record") {
        Ok(writer) => writer,
        Err(reason) => return skipped("recording to a slow disk", &reason),
    };
    wait_for(&stage.engine, 3_000);
    ptrace::detach(writer, None).expect("the thread goes on");
    stage.engine.wait_until("it has caught up", |status| {
        number(status, "record.frames") > (number(status, "block") - long(&begun[1]) - 40) * 256
    });
    assert_eq!(stage.engine.number("record.missing"), 0, "8 seconds are nothing");
    let writer = stop(stage.engine.id(), "record").expect("it could be stopped before");
    wait_for(&stage.engine, 5_000);
    ptrace::detach(writer, None).expect("the thread goes on");
    wait_for(&stage.engine, 200);
    let ended = stage.ask(STOP, vec![]);
    let (frames, missing) = (long(&ended[1]) as usize, long(&ended[2]) as usize);
    assert!((800 * 256..1_000 * 256).contains(&missing), "{missing} frames of silence");
    let (played, folder) = stage.finish();
    let wav = Wav::read(&folder.file("recordings/slow.wav"));
    assert_eq!((wav.frames.len(), wav.rate), (frames, 96_000));
    let own = &played.frames[long(&begun[1]) as usize * 256..];
    let differing: Vec<_> = (0..frames).filter(|frame| wav.frames[*frame] != own[*frame]).collect();
    assert!(differing.iter().all(|frame| wav.frames[*frame] == [0; 2]), "what differs is silence");
    let (first, last) = (differing[0], differing[differing.len() - 1]);
    assert!(
        last - first < missing && differing.len() > missing * 9 / 10,
        "{first} to {last}, and {missing} are missing"
    );
    println!("{missing} of {frames} frames are silence, and all others are in their place");
}

/// A file system in memory, of so many MiB, that is gone with its owner.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(place: PathBuf, size: u32) -> Result<Self, String> {
        std::fs::create_dir_all(&place).expect("a folder");
        let words = ["-t", "tmpfs", "-o", &format!("size={size}m"), "tmpfs"];
        let mounted = Command::new("mount").args(words).arg(&place).output().map_err(|error| error.to_string())?;
        match mounted.status.success() {
            true => Ok(Self(place)),
            false => Err(format!("mounting needs root: {}", String::from_utf8_lossy(&mounted.stderr).trim())),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_ends_the_recording_which_is_whole_and_the_music_goes_on() {
    let mut stage = Stage::new("record-full", &["--recording-format", "float"]);
    // 16 MiB stay free for what else is kept, so there is room for two: 5 seconds.
    let disk = match SmallDisk::mount(stage.folder.file("recordings"), 18) {
        Ok(disk) => disk,
        Err(reason) => return skipped("recording to a full disk", &reason),
    };
    stage.client.send("/notify", vec![OscType::Int(1)]);
    let begun = stage.ask(START, vec![text("long")]);
    let started = Instant::now();
    stage.play(600, |_| {});
    let told = loop {
        assert!(started.elapsed() < Duration::from_secs(60), "nobody is told");
        let told = stage.client.next("/record/state");
        if told[0] == text("failed") {
            break told;
        }
    };
    assert!(matches!(&told[2], OscType::String(why) if why.contains("the disk is full")), "{told:?}");
    let status = stage.engine.status();
    assert_eq!(status["record"]["state"].as_str(), Some("failed"));
    let refused = stage.client.ask(START, vec![text("more")]).expect_err("there is no room");
    assert!(refused.0 == "failed" && refused.1.contains("the disk is full"), "{refused:?}");
    wait_for(&stage.engine, 100);
    assert_eq!(stage.engine.number("late_blocks"), number(&status, "late_blocks"), "the music goes on");
    let copy = stage.folder.file("long.wav");
    std::fs::copy(stage.file("long.wav"), &copy).expect("it can be read");
    assert!(!stage.file(".long.wav.open").exists());
    drop(disk);
    let (played, _folder) = stage.finish();
    let frames = assert_played(&copy, long(&begun[1]), &played);
    assert!(frames * 8 > 2 << 20, "{frames} frames: all that there was room for");
}
