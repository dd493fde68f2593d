//! A histogram that one real-time thread adds to and others read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets per doubling: figures are right within 9 %.
const STEPS: u32 = 8;
/// Doublings covered: up to 2^34, 17 seconds in nanoseconds.
const DOUBLINGS: u32 = 34;
const BUCKETS: usize = (STEPS * DOUBLINGS) as usize;

/// Counts of values by size, on a logarithmic scale; values below 8 are exact.
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    maximum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], maximum: AtomicU64::new(0) }
    }
}

fn bucket_of(value: u64) -> usize {
    if value < u64::from(STEPS) {
        return value as usize;
    }
    let exponent = value.ilog2();
    let step = (value >> (exponent - STEPS.ilog2())) as u32 - STEPS;
    (((exponent - STEPS.ilog2() + 1) * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn upper_bound(bucket: usize) -> u64 {
    let (doubling, step) = (bucket as u32 / STEPS, u64::from(bucket as u32 % STEPS));
    if doubling == 0 {
        return step;
    }
    ((u64::from(STEPS) + step + 1) << (doubling - 1)) - 1
}

impl Histogram {
    /// Adds a value. Only one thread may do so: load and store instead of an atomic addition, which would make
    /// the processor wait for each of these rarely used lines in turn.
    pub fn add(&self, value: u64) {
        let bucket = &self.buckets[bucket_of(value)];
        bucket.store(bucket.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if value > self.maximum() {
            self.maximum.store(value, Ordering::Relaxed);
        }
    }

    /// The value that `share` (0 to 1) of all values do not exceed; 0 if there are none.
    pub fn quantile(&self, share: f64) -> u64 {
        let total: u64 = self.count();
        let wanted = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count.load(Ordering::Relaxed);
            if seen >= wanted {
                return upper_bound(bucket).min(self.maximum());
            }
        }
        0
    }

    /// The largest value.
    pub fn maximum(&self) -> u64 {
        self.maximum.load(Ordering::Relaxed)
    }

    /// How many values were added.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket_and_close_to_its_bound() {
        for value in (0..5000).chain([1 << 20, (1 << 30) + 12345]) {
            let bound = upper_bound(bucket_of(value));
            assert!(bound >= value && bound <= value + value / 8, "{value} -> {bound}");
            assert!(value == 0 || bucket_of(value) == 0 || upper_bound(bucket_of(value) - 1) < value, "{value}");
        }
    }

    #[test]
    fn quantiles_of_a_thousand_values() {
        let histogram = Histogram::default();
        (1..=1000).for_each(|value| histogram.add(value));
        assert!((500..=562).contains(&histogram.quantile(0.5)), "{}", histogram.quantile(0.5));
        assert_eq!((histogram.quantile(1.0), histogram.maximum(), histogram.count()), (1000, 1000, 1000));
        assert_eq!(Histogram::default().quantile(0.5), 0);
    }
}
