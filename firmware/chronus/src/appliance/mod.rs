//! The box as a whole: what it should be, and what it is. `chronus selftest` shows it, `chronus tune` sets what can be
//! set, from one table of conditions.

mod affinity;
mod boot;
mod conditions;
mod engine;
mod fair_server;
mod interrupts;
mod machine;
#[cfg(test)]
mod made_up;
mod reading;
mod report;
mod running;
mod system;
#[cfg(test)]
mod tests;
mod thread;
mod tune;

use std::io::Write;
use std::process::ExitCode;

pub use machine::Machine;
#[cfg(test)]
pub use made_up::MadeUp;
pub use report::Report;

/// `chronus selftest`.
pub fn selftest(json: bool) -> ExitCode {
    let report = Report::known(&Machine::here());
    let told = if json { as_json(&report) } else { report.table() };
    // Not print!: a reader who has seen enough is no reason to panic.
    let _ = std::io::stdout().write_all(told.as_bytes());
    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `chronus tune`.
pub fn run_tune() -> ExitCode {
    let machine = Machine::here();
    let refused = tune::tune(&machine);
    for (name, reason) in &refused {
        log::warn!("{name} could not be set: {reason}");
    }
    // For those who see less than root. Where this is no box there is no such folder, and nobody who reads it.
    let left = machine.path(report::LEFT_BY_TUNE);
    if let Some(folder) = left.parent().filter(|folder| folder.is_dir()) {
        let written = crate::settings::write_whole(folder, "selftest.json", &as_json(&Report::seen(&machine)));
        written.unwrap_or_else(|reason| log::warn!("{reason}; the engine's status says less"));
    }
    if refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn as_json(report: &Report) -> String {
    // Plain text and numbers are always JSON.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}
