//! Setting what can be set while the kernel runs.

use super::conditions::CONDITIONS;
use super::machine::Machine;
use super::reading::Verdict;

/// Sets every condition that can be set and does not hold. Gives what could not be: name and reason of each.
pub fn tune(machine: &Machine) -> Vec<(&'static str, String)> {
    let mut refused = Vec::new();
    for condition in &CONDITIONS {
        let Some(set) = condition.set else { continue };
        if matches!((condition.read)(machine).verdict, Verdict::Holds | Verdict::NotApplicable) {
            continue;
        }
        let result = set(machine);
        let reading = (condition.read)(machine);
        match (result, reading.verdict) {
            (_, Verdict::Holds | Verdict::NotApplicable) => {}
            (Err(reason), _) => refused.push((condition.name, reason)),
            // Written without a complaint, and not so all the same.
            (Ok(()), _) => refused.push((condition.name, format!("is {}, should be {}", reading.is, condition.should))),
        }
    }
    refused
}
