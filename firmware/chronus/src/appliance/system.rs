//! Conditions of the system around the engine.

use super::machine::Machine;
use super::reading::Reading;

fn none_of(what: Vec<String>) -> Reading {
    if what.is_empty() { Reading::new(true, "none") } else { Reading::new(false, what.join(", ")) }
}

/// Network devices that have a radio.
pub fn wifi(machine: &Machine) -> Reading {
    let has = |device: &str, file: &str| machine.has(&format!("sys/class/net/{device}/{file}"));
    let devices = machine.names("sys/class/net").into_iter();
    none_of(devices.filter(|device| has(device, "phy80211") || has(device, "wireless")).collect())
}

/// Bluetooth devices.
pub fn bluetooth(machine: &Machine) -> Reading {
    none_of(machine.names("sys/class/bluetooth"))
}

/// Whether anything can be written to the root file system. That it is mounted read-only is not enough: a service may
/// see it so and others not.
pub fn read_only_root(machine: &Machine) -> Reading {
    let judge = |mounts: &str| {
        // proc(5): number, parent, device, root, mount point, options, optional fields, "-", type, source, options of the
        // file system itself. The last one mounted there counts.
        let root = mounts.lines().rfind(|line| line.split_whitespace().nth(4) == Some("/"));
        let own =
            root.and_then(|line| line.split_once(" - ")).map(|(_, own)| own.split_whitespace().collect::<Vec<_>>());
        let Some([kind, _, options]) = own.as_deref().and_then(|own| <[&str; 3]>::try_from(own).ok()) else {
            return Reading::unknown("the kernel does not say what / is");
        };
        let read_only = options.split(',').any(|option| option == "ro");
        Reading::new(read_only, format!("{kind}, {}", if read_only { "read-only" } else { "writable" }))
    };
    machine.judge("proc/self/mountinfo", judge, || Reading::unknown("the kernel does not say what / is"))
}

/// Places that memory is swapped out to.
pub fn swap(machine: &Machine) -> Reading {
    let judge = |swaps: &str| {
        let places = swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        none_of(places.map(str::to_owned).collect())
    };
    machine.judge("proc/swaps", judge, || Reading::new(true, "none: the kernel cannot"))
}
