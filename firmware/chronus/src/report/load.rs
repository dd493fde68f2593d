//! What a block costs, as it was last measured.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a module of the patch costs.
#[derive(Debug)]
pub struct ModuleLoad {
    /// Its name.
    pub name: &'static str,
    /// Nanoseconds for a block.
    pub nanoseconds: AtomicU64,
}

/// A time in nanoseconds as percent of a period at a sample rate in Hz.
pub fn percent_of_period(time: &AtomicU64, rate: u32) -> f32 {
    let period = abi::FRAMES as f64 * 1e9 / f64::from(rate);
    (time.load(Ordering::Relaxed) as f64 / period * 100.0) as f32
}

/// Figures of the load. Written by the load thread alone; 0 until they are measured.
#[derive(Default)]
pub struct LoadCounters {
    /// Nanoseconds of a block without commands.
    pub block: AtomicU64,
    /// Nanoseconds of a thousand commands: one takes too few to be counted whole.
    pub thousand_commands: AtomicU64,
    /// Processor time in nanoseconds that a worker has lately used for a block; the higher one of both.
    pub worker: AtomicU64,
    /// Most commands that a block has had.
    pub commands_most: AtomicU64,
    /// Overloads: times that blocks were late because they needed more than the period.
    pub overloads: AtomicU64,
    modules: OnceLock<Vec<ModuleLoad>>,
}

impl LoadCounters {
    /// The modules, in the order of the patch; none before the load thread has named them.
    pub fn modules(&self) -> &[ModuleLoad] {
        self.modules.get().map_or(&[], Vec::as_slice)
    }

    /// Names the modules. Said again, nothing changes.
    pub fn name_modules(&self, names: impl Iterator<Item = &'static str>) {
        self.modules.get_or_init(|| names.map(|name| ModuleLoad { name, nanoseconds: AtomicU64::new(0) }).collect());
    }

    /// Percent of a period at a sample rate in Hz: what a worker has lately used, and the most that is known of a block.
    pub fn percent(&self, rate: u32) -> [f32; 2] {
        let (worker, block) = (percent_of_period(&self.worker, rate), percent_of_period(&self.block, rate));
        [worker, worker.max(block)]
    }

    /// Notes how many commands a block had.
    pub fn note_commands(&self, count: u64) {
        self.commands_most.fetch_max(count, Ordering::Relaxed);
    }
}
