//! A knob is as good as OSC: what is done at the pins is a command like any other, in the log, in the score that is kept,
//! in both workers.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use chronus_tests::build::{Build, chronus};
use chronus_tests::client::Client;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::live::{Live, Outcome};
use chronus_tests::pins::Pins;
use chronus_tests::process::send;
use chronus_tests::random::Random;
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::Signal;
use rosc::{OscTime, OscType};

const KNOB: [u8; 2] = [17, 27];
const BUTTON: u8 = 22;

const CONTROLS: &str = "\
# Of the stage.
[[control]]                        # the big one
kind = \"encoder\"
pins = [17, 27]
address = \"/mod/filter/cutoff\"   # turned by the left hand
min = 100.0
max = 6400.0
curve = \"log\"
steps = 60

[[control]]
kind = \"button\"
pin = 22
press = \"/gate/adsr 1\"
release = \"/gate/adsr 0\"
double_press = \"/panic\"
";

/// Cutoff so many steps from the left end.
fn cutoff(steps: i64) -> f64 {
    100.0 * (64_f64.ln() * steps as f64 / 60.0).exp()
}

/// An engine with controls, and its pins.
struct Stage {
    live: Live,
    pins: Pins,
    file: PathBuf,
    folder: Folder,
}

impl Stage {
    fn new(name: &str) -> Self {
        Self::with(Folder::new(name), name, "")
    }

    /// The same with something more in its configuration.
    fn with(folder: Folder, name: &str, more: &str) -> Self {
        let (file, socket) = (folder.file("chronus.toml"), folder.file("pins"));
        std::fs::write(&file, format!("{more}{CONTROLS}")).expect("a configuration");
        let variables = [("CHRONUS_GPIO", text(&socket))];
        let live = Live::start(Build::Faults, name, &["--config", text(&file)], &variables);
        Self { live, pins: Pins::new(&socket), file, folder }
    }

    /// Sets the cutoff by OSC, and waits until that is so.
    fn set_cutoff(&self, steps: i64) {
        self.live.send("/mod/filter/cutoff", vec![OscType::Double(cutoff(steps))]);
        self.wait_for(1);
    }

    /// Waits until so many commands are in the sound.
    fn wait_for(&self, commands: u64) {
        self.live.engine.wait_until("the commands", |status| number(status, "commands.applied") >= commands);
    }

    /// The reply to `/controls`, by its keys.
    fn controls(&self) -> Vec<(String, OscType)> {
        let client = Client::of(&self.live.engine.address());
        client.send("/controls", vec![]);
        let reply = client.next("/controls.reply");
        reply.chunks_exact(2).map(|pair| (pair[0].clone().string().expect("a key"), pair[1].clone())).collect()
    }

    fn of(&self, key: &str) -> OscType {
        let controls = self.controls();
        let found = controls.iter().find(|(name, _)| name == key);
        found.unwrap_or_else(|| panic!("{key}: {controls:?}")).1.clone()
    }

    /// Ends it, once what was rendered ahead is played.
    fn finish(self) -> Outcome {
        let ahead = self.live.engine.number("block") + 8;
        self.live.engine.wait_until("some blocks", |status| number(status, "block") > ahead);
        let outcome = self.live.finish();
        drop(self.folder);
        outcome
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// The values an outcome's score sets at an address.
fn set_to(outcome: &Outcome, address: &str) -> Vec<f64> {
    let own = outcome.commands.iter().filter(|(_, message)| message.addr == address);
    own.map(|(_, message)| message.args[0].clone().double().expect("a value")).collect()
}

#[test]
fn a_knob_sounds_bit_for_bit_as_its_score_also_under_kills() {
    undisturbed(|| {
        let mut stage = Stage::new("hands-kills");
        stage.set_cutoff(30);
        stage.pins.set(BUTTON, false);
        let (mut random, mut killed) = (Random::new(5), 0);
        // There and back, over the left end and from it, while workers are killed all the time.
        for detents in [7, -12, 20, -50, 9] {
            for _ in 0..i64::abs(detents) {
                stage.pins.turn(KNOB, detents.signum());
                let workers = stage.live.engine.workers();
                if !workers.is_empty() && random.below(3) == 0 {
                    killed += u64::from(send(workers[random.below(workers.len() as u64) as usize], Signal::SIGKILL));
                }
            }
        }
        stage.pins.set(BUTTON, true);
        // 5 of the 50 are at the left end already.
        stage.wait_for(1 + 7 + 12 + 20 + 45 + 9 + 2);
        let counts = ["right", "left", "lost", "illegal"].map(|key| stage.of(&format!("controls.0.{key}")));
        assert_eq!(counts, [36, 62, 0, 0].map(OscType::Long));
        let outcome = stage.finish();
        let mut place = 30_i64;
        let mut expected = vec![cutoff(30)];
        for detents in [7, -12, 20, -50, 9_i64] {
            for _ in 0..detents.abs() {
                let next = (place + detents.signum()).max(0);
                expected.extend((next != place).then(|| cutoff(next)));
                place = next;
            }
        }
        let set = set_to(&outcome, "/mod/filter/cutoff");
        assert_eq!(set.len(), expected.len());
        for (set, expected) in set.iter().zip(&expected) {
            assert!((set - expected).abs() < 1e-9 * expected, "{set} {expected}");
        }
        // Up and down again are the same bits.
        assert_eq!(set[0].to_bits(), set[14].to_bits());
        assert!(killed > 10, "{killed}");
        println!("{} commands by hand with {killed} kills, {} blocks late", outcome.kept, outcome.late);
        outcome.assert_explained().late
    });
}

#[test]
fn a_turn_is_stamped_with_the_time_of_its_edge_and_the_constant_latency() {
    undisturbed(|| {
        let mut stage = Stage::new("hands-stamp");
        stage.set_cutoff(10);
        let status = stage.live.engine.status();
        let (origin, latency) = (number(&status, "audio.clock_origin_ns"), number(&status, "commands.latency_frames"));
        let times = stage.pins.turn(KNOB, 20);
        stage.wait_for(21);
        let late = number(&stage.live.engine.status(), "commands.late");
        let outcome = stage.finish();
        let frames = outcome.commands.iter().skip(1).map(|(tag, _)| frame_of(*tag));
        for (time, frame) in times.iter().zip(frames).filter(|_| late == 0) {
            let due = (u128::from(time - origin) * 48_000 / 1_000_000_000) as u64 + latency;
            // Promised are 2 ms, 96 frames; it is the frame itself, give or take its rounding.
            assert!(frame.abs_diff(due) <= 1, "{frame} {due}");
        }
        assert_eq!(times.len(), 20);
        late + outcome.assert_explained().late
    });
}

/// The frame of a score's time tag at 48 kHz.
fn frame_of(tag: OscTime) -> u64 {
    let tag = (u128::from(tag.seconds) << 32) + u128::from(tag.fractional);
    ((tag * 48_000 + (1 << 31)) >> 32) as u64
}

#[test]
fn osc_and_a_knob_are_peers_and_a_tablet_follows_both() {
    let mut stage = Stage::new("hands-peers");
    let tablet = Client::of(&stage.live.engine.address());
    tablet.send("/notify", vec![OscType::Int(1)]);
    assert_eq!(tablet.next("/notify.reply"), [OscType::Int(30)]);
    assert_eq!(tablet.next("/mod/filter/cutoff"), [OscType::Float(1000.0)], "at first it is told all values");
    stage.set_cutoff(20);
    assert_eq!(tablet.next("/mod/filter/cutoff"), [OscType::Float(cutoff(20) as f32)]);
    // The knob goes on from there; the last writer wins.
    stage.pins.turn(KNOB, 3);
    let follow = |steps: i64| {
        let started = Instant::now();
        while tablet.next("/mod/filter/cutoff") != [OscType::Float(cutoff(steps) as f32)] {
            assert!(started.elapsed() < Duration::from_secs(20), "it never followed to {steps}");
        }
    };
    follow(23);
    stage.live.send("/mod/filter/cutoff", vec![OscType::Double(cutoff(50))]);
    follow(50);
    stage.pins.turn(KNOB, -2);
    follow(48);
    assert_eq!(stage.of("controls.0.value"), OscType::Float(cutoff(48) as f32));
    // A subscriber that is gone or does not read holds nobody up; one that has ended it hears nothing more.
    let silent = Client::of(&stage.live.engine.address());
    silent.send("/notify", vec![OscType::Int(1)]);
    tablet.send("/notify", vec![OscType::Int(0)]);
    assert_eq!(tablet.next("/notify.reply"), [OscType::Int(0)]);
    stage.pins.turn(KNOB, 5);
    stage.wait_for(1 + 3 + 1 + 2 + 5);
    silent.next("/mod/filter/cutoff");
    tablet.wait_at_most(Duration::from_millis(200));
    assert_eq!(tablet.messages(), None);
    let outcome = stage.finish();
    assert_eq!(set_to(&outcome, "/mod/filter/cutoff").len(), 1 + 3 + 1 + 2 + 5);
    outcome.assert_explained();
}

#[test]
fn pressed_twice_it_panics_and_that_is_a_command_that_survives_kills() {
    undisturbed(|| {
        let mut stage = Stage::new("hands-panic");
        stage.live.send("/mod/filter/q", vec![OscType::Int(20)]);
        stage.wait_for(1);
        for _ in 0..4 {
            for high in [false, true, false, true] {
                stage.pins.set(BUTTON, high);
                std::thread::sleep(Duration::from_millis(60));
                for worker in stage.live.engine.workers().into_iter().take(1) {
                    send(worker, Signal::SIGKILL);
                }
            }
            std::thread::sleep(Duration::from_millis(400));
        }
        stage.wait_for(1 + 4 * 4);
        let outcome = stage.finish();
        let words: Vec<_> = outcome.commands.iter().skip(1).map(|(_, message)| message.addr.as_str()).collect();
        assert_eq!(words.chunks(4).collect::<Vec<_>>(), [["/gate/adsr", "/gate/adsr", "/panic", "/gate/adsr"]; 4]);
        outcome.assert_explained().late
    });
}

#[test]
fn a_binding_is_learned_and_written_into_the_file_with_its_comments() {
    let mut stage = Stage::new("hands-learn");
    let client = Client::of(&stage.live.engine.address());
    client.send("/controls/learn", vec!["/mod/sine/gian".into()]);
    assert!(matches!(&client.next("/error")[2], OscType::String(text) if text.contains("/mod/sine/gain")));
    client.send("/controls/learn", vec!["/mod/sine/gain".into()]);
    assert_eq!(client.next("/controls/learn.reply"), ["waiting".into()]);
    stage.pins.turn(KNOB, 1);
    let reply = client.next("/controls/learn.reply");
    assert!(matches!(&reply[2], OscType::String(text) if text.starts_with("kept in ")), "{reply:?}");
    let written = std::fs::read_to_string(&stage.file).expect("the file");
    for kept in ["# Of the stage.", "# the big one", "\"/mod/sine/gain\"   # turned by the left hand", "pin = 22"] {
        assert!(written.contains(kept), "{kept}: {written}");
    }
    // It is for that from now on, and from the file at the next start.
    stage.pins.turn(KNOB, -1);
    stage.wait_for(1);
    assert_eq!(stage.of("controls.0.does"), "/mod/sine/gain".into());
    let outcome = stage.finish();
    let gain = set_to(&outcome, "/mod/sine/gain");
    assert!(gain.len() == 1 && (gain[0] - (0.5 - 1.0 / 96.0)).abs() < 1e-12, "{gain:?}");
    assert_eq!(outcome.kept, 1, "the turn that showed which one was meant did nothing else");
}

#[test]
fn where_the_engine_may_not_write_the_file_it_leaves_the_binding_to_whoever_may() {
    let folder = Folder::new("hands-left");
    let [left, answer, results, card] =
        ["left.toml", "results/learned", "results", "card.toml"].map(|name| folder.file(name));
    std::fs::create_dir(&results).expect("a folder");
    std::fs::write(&card, format!("schema = 1\n{CONTROLS}")).expect("a card");
    let places = [("file", &card), ("left", &left), ("answer", &answer)];
    let surface: String = places.map(|(key, path)| format!("{key} = {:?}\n", text(path))).concat();
    let mut stage = Stage::with(folder, "hands-left", &format!("[surface]\n{surface}"));
    let client = Client::of(&stage.live.engine.address());
    client.send("/controls/learn", vec!["/mod/sine/gain".into()]);
    client.next("/controls/learn.reply");
    stage.pins.turn(KNOB, 1);
    // In place of the service: what was left is taken, and then it is said to be on the card.
    let started = Instant::now();
    while !left.exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "nothing is left");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut keep = std::process::Command::new(chronus(Build::Release));
    keep.arg("keep-learned").arg(&left).arg("--file").arg(&card).arg("--into").arg(&results);
    assert!(keep.status().expect("it starts").success());
    let said = std::fs::read_to_string(&answer).expect("an answer");
    std::fs::write(&answer, said.replace("checked", "kept")).expect("an answer");
    let kept = OscType::from(format!("kept in {}", card.display()).as_str());
    assert_eq!((&client.next("/controls/learn.reply")[2], &stage.of("controls.0.learned")), (&kept, &kept));
    let new = std::fs::read_to_string(results.join("learned.toml")).expect("the new text");
    assert!(new.contains("\"/mod/sine/gain\"   # turned by the left hand"), "{new}");
    assert!(!std::fs::read_to_string(&card).expect("the card").contains("/mod/sine/gain"), "the engine wrote nothing");
    stage.finish().assert_explained();
}

#[test]
fn lost_edges_are_counted_and_a_knob_at_rest_costs_nothing() {
    let mut stage = Stage::new("hands-idle");
    stage.pins.turn(KNOB, 2);
    stage.pins.lose(KNOB[0]);
    stage.pins.turn(KNOB, 2);
    stage.wait_for(4);
    assert_eq!((stage.of("controls.0.lost"), stage.of("controls.0.right")), (OscType::Long(1), OscType::Long(4)));
    let (name, counts) = hands_thread(stage.live.engine.id());
    // Whatever was open is settled within some milliseconds; then nobody wakes it.
    std::thread::sleep(Duration::from_millis(500));
    let before = std::fs::read_to_string(&counts).expect("its counts");
    std::thread::sleep(Duration::from_secs(1));
    let after = std::fs::read_to_string(&counts).expect("its counts");
    let switches = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.contains("ctxt_switches")).map(str::to_owned).collect()
    };
    assert_eq!((name.as_str(), switches(&before)), ("hands", switches(&after)));
    stage.finish().assert_explained();
}

/// The thread that watches the pins: its name, and the file with its counts.
fn hands_thread(engine: u32) -> (String, PathBuf) {
    let tasks = std::fs::read_dir(format!("/proc/{engine}/task")).expect("its threads").flatten();
    let mut named = tasks.map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        (name.trim().to_owned(), task.path().join("status"))
    });
    named.find(|(name, _)| name == "hands").expect("a thread for the pins")
}

#[test]
fn without_pins_it_is_said_once_and_the_engine_plays() {
    let folder = Folder::new("hands-none");
    let file = folder.file("chronus.toml");
    std::fs::write(&file, CONTROLS).expect("a configuration");
    let messages = folder.file("messages");
    let told = std::fs::File::create(&messages).expect("a file");
    let arguments = ["--config", text(&file), "--sink", "paced", "--osc", "127.0.0.1:0"];
    let engine = Engine::start_telling(Build::Faults, &arguments, &[], Stdio::from(told));
    engine.wait_for_lockstep();
    assert_eq!(engine.send(&["/mod/filter/cutoff", "500"]).0, 0);
    let (code, output) = engine.stop();
    assert_eq!(code, 0, "{output}");
    let messages = std::fs::read_to_string(&messages).expect("its messages");
    let said = messages.lines().filter(|line| line.contains("2 controls are configured")).count();
    assert_eq!(said, 1, "{messages}");
    assert!(messages.contains("no Raspberry Pi"), "{messages}");
}
