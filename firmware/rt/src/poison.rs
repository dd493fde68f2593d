//! Test builds: the ways in which a process may end itself, done for real.

/// What to do to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// End as a failed assertion does.
    Abort,
    /// Write through a null pointer.
    NullWrite,
    /// Recurse for ever.
    StackOverflow,
    /// Loop for ever.
    EndlessLoop,
    /// Ask for more memory than there is.
    HugeAllocation,
    /// Open a file.
    OpenFile,
}

/// Does it. Comes back only where nothing forbids it.
pub fn commit(deed: Deed) {
    #[cfg(feature = "simulation")]
    if crate::simulation::machine().is_some() {
        return commit_simulated(deed);
    }
    match deed {
        Deed::Abort => std::process::abort(),
        Deed::NullWrite => write_through(std::hint::black_box(std::ptr::null_mut())),
        Deed::StackOverflow => drop(std::hint::black_box(recurse(std::hint::black_box(1)))),
        Deed::EndlessLoop => loop {
            std::hint::spin_loop();
        },
        Deed::HugeAllocation => drop(std::hint::black_box(vec![1_u8; std::hint::black_box(1 << 40)])),
        Deed::OpenFile => drop(std::hint::black_box(std::fs::File::open("/proc/self/status"))),
    }
}

/// Does it to a simulated worker.
#[cfg(feature = "simulation")]
fn commit_simulated(deed: Deed) {
    use crate::simulation::{Ending, end};
    use nix::sys::signal::Signal;
    end(match deed {
        Deed::EndlessLoop => Ending::Loops,
        Deed::Abort => Ending::Signal(Signal::SIGABRT),
        Deed::HugeAllocation | Deed::OpenFile => Ending::Signal(Signal::SIGSYS),
        Deed::NullWrite | Deed::StackOverflow => Ending::Signal(Signal::SIGSEGV),
    })
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
