//! Conditions that the kernel's build and its command line decide.

use rt::cores::cores_of_list;

use super::machine::Machine;
use super::reading::Reading;

/// The cores that are the engine's alone: audio, and one for each worker.
pub const ENGINE_CORES: [usize; 3] = [1, 2, 3];

/// Cores as they are written: `1-3,6`; "none" if there are none.
pub fn words_of_cores(cores: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for core in cores {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *core => *last = *core,
            _ => parts.push((*core, *core)),
        }
    }
    let words = parts.iter().map(|(low, high)| if low == high { low.to_string() } else { format!("{low}-{high}") });
    let words = words.collect::<Vec<_>>().join(",");
    if words.is_empty() { "none".to_owned() } else { words }
}

/// Judges a list of cores: it has to have all of the engine's, and not the one of everything else.
fn engine_cores(list: &str) -> Reading {
    let cores = cores_of_list(list);
    let holds = ENGINE_CORES.iter().all(|core| cores.contains(core)) && !cores.contains(&0);
    Reading::new(holds, words_of_cores(&cores))
}

/// Whether the kernel is a real-time one, by its own word: kernels have been sold as such that were none.
pub fn real_time_kernel(machine: &Machine) -> Reading {
    let judge = |version: &str| Reading::new(version.split_whitespace().any(|word| word == "PREEMPT_RT"), version);
    machine.judge("proc/sys/kernel/version", judge, || Reading::unknown("the kernel does not say what it is"))
}

/// Cores that get no work but what is put there by name.
pub fn isolated_cores(machine: &Machine) -> Reading {
    machine.judge("sys/devices/system/cpu/isolated", engine_cores, || Reading::new(false, "none"))
}

/// Cores without a scheduler's tick while one thread runs there.
pub fn nohz_full(machine: &Machine) -> Reading {
    let absent = || Reading::new(false, "the kernel is built without it (CONFIG_NO_HZ_FULL)");
    machine.judge("sys/devices/system/cpu/nohz_full", engine_cores, absent)
}

/// Cores whose deferred work of the kernel is done elsewhere.
pub fn rcu_nocbs(machine: &Machine) -> Reading {
    match machine.boot_option("rcu_nocbs").as_deref() {
        Some("all" | "") => Reading::new(true, "all"),
        Some(list) => engine_cores(list),
        None => Reading::new(false, "not on the kernel's command line"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_written_as_the_kernel_does() {
        for list in ["1-3", "0,2-3,7", "5"] {
            assert_eq!(words_of_cores(&cores_of_list(list)), list);
        }
        assert_eq!(words_of_cores(&[]), "none");
    }
}
