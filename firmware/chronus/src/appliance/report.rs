//! All conditions at once: as a table, as JSON, and as a sum.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::conditions::CONDITIONS;
use super::machine::Machine;
use super::reading::{Reading, Verdict};
use crate::report::SelftestSum;

/// Where `chronus tune`, which is root, leaves what it found, for those who see less.
pub const LEFT_BY_TUNE: &str = "run/chronus/selftest.json";

/// A condition as it was found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Why it should be so.
    pub why: String,
    /// What should be.
    pub should: String,
    /// What is, and what that means.
    #[serde(flatten)]
    pub reading: Reading,
}

/// All conditions as they were found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Their sum.
    #[serde(flatten)]
    pub sum: SelftestSum,
    /// Each of them.
    pub conditions: Vec<Line>,
}

impl Report {
    /// What this process can see for itself.
    pub fn seen(machine: &Machine) -> Self {
        Self::of(|condition| (condition.read)(machine))
    }

    /// The same, and of what it cannot see, what `chronus tune` last saw.
    pub fn known(machine: &Machine) -> Self {
        let left = machine.read(LEFT_BY_TUNE).ok().and_then(|text| serde_json::from_str::<Self>(&text).ok());
        Self::of(|condition| {
            let reading = (condition.read)(machine);
            let lines = left.as_ref().filter(|_| reading.verdict == Verdict::Unknown).map(|left| &left.conditions);
            let line = lines.and_then(|lines| lines.iter().find(|line| line.name == condition.name));
            let line = line.filter(|line| line.reading.verdict != Verdict::Unknown);
            line.map_or(reading, |line| Reading {
                is: format!("{}; found by `chronus tune`", line.reading.is),
                verdict: line.reading.verdict,
            })
        })
    }

    fn of(read: impl Fn(&super::conditions::Condition) -> Reading) -> Self {
        let lines = CONDITIONS.iter().map(|condition| Line {
            name: condition.name.to_owned(),
            why: condition.why.to_owned(),
            should: condition.should.to_owned(),
            reading: read(condition),
        });
        let conditions: Vec<Line> = lines.collect();
        let with = |verdict| conditions.iter().filter(move |line| line.reading.verdict == verdict);
        let names = |verdict| with(verdict).map(|line| line.name.clone()).collect();
        let sum = SelftestSum {
            held: with(Verdict::Holds).count() as u64,
            failed: names(Verdict::Fails),
            unknown: names(Verdict::Unknown),
            not_applicable: with(Verdict::NotApplicable).count() as u64,
        };
        Self { sum, conditions }
    }

    /// Whether all that applies is known to hold.
    pub fn holds(&self) -> bool {
        self.sum.failed.is_empty() && self.sum.unknown.is_empty()
    }

    /// For a person to read: a line for each condition, why for those that do not hold, and the sum.
    pub fn table(&self) -> String {
        let heads = ["what", "should be", "is", ""];
        let rows: Vec<[&str; 4]> = std::iter::once(heads)
            .chain(self.conditions.iter().map(|line| {
                [line.name.as_str(), line.should.as_str(), line.reading.is.as_str(), line.reading.verdict.words()]
            }))
            .collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        // The verdict comes before what is: that can be of any length.
        let (name, should, verdict) = (width(0), width(1), width(3));
        let mut text = String::new();
        for (place, row) in rows.iter().enumerate() {
            let _ = writeln!(text, "{:name$}  {:should$}  {:verdict$}  {}", row[0], row[1], row[3], row[2]);
            let failed = place.checked_sub(1).map(|place| &self.conditions[place]);
            if let Some(line) = failed.filter(|line| line.reading.verdict == Verdict::Fails) {
                let _ = writeln!(text, "{:name$}  because {}", "", line.why);
            }
        }
        text + &self.verdict() + "\n"
    }

    fn verdict(&self) -> String {
        let SelftestSum { held, failed, unknown, not_applicable } = &self.sum;
        let mut words = vec![format!("{held} hold")];
        if *not_applicable > 0 {
            words.push(format!("{not_applicable} do not apply"));
        }
        if !unknown.is_empty() {
            words.push(format!("{} not known ({}); root sees more", unknown.len(), unknown.join(", ")));
        }
        if !failed.is_empty() {
            words.push(format!("{} FAIL ({})", failed.len(), failed.join(", ")));
        }
        let all =
            if self.holds() { "this machine is as a box should be" } else { "this machine is not as a box should be" };
        format!("{all}: {}", words.join(", "))
    }
}
