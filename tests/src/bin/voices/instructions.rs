//! How many instructions a voice needs on the box's processor, counted by an emulator that writes a line for each.
//!
//! The voices are built for it and run twice; the difference of two lengths has no start in it. What such a processor makes
//! of so many instructions is an estimate.

use std::io::{BufRead, BufReader};
use std::path::Path;

use chronus_tests::{build, script, skipped};

use abi::FRAMES;

/// The emulator, in Debian's package `qemu-user-static`.
const EMULATOR: &str = "qemu-aarch64-static";
/// Voices, two groups, and the blocks of the shorter run: some million lines.
const VOICES: usize = 16;
const BLOCKS: usize = 4;
/// Cycles in a second of a Raspberry Pi 4's Cortex-A72.
const HERTZ: f64 = 1.5e9;
/// Instructions in a cycle, assumed, not measured. The core begins up to three, but of 128-bit multiplications and additions
/// of floats, which half of these are, about one. LLVM's model of the core (`llvm-mca -mcpu=cortex-a72`, LLVM 14), given
/// four stretches of these instructions in the order they were executed, says 1.04 where nothing waits for memory.
const PER_CYCLE: f64 = 1.0;

/// Counts and prints.
pub fn count() {
    let program = build::target().join("aarch64-unknown-linux-gnu/release/voices");
    if !script::there_is(EMULATOR) {
        return skipped("instructions of the box", "there is no emulator: apt-get install qemu-user-static");
    }
    if !program.exists() {
        return skipped(
            "instructions of the box",
            "the program is not built for it: RUSTFLAGS='-C target-feature=+crt-static' \
             CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
             cargo build --release -p chronus-tests --bin voices --target aarch64-unknown-linux-gnu",
        );
    }
    let executed = |voices, blocks| executed(&program, voices, blocks);
    let (short, long) = (executed(VOICES, BLOCKS), executed(VOICES, 2 * BLOCKS));
    let (Some(short), Some(long)) = (short, long) else {
        return skipped("instructions of the box", "the emulator does not run the program one instruction at a time");
    };
    let each = (long - short) as f64 / (BLOCKS * VOICES) as f64;
    let block = HERTZ * PER_CYCLE * FRAMES as f64 / f64::from(crate::patch::RATE);
    println!("aarch64: {each:.0} instructions for a voice and block, {:.1} for a frame", each / FRAMES as f64);
    println!(
        "estimate for a Cortex-A72 at 1.5 GHz, {PER_CYCLE} instructions in a cycle: {:.3} % of a core for a voice, {:.0} \
         voices in 70 % of one",
        100.0 * each / block,
        0.7 * block / each
    );
}

/// Instructions that the program executes, all in all.
fn executed(program: &Path, voices: usize, blocks: usize) -> Option<usize> {
    // Newer emulators have another name for it.
    let one_at_a_time = ["-one-insn-per-tb", "-singlestep"];
    one_at_a_time.into_iter().map(|option| lines(program, option, voices, blocks)).find(|lines| *lines > 0)
}

/// Lines the emulator writes to its log, which is read as it comes: it has a hundred megabytes.
fn lines(program: &Path, option: &str, voices: usize, blocks: usize) -> usize {
    let mut command = script::command(EMULATOR);
    command.args([option, "-d", "exec,nochain"]).arg(program);
    command.args(["--render", &voices.to_string(), &blocks.to_string()]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let mut emulator = command.spawn().expect("the emulator starts");
    let log = BufReader::new(emulator.stderr.take().expect("its log"));
    let count = log.split(b'\n').map_while(Result::ok).filter(|line| line.starts_with(b"Trace ")).count();
    if emulator.wait().is_ok_and(|status| status.success()) { count } else { 0 }
}
