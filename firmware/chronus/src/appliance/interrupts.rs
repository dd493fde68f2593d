//! The threads of interrupts that bring and take sound.

use rt::scheduling::INTERRUPT_PRIORITY;

use super::machine::Machine;
use super::reading::Reading;
use super::thread::Thread;

/// What is in the names of interrupts that sound depends on: sound cards, USB controllers of all kinds, and who moves the
/// samples of a card on the pins.
const OF_SOUND: [&str; 7] = ["snd", "i2s", "dma", "usb", "xhci", "ehci", "dwc"];

/// Threads of such interrupts: id and how they are scheduled. A real-time kernel has one for each interrupt, named
/// `irq/NUMBER-NAME`; any other kernel has some.
fn threads(machine: &Machine) -> Vec<(u32, Thread)> {
    let processes = machine.numbers("proc").into_iter();
    let named = processes.filter(|process| {
        let name = machine.read(&format!("proc/{process}/comm")).unwrap_or_default();
        name.strip_prefix("irq/").is_some_and(is_of_sound)
    });
    named.filter_map(|process| Some((process, Thread::read(machine, &format!("proc/{process}"))?))).collect()
}

fn is_of_sound(name: &str) -> bool {
    // Not those of the memory's own protection, dmar.
    let name = name.to_lowercase().replace("dmar", "");
    OF_SOUND.iter().any(|part| name.contains(part))
}

/// Their priorities.
pub fn interrupt_threads(machine: &Machine) -> Reading {
    if !machine.has("proc/1") {
        return Reading::unknown("threads of others are hidden from this process");
    }
    let threads = threads(machine);
    if threads.is_empty() {
        return Reading::not_applicable("there are none: no real-time kernel, or neither a sound card nor USB");
    }
    let low = threads.iter().filter(|(_, thread)| !is_high(thread));
    let low: Vec<_> = low.map(|(_, thread)| format!("{} {}", thread.name, thread.priority())).collect();
    if low.is_empty() {
        let names = threads.iter().map(|(_, thread)| format!("{} {}", thread.name, thread.priority()));
        return Reading::new(true, names.collect::<Vec<_>>().join(", "));
    }
    Reading::new(false, low.join(", "))
}

fn is_high(thread: &Thread) -> bool {
    thread.fifo.is_some_and(|priority| priority >= INTERRUPT_PRIORITY)
}

/// Puts them above the audio thread. One that is higher already stays so.
///
/// # Errors
/// In words, the first that was refused. One that is gone meanwhile is none.
pub fn set_interrupt_threads(machine: &Machine) -> Result<(), String> {
    let low = threads(machine).into_iter().filter(|(_, thread)| !is_high(thread));
    let refused = low.filter_map(|(id, thread)| {
        let error = machine.kernel.set_fifo(id, INTERRUPT_PRIORITY).err()?;
        (error != nix::errno::Errno::ESRCH).then(|| format!("{}: {error}", thread.name))
    });
    // All are tried, whatever is said of the first.
    refused.collect::<Vec<_>>().into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_of_sound_are_known_by_their_names() {
        for name in
            ["27-DMA IRQ", "31-xhci_hcd", "130-xhci-hcd:usb1", "25-fe980000.usb", "18-snd_hda_intel:card0", "4-dwc2"]
        {
            assert!(is_of_sound(name), "{name}");
        }
        for name in ["26-mmc0", "40-eth0", "24-DMAR-MSI", "9-acpi", "28-virtio1-input.0"] {
            assert!(!is_of_sound(name), "{name}");
        }
    }
}
