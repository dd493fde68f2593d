//! What an engine that was killed leaves behind is taken over by one that it fits, by nobody else, and never while
//! anyone still writes in it.

use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use chronus_tests::engine::{Engine, number};
use chronus_tests::process::{alive, send};
use chronus_tests::service::Service;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{F_UNLCK, F_WRLCK, flock};
use nix::sys::signal::Signal;
use serde_json::Value;

/// What an engine hands to its service manager.
const STORED: [&str; 8] = [
    "chronus-bell",
    "chronus-continuation",
    "chronus-log",
    "chronus-osc",
    "chronus-score",
    "chronus-slot-0",
    "chronus-slot-1",
    "chronus-waiting",
];

/// Bytes from the start of the continuation to the count of blocks played: eight words and a checksum.
const PLAYED_AT: u64 = 9 * 8;

/// The same to the count of starts in a row.
const STARTS_AT: u64 = 10 * 8;

fn service(name: &str) -> Service {
    Service::new(name, &["--sink", "paced", "--osc", "127.0.0.1:0"])
}

fn kill(engine: Engine) {
    assert!(send(engine.id(), Signal::SIGKILL));
    engine.wait();
}

/// Waits until it has played so many blocks.
fn play(engine: &Engine, blocks: u64) -> Value {
    engine.wait_until("sound", |status| number(status, "block") >= number(status, "continued_at_block") + blocks)
}

fn continued(engine: &Engine) -> (u64, bool) {
    let status = engine.status();
    (number(&status, "restarts"), number(&status, "continued_at_block") > 0)
}

fn lock_of(kind: i32) -> flock {
    flock { l_type: kind as i16, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 }
}

/// The process that holds this memory.
fn holder(memory: &OwnedFd) -> Option<u32> {
    let mut lock = lock_of(F_WRLCK);
    fcntl(memory, FcntlArg::F_GETLK(&mut lock)).expect("the lock is told");
    (i32::from(lock.l_type) != F_UNLCK).then_some(lock.l_pid as u32)
}

fn slot(service: &Service, number: usize) -> OwnedFd {
    service.descriptor(&format!("chronus-slot-{number}"))
}

#[test]
fn no_worker_outlives_its_supervisor_and_each_holds_its_slot() {
    let mut service = service("orphans");
    let mut old = Vec::new();
    let mut address = None;
    for life in 0..20 {
        let engine = service.start();
        let status = engine.wait_for_lockstep();
        // No other worker has joined before these were gone.
        assert!(old.iter().all(|process| !alive(*process)), "{old:?} are left");
        assert_eq!(*address.get_or_insert(engine.address()), engine.address());
        let workers = [0, 1].map(|slot| number(&status, &format!("slots.{slot}.pid")) as u32);
        let holders = [0, 1].map(|number| holder(&slot(&service, number)));
        assert_eq!(holders, workers.map(Some), "each writes where it alone may");
        assert_eq!(service.stored(), STORED);
        assert_eq!(continued(&engine), (life, life > 0), "{}", service.messages());
        play(&engine, 110);
        // Whoever was replaced meanwhile, because the machine was busy, is a child all the same.
        old = engine.workers();
        old.push(engine.id());
        kill(engine);
    }
}

/// Until the kernel shows a thread of this process in line for a hold.
fn wait_until_somebody_waits_for_a_hold() {
    let own = format!(" {} ", std::process::id());
    let waits = |line: &str| line.contains("-> ") && line.contains(&own);
    while !std::fs::read_to_string("/proc/locks").expect("the kernel's list").lines().any(waits) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_worker_waits_while_another_process_holds_its_slot() {
    let mut service = service("held");
    let engine = service.start();
    let status = engine.wait_for_lockstep();
    let memory = slot(&service, 0);
    let waiting = memory.try_clone().expect("a descriptor");
    // First in line for the time after the worker's death, as one that is not quite dead would be.
    let hold = std::thread::spawn(move || {
        fcntl(&waiting, FcntlArg::F_SETLKW(&lock_of(F_WRLCK))).expect("the hold is given");
        waiting
    });
    wait_until_somebody_waits_for_a_hold();
    assert!(send(number(&status, "slots.0.pid") as u32, Signal::SIGKILL));
    // Kept open: closing any descriptor of a file gives back all holds on it.
    let memory = [memory, hold.join().expect("no panic")];
    let down = engine.wait_until("its end", |status| status["slots"][0]["state"] != "lockstep");
    let before = number(&down, "block");
    // Many blocks go by, and nobody joins in the slot.
    let status = engine.wait_until("blocks", |status| {
        assert_ne!(status["slots"][0]["state"], "lockstep", "a second writer");
        number(status, "block") >= before + 200
    });
    assert_eq!(status["slots"][1]["state"], "lockstep", "the other one plays");
    fcntl(&memory[0], FcntlArg::F_SETLKW(&lock_of(F_UNLCK))).expect("it is given back");
    engine.wait_for_lockstep();
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn memory_in_which_somebody_still_writes_is_not_taken_over() {
    let mut service = service("still-used");
    let engine = service.start();
    play(&engine, 110);
    kill(engine);
    // Given back in time: it is waited for.
    let memory = slot(&service, 1);
    fcntl(&memory, FcntlArg::F_SETLK(&lock_of(F_WRLCK))).expect("nobody holds it");
    let copy = memory.try_clone().expect("a descriptor");
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        fcntl(&copy, FcntlArg::F_SETLK(&lock_of(F_UNLCK)))
    });
    let engine = service.start();
    assert!(release.is_finished(), "it was not waited for");
    play(&engine, 110);
    assert_eq!(continued(&engine), (1, true));
    kill(engine);
    // Never given back while the engine starts: then not this memory.
    fcntl(&memory, FcntlArg::F_SETLK(&lock_of(F_WRLCK))).expect("nobody holds it");
    let engine = service.start();
    assert_eq!(continued(&engine), (0, false));
    assert!(service.messages().contains("still uses it"), "{}", service.messages());
}

/// Kills an engine, does `harm` to what it left, and checks that the next one starts afresh for this reason, and that
/// the one after that goes on again.
fn is_refused(name: &str, reason: &str, harm: impl Fn(&mut Service)) {
    let mut service = service(name);
    let engine = service.start();
    play(&engine, 110);
    kill(engine);
    harm(&mut service);
    let engine = service.start();
    let messages = service.messages();
    assert!(messages.contains("starts afresh") && messages.contains(reason), "{name}: {messages}");
    engine.wait_for_lockstep();
    assert_eq!((continued(&engine), service.stored()), ((0, false), STORED.map(str::to_owned).to_vec()), "{name}");
    play(&engine, 110);
    kill(engine);
    let engine = service.start();
    assert_eq!(continued(&engine), (1, true), "{name}: {}", service.messages());
    let (code, _) = engine.stop();
    assert_eq!((code, service.stored()), (0, vec![]), "{name}");
}

/// Changes one byte of the memory of this name.
fn damage(service: &Service, name: &str, place: u64) {
    let memory = std::fs::File::from(service.descriptor(name));
    let mut byte = [0];
    memory.read_exact_at(&mut byte, place).expect("it is there");
    memory.write_all_at(&[byte[0] ^ 0x40], place).expect("it is written");
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    is_refused("another-build", "another build", |service| {
        let other = service.folder.file("chronus");
        let mut program = std::fs::read(&service.program).expect("the program");
        program.push(0);
        std::fs::write(&other, program).expect("another program");
        let rights = std::fs::metadata(&service.program).expect("its rights").permissions();
        std::fs::set_permissions(&other, rights).expect("the same rights");
        service.program = other;
    });
    is_refused("another-rate", "this engine runs at 44100 Hz", |service| {
        service.arguments.extend(["--rate", "44100"].map(str::to_owned));
    });
    is_refused("another-lead", "other options", |service| {
        service.arguments.extend(["--lead", "3"].map(str::to_owned));
    });
    is_refused("missing", "chronus-slot-1 is missing", |service| service.lose("chronus-slot-1"));
    is_refused("damaged-description", "damaged", |service| damage(service, "chronus-continuation", 8));
    is_refused("damaged-count", "do not fit together", |service| {
        damage(service, "chronus-continuation", PLAYED_AT);
    });
    is_refused("damaged-seal", "do not fit together", |service| damage(service, "chronus-log", 4));
}

/// Starts an engine and kills it when it has taken the memory over, before it can have played a hundred blocks.
fn start_and_kill_early(service: &mut Service) {
    let memory = std::fs::File::from(service.descriptor("chronus-continuation"));
    let starts = || {
        let mut word = [0; 8];
        memory.read_exact_at(&mut word, STARTS_AT).expect("it is there");
        u64::from_ne_bytes(word)
    };
    let before = starts();
    // A machine that is busy may not get round to it in so short a time.
    for _ in 0..50 {
        service.start_and_kill_after(Duration::from_millis(60));
        if starts() > before {
            return;
        }
    }
    panic!("never taken over: {}", service.messages());
}

#[test]
fn an_engine_that_is_ended_again_and_again_starts_afresh() {
    let mut service = service("crash-loop");
    let engine = service.start();
    play(&engine, 110);
    kill(engine);
    for _ in 0..3 {
        start_and_kill_early(&mut service);
    }
    let engine = service.start();
    let messages = service.messages();
    assert!(messages.contains("ended soon after"), "{messages}");
    assert_eq!(continued(&engine), (0, false));
    // Twice is not yet again and again, and whoever plays for a while wipes the slate clean.
    play(&engine, 110);
    kill(engine);
    for restarts in [1, 4, 7] {
        let engine = service.start();
        play(&engine, 110);
        assert_eq!(continued(&engine), (restarts, true), "{}", service.messages());
        kill(engine);
        (0..2).for_each(|_| start_and_kill_early(&mut service));
    }
}

#[test]
fn a_clean_end_leaves_nothing_behind() {
    let mut service = service("clean-end");
    let engine = service.start();
    service.wait_for("READY=1", 1);
    assert_eq!(service.stored(), STORED);
    let (code, _) = engine.stop();
    assert_eq!((code, service.stored(), service.said("STOPPING=1") > 0), (0, vec![], true));
    service.arguments.extend(["--blocks", "50"].map(str::to_owned));
    let (code, output) = service.start().wait();
    assert_eq!((code, service.stored()), (0, vec![]), "{output}");
    assert!(!service.messages().contains("unexpectedly"), "{}", service.messages());
    let engine = service.start();
    assert_eq!(continued(&engine), (0, false));
}
