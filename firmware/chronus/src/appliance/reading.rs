//! What a look at one condition gave.

use serde::{Deserialize, Serialize};

/// Whether it is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is.
    Holds,
    /// It is not.
    Fails,
    /// This machine has nothing of the kind.
    NotApplicable,
    /// It could not be seen, mostly because only root may.
    Unknown,
}

impl Verdict {
    /// For a person to read.
    pub fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "FAILS",
            Self::NotApplicable => "does not apply",
            Self::Unknown => "NOT KNOWN",
        }
    }
}

/// What is, and what that means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// What is; or why there is nothing, or why it is not known.
    pub is: String,
    /// Whether that is as it should be.
    pub verdict: Verdict,
}

impl Reading {
    /// As it should be, or not.
    pub fn new(holds: bool, is: impl Into<String>) -> Self {
        Self { is: is.into(), verdict: if holds { Verdict::Holds } else { Verdict::Fails } }
    }

    /// Nothing of the kind is here, and why.
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self { is: reason.into(), verdict: Verdict::NotApplicable }
    }

    /// It could not be seen, and why.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { is: reason.into(), verdict: Verdict::Unknown }
    }
}
