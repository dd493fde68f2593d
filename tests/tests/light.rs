//! The light says how the engine is doing, and leaves "all is well" by itself when nobody says so any more. On a stand-in
//! for a light of the kernel's: what is asserted is what was written there, and what a light would show of it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use chronus_tests::build::{Build, chronus, project};
use chronus_tests::engine::{Engine, Folder, call};
use chronus_tests::light::{Run, StandIn, shown_by};
use chronus_tests::process;
use chronus_tests::skipped;
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use serde_json::Value;

/// Milliseconds within which a light that nobody tends has to have left "solid".
const LIMIT: u64 = 2000;

fn start(light: &StandIn, more: &[&str]) -> Engine {
    let led = light.argument();
    Engine::start(Build::Release, &[&["--sink", "paced", "--osc", "127.0.0.1:0", "--led", &led], more].concat())
}

fn wait_for_state(engine: &Engine, state: &str) -> Value {
    engine.wait_until(state, |status| status["led"]["state"] == state)
}

/// Solid, as far as it is trusted.
fn is_solid(runs: &[Run]) -> bool {
    runs[0].0 && runs[0].1 > 500
}

/// Whether it flickers ten times a second from there on, and is never steadily on again.
fn is_silence(runs: &[Run]) -> bool {
    let flickers = runs.len() > 100 && runs[..100].iter().all(|(_, length)| *length == 50);
    flickers && runs.iter().all(|(light, length)| !light || *length == 50)
}

/// Checks that what the kernel was told last says that all is well, and leaves that by itself in time, for good.
fn assert_leaves_solid(text: &str) {
    let runs = shown_by(text);
    assert!(is_solid(&runs), "it was well: {runs:?}");
    assert!(runs[0].1 < LIMIT, "solid for {} ms after the last word", runs[0].1);
    assert!(is_silence(&runs[1..]), "{runs:?}");
}

#[test]
fn a_killed_worker_is_one_flash_and_one_worker_alone_winks() {
    let light = StandIn::new("light-flash");
    let engine = start(&light, &[]);
    wait_for_state(&engine, "healthy");
    light.wait_for("solid", 0, is_solid);
    let before = light.told().len();
    let worker = engine.workers()[0];
    assert!(process::send(worker, Signal::SIGKILL));
    light.wait_for("a flash of dark", before, |runs| !runs[0].0 && runs[0].1 <= 50 && runs[1].1 > 500);
    wait_for_state(&engine, "healthy");
    assert_eq!(engine.stop().0, 0);
    let last = light.wait_for("dark", before, |runs| runs.iter().all(|(light, _)| !light));
    assert_eq!(light.told().last().expect("a text").1, last, "ended as asked: dark, and nothing after it");

    let light = StandIn::new("light-wink");
    let engine = start(&light, &["--workers", "1"]);
    wait_for_state(&engine, "one-worker");
    light.wait_for("a wink", 0, |runs| runs.windows(3).any(|three| three[1] == (false, 100) && three[2].1 > 100));
}

#[test]
fn when_the_main_process_dies_or_hangs_the_light_leaves_solid_by_itself() {
    for signal in [Signal::SIGKILL, Signal::SIGSTOP] {
        let light = StandIn::new("light-dead");
        let engine = start(&light, &[]);
        wait_for_state(&engine, "healthy");
        let before = light.told().len();
        // Told again and again while it lives.
        light.wait_for("solid", before + 2, is_solid);
        assert!(process::send(engine.id(), signal));
        while !matches!(process::state(engine.id()), Some('T' | 'Z') | None) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // The reader needs a moment to see the last one.
        std::thread::sleep(Duration::from_millis(100));
        let told = light.told();
        assert_leaves_solid(&told.last().expect("a text").1);
        if signal == Signal::SIGSTOP {
            process::send(engine.id(), Signal::SIGCONT);
            light.wait_for("solid again", told.len(), is_solid);
        }
    }
}

#[test]
fn an_engine_that_is_alive_and_plays_nothing_does_not_look_well() {
    let light = StandIn::new("light-silent");
    let engine = start(&light, &[]);
    wait_for_state(&engine, "healthy");
    let audio = Pid::from_raw(process::thread_named(engine.id(), "audio").expect("a thread") as i32);
    let stopped = ptrace::seize(audio, ptrace::Options::empty())
        .and_then(|()| ptrace::interrupt(audio))
        .and_then(|()| waitpid(audio, Some(WaitPidFlag::__WALL)));
    if let Err(error) = stopped {
        return skipped("the light of a silent engine", &format!("no thread may be stopped here: {error}"));
    }
    // The last block was played before the thread stood still.
    let before = light.told().len();
    wait_for_state(&engine, "silent");
    light.wait_for("a flicker", before, |runs| runs.len() <= 3 && runs.iter().all(|(_, length)| *length <= 50));
    for (_, text) in &light.told()[before..] {
        let runs = shown_by(text);
        assert!(!is_solid(&runs) || runs[0].1 < LIMIT, "{runs:?}");
    }
    ptrace::detach(audio, None).expect("the thread goes on");
    wait_for_state(&engine, "healthy");
}

#[test]
fn a_mistake_in_chronus_toml_is_blinked_by_its_number() {
    let folder = Folder::new("light-code");
    let (wrong, made) = (folder.file("chronus.toml"), folder.file("made"));
    std::fs::write(
        &wrong,
        "schema = 1\n[box]\nname = \"Stage Left\"\n[audio]\nhat = \"hifiberry-dac\"\n[led]\nstatus = \"gpio:23\"\n",
    )
    .expect("a file");
    let (code, said, _) = call(&["apply-config", wrong.to_str().unwrap(), "--into", made.to_str().unwrap()]);
    assert!(code == 1 && said.contains("line 3: error"), "{said}");
    let engine_file = std::fs::read_to_string(made.join("engine.toml")).expect("a file");
    let section = engine_file.split_once("[led]").expect("a light").1;
    assert_eq!(section.trim(), "status = \"gpio:23\"\ncode = 2");
    let lines = std::fs::read_to_string(made.join("hat")).expect("a file");
    assert!(lines.contains("dtoverlay=gpio-led,gpio=23,label=chronus:status,trigger=timer\n"), "{lines}");

    // The same with a light that is here.
    let light = StandIn::new("light-code-seen");
    let settings = folder.file("engine.toml");
    std::fs::write(&settings, format!("[led]{}", section.replace("gpio:23", &light.argument()))).expect("a file");
    let arguments = ["--sink", "paced", "--osc", "127.0.0.1:0", "--config", settings.to_str().unwrap()];
    let engine = Engine::start(Build::Release, &arguments);
    let status = wait_for_state(&engine, "configuration-error");
    assert_eq!(status["led"]["code"], 2);
    let before = light.told().len();
    // Three turns of what is told twice a second.
    light.wait_for("three turns", before + 18, |_| true);
    let seen = light.seen(before);
    let pauses: Vec<usize> = (0..seen.len()).filter(|place| !seen[*place].0 && seen[*place].1 > 800).collect();
    let counts: Vec<usize> = pauses.windows(2).map(|pair| (pair[1] - pair[0]) / 2).collect();
    assert!(counts.contains(&2), "blinks between two pauses: {counts:?} in {seen:?}");
}

#[test]
fn a_box_says_which_one_it_is_and_then_how_it_is_again() {
    let light = StandIn::new("light-identify");
    let engine = start(&light, &[]);
    wait_for_state(&engine, "healthy");
    let (code, said) = engine.send(&["/led"]);
    assert!(code == 0 && said.contains("/led.reply healthy 0 led:"), "{said}");
    let before = light.told().len();
    assert_eq!(engine.send(&["/identify"]), (0, String::new()));
    light.wait_for("even blinks", before, |runs| runs.windows(2).any(|two| two == [(true, 250), (false, 250)]));
    wait_for_state(&engine, "identify");
    let after = wait_for_state(&engine, "healthy");
    assert_eq!(after["led"]["lamp"], light.argument());
    let table = call(&["status", "--all", &engine.address()]).1;
    assert!(table.contains("led  healthy  code 0  lamp led:"), "{table}");
}

#[test]
fn a_card_that_is_waited_for_is_a_slow_blink() {
    let (light, led) = (StandIn::new("light-waiting"), "--led");
    let sink = "alsa:hw:CARD=Nobody";
    let engine = Engine::start(Build::Release, &["--sink", sink, "--osc", "127.0.0.1:0", led, &light.argument()]);
    wait_for_state(&engine, "waiting-for-card");
    let before = light.told().len();
    // A second on and a second off, as far as one text goes: an edge that is not that of any faster pattern.
    light.wait_for("a slow blink", before, |runs| runs[0].1 + runs[1].1 >= 1000 && runs[1].1 > 300);
}

#[test]
fn without_a_light_the_engine_plays_and_says_so() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0", "--led", "led:/nowhere/x"]);
    let status = wait_for_state(&engine, "healthy");
    let lamp = status["led"]["lamp"].as_str().expect("a text");
    assert!(lamp.starts_with("none: ") && lamp.contains("/nowhere/x"), "{lamp}");
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    assert_eq!(wait_for_state(&engine, "healthy")["led"]["lamp"], "off");
}

#[test]
fn the_scripts_of_the_box_blink_it_before_and_after_the_engine() {
    for (word, half) in [("booting", 125), ("dead", 50)] {
        let light = StandIn::new("light-script");
        let script = project().join("board/overlay/usr/lib/chronus/led");
        // The group of the pins is the box's; what else the script does must not depend on it.
        let output = Command::new("sh").arg(script).arg(word).env("CHRONUS_LIGHT", light.path()).output();
        assert!(output.expect("sh").status.success());
        let text = std::fs::read_to_string(light.path().join("pattern")).expect("a text");
        assert_eq!(shown_by(&text), [(true, half), (false, half)], "{word}");
    }
}

#[test]
fn a_builder_is_walked_through_it() {
    let light = StandIn::new("light-jig");
    let engine = start(&light, &[]);
    wait_for_state(&engine, "healthy");
    let walk = |answers: &str, address: &str| {
        let mut jig = Command::new(chronus(Build::Release));
        jig.args(["jig", address]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = jig.spawn().expect("the program starts");
        child.stdin.take().expect("a pipe").write_all(answers.as_bytes()).expect("answers");
        let output = child.wait_with_output().expect("its end");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let before = light.told().len();
    let (code, said) = walk("y\ny\n", &engine.address());
    // The light is as it should be; that there is no sound card is what is wrong with this box.
    assert!(code == Some(1) && said.contains("\"healthy\": solid") && !said.contains("FAIL: light"), "{said}");
    assert!(said.contains("FAIL: sound: no sound card plays (sound_card none, sink paced)"), "{said}");
    light.wait_for("even blinks", before, |runs| runs.windows(2).any(|two| two == [(true, 250), (false, 250)]));
    let (code, said) = walk("n\n", &engine.address());
    assert!(code == Some(1) && said.contains("FAIL: light: led:") && said.contains("did not blink"), "{said}");
    let address = engine.address();
    drop(engine);
    let (code, said) = walk("y\ny\ny\ny\n", &address);
    assert!(code == Some(1) && said.contains("FAIL: engine: no Chronus answers"), "{said}");
}
