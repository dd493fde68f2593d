//! The one table of what a box should be: what `chronus selftest` shows and `chronus tune` sets.

use super::machine::Machine;
use super::reading::Reading;
use super::{affinity, boot, engine, fair_server, interrupts, running, system};

/// Makes a condition hold; or says in words what was refused.
pub type Set = fn(&Machine) -> Result<(), String>;

/// One thing that should be so.
pub struct Condition {
    /// Its name.
    pub name: &'static str,
    /// Why it should be so.
    pub why: &'static str,
    /// What should be.
    pub should: &'static str,
    /// Finds out what is.
    pub read: fn(&Machine) -> Reading,
    /// Makes it so, where that can be done while the kernel runs.
    pub set: Option<Set>,
}

/// All conditions: first what the kernel is, then what can be set, then the system and the engine.
pub const CONDITIONS: [Condition; 15] = [
    Condition {
        name: "real_time_kernel",
        why: "any other kernel lets a thread wait for milliseconds behind its own work",
        should: "PREEMPT_RT",
        read: boot::real_time_kernel,
        set: None,
    },
    Condition {
        name: "isolated_cores",
        why: "on these cores nothing runs but what is put there by name: audio and workers (isolcpus=)",
        should: "1-3",
        read: boot::isolated_cores,
        set: None,
    },
    Condition {
        name: "nohz_full",
        why: "a thread alone on its core is not interrupted to count its time",
        should: "1-3",
        read: boot::nohz_full,
        set: None,
    },
    Condition {
        name: "rcu_nocbs",
        why: "work that the kernel defers is done on core 0, not amidst a block",
        should: "1-3",
        read: boot::rcu_nocbs,
        set: None,
    },
    Condition {
        name: "irqaffinity",
        why: "interrupts of network, card and disk are served on core 0, not amidst a block",
        should: "0; 0 from boot on; none that can be moved on 1-3",
        read: affinity::irqaffinity,
        set: Some(affinity::set_irqaffinity),
    },
    Condition {
        name: "governor",
        why: "a core that clocks down when it rests needs longer for the block that ends the rest",
        should: "performance",
        read: running::governor,
        set: Some(running::set_governor),
    },
    Condition {
        name: "rt_throttling",
        why: "else the kernel stops real-time threads for 50 ms when they have computed for 950",
        should: "-1",
        read: running::throttling,
        set: Some(running::set_throttling),
    },
    Condition {
        name: "fair_server",
        why: "else 50 ms of every second on the engine's cores are kept for what is not in real time",
        should: "none",
        read: fair_server::fair_server,
        set: Some(fair_server::set_fair_server),
    },
    Condition {
        name: "interrupt_threads",
        why: "the audio thread waits for what sound card and USB bring: they go first",
        should: "85 or above",
        read: interrupts::interrupt_threads,
        set: Some(interrupts::set_interrupt_threads),
    },
    Condition {
        name: "wifi",
        why: "its driver holds interrupts for long, and a radio beside an analog output is heard",
        should: "none",
        read: system::wifi,
        set: None,
    },
    Condition { name: "bluetooth", why: "the same", should: "none", read: system::bluetooth, set: None },
    Condition {
        name: "root_read_only",
        why: "power may be pulled at any moment; what is never written is never half written",
        should: "read-only",
        read: system::read_only_root,
        set: None,
    },
    Condition {
        name: "swap",
        why: "memory that is fetched from a card comes too late for any block",
        should: "none",
        read: system::swap,
        set: None,
    },
    Condition {
        name: "engine_limits",
        why: "without them the engine gets neither real time nor memory that stays",
        should: "memory unlimited and locked, priority 80 or above",
        read: engine::engine_limits,
        set: None,
    },
    Condition {
        name: "engine_real_time",
        why: "who waits for whom is settled by these priorities, and a core each keeps others out",
        should: "audio 80, supervise 78, workers 75; audio and workers alone on 1-3",
        read: engine::engine_real_time,
        set: None,
    },
];
