//! OSC over TCP: whoever plays so is heard as by UDP, in both framings and in any pieces; and nobody who does anything else
//! with a connection takes anything from the others.

use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, number};
use chronus_tests::live::Live;
use chronus_tests::process;
use chronus_tests::service::Service;
use chronus_tests::stream::{Framing, StreamClient, message};
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::Signal;
use nix::sys::socket::{setsockopt, sockopt};
use rosc::{OscMessage, OscType};

const BOTH: [Framing; 2] = [Framing::Size, Framing::Slip];

fn paced() -> Engine {
    Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced"])
}

fn cutoff(value: i32) -> Vec<u8> {
    message("/mod/filter/cutoff", vec![OscType::Int(value)])
}

/// The code of an error.
fn code(message: &OscMessage) -> &str {
    assert_eq!(message.addr, "/error");
    let OscType::String(code) = &message.args[1] else { panic!("{message:?}") };
    code
}

fn value(client: &mut StreamClient) -> OscType {
    client.ask("/get", vec![OscType::String("/mod/filter/cutoff".to_owned())]).args[0].clone()
}

#[test]
fn what_comes_in_any_pieces_is_taken_and_answered_in_its_framing() {
    let engine = paced();
    for (number, framing) in BOTH.into_iter().enumerate() {
        let mut client = StreamClient::connect(&engine.address(), framing);
        let packets =
            |values: std::ops::Range<i32>| values.flat_map(|value| framing.wrap(&cutoff(value))).collect::<Vec<u8>>();
        // Several in one segment, then byte by byte, then half of one and the rest after a silence.
        client.send_bytes(&packets(1000..1200));
        packets(1200..1205).chunks(1).for_each(|byte| client.send_bytes(byte));
        let (half, rest) = (packets(1205..1206), packets(1205..1206));
        client.send_bytes(&half[..9]);
        std::thread::sleep(Duration::from_millis(300));
        let mut other = StreamClient::connect(&engine.address(), framing);
        assert_eq!(value(&mut other), OscType::Float(1204.0), "another is served meanwhile");
        client.send_bytes(&rest[9..]);
        client.sync();
        assert_eq!(value(&mut client), OscType::Float(1205.0));
        let status = client.ask("/health", vec![]);
        assert!(status.addr == "/health.reply" && status.args.len() > 100);
        assert_eq!(code(&client.ask("/nothing", vec![])), "unknown_address");
        assert_eq!(engine.number("commands.applied"), 206 * (number as u64 + 1));
    }
    let status = engine.status();
    assert_eq!((number(&status, "tcp.accepted"), number(&status, "tcp.broken")), (4, 0));
    assert_eq!(number(&status, "commands.refused"), 2);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn what_was_sent_before_the_end_of_a_connection_is_taken_and_answered() {
    let engine = paced();
    for framing in BOTH {
        let mut client = StreamClient::connect(&engine.address(), framing);
        (0..2000).for_each(|value| client.send_bytes(&framing.wrap(&cutoff(1000 + value))));
        client.send("/sync", vec![OscType::Int(7)]);
        client.socket.shutdown(Shutdown::Write).expect("it is open");
        assert_eq!(client.receive().expect("an answer").addr, "/synced");
        assert_eq!(client.receive(), None, "then it is closed");
        // One that is closed at once, as by a program that sends one message.
        let mut brief = StreamClient::connect(&engine.address(), framing);
        brief.send_bytes(&framing.wrap(&cutoff(77)));
    }
    engine.wait_until("all", |status| number(status, "commands.applied") == 4002);
    engine.wait_until("the end of the connections", |status| number(status, "tcp.open") == 0);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn what_is_no_framing_is_told_and_closed_and_what_was_whole_before_it_counts() {
    let engine = paced();
    let whole = |framing: Framing| framing.wrap(&cutoff(500));
    let long = vec![b'x'; 40_000];
    for (framing, bytes, expected) in [
        (Framing::Size, [whole(Framing::Size), 40_000u32.to_be_bytes().to_vec(), long.clone()].concat(), "oversized"),
        (Framing::Size, [whole(Framing::Size), vec![0xFF; 4]].concat(), "oversized"),
        (Framing::Slip, [whole(Framing::Slip), Framing::Slip.wrap(&long)].concat(), "oversized"),
        (Framing::Slip, [whole(Framing::Slip), vec![0xDB, 0x01]].concat(), "malformed"),
    ] {
        let mut client = StreamClient::connect(&engine.address(), framing);
        client.send_bytes(&bytes);
        let error = client.receive().expect("why");
        assert_eq!(code(&error), expected);
        assert_eq!(client.receive(), None, "it is closed");
    }
    let mut browser = StreamClient::connect(&engine.address(), Framing::Size);
    browser.send_bytes(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(code(&browser.receive().expect("why")), "oversized");
    // Bad OSC in a good frame is refused as a datagram is, and the connection stays.
    let mut client = StreamClient::connect(&engine.address(), Framing::Slip);
    client.send_bytes(&Framing::Slip.wrap(b"nonsense"));
    assert_eq!(code(&client.receive().expect("an answer")), "malformed");
    client.sync();
    let status = engine.status();
    assert_eq!((number(&status, "tcp.broken"), number(&status, "commands.applied")), (5, 4));
    assert_eq!(engine.stop().0, 0);
}

/// Asks for the status without reading, until the connection is closed; gives how often.
fn ask_without_reading(address: &str) -> usize {
    let mut client = StreamClient::connect(address, Framing::Size);
    setsockopt(&client.socket, sockopt::RcvBuf, &4096).expect("an option");
    client.socket.set_write_timeout(Some(Duration::from_secs(10))).expect("a time limit");
    let question = Framing::Size.wrap(&message("/health", vec![]));
    let started = Instant::now();
    let mut asked = 0;
    while std::io::Write::write_all(&mut client.socket, &question).is_ok()
        && started.elapsed() < Duration::from_secs(30)
    {
        asked += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    asked
}

#[test]
fn who_does_not_read_is_dropped_and_nobody_waits_for_it() {
    undisturbed(|| {
        let engine = paced();
        engine.wait_for_lockstep();
        let (mut client, address) = (StreamClient::connect(&engine.address(), Framing::Slip), engine.address());
        let asking = std::thread::spawn(move || ask_without_reading(&address));
        let mut answered = 0;
        while !asking.is_finished() {
            client.sync();
            answered += 1;
        }
        let asked = asking.join().expect("the one who does not read");
        let status = engine.status();
        println!("dropped after {asked} questions, another one was answered {answered} times");
        assert_eq!((number(&status, "tcp.slow"), number(&status, "tcp.open")), (1, 1));
        assert!(asked < 5000 && answered > 10);
        client.sync();
        number(&status, "late_blocks")
    });
}

#[test]
fn of_fifty_connections_those_are_taken_for_which_there_is_a_place() {
    let engine = paced();
    let mut taken = Vec::new();
    let mut refused = 0;
    for number in 0..50 {
        let mut client = StreamClient::connect(&engine.address(), BOTH[number % 2]);
        if number < 4 {
            client.sync();
            taken.push(client);
        } else {
            // Its framing is not known yet: what most clients send.
            let mut reader = StreamClient::connect(&engine.address(), Framing::Size);
            assert_eq!(code(&reader.receive().expect("why")), "full");
            assert_eq!(reader.receive(), None);
            refused += 2;
        }
    }
    let status = engine.wait_until("all", |status| number(status, "tcp.refused") == refused);
    assert_eq!(number(&status, "tcp.open"), 4);
    // Other hosts have places of their own, sixteen in all.
    for host in 2..5 {
        for _ in 0..4 {
            let mut client = StreamClient::connect_from(host, &engine.address(), Framing::Slip);
            client.sync();
            taken.push(client);
        }
    }
    let mut client = StreamClient::connect_from(5, &engine.address(), Framing::Size);
    assert_eq!(code(&client.receive().expect("why")), "full");
    // Who goes gives its place back.
    taken.swap_remove(0);
    engine.wait_until("a free place", |status| number(status, "tcp.open") == 15);
    StreamClient::connect(&engine.address(), Framing::Slip).sync();
    taken.iter_mut().for_each(StreamClient::sync);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn what_is_played_over_tcp_while_workers_are_killed_is_the_kept_score_bit_by_bit() {
    undisturbed(|| {
        let live = Live::start(Build::Release, "tcp", &[], &[]);
        let mut clients = BOTH.map(|framing| StreamClient::connect(&live.engine.address(), framing));
        clients[0].send("/gate/adsr", vec![OscType::Bool(true)]);
        let mut sent = 1;
        for round in 0..12 {
            for number in 0..100 {
                let place = (round + number) % 2;
                clients[place].send("/mod/sine/freq", vec![OscType::Float(220.0 + (number * 7 % 90) as f32)]);
                sent += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            if round % 4 == 2 {
                let workers = live.engine.workers();
                assert!(process::send(workers[round / 4 % workers.len()], Signal::SIGKILL));
                live.engine.wait_for_lockstep();
            }
        }
        clients.iter_mut().for_each(StreamClient::sync);
        let outcome = live.finish();
        outcome.assert_explained();
        assert_eq!(outcome.kept, sent);
        println!("{sent} commands over TCP, {} workers killed, {} late blocks", outcome.told("survived"), outcome.late);
        outcome.late
    });
}

#[test]
fn a_flood_over_tcp_is_told_dropped_and_takes_nothing_from_who_plays() {
    let engine = paced();
    let mut player = StreamClient::connect_from(2, &engine.address(), Framing::Slip);
    player.sync();
    std::thread::sleep(Duration::from_millis(1100));
    let address = engine.address();
    let flood = std::thread::spawn(move || {
        let mut client = StreamClient::connect(&address, Framing::Size);
        let packets: Vec<u8> = (0..1000).flat_map(|value| Framing::Size.wrap(&cutoff(value))).collect();
        let mut socket: &TcpStream = &client.socket;
        socket.set_write_timeout(Some(Duration::from_millis(100))).expect("a time limit");
        let (started, mut at) = (Instant::now(), 0);
        while started.elapsed() < Duration::from_secs(3) {
            // It takes a part of it, or none.
            at = (at + std::io::Write::write(&mut socket, &packets[at..]).unwrap_or(0)) % packets.len();
        }
        client.receive()
    });
    let mut answered = 0;
    while !flood.is_finished() {
        player.sync();
        answered += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = flood.join().expect("the flood").expect("it is told");
    assert_eq!(code(&told), "flood");
    let status = engine.status();
    println!("{} dropped; the player was answered {answered} times", number(&status, "tcp.dropped"));
    assert!(number(&status, "tcp.dropped") > 0 && number(&status, "network.floods") == 1 && answered > 5);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn connections_end_with_a_killed_engine_and_the_next_one_takes_new_ones_at_the_same_port() {
    let mut service = Service::new("tcp", &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let engine = service.start();
    engine.wait_for_lockstep();
    let mut clients = BOTH.map(|framing| StreamClient::connect(&engine.address(), framing));
    for client in &mut clients {
        let bytes = client.framing().wrap(&cutoff(777));
        client.send_bytes(&bytes);
    }
    clients.iter_mut().for_each(StreamClient::sync);
    let address = engine.address();
    assert!(process::send(engine.id(), Signal::SIGKILL));
    engine.wait();
    clients.iter_mut().for_each(|client| assert_eq!(client.receive(), None, "it ends with the engine"));
    let engine = service.start();
    assert_eq!(engine.address(), address);
    for framing in BOTH {
        let mut client = StreamClient::connect(&address, framing);
        assert_eq!(value(&mut client), OscType::Float(777.0), "what was set is set");
        client.sync();
    }
    assert_eq!(engine.number("restarts"), 1);
    assert_eq!(engine.stop().0, 0);
}
