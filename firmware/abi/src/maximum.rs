//! How high a parameter goes.

/// The highest value a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Maximum {
    /// A fixed value.
    Value(f64),
    /// Half the sample rate less 10 Hz: a sine or a filter at the Nyquist frequency itself is degenerate.
    BelowNyquist,
}

impl Maximum {
    /// At a sample rate in Hz.
    pub const fn at(&self, rate: u32) -> f64 {
        match *self {
            Self::Value(value) => value,
            Self::BelowNyquist => rate as f64 / 2.0 - 10.0,
        }
    }
}
