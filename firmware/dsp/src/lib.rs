//! The sound of Chronus: [`State`] and [`render`], bit-identical wherever they run.
//!
//! The patch is one voice: sine -> envelope (ADSR) -> filter -> left and right alike. Parameters, their
//! ranges, defaults and ramps are the rows of [`abi::PARAMETERS`]; nothing is repeated here. What is to become of it, a
//! modular and polyphonic instrument, has its sound in [`kernel`].
//!
//! # Bit identity
//!
//! Two workers render every block, and their copies are compared bit by bit. So a block depends on the state
//! and the commands and on nothing else, in debug and release, on x86-64 and aarch64: the chain is f64, made
//! of `+ - * /` and comparisons only, which IEEE 754 fixes to the last bit; sine and cosine are a polynomial
//! of our own; nothing is fused or summed in another order. f32 appears once, at the output.
//! The bits of a NaN are the one thing IEEE leaves open, so no NaN reaches the filter state or the output.
//!
//! # Sized for the worst block
//!
//! A block that is late is lost, so only the dearest block counts, and saving work on the others buys nothing
//! but surprise. Every frame therefore does the same work: coefficients are computed anew whether a parameter
//! moves or not, all three filter responses exist at once, silence is rendered like sound, and choices per
//! frame are selects. Subnormal numbers, which are many times slower on some processors, cannot arise: what
//! recirculates is cut to zero below 1e-15. The worst block may cost 1.5 times the median
//! one; `tests/tests/quality.rs` measures it.
//!
//! # No panic
//!
//! Not even for a state of random bytes: a snapshot may come from memory another process has damaged. There
//! is no indexing, no integer division, no loop but over the frames and the commands; casts saturate. Damage
//! in a filter heals at once, in a parameter when it is next set.
#![no_std]
#![forbid(unsafe_code)]

mod adsr;
mod fade;
mod filter;
mod glide;
pub mod kernel;
mod module;
mod ramp;
mod sine;
mod state;
pub mod time;

#[cfg(test)]
mod tests;

use abi::{Block, CHANNELS, Command, Operation};

pub use module::{MODULES, Module};
pub use state::State;

/// Magnitude below which a recirculating value is taken for zero: 300 dB under full scale, so far below the
/// last bit of an f32 that nobody can hear it, and 290 powers of ten above the first subnormal f64.
const SMALLEST: f64 = 1e-15;

/// Magnitude above which a recirculating value can only be damage: the filter's gain is at most its q, 20.
/// The reciprocal of `SMALLEST`, well inside an f32.
const LARGEST: f64 = 1e15;

/// `value`, or 0 where it is subnormal or damage: below `SMALLEST`, above `LARGEST`, or not a number, which
/// no range contains.
fn flush(value: f64) -> f64 {
    if (SMALLEST..=LARGEST).contains(&value.abs()) { value } else { 0.0 }
}

/// The commands of one block, in the order in which they take effect.
pub trait Commands {
    /// Takes the next operation if it is due before the frame `frame` of the block is rendered, 0 to
    /// [`abi::FRAMES`] - 1. After the last frame it is asked with `u32::MAX` for what is left, so that all are taken.
    /// Whatever happens until the next call, happens because of the operations given so far.
    fn due(&mut self, frame: u32) -> Option<Operation>;
}

/// A list of commands ordered by frame. Blocks of the stamps are not looked at.
impl<C: Iterator<Item = Command>> Commands for core::iter::Peekable<C> {
    fn due(&mut self, frame: u32) -> Option<Operation> {
        self.next_if(|command| command.stamp.frame <= frame).map(|command| command.operation)
    }
}

/// Renders one block of [`abi::FRAMES`] frames into `out` and leaves `state` where the next block starts.
///
/// Each command takes effect before the frame it is stamped with is rendered; those of the same frame in the order
/// given. All are taken and applied: one stamped earlier than its predecessor takes effect with it, one stamped beyond
/// the block at its end. A command is taken immediately before it is applied: `commands` knows at any time which was
/// the last.
pub fn render(state: &mut State, commands: &mut impl Commands, out: &mut Block) {
    let clock = state.clock();
    // Asking at every frame is what makes splitting exact: there is one path, however many commands there are.
    for (number, frame) in (0u32..).zip(out.samples.chunks_exact_mut(CHANNELS)) {
        while let Some(operation) = commands.due(number) {
            state.apply(operation);
        }
        frame.fill(state.frame(&clock));
    }
    while let Some(operation) = commands.due(u32::MAX) {
        state.apply(operation);
    }
}
