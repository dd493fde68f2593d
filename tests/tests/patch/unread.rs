//! A file that comes late, is damaged, cannot be read, or belongs to the engine before: nothing in it is lost.

use chronus_tests::engine::{Folder, number};
use chronus_tests::patch::{all_values, defaults, read, set, text};
use chronus_tests::service::Service;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{SOON, cut_power, in_effect, name, start, wait_for_state, wait_for_writes, with};

#[test]
fn a_folder_that_comes_later_is_waited_for_and_what_was_changed_meanwhile_stays() {
    let folder = Folder::new("patch-later");
    let (data, other, messages) = (folder.file("data"), folder.file("other"), folder.file("messages"));
    let patch = data.join("last.toml");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(other.join("last.toml"), text(&[("sine.freq", 333.0), ("filter.mode", 2.0)])).expect("a file");
    // Nobody has changed a value: it is loaded as soon as it is there, and notes are no change.
    let engine = start(&patch, &messages);
    assert_eq!(engine.send(&["/gate/adsr", "1"]).0, 0);
    engine.wait_until("blocks", |status| number(status, "block") > 200);
    assert_eq!(engine.status()["patch"]["state"], "waiting");
    std::fs::rename(&other, &data).expect("it is there");
    engine.wait_until("the values", |status| number(status, "patch.loaded") == 2);
    let expected = [("sine.freq", 333.0), ("filter.mode", 2.0), ("sine.gain", 0.123)];
    assert_eq!(in_effect(&engine, &patch), with(defaults(), &expected));
    cut_power(engine);
    // Somebody has: that stays, all other values are loaded, and nothing of the file is lost.
    std::fs::rename(&data, &other).expect("it is away");
    let engine = start(&patch, &messages);
    set(&engine, &[("filter.cutoff", 5000.0)]);
    wait_for_state(&engine, "failing");
    std::fs::rename(&other, &data).expect("it is there");
    engine.wait_until("the values", |status| number(status, "patch.loaded") == all_values() - 1);
    wait_for_writes(&engine, 1);
    let expected = with(defaults(), &[expected[0], expected[1], expected[2], ("filter.cutoff", 5000.0)]);
    assert_eq!(read(&patch), expected);
    let said = std::fs::read_to_string(&messages).expect("its messages");
    assert_eq!(said.matches("cannot be written").count(), 1, "{said}");
    assert_eq!(engine.stop().0, 0);
    assert_eq!(read(&patch), expected);
}

#[test]
fn what_cannot_be_read_is_not_overwritten() {
    let folder = Folder::new("patch-unreadable");
    let (patch, messages) = (folder.file("last.toml"), folder.file("messages"));
    // A folder is what root cannot read as a file either.
    std::fs::create_dir(&patch).expect("a folder");
    std::fs::write(patch.join("inside"), "precious").expect("a file");
    let engine = start(&patch, &messages);
    set(&engine, &[("sine.freq", 222.0)]);
    wait_for_writes(&engine, 1);
    assert_eq!(read(&patch), with(defaults(), &[("sine.freq", 222.0)]));
    let aside = folder.file("last.toml.damaged").join("inside");
    assert_eq!(std::fs::read_to_string(aside).expect("it is set aside"), "precious");
    let said = std::fs::read_to_string(&messages).expect("its messages");
    assert_eq!(said.matches("cannot be read: ").count(), 1, "{said}");
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn a_damaged_file_is_set_aside_and_what_is_unknown_is_left_out() {
    let folder = Folder::new("patch-damaged");
    let (patch, messages) = (folder.file("last.toml"), folder.file("messages"));
    let damaged = "schema = 1\n[sine]\nfreq = \n";
    std::fs::write(&patch, damaged).expect("a file");
    let engine = start(&patch, &messages);
    wait_for_state(&engine, "kept");
    assert_eq!(std::fs::read_to_string(folder.file("last.toml.damaged")).expect("it is set aside"), damaged);
    assert_eq!(in_effect(&engine, &patch), with(defaults(), &[("sine.gain", 0.123)]));
    cut_power(engine);
    let said = std::fs::read_to_string(&messages).expect("its messages");
    assert!(said.contains("last.toml, line 3: ") && said.contains("last.toml.damaged"), "{said}");
    let unknown = text(&[("sine.freq", 1e9), ("sine.freak", 1.0), ("filter.q", f64::INFINITY), ("adsr.attack", 50.0)]);
    std::fs::write(&patch, &unknown).expect("a file");
    let engine = start(&patch, &messages);
    engine.wait_until("the values", |status| number(status, "patch.loaded") == 2);
    std::thread::sleep(SOON);
    assert_eq!(std::fs::read_to_string(&patch).expect("a file"), unknown, "nobody has changed anything");
    let expected = [("sine.freq", 23_990.0), ("adsr.attack", 50.0), ("sine.gain", 0.123)];
    assert_eq!(in_effect(&engine, &patch), with(defaults(), &expected));
    let said = std::fs::read_to_string(&messages).expect("its messages");
    assert!(said.contains("sine.freak") && said.contains("filter.q") && said.contains("the rest is set"), "{said}");
}

#[test]
fn an_engine_that_goes_on_keeps_what_it_plays_and_loads_nothing() {
    let mut service = Service::new("patch-adopted", &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let patch = service.folder.file("last.toml");
    service.arguments.extend(["--patch".to_owned(), name(&patch).to_owned()]);
    let engine = service.start();
    engine.wait_for_lockstep();
    set(&engine, &[("sine.freq", 111.0)]);
    wait_for_writes(&engine, 1);
    // Not kept yet when it is killed.
    set(&engine, &[("sine.freq", 222.0)]);
    engine.wait_until("the change", |status| status["patch"]["state"] == "changed");
    kill(Pid::from_raw(engine.id() as i32), Signal::SIGKILL).expect("it is there");
    engine.wait();
    assert_eq!(read(&patch)["sine.freq"], 111.0);
    std::fs::write(&patch, text(&[("sine.freq", 999.0), ("filter.q", 9.0)])).expect("a file");
    let engine = service.start();
    assert_eq!(engine.number("restarts"), 1, "{}", service.messages());
    wait_for_writes(&engine, 1);
    assert_eq!(read(&patch), with(defaults(), &[("sine.freq", 222.0)]));
    assert_eq!(engine.number("patch.loaded"), 0);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn an_engine_that_goes_on_from_one_that_never_saw_the_file_loads_it() {
    let mut service = Service::new("patch-adopted-early", &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let (data, other) = (service.folder.file("data"), service.folder.file("other"));
    let patch = data.join("last.toml");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(other.join("last.toml"), text(&[("sine.freq", 999.0), ("filter.q", 9.0)])).expect("a file");
    service.arguments.extend(["--patch".to_owned(), name(&patch).to_owned()]);
    let engine = service.start();
    engine.wait_for_lockstep();
    set(&engine, &[("sine.freq", 222.0)]);
    wait_for_state(&engine, "failing");
    kill(Pid::from_raw(engine.id() as i32), Signal::SIGKILL).expect("it is there");
    engine.wait();
    std::fs::rename(&other, &data).expect("it is there");
    let engine = service.start();
    assert_eq!(engine.number("restarts"), 1, "{}", service.messages());
    engine.wait_until("the value", |status| number(status, "patch.loaded") == 1);
    wait_for_writes(&engine, 1);
    assert_eq!(read(&patch), with(defaults(), &[("sine.freq", 222.0), ("filter.q", 9.0)]));
    assert_eq!(engine.stop().0, 0);
}
