//! What was dropped before it was handed over, and why.

/// Counts of datagrams. The kernel has one 32-bit counter for both what did not fit and what the filter dropped, and
/// tells it with each datagram, as it was when that one arrived, once it is above 0.
#[derive(Default)]
pub struct Drops {
    last: u32,
    /// The counter has begun with another engine, and no datagram has told yet how far it had come.
    unknown: bool,
    /// Dropped by the kernel because the receive buffer was full.
    pub overrun: u64,
    /// Dropped because their senders flood. While the filter is in place everything that the kernel drops.
    pub flood: u64,
    /// The filter was in place since the datagram before this one.
    filtered: bool,
    /// When the filter was lifted, in nanoseconds of CLOCK_MONOTONIC.
    lifted_ns: Option<u64>,
}

impl Drops {
    /// Counts of a socket that another engine has used: what was dropped up to the first datagram that waits in it is
    /// that one's. Nothing is dropped at its death before the buffer is full of such.
    pub fn of_used_socket() -> Self {
        Self { unknown: true, ..Self::default() }
    }

    /// Notes the kernel's counter as it came, if it did, with a datagram that arrived at `arrival_ns` of CLOCK_MONOTONIC.
    pub fn update(&mut self, counter: Option<u32>, arrival_ns: u64) {
        if std::mem::take(&mut self.unknown) {
            self.last = counter.unwrap_or(0);
        }
        let Some(counter) = counter else { return };
        let new = u64::from(counter.wrapping_sub(self.last));
        self.last = counter;
        *if self.filtered { &mut self.flood } else { &mut self.overrun } += new;
        if self.lifted_ns.is_some_and(|lifted_ns| arrival_ns > lifted_ns) {
            (self.filtered, self.lifted_ns) = (false, None);
        }
    }

    /// The kernel's counter as it came last.
    #[cfg(test)]
    pub fn kernel_counter(&self) -> u32 {
        self.last
    }

    /// Notes that the filter is in place from now on, or is lifted.
    pub fn filter(&mut self, in_place: bool, now_ns: u64) {
        self.filtered |= in_place;
        self.lifted_ns = (!in_place).then_some(now_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_may_wrap() {
        let mut drops = Drops { last: u32::MAX - 1, overrun: 7, ..Drops::default() };
        drops.update(Some(3), 0);
        assert_eq!(drops.overrun, 12);
    }

    #[test]
    fn what_another_engine_has_lost_is_not_counted_again() {
        for (first, second, lost) in [(Some(700), Some(703), 3), (None, Some(3), 3), (None, None, 0)] {
            let mut drops = Drops::of_used_socket();
            drops.update(first, 10);
            assert_eq!(drops.overrun, 0);
            drops.update(second, 20);
            assert_eq!((drops.overrun, drops.flood), (lost, 0));
        }
    }

    #[test]
    fn what_is_dropped_under_the_filter_is_told_apart() {
        let mut drops = Drops::default();
        drops.update(Some(5), 10);
        drops.filter(true, 20);
        drops.update(Some(105), 30);
        drops.filter(false, 40);
        // Taken after the filter was lifted, but it arrived before; the next one tells the rest.
        drops.update(Some(205), 39);
        drops.update(Some(305), 50);
        drops.update(Some(307), 60);
        assert_eq!((drops.overrun, drops.flood), (7, 300));
        drops.filter(true, 70);
        drops.filter(false, 80);
        drops.filter(true, 90);
        drops.update(Some(317), 100);
        drops.update(Some(327), 110);
        assert_eq!((drops.overrun, drops.flood), (7, 320));
    }
}
