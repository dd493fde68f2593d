//! Promise 3: a thousand kills leave nothing behind.

use std::process::Command;
use std::time::Duration;

use chronus_tests::build::{Build, chronus, kills};
use chronus_tests::engine::Engine;
use chronus_tests::process::{Belongings, alive, children, resident_kib, send, state};
use nix::sys::signal::Signal;

/// Kills before the first count: by then everything that is made once has been made.
const WARM_UP: u64 = 50;

fn kill_often(engine: &Engine, times: u64) {
    for kill in 0..times {
        let slot = (kill % 2) as usize;
        let status = engine.wait_for_lockstep();
        let worker = status["slots"][slot]["pid"].as_u64().expect("a worker") as u32;
        send(worker, Signal::SIGKILL);
        // Until it is known: a status from before would still call the dead one in lockstep.
        let pid = |status: &serde_json::Value| status["slots"][slot]["pid"].as_u64();
        engine.wait_until("its replacement", |status| {
            pid(status).is_some_and(|pid| pid != 0 && pid != u64::from(worker))
        });
    }
    engine.wait_for_lockstep();
}

/// What the engine has while nothing is under way: a worker that this busy machine makes hang just now, and that is
/// being replaced, is no leak. So it is looked at until it is the same three times in a row.
fn settled(engine: &Engine) -> Belongings {
    let mut same = 0;
    let mut last = Belongings::of(engine.id());
    while same < 3 {
        std::thread::sleep(Duration::from_millis(20));
        let now = Belongings::of(engine.id());
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}

#[test]
fn a_thousand_kills_leave_nothing_behind() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    kill_often(&engine, WARM_UP);
    // One that hangs, too: a message is written then, by a thread that has its first memory from it.
    let hung = engine.number("slots.0.pid") as u32;
    send(hung, Signal::SIGSTOP);
    engine.wait_until("the replacement", |status| status["slots"][0]["pid"].as_u64() != Some(u64::from(hung)));
    engine.wait_for_lockstep();
    let (before, resident_before) = (settled(&engine), resident_kib(engine.id()));
    let times = kills().min(1000);
    kill_often(&engine, times);
    let (after, resident_after) = (settled(&engine), resident_kib(engine.id()));
    println!("{times} kills: {after:?}, resident {resident_before} -> {resident_after} KiB");
    assert_eq!(before, after);
    assert!(resident_after.abs_diff(resident_before) * 100 <= resident_before, "resident memory moved by over 1 %");
    assert!(engine.number("slots.0.deaths") + engine.number("slots.1.deaths") >= times + WARM_UP);
}

#[test]
fn the_end_leaves_no_process_and_no_zombie() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // Where this test was started with SIGHUP ignored (nohup), the engine would rightly go on ignoring it.
        let program = chronus(Build::Release);
        let mut command = Command::new("env");
        command.arg("--default-signal=HUP").arg(&program).args(["run", "--sink", "paced", "--osc", "127.0.0.1:0"]);
        let engine = Engine::start_command(program, command);
        let (id, workers) = (engine.id(), children(engine.id()));
        engine.wait_for_lockstep();
        assert_eq!(workers.len(), 2);
        send(id, signal);
        let (code, output) = engine.wait();
        assert_eq!(code, 0, "{signal}: {output}");
        assert!(workers.iter().all(|worker| state(*worker).is_none()), "{signal} left workers");
    }
}

#[test]
fn workers_die_with_their_supervisor() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let workers = engine.workers();
    assert_eq!(workers.len(), 2);
    send(engine.id(), Signal::SIGKILL);
    let (code, _) = engine.wait();
    assert_ne!(code, 0);
    for _ in 0..1000 {
        if workers.iter().all(|worker| !alive(*worker)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("a worker outlived its supervisor");
}
