//! Promise 4 of the faults nobody should hear: the supervisor is killed, a service manager starts it again, and the
//! performance goes on where it was.

use std::net::UdpSocket;
use std::time::Duration;

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, first_due_ns, number, render};
use chronus_tests::process::send;
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use chronus_tests::score::Score;
use chronus_tests::service::Service;
use chronus_tests::undisturbed::undisturbed;
use nix::sys::signal::Signal;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

/// More blocks than any of these tests plays.
const BLOCKS: u64 = 60_000;

/// Blocks that may be on their way into the file when an engine is killed: the 32 that its writer keeps back to write them
/// at once, and what comes while it rests.
const UNWRITTEN: u64 = 40;

/// Kills of the whole engine: 20, or a thousandth of what CHRONUS_TEST_KILLS says (each takes a second).
fn kills() -> usize {
    let wanted = std::env::var("CHRONUS_TEST_KILLS").ok().and_then(|text| text.parse::<usize>().ok());
    wanted.map_or(20, |kills| (kills / 1000).max(20))
}

/// Kills an engine as `kill -9` does and waits for its end; gives the time of the kill.
fn kill(engine: Engine) -> u64 {
    let time = rt::clock::monotonic();
    assert!(send(engine.id(), Signal::SIGKILL));
    engine.wait();
    time
}

/// One engine of a performance: what it began with, and what was known of it just before it was killed.
struct Life {
    began: u64,
    seen: u64,
    late: u64,
    recording: String,
}

#[test]
fn a_score_goes_on_bit_by_bit_over_kills_of_the_supervisor() {
    let scores = Folder::new("restart-score");
    let score = scores.file("score.osc");
    Score::torture(48_000, BLOCKS, 31).write(&score);
    let reference = scores.file("reference.wav");
    let length = (kills() as u64 * 400 + 4000).min(BLOCKS);
    render(Build::Release, &score, &reference, &["--blocks", &length.to_string()]);
    let reference = Recording::read(&reference);
    let mut seed = 100;
    undisturbed(|| {
        seed += 1;
        kill_again_and_again(score.to_str().expect("text"), &reference, seed)
    });
}

/// Gives how many blocks were late; if none was, everything recorded is as it should be.
fn kill_again_and_again(score: &str, reference: &Recording, seed: u64) -> u64 {
    let blocks = (reference.frames.len() / 256).to_string();
    let mut service = Service::new("restart", &[]);
    let sink = service.sink("played.wav");
    let arguments = [
        "--score",
        score,
        "--sink",
        &sink,
        "--osc",
        "127.0.0.1:0",
        "--blocks",
        &blocks,
        "--lead",
        "4",
        "--periods",
        "4",
    ];
    service.arguments = arguments.map(str::to_owned).to_vec();
    let (mut random, mut lives, mut killed, mut silences) = (Random::new(seed), Vec::<Life>::new(), None, Vec::new());
    for count in 0..=kills() {
        let engine = service.start();
        let status =
            engine.wait_until("sound", |status| number(status, "block") > number(status, "continued_at_block"));
        let began = number(&status, "continued_at_block");
        silences.extend(killed.map(|killed| (first_due_ns(&status) - killed) / 1000));
        // A beat that begins anywhere but here would be silent for as long as was played before.
        let silent = silences.iter().sum::<u64>() * 48 / 256_000;
        assert!(silences.len() < 5 || silent < began / 2, "silent for {silent} blocks, {began} were played");
        // Where the one before it was last seen, or later, by what it played between that and its end.
        if let Some(before) = lives.last() {
            assert!(began >= before.seen, "block {} was played, and {began} is the next one", before.seen);
            assert!(service.messages().contains(&format!("continuing at block {began}")), "{}", service.messages());
        }
        let recording = engine_file(&status);
        // Beyond the hundred blocks after which an engine counts as one that endures, and more by chance.
        let enough = began + 100 + random.below(150);
        engine.wait_until("more sound", |status| number(status, "block") >= enough);
        std::thread::sleep(Duration::from_micros(random.below(5400)));
        let status = engine.status();
        lives.push(Life { began, seen: number(&status, "block"), late: number(&status, "late_blocks"), recording });
        killed = Some(kill(engine));
        if count % 3 == 1 {
            // Once more, while it starts.
            service.start_and_kill_after(Duration::from_micros(random.below(60_000)));
            killed = None;
        }
    }
    silences.sort_unstable();
    println!(
        "{} kills; from a kill to the next block: median {} us, most {} us; promised 250000",
        lives.len(),
        silences[silences.len() / 2],
        silences.last().expect("some")
    );
    compare(&lives, reference)
}

fn engine_file(status: &serde_json::Value) -> String {
    status["sink"].as_str().and_then(|sink| sink.strip_prefix("paced:")).expect("a file").to_owned()
}

fn compare(lives: &[Life], reference: &Recording) -> u64 {
    let (mut differing, mut compared) = (0, 0);
    for (place, life) in lives.iter().enumerate() {
        let played = Recording::read_cut_off(life.recording.as_ref());
        let recorded = played.frames.len() as u64 / 256;
        differing += played.differing_blocks(&reference.from_block(life.began)).len();
        compared += recorded;
        // One block at most is recorded and not counted; all that are counted are only missing if they were still on
        // their way into the file.
        let next = lives.get(place + 1).map_or(u64::MAX, |next| next.began);
        assert!(life.began + recorded <= next.saturating_add(1), "life {place} recorded {recorded} blocks");
        assert!(recorded + UNWRITTEN >= life.seen - life.began, "life {place} recorded only {recorded} blocks");
    }
    let late: u64 = lives.iter().map(|life| life.late).sum();
    println!("{compared} blocks of {} engines compared, {differing} differ, {late} late", lives.len());
    assert!(late > 0 || differing == 0, "{differing} blocks differ");
    late
}

fn datagram(address: &str, argument: OscType) -> Vec<u8> {
    let message = OscMessage { addr: address.to_owned(), args: vec![argument] };
    rosc::encoder::encode(&OscPacket::Message(message)).expect("a message encodes")
}

/// A bundle that is due so many milliseconds from now.
fn later(milliseconds: u32, address: &str, argument: OscType) -> Vec<u8> {
    let due = std::time::SystemTime::now() + Duration::from_millis(u64::from(milliseconds));
    let message = OscMessage { addr: address.to_owned(), args: vec![argument] };
    let timetag = OscTime::try_from(due).expect("a time of this century");
    let bundle = OscBundle { timetag, content: vec![OscPacket::Message(message)] };
    rosc::encoder::encode(&OscPacket::Bundle(bundle)).expect("a bundle encodes")
}

#[test]
fn a_held_note_sounds_on_and_what_was_sent_meanwhile_takes_effect() {
    undisturbed(|| {
        let mut service = Service::new("restart-live", &[]);
        let (sink, kept) = (service.sink("played.wav"), service.folder.file("kept.osc"));
        let kept = kept.to_str().expect("text").to_owned();
        service.arguments =
            ["--sink", &sink, "--keep-score", &kept, "--osc", "127.0.0.1:0"].map(str::to_owned).to_vec();
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let engine = service.start();
        let address = engine.address();
        let send = |bytes: &[u8]| _ = socket.send_to(bytes, &address).expect("it is sent");
        send(&datagram("/mod/sine/freq", OscType::Float(330.0)));
        send(&datagram("/gate/adsr", OscType::Bool(true)));
        engine.wait_until("the score on the disk", |status| number(status, "block") > 300);
        // These are not in the file of the score when the engine is killed; and the last is not even in the log.
        send(&datagram("/mod/filter/cutoff", OscType::Float(2000.0)));
        send(&later(1500, "/mod/sine/freq", OscType::Float(550.0)));
        let status = engine.wait_until("all of them", |status| {
            (number(status, "commands.applied"), number(status, "commands.waiting")) == (3, 1)
        });
        let first_late = number(&status, "late_blocks");
        kill(engine);
        send(&datagram("/mod/sine/gain", OscType::Float(0.5)));
        send(&datagram("/mod/filter/q", OscType::Float(3.0)));

        let engine = service.start();
        assert_eq!(engine.address(), address, "the same socket");
        let status = engine.wait_until("the rest", |status| number(status, "commands.applied") == 6);
        assert_eq!((number(&status, "restarts"), number(&status, "commands.waiting")), (1, 0));
        let began = number(&status, "continued_at_block");
        engine.wait_until("a little more", |status| number(status, "block") > began + 50);
        let (code, output) = engine.stop();
        assert_eq!((code, service.stored()), (0, vec![]), "{output}");

        let file = |name: &str| service.folder.file(name);
        let scores = ["kept.osc", "kept.2.osc"].map(|name| std::fs::read(file(name)).expect("a kept score"));
        std::fs::write(file("both.osc"), scores.concat()).expect("both scores in one");
        let blocks = chronus_tests::engine::told(&output, "played") - 1;
        render(Build::Release, &file("both.osc"), &file("reference.wav"), &["--blocks", &blocks.to_string()]);
        let reference = Recording::read(&file("reference.wav"));
        let first = Recording::read_cut_off(&file("played.wav"));
        let second = Recording::read(&file("played.2.wav"));
        let late = first_late + chronus_tests::engine::told(&output, "late blocks");
        let differing = [first.differing_blocks(&reference), second.differing_blocks(&reference.from_block(began))];
        assert!(late > 0 || differing.iter().all(Vec::is_empty), "{differing:?} differ, began at {began}");
        let loudest = second.left()[..256].iter().fold(0.0, |most: f64, sample| most.max(sample.abs()));
        assert!(late > 0 || loudest > 0.01, "the note sounds in the first block: {loudest}");
        late
    });
}
