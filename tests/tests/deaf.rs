//! The thread that takes commands fails: that is said, and the sound goes on. With a service manager by an engine that is
//! started anew and hears again, without one by the same, for its end would be heard for longer.

use std::net::UdpSocket;
use std::process::Stdio;
use std::time::{Duration, Instant};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::recording::Recording;
use chronus_tests::service::Service;
use rosc::{OscMessage, OscPacket};

/// A bound on every wait, so that a broken engine fails a test and does not hang it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the control thread of a build for tests.
fn deafen(engine: &Engine) {
    let poison = OscMessage { addr: "/poison".to_owned(), args: vec!["control".into()] };
    let bytes = rosc::encoder::encode(&OscPacket::Message(poison)).expect("it encodes");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.send_to(&bytes, engine.address()).expect("it is sent");
}

#[test]
fn with_a_service_manager_the_next_engine_goes_on_and_hears() {
    let mut service = Service::of(Build::Faults, "deaf", &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let engine = service.start();
    engine.wait_for_lockstep();
    assert_eq!(engine.send(&["/mod/filter/q", "3"]).0, 0);
    engine.wait_until("the command", |status| number(status, "commands.applied") == 1);
    deafen(&engine);
    // It ends by itself, and leaves what it had.
    let _ = engine.wait();
    assert!(service.messages().contains("the control thread failed"), "{}", service.messages());
    let engine = service.start();
    let status = engine.wait_for_lockstep();
    assert_eq!((number(&status, "restarts"), number(&status, "commands.applied")), (1, 1), "{}", service.messages());
    assert_eq!(engine.send(&["/mod/filter/q", "4"]).0, 0);
}

#[test]
fn without_one_it_plays_on_and_says_that_it_is_deaf() {
    let folder = Folder::new("deaf-alone");
    let (messages, recording) = (folder.file("messages"), folder.file("played.wav"));
    let sink = format!("paced:{}", recording.display());
    let file = std::fs::File::create(&messages).expect("a file");
    let arguments = ["--sink", sink.as_str(), "--osc", "127.0.0.1:0"];
    let engine = Engine::start_telling(Build::Faults, &arguments, &[], Stdio::from(file));
    engine.wait_for_lockstep();
    assert_eq!(engine.send(&["/test"]).0, 0);
    deafen(&engine);
    let said = || std::fs::read_to_string(&messages).expect("its messages");
    let started = Instant::now();
    while !said().contains("The sound goes on, and nothing is taken") {
        assert!(started.elapsed() < PATIENCE, "it is not said: {}", said());
        std::thread::sleep(Duration::from_millis(5));
    }
    let length = || std::fs::metadata(&recording).expect("the recording").len();
    let before = length();
    while length() < before + 100_000 {
        assert!(started.elapsed() < PATIENCE, "it plays no more: {}", said());
        std::thread::sleep(Duration::from_millis(5));
    }
    let (code, output) = engine.stop();
    assert_eq!(code, 0, "{output}");
    assert_eq!(said().matches("the control thread failed").count(), 1, "{}", said());
    let played = Recording::read(&recording);
    assert!(played.frames.iter().rev().take(20_000).any(|frame| frame[0] != 0), "the note still sounds");
}
