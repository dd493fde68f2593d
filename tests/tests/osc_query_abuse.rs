//! OSCQuery again: who asks wrongly, too much, too slowly or does not read, takes nothing from the others, and from the sound.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, number};
use chronus_tests::live::Live;
use chronus_tests::process;
use chronus_tests::query::{Asker, Heard, Panel, get, query_address};
use chronus_tests::random::Random;
use chronus_tests::stream::StreamClient;
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};
use rosc::OscType;

fn paced() -> Engine {
    Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced"])
}

/// The request for a WebSocket.
const UPGRADE: &str = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The code with which what follows the request for a WebSocket makes it close.
fn closed_with(address: &str, bytes: &[u8]) -> Option<u16> {
    let mut asker = Asker::connect(address);
    asker.send(&[UPGRADE.as_bytes(), bytes].concat());
    // The example of RFC 6455, 1.3.
    assert!(asker.head().expect("a head").contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    let mut frames = Vec::new();
    // What was sent and not read by the other end may have the connection reset behind the reason.
    let _ = asker.0.read_to_end(&mut frames);
    // A close frame of a server: 0x88, its length, the code.
    (frames.first() == Some(&0x88)).then(|| u16::from_be_bytes([frames[2], frames[3]]))
}

/// A frame as a client sends it, with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

#[test]
fn what_is_no_websocket_is_closed_with_its_reason_and_counted() {
    let engine = paced();
    let address = query_address(&engine);
    let huge = [&[0x82, 0xFF], &(1u64 << 40).to_be_bytes()[..], &[0; 4]].concat();
    let wrong: [(&str, Vec<u8>, u16); 6] = [
        ("not masked", vec![0x82, 4, 1, 2, 3, 4], 1002),
        ("a word that there is not", frame(0x83, b"x"), 1002),
        ("bits that mean nothing", frame(0xF2, b"x"), 1002),
        ("too long", huge, 1009),
        ("no command", frame(0x81, b"[1, 2]"), 1007),
        ("no text", frame(0x81, &[0xFF, 0xFE]), 1002),
    ];
    for (what, bytes, code) in &wrong {
        assert_eq!(closed_with(&address, bytes), Some(*code), "{what}");
    }
    engine.wait_until("all", |status| number(status, "query.broken") == wrong.len() as u64);
    let mut random = Random::new(7);
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..random.below(200)).map(|_| random.below(256) as u8).collect();
        let mut asker = Asker::connect(&address);
        if random.below(2) == 0 {
            asker.send(UPGRADE.as_bytes());
        }
        asker.send(&bytes);
    }
    // A WebSocket that is closed as it should be is not broken.
    // Those that had to wait for their turn are over too.
    let all = wrong.len() as u64 + 200;
    let broken = engine.wait_until("their end", |status| {
        let came = number(status, "query.accepted") + number(status, "query.refused");
        came == all && number(status, "query.open") == 0
    });
    let broken = number(&broken, "query.broken");
    drop(Panel::connect(&address, None));
    assert_eq!(closed_with(&address, &frame(0x88, &1000u16.to_be_bytes())), Some(1000));
    let status = engine.wait_until("their end", |status| number(status, "query.open") == 0);
    assert!(number(&status, "query.broken") >= broken && number(&status, "commands.applied") == 0);
    assert_eq!(get(&address, "/mod").status, 200);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn a_request_that_is_too_long_or_takes_too_long_is_refused() {
    let engine = paced();
    let address = query_address(&engine);
    let mut asker = Asker::connect(&address);
    asker.send(&[b"GET / HTTP/1.1\r\nCookie: ".to_vec(), vec![b'x'; 9000]].concat());
    assert_eq!(asker.answer().expect("why").status, 431);
    assert!(asker.answer().is_none(), "it is closed");
    // Each a byte now and then, for ever; and one that says nothing at all.
    let slow: Vec<_> = (0..3)
        .map(|_| {
            let address = address.clone();
            std::thread::spawn(move || {
                let mut asker = Asker::connect(&address);
                let mut writer = asker.0.try_clone().expect("a second end");
                let stop = AtomicBool::new(false);
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        while !stop.load(Ordering::Relaxed) && writer.write_all(b"G").is_ok() {
                            std::thread::sleep(Duration::from_millis(100));
                        }
                    });
                    let answer = asker.answer();
                    stop.store(true, Ordering::Relaxed);
                    answer.map(|answer| answer.status)
                })
            })
        })
        .collect();
    let mut silent = Asker::connect(&address);
    while slow.iter().any(|slow| !slow.is_finished()) {
        assert_eq!(get(&address, "/mod/filter/q?VALUE").status, 200, "others are served meanwhile");
        std::thread::sleep(Duration::from_millis(100));
    }
    for slow in slow {
        assert_eq!(slow.join().expect("no panic"), Some(408));
    }
    assert!(silent.answer().is_none(), "it is closed without a word");
    let status = engine.wait_until("their end", |status| number(status, "query.open") == 0);
    assert_eq!((number(&status, "query.slow"), number(&status, "query.broken")), (3, 1));
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn of_many_connections_those_are_taken_for_which_there_is_a_place() {
    let engine = paced();
    let address = query_address(&engine);
    let mut taken: Vec<Panel> = (0..7).map(|_| Panel::connect(&address, None)).collect();
    for refused in 1..=20 {
        let mut asker = Asker::connect(&address);
        let answer = asker.answer().expect("why");
        assert!(answer.status == 503 && answer.body.contains("7 connections of your machine"), "{answer:?}");
        engine.wait_until("it is counted", |status| number(status, "query.refused") == refused);
    }
    assert_eq!(engine.number("query.open"), 7);
    // Another host has places of its own, sixteen are there in all.
    let from = |host| Asker(StreamClient::connect_from(host, &address, chronus_tests::stream::Framing::Size).socket);
    let others: Vec<Asker> = [2, 3].into_iter().flat_map(|host| (0..7).map(move |_| host)).map(from).collect();
    let status = engine.wait_until("all", |status| number(status, "query.refused") == 25);
    assert_eq!(number(&status, "query.open"), 16);
    taken.iter_mut().for_each(Panel::sync);
    drop(others);
    taken.truncate(1);
    engine.wait_until("free places", |status| number(status, "query.open") == 1);
    assert_eq!(get(&address, "/mod").status, 200);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn who_asks_without_end_is_told_so_and_another_host_is_answered() {
    let engine = paced();
    let address = query_address(&engine);
    let mut asker = Asker::connect(&address);
    let mut statuses = Vec::new();
    while statuses.last() != Some(&429) {
        assert!(statuses.len() < 5000, "it is answered for ever");
        asker.send(b"GET /mod/filter/q HTTP/1.1\r\n\r\n");
        statuses.push(asker.answer().expect("an answer").status);
    }
    assert!(statuses.len() > 500 && asker.answer().is_none(), "{}", statuses.len());
    let mut other = StreamClient::connect_from(2, &address, chronus_tests::stream::Framing::Size);
    other.send_bytes(b"GET /mod HTTP/1.1\r\n\r\n");
    let mut answer = [0; 15];
    other.socket.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert!(engine.number("query.dropped") >= 1);
    assert_eq!(engine.stop().0, 0);
}

/// Asks for all there is, and does not read, until the connection is closed; gives how often it asked.
fn ask_without_reading(address: &str) -> usize {
    let mut socket = TcpStream::connect(address).expect("a connection");
    setsockopt(&socket, sockopt::RcvBuf, &4096).expect("an option");
    socket.set_write_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    let (started, mut asked) = (Instant::now(), 0);
    while socket.write_all(b"GET / HTTP/1.1\r\n\r\n").is_ok() && started.elapsed() < Duration::from_secs(60) {
        asked += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    asked
}

#[test]
fn who_does_not_read_is_dropped_and_nobody_waits_for_it() {
    let engine = paced();
    let address = query_address(&engine);
    let asking = std::thread::spawn({
        let address = address.clone();
        move || ask_without_reading(&address)
    });
    let (mut panel, mut answered) = (Panel::connect(&address, None), 0);
    while !asking.is_finished() {
        panel.sync();
        answered += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("dropped after {} questions, another one was answered {answered} times", asking.join().expect("no panic"));
    let status = engine.wait_until("its end", |status| number(status, "query.open") == 1);
    assert!(number(&status, "query.slow") == 1 && answered > 5);
    assert_eq!(engine.stop().0, 0);
}

/// Does all that is not meant to be done, until `stop` is set.
fn abuse(address: &str, seed: u64, stop: &AtomicBool) -> u64 {
    let (mut random, mut done) = (Random::new(seed), 0);
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut socket) = TcpStream::connect(address) else { continue };
        let _ = socket.set_read_timeout(Some(Duration::from_millis(50)));
        let _ = socket.set_write_timeout(Some(Duration::from_millis(50)));
        let noise: Vec<u8> = (0..random.below(20_000)).map(|_| random.below(256) as u8).collect();
        let sent = match random.below(5) {
            0 => socket.write_all(&noise),
            1 => socket.write_all(UPGRADE.as_bytes()).and_then(|()| socket.write_all(&noise)),
            2 => socket.write_all("GET / HTTP/1.1\r\n\r\n".repeat(50).as_bytes()),
            3 => {
                let listen = frame(0x81, br#"{"COMMAND":"LISTEN","DATA":"/mod/sine/freq"}"#);
                socket.write_all(&[UPGRADE.as_bytes(), &listen.repeat(500)].concat())
            }
            _ => socket.write_all(b"GET / HT"),
        };
        done += u64::from(sent.is_ok());
        match socket.read(&mut [0; 4096]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    done
}

#[test]
fn what_is_played_by_a_panel_amid_abuse_while_workers_are_killed_is_the_kept_score_bit_by_bit() {
    undisturbed(|| {
        let live = Live::start(Build::Release, "query", &[], &[]);
        let address = query_address(&live.engine);
        let mut panel = Panel::connect(&address, None);
        panel.command("LISTEN", "/mod/sine/freq");
        panel.send("/gate/adsr", vec![OscType::Bool(true)]);
        let (stop, mut sent, mut heard) = (AtomicBool::new(false), 1, 0);
        let abused: u64 = std::thread::scope(|scope| {
            let abusers = [1, 2].map(|seed| {
                let (address, stop) = (&address, &stop);
                scope.spawn(move || abuse(address, seed, stop))
            });
            for round in 0..12 {
                for number in 0..100 {
                    panel.send("/mod/sine/freq", vec![OscType::Float(220.0 + (number * 7 % 90) as f32)]);
                    sent += 1;
                    let listened = panel.hear_within(Duration::from_millis(2));
                    heard += u64::from(matches!(listened, Some(Heard::Osc(_))));
                }
                if round % 4 == 2 {
                    let workers = live.engine.workers();
                    assert!(process::send(workers[round / 4 % workers.len()], Signal::SIGKILL));
                    live.engine.wait_for_lockstep();
                }
            }
            stop.store(true, Ordering::Relaxed);
            abusers.map(|abuser| abuser.join().expect("no panic")).iter().sum()
        });
        panel.sync();
        let status = live.engine.status();
        let query = &status["query"];
        assert!(number(&status, "query.broken") > 10 && number(&status, "query.accepted") > 10, "{query}");
        let outcome = live.finish();
        outcome.assert_explained();
        assert_eq!(outcome.kept, sent);
        assert!(heard > 20 && abused > 50, "{heard} heard, {abused} abuses");
        println!(
            "{sent} commands by a panel, {heard} heard, {abused} abuses, {} workers killed, {} late blocks: {query}",
            outcome.told("survived"),
            outcome.late
        );
        outcome.late
    });
}
