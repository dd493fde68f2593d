//! Test builds: the ways in which a command may end a process, done for real.

use abi::Poison;

/// Does to this process what the poison says. Returns only from those that are not for the process.
pub fn strike(poison: Poison) {
    #[cfg(feature = "simulation")]
    if crate::simulation::machine().is_some() {
        return strike_simulated(poison);
    }
    match poison {
        Poison::Abort => std::process::abort(),
        Poison::NullWrite => write_through(std::hint::black_box(std::ptr::null_mut())),
        Poison::StackOverflow => drop(std::hint::black_box(recurse(std::hint::black_box(1)))),
        Poison::EndlessLoop => loop {
            std::hint::spin_loop();
        },
        Poison::HugeAllocation => drop(std::hint::black_box(vec![1_u8; std::hint::black_box(1 << 40)])),
        Poison::OpenFile => drop(std::hint::black_box(std::fs::File::open("/proc/self/status"))),
        Poison::NotANumber | Poison::OutOfRange | Poison::Curse => {}
    }
}

/// Does it to a simulated worker.
#[cfg(feature = "simulation")]
fn strike_simulated(poison: Poison) {
    use crate::simulation::{Ending, end};
    use nix::sys::signal::Signal;
    match poison {
        Poison::NotANumber | Poison::Curse => {}
        Poison::EndlessLoop => end(Ending::Loops),
        Poison::Abort => end(Ending::Signal(Signal::SIGABRT)),
        Poison::HugeAllocation | Poison::OpenFile => end(Ending::Signal(Signal::SIGSYS)),
        Poison::NullWrite | Poison::StackOverflow | Poison::OutOfRange => end(Ending::Signal(Signal::SIGSEGV)),
    }
}

fn write_through(pointer: *mut u64) {
    // SAFETY: none: this is the fault the test asks for, in a process that is there to die of it.
    unsafe { pointer.write_volatile(1) };
}

#[allow(unconditional_recursion, reason = "this is the fault the test asks for")]
fn recurse(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    recurse(depth + 1) + room[(depth % 64) as usize]
}
