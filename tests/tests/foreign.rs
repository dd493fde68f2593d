//! Clients that nobody here wrote: python-osc and the tools of liblo, over TCP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use chronus_tests::build::{Build, target};
use chronus_tests::engine::{Engine, number};
use chronus_tests::skipped;
use chronus_tests::stream::{Framing, StreamClient};
use rosc::OscType;

fn paced() -> Engine {
    Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced"])
}

/// Where python-osc is, fetched once if need be; or why it is not.
fn python_osc() -> Result<PathBuf, String> {
    let folder = target().join("python-osc");
    if folder.join("pythonosc/tcp_client.py").exists() {
        return Ok(folder);
    }
    let words = ["-m", "pip", "install", "--quiet", "--target"];
    let output = Command::new("python3").args(words).arg(&folder).arg("python-osc").output();
    let output = output.map_err(|error| format!("there is no python3: {error}"))?;
    if !folder.join("pythonosc/tcp_client.py").exists() {
        return Err(format!("pip cannot install python-osc: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(folder)
}

const PYTHON: &str = r#"
import sys, time
from pythonosc.tcp_client import SimpleTCPClient
from pythonosc.osc_message import OscMessage
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
client = SimpleTCPClient("127.0.0.1", int(sys.argv[1]), mode=sys.argv[2])
for number in range(300):
    client.send_message("/mod/filter/cutoff", 400.0 + number)
message = OscMessageBuilder("/mod/sine/freq")
message.add_arg(330.0)
bundle = OscBundleBuilder(time.time() + 0.3)
bundle.add_content(message.build())
client.send(bundle.build())
client.send_message("/get", "/mod/filter/cutoff")
client.send_message("/sync", 7)
answers = []
while len(answers) < 2:
    received = [OscMessage(one) for one in client.receive(timeout=10)]
    # A busy machine may be late with the bundle, and say so.
    answers += [(one.address, one.params) for one in received if one.address != "/late"]
print(answers[0][0], answers[0][1][0], answers[1][0], answers[1][1][0])
"#;

#[test]
fn python_osc_plays_over_tcp_in_both_framings() {
    let library = match python_osc() {
        Ok(library) => library,
        Err(reason) => return skipped("python-osc over TCP", &reason),
    };
    for mode in ["1.0", "1.1"] {
        let engine = paced();
        let address = engine.address();
        let (_, port) = address.rsplit_once(':').expect("a port");
        let words = ["-c", PYTHON, port, mode];
        let output = Command::new("python3").args(words).env("PYTHONPATH", &library).output().expect("python3 runs");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert_eq!(text.trim(), "/mod/filter/cutoff 699.0 /synced 7", "OSC {mode}");
        let status = engine.status();
        assert_eq!((number(&status, "commands.applied"), number(&status, "tcp.broken")), (301, 0), "OSC {mode}");
        assert_eq!(engine.stop().0, 0);
    }
}

#[test]
fn the_tools_of_liblo_play_over_tcp() {
    if Command::new("oscsend").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return skipped("oscsend over TCP", "there is no oscsend; install liblo-tools");
    }
    let engine = paced();
    let address = engine.address();
    let url = format!("osc.tcp://{address}/");
    for (value, sent) in ["220", "330", "440"].into_iter().zip(1..) {
        let status = Command::new("oscsend").args([&url, "/mod/sine/freq", "f", value]).status().expect("oscsend runs");
        assert!(status.success());
        engine.wait_until("the message", |status| number(status, "commands.applied") == sent);
    }
    let status = engine.status();
    assert_eq!((number(&status, "tcp.accepted"), number(&status, "tcp.broken")), (3, 0));
    assert_eq!(number(&status, "commands.refused"), 0);
    assert_eq!(engine.stop().0, 0);
}

/// What the engine answers to two questions, as it comes.
fn replies(engine: &Engine, framing: Framing) -> Vec<u8> {
    let mut client = StreamClient::connect(&engine.address(), framing);
    client.send("/get", vec![OscType::String("/mod/filter/cutoff".to_owned())]);
    client.send("/sync", vec![OscType::Int(7)]);
    let (mut bytes, mut piece) = (Vec::new(), [0; 1024]);
    while !bytes.windows(7).any(|word| word == b"/synced") {
        let length = client.socket.read(&mut piece).expect("an answer");
        assert!(length > 0, "it is closed");
        bytes.extend(&piece[..length]);
    }
    bytes
}

#[test]
fn the_tools_of_liblo_read_what_is_answered_over_tcp() {
    if Command::new("oscdump").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return skipped("oscdump of replies", "there is no oscdump; install liblo-tools");
    }
    let engine = paced();
    for framing in [Framing::Size, Framing::Slip] {
        // liblo finds out the framing by itself, per connection. The port is free again when it is taken.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let url = format!("osc.tcp://:{port}/");
        let mut dump = Command::new("oscdump").args(["-L", &url]).stdout(Stdio::piped()).spawn().expect("oscdump runs");
        let connect = || TcpStream::connect(("127.0.0.1", port)).ok();
        let wait = || std::thread::sleep(Duration::from_millis(50));
        let connected = (0..200).find_map(|_| connect().or_else(|| (wait(), None).1));
        let mut connection = connected.expect("oscdump listens");
        connection.write_all(&replies(&engine, framing)).expect("it is sent");
        let lines = BufReader::new(dump.stdout.take().expect("a pipe")).lines().take(2);
        let lines: Vec<String> = lines.map(|line| line.expect("a line")).collect();
        let _ = dump.kill();
        let _ = dump.wait();
        assert!(lines[0].contains("/mod/filter/cutoff f 1000.0"), "{framing:?}: {lines:?}");
        assert!(lines[1].contains("/synced ihi 7 "), "{framing:?}: {lines:?}");
    }
    assert_eq!(engine.stop().0, 0);
}
