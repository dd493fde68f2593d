//! Who subscribes is told what happens to the engine, and how loud it is.

use std::time::Duration;

use chronus_tests::build::Build;
use chronus_tests::client::Client;
use chronus_tests::engine::{Engine, Folder, number};
use chronus_tests::process::send;
use chronus_tests::recording::Recording;
use nix::sys::signal::Signal;
use rosc::{OscMessage, OscType};

fn on() -> Vec<OscType> {
    vec![OscType::Int(1)]
}

fn subscribed(build: Build, more: &[&str]) -> (Engine, Client) {
    let engine = Engine::start(build, &[&["--osc", "127.0.0.1:0"], more].concat());
    engine.wait_for_lockstep();
    let client = Client::of(&engine.address());
    client.send("/notify", on());
    assert_eq!(client.next("/notify.reply"), [OscType::Int(30)]);
    (engine, client)
}

/// The messages about what happens, until one to this address comes; values and replies are passed over, and what comes in
/// the same bundle behind it: this machine makes the timer late now and then, and that is told whenever it happens.
fn events_until(client: &Client, last: &str) -> Vec<OscMessage> {
    let mut events = Vec::new();
    loop {
        if let Some(place) = events.iter().position(|event: &OscMessage| event.addr == last) {
            events.truncate(place + 1);
            return events;
        }
        let messages = client.messages().unwrap_or_else(|| panic!("{last} never came: {events:?}"));
        events
            .extend(messages.into_iter().filter(|one| !one.addr.starts_with("/mod/") && !one.addr.ends_with(".reply")));
    }
}

#[test]
fn the_death_of_a_worker_and_its_return_are_told_to_all_who_subscribe() {
    let (engine, client) = subscribed(Build::Release, &["--sink", "paced"]);
    let other = Client::of(&engine.address());
    other.send("/notify", on());
    other.next("/notify.reply");
    let silent = Client::of(&engine.address());
    for _ in 0..5 {
        let status = engine.wait_for_lockstep();
        assert!(send(number(&status, "slots.1.pid") as u32, Signal::SIGKILL));
        let deaths = number(&status, "slots.1.deaths") as i64 + 1;
        for client in [&client, &other] {
            let events = events_until(client, "/slot/up");
            let down = events.iter().find(|event| event.addr == "/slot/down").expect("it went down before");
            assert_eq!(down.args, [OscType::Int(1), OscType::Long(deaths)]);
            assert_eq!(events.last().expect("an event").args[0], OscType::Int(1));
        }
    }
    silent.send("/version", vec![]);
    let heard = silent.messages().expect("the version");
    assert_eq!(heard[0].addr, "/version.reply", "who has not asked is told nothing");
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn late_blocks_and_quarantined_commands_are_told() {
    let (engine, client) = subscribed(Build::Faults, &["--sink", "paced"]);
    let workers = engine.workers();
    workers.iter().for_each(|worker| _ = send(*worker, Signal::SIGSTOP));
    std::thread::sleep(Duration::from_millis(50));
    workers.iter().for_each(|worker| _ = send(*worker, Signal::SIGCONT));
    let events = events_until(&client, "/late/blocks");
    let OscType::Long(total) = events.last().expect("an event").args[1] else { panic!("a count") };
    assert!(total > 0 && total as u64 <= engine.number("late_blocks"));
    engine.wait_for_lockstep();
    client.send("/poison", vec!["abort".into()]);
    let events = events_until(&client, "/quarantine");
    assert_eq!(events.last().expect("an event").args, [OscType::Long(1), OscType::from("/poison abort")]);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn levels_are_those_of_what_is_played_and_come_to_who_asked() {
    let folder = Folder::new("levels");
    let sink = format!("paced:{}", folder.file("played.wav").display());
    let (engine, client) = subscribed(Build::Release, &["--sink", &sink]);
    let other = Client::of(&engine.address());
    other.send("/notify", on());
    client.send("/notify/levels", on());
    assert_eq!(client.next("/notify/levels.reply"), [OscType::Int(30)]);
    assert_eq!(client.next("/levels"), [0.0; 4].map(OscType::Float), "nothing sounds");
    client.send("/mod/filter/cutoff", vec![OscType::Float(20_000.0)]);
    client.send("/mod/adsr/sustain", vec![OscType::Float(1.0)]);
    client.send("/test", vec![]);
    let float = |argument: &OscType| argument.clone().float().expect("a float");
    // Past the attack; then 40 of them, and the blocks they come within.
    (0..10).for_each(|_| drop(client.next("/levels")));
    let begun = engine.number("block");
    let levels: Vec<Vec<f32>> = (0..40).map(|_| client.next("/levels").iter().map(float).collect()).collect();
    let blocks = engine.number("block") - begun;
    other.send("/notify", vec![OscType::Int(0)]);
    while let Some(messages) = other.messages() {
        assert!(messages.iter().all(|message| message.addr != "/levels"), "who has not asked is told no levels");
        if messages.iter().any(|message| message.addr == "/notify.reply" && message.args == [OscType::Int(0)]) {
            break;
        }
    }
    let (_, output) = engine.stop();
    let played = Recording::read(&folder.file("played.wav"));
    let sound = &played.left()[(begun * 256) as usize..((begun + blocks) * 256) as usize];
    let peak = sound.iter().fold(0.0_f64, |peak, sample| peak.max(sample.abs()));
    let root = (sound.iter().map(|sample| sample * sample).sum::<f64>() / sound.len() as f64).sqrt();
    for level in &levels {
        let near = |value: f32, wanted: f64| (f64::from(value) / wanted - 1.0).abs() < 0.05;
        assert!(near(level[0], peak) && near(level[1], peak), "{level:?}, and the peak is {peak}: {output}");
        assert!(near(level[2], root) && near(level[3], root), "{level:?}, and the root mean square is {root}");
    }
    // 20 a second are one for 9.4 blocks; a busy machine has fewer of them.
    assert!(blocks >= 40 * 8, "40 messages within {blocks} blocks");
}
