//! What a run says at its start and at its end, on standard output.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
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

/// Where `chronus send` and `chronus status` look for an engine.
const DEFAULT_SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5005);

/// Says what the engine got.
pub fn started(description: &[String], facts: &Facts, address: Option<SocketAddr>, counters: &Counters) {
    tell!("Chronus {}", env!("CARGO_PKG_VERSION"));
    for line in description {
        tell!("  {line}");
    }
    tell!("  real time  {}", facts.real_time);
    tell!("  workers    {}", workers(counters));
    if let Some(query) = counters.query.address.get() {
        tell!("  OSCQuery   http://{}", to_open(*query));
    }
    match address {
        Some(address) => {
            let tcp = if counters.streams.listening.load(Ordering::Relaxed) { " and tcp" } else { "" };
            tell!("  OSC        udp {address}{tcp}, commands take effect after {} frames", facts.command_latency);
            tell!("  play       chronus send {}/test      stop: Ctrl-C", to_type(address));
        }
        None => tell!("  OSC        off"),
    }
    counters.announced.store(true, Ordering::Release);
}

/// Where an engine that listens here is to be reached from this machine.
fn to_open(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// What to type before an OSC address to reach an engine that listens here; nothing where `chronus send` looks by
/// itself.
fn to_type(address: SocketAddr) -> String {
    let address = to_open(address);
    if address == DEFAULT_SERVER { String::new() } else { format!("{address} ") }
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
    if cfg!(feature = "faults") {
        tell!(
            "flipped bits {}, rightly named {}, wrongly named {}, undecided {}, damaged copies {}, quarantined {}",
            read(&counters.flips),
            read(&counters.rightly_named),
            read(&counters.wrongly_named),
            read(&counters.undecided),
            read(&counters.damaged),
            read(&counters.quarantined),
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taught_reaches_the_engine() {
        for (bound, typed) in [
            ("0.0.0.0:5005", ""),
            ("127.0.0.1:5005", ""),
            ("0.0.0.0:6000", "127.0.0.1:6000 "),
            ("192.168.1.20:5005", "192.168.1.20:5005 "),
            ("[::1]:5005", "[::1]:5005 "),
            ("[::]:5005", "[::1]:5005 "),
        ] {
            assert_eq!(to_type(bound.parse().unwrap()), typed, "{bound}");
        }
    }
}
