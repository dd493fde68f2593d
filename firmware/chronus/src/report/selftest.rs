//! The sum of the machine's conditions, as the status tells it.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

/// How many conditions hold, and which do not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelftestSum {
    /// Conditions that hold.
    pub held: u64,
    /// Names of those that do not.
    pub failed: Vec<String>,
    /// Names of those that could not be seen.
    pub unknown: Vec<String>,
    /// Conditions of which this machine has nothing of the kind.
    pub not_applicable: u64,
}

/// The last one. Of control threads alone: the audio thread never looks at it.
#[derive(Default)]
pub struct LastSelftest(Mutex<Option<SelftestSum>>);

impl LastSelftest {
    /// The last sum; none before the first look.
    pub fn get(&self) -> Option<SelftestSum> {
        self.0.lock().ok().and_then(|sum| sum.clone())
    }

    /// Notes a new one.
    pub fn set(&self, sum: SelftestSum) {
        if let Ok(mut last) = self.0.lock() {
            *last = Some(sum);
        }
    }
}
