//! The kernel's trigger `pattern`, as far as it concerns a text without gliding: for tests.

/// A light of the kernel's. Times are milliseconds.
#[derive(Default)]
pub struct KernelLight {
    /// Brightness and length of each pair.
    pairs: Vec<(u64, u64)>,
    /// The sum of the lengths.
    period: u64,
    armed: u64,
}

impl KernelLight {
    /// Takes a text as the kernel does, from its first pair on.
    ///
    /// # Errors
    /// What the kernel would not take, or would glide.
    pub fn arm(&mut self, text: &str, now: u64) -> Result<(), String> {
        let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
        let numbers = numbers.map_err(|error| format!("{error} in {text}"))?;
        let pairs: Vec<_> = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let steps = pairs.chunks(2).all(|step| step.len() == 2 && step[0].0 == step[1].0 && step[1].1 == 0);
        if pairs.len() < 2 || numbers.len() % 2 == 1 || !steps {
            return Err(format!("no text of steps: {text}"));
        }
        self.period = pairs.iter().map(|pair| pair.1).sum();
        (self.pairs, self.armed) = (pairs, now);
        Ok(())
    }

    /// Whether it is on.
    pub fn is_on(&self, now: u64) -> bool {
        let mut left = (now - self.armed) % self.period.max(1);
        for (brightness, length) in &self.pairs {
            if left < *length {
                return *brightness > 0;
            }
            left -= length;
        }
        false
    }

    /// Whether it is on, for each of so many milliseconds from when it was armed.
    pub fn film(&self, length: u64) -> Vec<bool> {
        let steps = self.pairs.iter().cycle();
        let each = steps.flat_map(|(level, length)| std::iter::repeat_n(*level > 0, *length as usize));
        each.take(length as usize).collect()
    }
}
