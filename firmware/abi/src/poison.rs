//! Test builds: commands that no worker survives, each a way in which a fault in the engine could show.

/// What applying the command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Poison {
    /// Ends the process as a failed assertion does.
    Abort,
    /// Writes through a null pointer.
    NullWrite,
    /// Recurses for ever.
    StackOverflow,
    /// Loops for ever.
    EndlessLoop,
    /// Asks for memory, which a worker must not.
    HugeAllocation,
    /// Asks the kernel for a file, which a worker must not.
    OpenFile,
    /// Puts NaN into the filter's state.
    NotANumber,
    /// Indexes beyond the end of an array.
    OutOfRange,
    /// Leaves a state of which whoever renders the next block dies.
    Curse,
}

impl Poison {
    /// All, each at the place of its number.
    pub const ALL: [Self; 9] = [
        Self::Abort,
        Self::NullWrite,
        Self::StackOverflow,
        Self::EndlessLoop,
        Self::HugeAllocation,
        Self::OpenFile,
        Self::NotANumber,
        Self::OutOfRange,
        Self::Curse,
    ];

    /// The word for it in `/poison WORD`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::NullWrite => "null_write",
            Self::StackOverflow => "stack_overflow",
            Self::EndlessLoop => "endless_loop",
            Self::HugeAllocation => "huge_allocation",
            Self::OpenFile => "open_file",
            Self::NotANumber => "not_a_number",
            Self::OutOfRange => "out_of_range",
            Self::Curse => "curse",
        }
    }
}
