//! Many measured values, and what is told of them.

/// Values in ascending order.
pub struct Figures(Vec<f64>);

impl Figures {
    /// Of values in any order; at least one.
    pub fn new(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The value that `share` (0 to 1) of all do not exceed.
    pub fn quantile(&self, share: f64) -> f64 {
        let place = (self.0.len() as f64 * share).ceil() as usize;
        self.0[place.clamp(1, self.0.len()) - 1]
    }

    /// Median, 99th percentile and largest, as cells of a table.
    pub fn cells(&self, decimals: usize) -> String {
        let [median, p99, most] = [0.5, 0.99, 1.0].map(|share| format!("{:.decimals$}", self.quantile(share)));
        format!("{median} | {p99} | {most}")
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}
