//! Promise 6, at the running engine: every address works, every bad input is answered and changes nothing, a burst
//! loses nothing, a time tag is met to the frame.

use std::net::UdpSocket;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use chronus_tests::undisturbed::undisturbed;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

/// A client and the engine it plays.
struct Client {
    engine: Engine,
    socket: UdpSocket,
}

fn message(address: &str, arguments: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_owned(), args: arguments })
}

impl Client {
    fn start(more: &[&str]) -> Self {
        let mut arguments = vec!["--osc", "127.0.0.1:0"];
        arguments.extend(if more.is_empty() { &["--sink", "paced"] } else { more });
        let engine = Engine::start(Build::Release, &arguments);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time limit");
        socket.connect(engine.address()).expect("a connection");
        Self { engine, socket }
    }

    fn send(&self, packet: &OscPacket) {
        self.socket.send(&encoder::encode(packet).expect("a packet encodes")).expect("the packet is sent");
    }

    /// Sends bytes and gives the code of the error they are answered with.
    fn error_for(&self, bytes: &[u8]) -> String {
        self.socket.send(bytes).expect("the bytes are sent");
        let mut reply = [0; 65_536];
        let length = self.socket.recv(&mut reply).expect("an answer");
        let (_, packet) = rosc::decoder::decode_udp(&reply[..length]).expect("the answer is OSC");
        let OscPacket::Message(OscMessage { addr, args }) = packet else { panic!("the answer is a message") };
        assert_eq!(addr, "/error");
        let [OscType::String(_), OscType::String(code), OscType::String(text)] = &args[..] else {
            panic!("three strings: {args:?}")
        };
        assert!(text.len() > 10, "the error explains itself: {text}");
        code.clone()
    }

    fn error_for_message(&self, address: &str, arguments: Vec<OscType>) -> String {
        self.error_for(&encoder::encode(&message(address, arguments)).expect("a packet encodes"))
    }
}

#[test]
fn every_kind_of_bad_input_is_answered_counted_and_changes_nothing() {
    let client = Client::start(&[]);
    let float = |value: f32| vec![OscType::Float(value)];
    let mut wrong = 0;
    for (address, arguments, code) in [
        ("/mod/sine/colour", float(1.0), "unknown_address"),
        ("/mod/organ/freq", float(1.0), "unknown_address"),
        ("/mod/x*/freq", float(1.0), "unknown_address"),
        ("/nothing", vec![], "unknown_address"),
        ("/mod/sine/freq", vec![], "no_argument"),
        ("/gate/adsr", vec![], "no_argument"),
        ("/mod/sine/freq", vec![OscType::String("high".to_owned())], "wrong_type"),
        ("/mod/sine/freq", vec![OscType::Blob(vec![1, 2, 3])], "wrong_type"),
        ("/mod/sine/freq", vec![OscType::Float(1.0), OscType::Float(2.0)], "wrong_type"),
        ("/gate/adsr", vec![OscType::Blob(vec![])], "wrong_type"),
        ("/mod/sine/freq", float(f32::NAN), "not_finite"),
        ("/mod/sine/gain", float(f32::INFINITY), "not_finite"),
        ("/mod/filter/mode", vec![OscType::Double(f64::NEG_INFINITY)], "not_finite"),
        ("/gate/adsr", float(f32::NAN), "not_finite"),
    ] {
        assert_eq!(client.error_for_message(address, arguments.clone()), code, "{address} {arguments:?}");
        wrong += 1;
    }
    let nested = |depth: usize| {
        let bundle = |content| OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content });
        (0..depth).fold(message("/test", vec![]), |packet, _| bundle(vec![packet]))
    };
    let truncated = &encoder::encode(&message("/mod/sine/freq", float(1.0))).expect("a packet encodes")[..18];
    for (bytes, code) in [
        (b"nonsense".to_vec(), "malformed"),
        (b"/mod/sine/freq".to_vec(), "malformed"),
        (truncated.to_vec(), "malformed"),
        (b"#bundle\0".to_vec(), "malformed"),
        (vec![], "malformed"),
        (vec![0; 60_000], "oversized"),
        (encoder::encode(&nested(500)).expect("a packet encodes"), "too_deep"),
    ] {
        assert_eq!(client.error_for(&bytes), code, "{} bytes", bytes.len());
        wrong += 1;
    }
    let status = client.engine.status();
    assert_eq!(number(&status, "commands.refused"), wrong);
    assert_eq!(number(&status, "commands.received"), wrong);
    assert_eq!(number(&status, "commands.applied"), 0);
    let (code, output) = client.engine.stop();
    assert_eq!(code, 0, "{output}");
}

#[test]
fn garbage_of_all_kinds_leaves_the_engine_well() {
    let client = Client::start(&[]);
    let mut random = Random::new(77);
    let valid = encoder::encode(&message("/mod/{sine,filter}/[a-q]*", vec![OscType::Float(440.0)])).expect("encodes");
    for number in 0..20_000 {
        // In portions that are no flood.
        if number % 4000 == 3999 {
            std::thread::sleep(Duration::from_millis(250));
        }
        let mut bytes = match random.below(3) {
            0 => (0..random.below(300)).map(|_| random.bits() as u8).collect(),
            1 => [b"#bundle\0".to_vec(), (0..random.below(100)).map(|_| random.bits() as u8).collect()].concat(),
            _ => valid.clone(),
        };
        for _ in 0..random.below(4) {
            if !bytes.is_empty() {
                let place = random.below(bytes.len() as u64) as usize;
                bytes[place] = random.bits() as u8;
            }
        }
        // Its answers are left unread: a client that does not read must not hold anything up.
        let _ = client.socket.send(&bytes);
    }
    client.engine.wait_until("all to be taken", |status| {
        let dropped = ["network.dropped_by_kernel", "network.dropped_by_queue"].map(|key| number(status, key));
        number(status, "commands.received") + dropped.iter().sum::<u64>() >= 15_000
    });
    assert_eq!(client.engine.send(&["/version"]).0, 0);
    let status = client.engine.wait_for_lockstep();
    assert_eq!((number(&status, "slots.0.epoch"), number(&status, "slots.1.epoch")), (1, 1), "a worker died of it");
    assert_eq!(number(&status, "not_finite"), 0);
}

#[test]
fn one_datagram_gets_few_replies_and_a_reply_gets_none() {
    let client = Client::start(&[]);
    let bundle = |content| OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content });
    let many = |address: &str| bundle(vec![message(address, vec![]); 100]);
    for packet in [message("/error", vec![]), message("/status.reply", vec![]), many("/version.reply")] {
        client.send(&packet);
    }
    client.send(&many("/nothing"));
    client.send(&bundle([many("/version"), many("/status")].to_vec()));
    let mut replies = Vec::new();
    // The status is the last of them all.
    while replies.last().is_none_or(|address| address != "/status.reply") {
        let mut reply = [0; 65_536];
        let length = client.socket.recv(&mut reply).expect("an answer");
        let (_, packet) = rosc::decoder::decode_udp(&reply[..length]).expect("the answer is OSC");
        let OscPacket::Message(message) = packet else { panic!("the answer is a message") };
        replies.push(message.addr);
    }
    let expected: Vec<_> = [vec!["/error"; 16], vec!["/version.reply", "/status.reply"]].concat();
    assert_eq!(replies, expected);
    let status = client.engine.status();
    assert_eq!(number(&status, "commands.refused"), 202);
    assert_eq!(number(&status, "network.replies_withheld"), 102 + 84 + 99 + 99);
}

#[test]
fn the_status_has_the_shape_of_scsynths() {
    let client = Client::start(&[]);
    client.send(&message("/status", vec![]));
    let mut reply = [0; 1024];
    let length = client.socket.recv(&mut reply).expect("an answer");
    let (_, OscPacket::Message(status)) = rosc::decoder::decode_udp(&reply[..length]).expect("the answer is OSC")
    else {
        panic!("the answer is a message")
    };
    assert_eq!(status.addr, "/status.reply");
    let [
        OscType::Int(1),
        counts @ ..,
        OscType::Float(average),
        OscType::Float(most),
        OscType::Double(rate),
        OscType::Double(same),
    ] = &status.args[..]
    else {
        panic!("{:?}", status.args)
    };
    // sine, adsr, filter and out; one voice, no track; all types of modules.
    assert!(matches!(counts, [OscType::Int(4), OscType::Int(1), OscType::Int(0), OscType::Int(10..)]), "{counts:?}");
    assert!((0.0..100.0).contains(average) && most >= average, "{average} {most}");
    assert_eq!([*rate, *same], [48_000.0; 2]);
}

#[test]
fn a_burst_of_5000_messages_loses_none() {
    let client = Client::start(&[]);
    let packet = encoder::encode(&message("/mod/sine/freq", vec![OscType::Float(500.0)])).expect("a packet encodes");
    for _ in 0..5000 {
        client.socket.send(&packet).expect("sent");
    }
    let status = client.engine.wait_until("the end of the burst", |status| {
        number(status, "commands.applied") + number(status, "network.dropped_by_kernel") >= 5000
    });
    let dropped = number(&status, "network.dropped_by_kernel");
    println!("5000 sent, {} applied, {dropped} dropped by the kernel", number(&status, "commands.applied"));
    assert_eq!((number(&status, "commands.applied"), number(&status, "commands.refused"), dropped), (5000, 0, 0));
}

#[test]
fn every_address_and_every_numeric_type_works() {
    let client = Client::start(&[]);
    let mut sent = 0;
    for address in chronus_tests::power_on::addresses() {
        for argument in [OscType::Float(1.0), OscType::Int(1), OscType::Long(1), OscType::Double(1.0)] {
            client.send(&message(&address, vec![argument]));
            sent += 1;
        }
    }
    for argument in ["on", "off", "0"].map(|text| OscType::String(text.to_owned())) {
        client.send(&message("/gate/adsr", vec![argument]));
        sent += 1;
    }
    client.send(&message("/gate/adsr", vec![OscType::Bool(true)]));
    client.send(&message("/engine/freq", vec![OscType::Int(300)]));
    client.send(&message("/engine/gain", vec![OscType::Float(0.2)]));
    // One pattern that matches two parameters, and /test, which is three commands.
    client.send(&message("/mod/{adsr,filter}/[dq]*", vec![OscType::Float(2.0)]));
    client.send(&message("/test", vec![]));
    sent += 3 + 2 + 3;
    let status = client.engine.wait_until("all commands", |status| number(status, "commands.applied") >= sent);
    assert_eq!((number(&status, "commands.applied"), number(&status, "commands.refused")), (sent, 0));
    for (words, code) in [
        (&["/mod/sine/freq", "330"][..], 0),
        (&["/gate/adsr", "off"], 0),
        (&["/version"], 0),
        (&["/mod/sine/frequency", "330"], 1),
        (&["/mod/sine/freq", "nan"], 1),
    ] {
        let (found, text) = client.engine.send(words);
        assert_eq!(found, code, "send {words:?}: {text}");
    }
}

/// The three bundles for now are late by their nature. Any more, and the machine kept the engine's control thread from
/// its core until a note was over due: then that is measured, and it is tried again.
const LATE_BY_NATURE: u64 = 3;

#[test]
fn a_time_tag_is_met_to_the_frame() {
    undisturbed(play_notes_by_time_tags);
}

/// Gives how many notes came too late to be played in time.
fn play_notes_by_time_tags() -> u64 {
    let folder = Folder::new("tags");
    let recording = folder.file("played.wav");
    let sink = format!("paced:{}", recording.display());
    let client = Client::start(&["--sink", &sink]);
    let tag = |time: Duration| OscTime {
        seconds: (time.as_secs() + 2_208_988_800) as u32,
        fractional: ((u64::from(time.subsec_nanos()) << 32) / 1_000_000_000) as u32,
    };
    let at = |time: Duration, address: &str, value: f32| {
        let content = vec![message(address, vec![OscType::Float(value)])];
        client.send(&OscPacket::Bundle(OscBundle { timetag: tag(time), content }));
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is right");
    // Sent last first. Notes of 20 ms, 12,345 frames apart.
    for note in (0..5).rev() {
        let start = now + Duration::from_millis(300) + Duration::from_nanos(note * 12_345 * 1_000_000_000 / 48_000);
        at(start + Duration::from_millis(20), "/gate/adsr", 0.0);
        at(start, "/gate/adsr", 1.0);
    }
    at(now, "/mod/adsr/attack", 0.1);
    at(now, "/mod/adsr/release", 0.1);
    at(now, "/mod/filter/cutoff", 20_000.0);
    std::thread::sleep(Duration::from_millis(2200));
    let status = client.engine.status();
    assert_eq!(client.engine.stop().0, 0);
    let left = Recording::read(&recording).left();
    let loud: Vec<usize> = (0..left.len()).filter(|frame| left[*frame].abs() > 1e-6).collect();
    let begins: Vec<usize> = loud
        .iter()
        .enumerate()
        .filter(|(place, frame)| *place == 0 || *frame - loud[place - 1] > 4800)
        .map(|(_, frame)| *frame)
        .collect();
    let distances: Vec<usize> = begins.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let late = number(&status, "commands.late").abs_diff(LATE_BY_NATURE);
    println!("notes begin {distances:?} frames apart, {late} of them late");
    if late > 0 {
        return late;
    }
    // The sine runs on: the first sample of a note may happen to be below the threshold.
    assert_eq!(distances.len(), 4);
    assert!(distances.iter().all(|distance| distance.abs_diff(12_345) <= 1), "{distances:?}");
    late
}

#[test]
fn a_port_in_use_a_missing_score_and_a_bad_score_say_what_to_do() {
    let client = Client::start(&[]);
    let folder = Folder::new("wrong");
    let bad = folder.file("bad.osc");
    std::fs::write(&bad, b"this is not a score").expect("written");
    let empty = folder.file("empty.osc");
    std::fs::write(&empty, b"").expect("written");
    let program = chronus_tests::build::chronus(Build::Release);
    let output = folder.file("x.wav");
    let [bad, empty, output] = [&bad, &empty, &output].map(|path| path.to_str().expect("text").to_owned());
    let address = client.engine.address();
    for (words, code, hint) in [
        (vec!["run", "--sink", "paced", "--osc", &address], 1, "--osc"),
        (vec!["run", "--sink", "paced", "--osc", "off", "--score", "/nowhere.osc"], 1, "/nowhere.osc"),
        (vec!["render", &bad, &output], 1, "byte"),
        (vec!["render", &bad], 2, "chronus render SCORE OUT.wav"),
        (vec!["run", "--sink", "alsa:nothing", "--osc", "off"], 1, "--sink paced"),
        (vec!["run", "--sink", "free:/nowhere/x.wav", "--blocks", "1", "--osc", "off"], 1, "/nowhere/x.wav"),
        (vec!["status", "127.0.0.1:9"], 1, "chronus run"),
        (vec!["dance"], 2, "--help"),
        (vec!["dance", "--help"], 2, "--help"),
        (vec!["status", "no-such-machine.invalid:5005"], 1, "no-such-machine"),
        (vec!["send", &address, "/gate/adsr", "-h"], 0, ""),
        (vec!["send", &address, "/mod/sine/freq", "--help"], 1, "wrong_type"),
        (vec!["render", &empty, &output, "--seconds", "40000"], 1, "186 minutes"),
        (vec![], 2, "chronus run"),
    ] {
        let found = std::process::Command::new(&program).args(&words).output().expect("it runs");
        let text = String::from_utf8_lossy(&found.stderr).into_owned();
        assert_eq!(found.status.code(), Some(code), "{words:?}: {text}");
        assert!(text.contains(hint), "{words:?} should mention {hint}: {text}");
    }
}
