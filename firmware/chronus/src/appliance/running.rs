//! Conditions that can be set while the kernel runs.

use super::machine::Machine;
use super::reading::Reading;

const THROTTLING: &str = "proc/sys/kernel/sched_rt_runtime_us";

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
