//! On which cores interrupts are served.

use std::os::unix::fs::PermissionsExt;

use rt::cores::cores_of_list;

use super::boot::{ENGINE_CORES, words_of_cores};
use super::machine::Machine;
use super::reading::Reading;

/// The core of everything else, as a mask of cores: bit 0.
const OTHER_CORES: u64 = 1;

/// The same, as a list.
const OTHER_CORES_LIST: &str = "0";

/// Interrupts that are named where several are elsewhere: a line has no room for a desk machine's hundred.
const MOST_NAMED: usize = 3;

/// An interrupt that is served on a core of the engine, and need not be.
struct Astray {
    number: u32,
    /// Whose it is.
    owner: String,
    cores: Vec<usize>,
}

/// Interrupts: where new ones go, where those went that were there before anybody could set that, and where each is
/// served.
pub fn irqaffinity(machine: &Machine) -> Reading {
    let at_boot = machine.boot_option("irqaffinity");
    let judge = |mask: &str| {
        // Groups of 32 bits with commas between, the lowest last.
        let mask = u64::from_str_radix(&mask.replace(',', ""), 16).unwrap_or(u64::MAX);
        let cores: Vec<usize> = (0..64).filter(|core| mask & 1 << core != 0).collect();
        let early = match &at_boot {
            None => "not said on the kernel's command line".to_owned(),
            Some(list) => format!("{} from boot on", words_of_cores(&cores_of_list(list))),
        };
        let astray = astray(machine);
        let holds = mask == OTHER_CORES && at_boot.as_deref().is_some_and(|list| cores_of_list(list) == [0]);
        Reading::new(holds && astray.is_empty(), format!("{}; {early}{}", words_of_cores(&cores), words_of(&astray)))
    };
    machine.judge("proc/irq/default_smp_affinity", judge, || Reading::not_applicable("interrupts cannot be moved here"))
}

/// The interrupts in use that are served on the engine's cores and may be moved. The kernel lets nobody write where one
/// may not: a core's own timer, a queue that a driver has for each core.
fn astray(machine: &Machine) -> Vec<Astray> {
    let interrupts = machine.numbers("proc/irq").into_iter();
    let astray = interrupts.filter_map(|number| {
        let folder = format!("proc/irq/{number}");
        // Each handler has a folder; without one the interrupt is nobody's.
        let owner =
            machine.names(&folder).into_iter().find(|name| machine.path(&format!("{folder}/{name}")).is_dir())?;
        // A mask of several cores is where it may be served; the kernel picks of them.
        let served =
            ["effective_affinity_list", "smp_affinity_list"].map(|file| machine.read(&format!("{folder}/{file}")));
        let cores = cores_of_list(served.iter().flatten().find(|list| !list.is_empty())?);
        let may_be_moved = std::fs::metadata(machine.path(&format!("{folder}/smp_affinity_list")))
            .is_ok_and(|file| file.permissions().mode() & 0o200 != 0);
        (may_be_moved && cores.iter().any(|core| ENGINE_CORES.contains(core))).then_some(Astray {
            number,
            owner,
            cores,
        })
    });
    astray.collect()
}

fn words_of(astray: &[Astray]) -> String {
    if astray.is_empty() {
        return String::new();
    }
    let named = astray.iter().take(MOST_NAMED);
    let named: Vec<_> =
        named.map(|one| format!("{} ({}) on {}", one.number, one.owner, words_of_cores(&one.cores))).collect();
    let more = match astray.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("; {}{more}", named.join(", "))
}

/// Has new interrupts go to the core of everything else, and those that are there.
///
/// # Errors
/// In words, the first that was refused; all are tried.
pub fn set_irqaffinity(machine: &Machine) -> Result<(), String> {
    let new = machine.write("proc/irq/default_smp_affinity", &format!("{OTHER_CORES:x}"));
    let moved = astray(machine).into_iter().map(|interrupt| {
        let moved = machine.write(&format!("proc/irq/{}/smp_affinity_list", interrupt.number), OTHER_CORES_LIST);
        moved.map_err(|error| format!("{error} ({})", interrupt.owner))
    });
    moved.collect::<Vec<_>>().into_iter().fold(new, Result::and)
}
