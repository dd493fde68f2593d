//! What a run says at its start and at its end, on standard output.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::report::{Counters, Facts, SlotState};

/// Writes a line to standard output. Whoever read it may be gone: that must not end the music.
macro_rules! tell {
    ($($text:tt)*) => {{
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// How long the first lines wait for the workers' process ids; they are there within a millisecond.
const PROCESS_LIMIT: Duration = Duration::from_secs(1);

/// Says what the engine got.
pub fn started(description: &[String], facts: &Facts, address: Option<SocketAddr>, counters: &Counters) {
    tell!("Chronus {}", env!("CARGO_PKG_VERSION"));
    for line in description {
        tell!("  {line}");
    }
    tell!("  real time  {}", facts.real_time);
    tell!("  workers    {}", workers(counters));
    match address {
        Some(address) => {
            tell!("  OSC        udp {address}, commands take effect after {} frames", facts.command_latency);
            let port = address.port();
            let server = if port == 5005 { String::new() } else { format!("127.0.0.1:{port} ") };
            tell!("  play       chronus send {server}/test      stop: Ctrl-C");
        }
        None => tell!("  OSC        off"),
    }
}

fn workers(counters: &Counters) -> String {
    let started = Instant::now();
    let used: Vec<_> = counters.slots.iter().enumerate().filter(|(_, slot)| slot.state() != SlotState::Off).collect();
    while used.iter().any(|(_, slot)| slot.pid.load(Ordering::Relaxed) == 0) && started.elapsed() < PROCESS_LIMIT {
        std::thread::sleep(Duration::from_millis(1));
    }
    let slots = used.iter().map(|(number, slot)| format!("slot {number}: pid {}", slot.pid.load(Ordering::Relaxed)));
    slots.collect::<Vec<_>>().join(", ")
}

/// Workers that ended without being asked to.
pub fn deaths(counters: &Counters) -> u64 {
    counters.slots.iter().map(|slot| slot.deaths.load(Ordering::Relaxed)).sum()
}

/// Says how it went.
pub fn ended(counters: &Counters, survived: u64, rate: u32, recorded: Option<u64>) {
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let blocks = read(&counters.blocks);
    let seconds = blocks as f64 * abi::FRAMES as f64 / f64::from(rate);
    tell!(
        "played {blocks} blocks ({seconds:.2} s), late blocks {}, xruns {}, divergences {}, kills survived {survived}",
        read(&counters.late_blocks),
        read(&counters.xruns),
        read(&counters.divergences),
    );
    if cfg!(feature = "kill-points") {
        let points = shm::KILL_POINTS.iter().zip(&counters.kill_points);
        let counts = points.map(|(point, count)| format!("{point:?} {}", read(count)));
        tell!("kill points: {}", counts.collect::<Vec<_>>().join(", "));
    }
    if let Some(recorded) = recorded {
        let missing = read(&counters.recorder_drops);
        let note = if missing == 0 { String::new() } else { format!(", {missing} missing: the disk was too slow") };
        tell!("recorded {recorded} blocks{note}");
    }
}
