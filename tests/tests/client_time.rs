//! A client without the engine's clock meets a frame, hears when all is applied, and what came too late; and it may ask
//! for values and have printed what arrives.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::live::Live;
use chronus_tests::process;
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::Signal;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

/// A socket of a client of its own.
struct Client(UdpSocket);

fn message(address: &str, arguments: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_owned(), args: arguments })
}

fn bundle(timetag: OscTime, content: Vec<OscPacket>) -> OscPacket {
    OscPacket::Bundle(OscBundle { timetag, content })
}

/// 1/2^32 s since 1900.
fn units(time: OscTime) -> i128 {
    i128::from(time.seconds) << 32 | i128::from(time.fractional)
}

fn tag(units: i128) -> OscTime {
    OscTime { seconds: (units >> 32) as u32, fractional: units as u32 }
}

fn seconds(seconds: f64) -> i128 {
    (seconds * 4_294_967_296.0) as i128
}

impl Client {
    fn of(address: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(address).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        Self(socket)
    }

    fn send(&self, packet: &OscPacket) {
        self.0.send(&encoder::encode(packet).expect("a packet encodes")).expect("it is sent");
    }

    fn receive(&self) -> OscPacket {
        let mut reply = [0; 65_536];
        let length = self.0.recv(&mut reply).expect("an answer");
        rosc::decoder::decode_udp(&reply[..length]).expect("the answer is OSC").1
    }

    fn answer(&self, address: &str) -> Vec<OscType> {
        let OscPacket::Message(message) = self.receive() else { panic!("the answer is a message") };
        assert_eq!(message.addr, address, "{message:?}");
        message.args
    }

    fn ask(&self, address: &str, argument: OscType, reply: &str) -> Vec<OscType> {
        self.send(&message(address, vec![argument]));
        self.answer(reply)
    }

    /// The engine's time and the frame of then.
    fn ping(&self, time: OscType) -> (i128, i64) {
        let answer = self.ask("/clock/ping", time.clone(), "/clock/pong");
        let [echo, OscType::Time(theirs), OscType::Long(frame)] = &answer[..] else { panic!("{answer:?}") };
        assert_eq!(*echo, time, "as it was sent");
        (units(*theirs), *frame)
    }
}

fn paced() -> Engine {
    Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced"])
}

#[test]
fn a_ping_brings_back_what_it_came_with_and_the_clock_runs_with_the_frames() {
    let engine = paced();
    // Before anything plays no frame is due.
    engine.wait_for_lockstep();
    let client = Client::of(&engine.address());
    let stamp = OscType::Time(OscTime { seconds: 7, fractional: 9 });
    let (first, first_frame) = client.ping(stamp);
    for time in [OscType::Double(0.1), OscType::Long(i64::MIN), OscType::Float(0.25), OscType::Int(-1)] {
        let (now, frame) = client.ping(time);
        let frames = (now - first) as f64 / 4_294_967_296.0 * 48_000.0;
        assert!((frames - (frame - first_frame) as f64).abs() <= 1.0, "{frames} {frame} {first_frame}");
    }
    assert_eq!(client.ask("/clock/ping", OscType::Nil, "/error")[1], OscType::String("wrong_type".to_owned()));
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn a_client_whose_clock_is_wrong_by_a_century_meets_its_frame() {
    undisturbed(meet_a_frame);
}

/// Gives how many bundles were late.
fn meet_a_frame() -> u64 {
    let live = Live::start(Build::Release, "client-time", &[], &[]);
    let client = Client::of(&live.engine.address());
    // Its own clock began just now, in 1900.
    let started = Instant::now();
    let own = || seconds(started.elapsed().as_secs_f64());
    let pings = (0..8).map(|_| {
        let sent = own();
        let (theirs, frame) = client.ping(OscType::Time(tag(sent)));
        let received = own();
        (received - sent, theirs - (sent + received) / 2, theirs, frame)
    });
    let (round_trip, offset, theirs, frame) = pings.min().expect("eight pings");
    let wanted = own() + seconds(0.3);
    for note in 0..5 {
        let time = wanted + note * seconds(0.1);
        client
            .send(&bundle(tag(time + offset), vec![message("/mod/sine/freq", vec![OscType::Int(300 + note as i32)])]));
    }
    std::thread::sleep(Duration::from_secs(1));
    let late = live.engine.number("commands.late");
    let outcome = live.finish();
    outcome.assert_explained();
    // A kept score counts from frame 0.
    let met: Vec<i128> = outcome.commands.iter().map(|(time, _)| (units(*time) * 48_000 + (1 << 31)) >> 32).collect();
    assert_eq!(met.len(), 5);
    for (note, met) in met.iter().enumerate() {
        let due = wanted + offset + note as i128 * seconds(0.1);
        let expected = i128::from(frame) + (((due - theirs) * 48_000) >> 32);
        assert!(late > 0 || (met - expected).abs() <= 2, "note {note} at {met}, expected {expected}");
    }
    println!("round trip {} us, {late} late", (round_trip * 1_000_000) >> 32);
    late
}

#[test]
fn who_is_late_is_told_by_how_many_frames() {
    let engine = paced();
    let (client, other) = (Client::of(&engine.address()), Client::of(&engine.address()));
    std::thread::sleep(Duration::from_millis(600));
    let (now, _) = client.ping(OscType::Int(0));
    let content = vec![message("/mod/sine/freq", vec![OscType::Int(300)])];
    client.send(&bundle(tag(now - seconds(0.5)), content.clone()));
    let late = client.answer("/late");
    let [OscType::Int(frames)] = late[..] else { panic!("{late:?}") };
    // Half a second and the lead; a machine that stands still makes it more.
    assert!((24_000..480_000).contains(&frames), "{frames}");
    // In time, or without a time, is not late; and nobody is told of another's.
    other.send(&bundle(tag(now + seconds(2.0)), content.clone()));
    other.send(&bundle(tag(1), content));
    other.ask("/sync", OscType::Int(1), "/synced");
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn all_that_was_sent_before_a_sync_is_applied_when_it_is_answered() {
    let engine = paced();
    let client = Client::of(&engine.address());
    let applied = |at_least: u64| {
        let status = engine.status();
        assert!(number(&status, "commands.applied") >= at_least, "{status:#}");
        number(&status, "block")
    };
    let mut sent = 0;
    for round in 0..20 {
        for _ in 0..100 {
            client.send(&message("/mod/sine/freq", vec![OscType::Int(300)]));
            sent += 1;
        }
        if round % 5 == 4 {
            let tagged = tag(client.ping(OscType::Int(0)).0 + seconds(0.2));
            client.send(&bundle(tagged, vec![message("/mod/sine/gain", vec![OscType::Float(0.1)])]));
            sent += 1;
        }
        if round == 10 {
            assert!(process::send(engine.workers()[0], Signal::SIGKILL));
        }
        let answer = client.ask("/sync", OscType::Long(round), "/synced");
        let [OscType::Long(id), OscType::Long(block), OscType::Int(frame)] = answer[..] else { panic!("{answer:?}") };
        assert!(id == round && (0..256).contains(&frame));
        assert!(applied(sent) > block as u64, "its block is played");
    }
    let status = engine.status();
    assert_eq!(number(&status, "commands.applied"), sent);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn too_many_syncs_are_refused_and_the_others_answered() {
    let engine = paced();
    let client = Client::of(&engine.address());
    let later = tag(client.ping(OscType::Int(0)).0 + seconds(0.5));
    client.send(&bundle(later, vec![message("/mod/sine/freq", vec![OscType::Int(300)])]));
    (0..20).for_each(|id| client.send(&message("/sync", vec![OscType::Int(id)])));
    for _ in 0..4 {
        assert_eq!(client.answer("/error")[1], OscType::String("full".to_owned()));
    }
    for id in 0..16 {
        assert_eq!(client.answer("/synced")[0], OscType::Int(id));
    }
    assert_eq!(client.ask("/sync", OscType::Int(99), "/synced")[0], OscType::Int(99));
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn what_is_set_is_told_as_the_message_that_would_set_it() {
    let engine = paced();
    let client = Client::of(&engine.address());
    let text = |text: &str| OscType::String(text.to_owned());
    client.send(&message("/mod/filter/cutoff", vec![OscType::Double(440.0)]));
    for asked in ["/mod/filter/cutoff", "/mod/filter/c*f"] {
        assert_eq!(client.ask("/get", text(asked), "/mod/filter/cutoff"), [OscType::Float(440.0)]);
    }
    assert_eq!(client.ask("/get", text("/engine/freq"), "/mod/sine/freq"), [OscType::Float(440.0)]);
    client.send(&message("/get", vec![text("/mod/sine/*")]));
    let OscPacket::Bundle(told) = client.receive() else { panic!("several in a bundle") };
    assert_eq!((told.content.len(), told.timetag), (2, tag(1)));
    // What is told, sent back, sets the same.
    client.send(&OscPacket::Bundle(told));
    for (wrong, code) in [("/nothing", "unknown_address"), ("/gate/adsr", "unknown_address"), ("", "unknown_address")] {
        let error = client.ask("/get", text(wrong), "/error");
        assert_eq!((&error[0], &error[1]), (&text("/get"), &text(code)), "{wrong}");
    }
    assert_eq!(client.ask("/get", OscType::Int(1), "/error")[1], text("wrong_type"));
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn what_arrives_is_printed_when_wanted_and_no_more_than_a_log_takes() {
    let folder = Folder::new("dump");
    let log = folder.file("log");
    let messages = std::fs::File::create(&log).expect("a file for messages");
    let engine =
        Engine::start_telling(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced"], &[], messages.into());
    let client = Client::of(&engine.address());
    let printed = || std::fs::read_to_string(&log).expect("the log").matches("OSC from 127.0.0.1").count();
    let set = |cutoff| client.send(&message("/mod/filter/cutoff", vec![OscType::Int(cutoff)]));
    set(100);
    client.ask("/sync", OscType::Int(0), "/synced");
    assert_eq!(printed(), 0, "not by itself");
    client.send(&message("/dumpOSC", vec![OscType::Int(1)]));
    (0..2000).for_each(set);
    client.send(&message("/dumpOSC", vec![OscType::Int(0)]));
    set(100);
    client.ask("/sync", OscType::Int(0), "/synced");
    let left_out = engine.number("network.dump_left_out");
    assert_eq!(engine.stop().0, 0);
    let text = std::fs::read_to_string(&log).expect("the log");
    // And the message that ended it.
    assert_eq!(printed() as u64 + left_out, 2001, "{text}");
    assert!((100..400).contains(&printed()), "{} lines", printed());
    assert!(text.contains("/mod/filter/cutoff i:42\n") && text.contains("were not printed"), "{text}");
}
