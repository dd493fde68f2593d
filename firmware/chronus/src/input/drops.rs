//! What was dropped before it was handed over, and why.

/// Counts of datagrams. The kernel has one 32-bit counter for both what did not fit and what the filter dropped, and
/// tells it with each datagram, as it was when that one arrived.
#[derive(Default)]
pub struct Drops {
    last: u32,
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
    /// Notes the kernel's counter as it came with a datagram that arrived at `arrival_ns` of CLOCK_MONOTONIC.
    pub fn update(&mut self, counter: u32, arrival_ns: u64) {
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
        drops.update(3, 0);
        assert_eq!(drops.overrun, 12);
    }

    #[test]
    fn what_is_dropped_under_the_filter_is_told_apart() {
        let mut drops = Drops::default();
        drops.update(5, 10);
        drops.filter(true, 20);
        drops.update(105, 30);
        drops.filter(false, 40);
        // Taken after the filter was lifted, but it arrived before; the next one tells the rest.
        drops.update(205, 39);
        drops.update(305, 50);
        drops.update(307, 60);
        assert_eq!((drops.overrun, drops.flood), (7, 300));
        drops.filter(true, 70);
        drops.filter(false, 80);
        drops.filter(true, 90);
        drops.update(317, 100);
        drops.update(327, 110);
        assert_eq!((drops.overrun, drops.flood), (7, 320));
    }
}
