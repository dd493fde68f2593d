//! What the kernel reserves on the engine's cores for what is not in real time: its fair server.

use super::boot::ENGINE_CORES;
use super::machine::Machine;
use super::reading::{Reading, Verdict};

const DEBUG: &str = "sys/kernel/debug";
const FAIR_SERVER: &str = "sys/kernel/debug/sched/fair_server";

/// The first kernel that reserves time on every core for what is not in real time.
const FAIR_SERVER_SINCE: (u32, u32) = (6, 12);

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
/// Each is told so by a thread that runs there and is not in real time: for such a thread the kernel has started the
/// core's fair server. Linux 6.12.107 stops the server to change it even if it has not been started, as on a core without
/// tasks, and then finds less time reserved than it takes back (`dl_rq->running_bw > old`): it warns, and is tainted.
///
/// # Errors
/// In words.
pub fn set_fair_server(machine: &Machine) -> Result<(), String> {
    if !machine.has(&format!("{DEBUG}/sched")) {
        let mounted = machine.kernel.mount_debugfs(&machine.path(DEBUG));
        mounted.map_err(|error| format!("the kernel's debugging files cannot be shown in /{DEBUG}: {error}"))?;
    }
    for core in ENGINE_CORES {
        let file = format!("{FAIR_SERVER}/cpu{core}/runtime");
        if machine.read(&file).is_ok_and(|time| time == "0") {
            continue;
        }
        let mut result = Ok(());
        let there = machine.kernel.run_on(core, &mut || result = machine.write(&file, "0"));
        there.map_err(|error| format!("core {core} cannot be told: nothing can be run there: {error}"))?;
        result?;
    }
    Ok(())
}
