//! The box as a whole: what it should be, and what it is.

mod machine;
#[cfg(test)]
mod made_up;

pub use machine::Machine;
#[cfg(test)]
pub use made_up::MadeUp;
