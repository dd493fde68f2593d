//! The sound of Chronus: [`Instrument`] and [`render`], bit-identical wherever they run.
//!
//! An instrument is modules that are connected ([`instrument`]); the sound of each type is a [`kernel`]. What can be set is
//! in the tables of the types.
//!
//! # Bit identity
//!
//! Two workers render every block, and their copies are compared bit by bit. So a block depends on the state and the
//! commands and on nothing else, in debug and release, on x86-64 and aarch64: all is made of `+ - * /` and comparisons
//! only, which IEEE 754 fixes to the last bit; sine, tangent, powers and logarithms are polynomials of our own; nothing is
//! fused or summed in another order. The bits of a NaN are the one thing IEEE leaves open, so no NaN reaches what
//! recirculates, or the output.
//!
//! # Sized for the worst block
//!
//! A block that is late is lost, so only the dearest block counts, and saving work on the others buys nothing but surprise.
//! Every frame of a module costs the same: silence is rendered like sound, and choices per frame are selects. Subnormal
//! numbers, which are many times slower on some processors, cannot arise: what recirculates is cut to zero far above them.
//! A command costs the stretch that it ends; the worst block of a busy score may cost 1.5 times the median one
//! (`tests/tests/quality.rs` measures it).
//!
//! # No panic
//!
//! Not even for a state of random bytes: a snapshot may come from memory another process has damaged. Whatever is taken from
//! a place that the state names is taken with `get`; casts saturate; loops are bounded by the sizes of the tables.
#![no_std]
#![forbid(unsafe_code)]

mod fade;
mod glide;
pub mod instrument;
pub mod kernel;
mod power_on;
mod ramp;
mod sine;
pub mod time;

#[cfg(test)]
mod tests;

use abi::{Block, Command, FRAMES, Operation};

pub use instrument::{Instrument, Scratch};
pub use power_on::{MODULES, Module};

/// Magnitude below which a recirculating value is taken for zero: 300 dB under full scale, so far below the
/// last bit of an f32 that nobody can hear it, and 290 powers of ten above the first subnormal f64.
const SMALLEST: f64 = 1e-15;

/// Magnitude above which a recirculating value can only be damage. The reciprocal of `SMALLEST`, well inside an f32.
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

    /// The frame before which the next operation is due, if there is another in this block.
    fn next_frame(&mut self) -> Option<u32>;
}

/// A list of commands ordered by frame. Blocks of the stamps are not looked at.
impl<C: Iterator<Item = Command>> Commands for core::iter::Peekable<C> {
    fn due(&mut self, frame: u32) -> Option<Operation> {
        self.next_if(|command| command.stamp.frame <= frame).map(|command| command.operation)
    }

    fn next_frame(&mut self) -> Option<u32> {
        self.peek().map(|command| command.stamp.frame)
    }
}

/// Renders one block of [`abi::FRAMES`] frames into `out` and leaves `state` where the next block starts.
///
/// Each command takes effect before the frame it is stamped with is rendered; those of the same frame in the order
/// given. All are taken and applied: one stamped earlier than its predecessor takes effect with it, one stamped beyond
/// the block at its end. A command is taken immediately before it is applied: `commands` knows at any time which was
/// the last.
pub fn render(state: &mut Instrument, scratch: &mut Scratch, commands: &mut impl Commands, out: &mut Block) {
    let due = |state: &mut Instrument, frame: u32| {
        while let Some(operation) = commands.due(frame) {
            state.apply(operation);
        }
        commands.next_frame().unwrap_or(FRAMES as u32)
    };
    state.render(scratch, due, out);
    while let Some(operation) = commands.due(u32::MAX) {
        state.apply(operation);
    }
}
