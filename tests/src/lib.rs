//! Harness.
pub mod analysis;
