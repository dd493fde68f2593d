//! What the kernel reserves on the engine's cores for what is not in real time: its fair server.

use std::time::Duration;

use super::boot::ENGINE_CORES;
use super::machine::Machine;
use super::reading::{Reading, Verdict};

const DEBUG: &str = "sys/kernel/debug";
const FAIR_SERVER: &str = "sys/kernel/debug/sched/fair_server";

/// What runs where, in words of the scheduler.
const SCHEDULER: &str = "sys/kernel/debug/sched/debug";

/// The first kernel that reserves time on every core for what is not in real time.
const FAIR_SERVER_SINCE: (u32, u32) = (6, 12);

/// Looks at a core before it is given up that it comes to rest. Before the engine starts there is nothing on an isolated
/// core but the kernel's own threads, each for far less than a millisecond; the engine waits for this, a second at most.
const LOOKS: u32 = 50;

/// Between two looks: long against what the kernel's threads do there, and a look itself costs a millisecond.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

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
/// Each is told so while it rests: where an ordinary task is queued at that moment the kernel stops its fair server first,
/// and with one that had stopped by itself Linux 6.12 warns (`task_non_contending`) and is tainted from then on.
///
/// # Errors
/// In words.
pub fn set_fair_server(machine: &Machine) -> Result<(), String> {
    if !machine.has(&format!("{DEBUG}/sched")) {
        let mounted = machine.kernel.mount_debugfs(&machine.path(DEBUG));
        mounted.map_err(|error| format!("the kernel's debugging files cannot be shown in /{DEBUG}: {error}"))?;
    }
    let mut left = ENGINE_CORES.to_vec();
    for look in 0..LOOKS {
        if look > 0 {
            machine.kernel.wait(BETWEEN_LOOKS);
        }
        let mut busy = Vec::new();
        for core in left {
            let file = format!("{FAIR_SERVER}/cpu{core}/runtime");
            if machine.read(&file).is_ok_and(|time| time == "0") {
                continue;
            }
            // Looked at for each core anew, so that as little time as can be passes between this and the next line.
            match rests(machine, core)? {
                true => machine.write(&file, "0")?,
                false => busy.push(core),
            }
        }
        left = busy;
        if left.is_empty() {
            return Ok(());
        }
    }
    Err(format!("core {} was busy at each of {LOOKS} looks, and a busy core is not told", left[0]))
}

/// Whether nothing is there to run on a core, its fair server not either.
///
/// # Errors
/// In words, if the kernel does not say.
fn rests(machine: &Machine, core: usize) -> Result<bool, String> {
    let said = machine.read(SCHEDULER).map_err(|error| format!("/{SCHEDULER}: {error}"))?;
    let count = |section: &str, name: &str| {
        let lines = said.lines().skip_while(|line| line.split([',', ':']).next() != Some(section)).skip(1);
        let mut values = lines.take_while(|line| line.starts_with(' ')).filter_map(|line| line.split_once(':'));
        values.find(|(found, _)| found.trim().trim_start_matches('.') == name)?.1.trim().parse::<u64>().ok()
    };
    let (tasks, server) =
        (count(&format!("cpu#{core}"), "nr_running"), count(&format!("dl_rq[{core}]"), "dl_nr_running"));
    match (tasks, server) {
        (Some(tasks), Some(server)) => Ok(tasks == 0 && server == 0),
        _ => Err(format!("/{SCHEDULER} does not say whether core {core} is busy")),
    }
}
