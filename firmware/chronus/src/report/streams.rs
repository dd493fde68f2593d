//! What became of OSC over TCP.

use std::sync::atomic::{AtomicBool, AtomicU64};

/// Counts, and whether there is such a thing.
#[derive(Default)]
pub struct StreamCounters {
    /// Connections are taken.
    pub listening: AtomicBool,
    /// Connections now.
    pub open: AtomicU64,
    /// Connections that were taken.
    pub accepted: AtomicU64,
    /// Connections that were refused: too many.
    pub refused: AtomicU64,
    /// Closed because their clients did not read.
    pub slow: AtomicU64,
    /// Closed because what came was neither of both framings.
    pub broken: AtomicU64,
    /// Messages dropped because they were too many.
    pub dropped: AtomicU64,
}
