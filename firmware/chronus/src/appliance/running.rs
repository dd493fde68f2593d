//! Conditions that can be set while the kernel runs.

use super::boot::ENGINE_CORES;
use super::machine::Machine;
use super::reading::{Reading, Verdict};

const THROTTLING: &str = "proc/sys/kernel/sched_rt_runtime_us";
const DEBUG: &str = "sys/kernel/debug";
const FAIR_SERVER: &str = "sys/kernel/debug/sched/fair_server";

/// The first kernel that reserves time on every core for what is not in real time.
const FAIR_SERVER_SINCE: (u32, u32) = (6, 12);

/// The governors' files, one for each core that has one.
fn governors(machine: &Machine) -> Vec<(String, String)> {
    let cores = machine.names("sys/devices/system/cpu").into_iter();
    let cores = cores.filter(|name| name.strip_prefix("cpu").is_some_and(|number| number.parse::<u32>().is_ok()));
    let files = cores.map(|core| {
        let file = format!("sys/devices/system/cpu/{core}/cpufreq/scaling_governor");
        (core, file)
    });
    files.filter(|(_, file)| machine.has(file)).collect()
}

/// Who decides on the clock of the cores.
pub fn governor(machine: &Machine) -> Reading {
    let governors = governors(machine);
    if governors.is_empty() {
        return Reading::not_applicable("the kernel cannot change the clock here, as in a virtual machine");
    }
    let named = |file: &str| machine.read(file).unwrap_or_else(|error| error.to_string());
    let others =
        governors.iter().map(|(core, file)| (core, named(file))).filter(|(_, governor)| governor != "performance");
    let others: Vec<_> = others.map(|(core, governor)| format!("{core} {governor}")).collect();
    if others.is_empty() { Reading::new(true, "performance") } else { Reading::new(false, others.join(", ")) }
}

/// Has all cores run at their full clock.
///
/// # Errors
/// In words.
pub fn set_governor(machine: &Machine) -> Result<(), String> {
    governors(machine).iter().try_for_each(|(_, file)| machine.write(file, "performance"))
}

/// For how long in a second real-time threads may run, in microseconds; -1 for all of it.
pub fn throttling(machine: &Machine) -> Reading {
    let judge = |limit: &str| Reading::new(limit == "-1", limit);
    machine.judge(THROTTLING, judge, || Reading::not_applicable("this kernel holds nobody"))
}

/// Has real-time threads held never.
///
/// # Errors
/// In words.
pub fn set_throttling(machine: &Machine) -> Result<(), String> {
    machine.write(THROTTLING, "-1")
}

/// Whether the kernel is one that reserves time for what is not in real time.
fn has_fair_server(machine: &Machine) -> bool {
    let release = machine.read("proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= FAIR_SERVER_SINCE
}

/// What is reserved on the engine's cores, in nanoseconds.
pub fn fair_server(machine: &Machine) -> Reading {
    if !has_fair_server(machine) {
        return Reading::not_applicable("kernels before 6.12 reserve nothing");
    }
    let mut reserved = Vec::new();
    for core in ENGINE_CORES {
        let judge = |time: &str| Reading::new(time == "0", format!("core {core}: {time} ns"));
        let reading = machine.judge(&format!("{FAIR_SERVER}/cpu{core}/runtime"), judge, || absent(machine));
        match reading.verdict {
            Verdict::Holds => {}
            Verdict::Fails if reading.is.starts_with("core ") => reserved.push(reading.is),
            _ => return reading,
        }
    }
    if reserved.is_empty() { Reading::new(true, "none") } else { Reading::new(false, reserved.join(", ")) }
}

/// Why there is no such file.
fn absent(machine: &Machine) -> Reading {
    match machine.has(FAIR_SERVER) {
        true => Reading::new(false, "this machine has no such core"),
        false if machine.has(&format!("{DEBUG}/sched")) => Reading::new(false, "the kernel shows no way to change it"),
        false => Reading::new(false, "the kernel's debugging files are not shown (/sys/kernel/debug)"),
    }
}

/// Has nothing reserved on the engine's cores.
///
/// # Errors
/// In words.
pub fn set_fair_server(machine: &Machine) -> Result<(), String> {
    if !machine.has(&format!("{DEBUG}/sched")) {
        let mounted = machine.kernel.mount_debugfs(&machine.path(DEBUG));
        mounted.map_err(|error| format!("the kernel's debugging files cannot be shown in /{DEBUG}: {error}"))?;
    }
    ENGINE_CORES.iter().try_for_each(|core| machine.write(&format!("{FAIR_SERVER}/cpu{core}/runtime"), "0"))
}
