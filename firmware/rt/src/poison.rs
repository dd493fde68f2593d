//! Test builds: the ways in which a command may end a process, done for real.

use abi::Poison;

/// Does to this process what the poison says. Returns only from those that are not for the process.
pub fn strike(poison: Poison) {
    match poison {
        Poison::Abort => std::process::abort(),
        Poison::NullWrite => write_through(std::hint::black_box(std::ptr::null_mut())),
        Poison::StackOverflow => drop(std::hint::black_box(recurse(std::hint::black_box(1)))),
        Poison::EndlessLoop => loop {
            std::hint::spin_loop();
        },
        Poison::HugeAllocation => drop(std::hint::black_box(vec![1_u8; std::hint::black_box(1 << 40)])),
        Poison::OpenFile => drop(std::hint::black_box(std::fs::File::open("/proc/self/status"))),
        Poison::NotANumber | Poison::OutOfRange => {}
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
