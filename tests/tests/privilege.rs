//! A worker may do what its loop needs and nothing else: whatever goes wrong in it stays in it.

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, number};
use chronus_tests::live::Live;
use chronus_tests::skipped;
use rosc::OscType;

fn of(process: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{process}/{file}")).expect("the process is there")
}

/// What a process may do with a shared memory, as /proc tells it: such as "r--s".
fn rights(process: u32, memory: &str) -> Vec<String> {
    let maps = of(process, "maps");
    let lines = maps.lines().filter(|line| line.contains(&format!("memfd:{memory} ")));
    lines.filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned)).collect()
}

#[test]
fn a_worker_can_write_its_own_slot_and_the_bell_and_nothing_else() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let status = engine.wait_for_lockstep();
    for slot in 0..2 {
        let worker = number(&status, &format!("slots.{slot}.pid")) as u32;
        let memories = ["chronus-log", "chronus-score", "chronus-bell"].map(|memory| rights(worker, memory).concat());
        // An empty score is not mapped at all.
        assert_eq!(memories, ["r--s", "", "rw-s"], "slot {slot}");
        assert_eq!(rights(worker, &format!("chronus-slot-{slot}")), ["rw-s"]);
        assert_eq!(rights(worker, &format!("chronus-slot-{}", 1 - slot)), ["r--s"]);
        let held = std::fs::read_dir(format!("/proc/{worker}/fd")).expect("its descriptors").flatten();
        let held = held.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let mut memory: Vec<_> =
            held.filter_map(|link| link.to_str()?.strip_prefix("/memfd:").map(str::to_owned)).collect();
        memory.sort();
        assert_eq!(memory, ["chronus-bell (deleted)".to_owned(), format!("chronus-slot-{slot} (deleted)")]);
    }
}

#[test]
fn a_worker_leaves_no_core_and_gains_no_rights() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    for worker in engine.workers() {
        let limits = of(worker, "limits");
        // One byte: no core file, and no program is fed with it either.
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the limit");
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["1", "1"]);
        let status = of(worker, "status");
        let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        assert_eq!(value("NoNewPrivs:"), Some("1"));
        match value("Seccomp:") {
            Some("2") => {}
            _ => skipped("the system call filter", "this kernel has none; one with CONFIG_SECCOMP_FILTER is needed"),
        }
    }
}

#[test]
fn a_worker_that_opens_a_file_dies_of_it_harmlessly() {
    let live = Live::start(Build::Faults, "open-file", &[], &[]);
    live.send("/gate/adsr", vec![OscType::Bool(true)]);
    live.send("/poison", vec![OscType::String("open_file".to_owned())]);
    let [_, code, _] = live.error();
    assert_eq!(code, "quarantined");
    live.engine.wait_for_lockstep();
    let outcome = live.finish();
    outcome.assert_explained();
    assert_eq!((outcome.kept, outcome.told("kills survived") >= 1), (1, true));
}
