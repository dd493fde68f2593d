//! A contact that bounces: its first change counts, at once; what follows within its time of bouncing does not.
//!
//! The usual way, to wait until a contact rests, cannot follow a knob: at 200 detents a second each contact changes every
//! 2.5 ms, bounces for up to 2 ms of it, and may well rest for longer within its bouncing than after it. Here nothing is
//! waited for. A change of a contact that had come to rest is a change; then nothing is believed for as long as it may
//! bounce; what it is after that is what it is. So the order in which two contacts change is kept, and with it the
//! direction, even while both of them bounce.

/// One contact.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The level that counts.
    level: bool,
    /// The level of the last edge.
    seen: bool,
    /// Nanoseconds that it may bounce.
    bouncing: u64,
    /// Until when nothing is believed, in nanoseconds of CLOCK_MONOTONIC.
    until: u64,
    /// The number its next edge should have.
    next: u32,
    /// Edges that were told.
    edges: u64,
    /// Edges that were not: gaps in their numbers.
    lost: u64,
}

impl Contact {
    /// A contact at rest at this level, that may bounce for so many nanoseconds.
    pub fn new(level: bool, bouncing: u64) -> Self {
        Self { level, seen: level, bouncing, until: 0, next: 1, edges: 0, lost: 0 }
    }

    /// Takes an edge: its time in nanoseconds, the level after it and its number. True if the contact has changed.
    pub fn edge(&mut self, time: u64, level: bool, sequence: u32) -> bool {
        self.lost += u64::from(sequence.wrapping_sub(self.next));
        (self.next, self.edges) = (sequence.wrapping_add(1), self.edges + 1);
        self.seen = level;
        time >= self.until && self.believe(time)
    }

    /// When it is to be looked at again, because it is not what it counts as; `None` if nothing is open.
    pub fn due(&self) -> Option<u64> {
        (self.seen != self.level).then_some(self.until)
    }

    /// Looks again at the time that [`Self::due`] gave. True if the contact has changed.
    pub fn settle(&mut self) -> bool {
        self.believe(self.until)
    }

    /// The level that counts.
    pub fn level(&self) -> bool {
        self.level
    }

    /// Edges that were told, and those that were lost on the way.
    pub fn counts(&self) -> [u64; 2] {
        [self.edges, self.lost]
    }

    fn believe(&mut self, time: u64) -> bool {
        let changed = self.seen != self.level;
        if changed {
            (self.level, self.until) = (self.seen, time + self.bouncing);
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_change_counts_at_once_and_bouncing_does_not() {
        let mut contact = Contact::new(true, 1000);
        let changes: Vec<_> = [(5000, false), (5010, true), (5300, false), (5900, true), (5950, false)]
            .into_iter()
            .zip(1..)
            .map(|((time, level), sequence)| contact.edge(time, level, sequence))
            .collect();
        assert_eq!(changes, [true, false, false, false, false]);
        assert_eq!((contact.level(), contact.due(), contact.counts()), (false, None, [5, 0]));
        assert!(contact.edge(6000, true, 6), "it has come to rest");
    }

    #[test]
    fn what_it_is_after_bouncing_is_what_it_is() {
        let mut contact = Contact::new(true, 1000);
        assert!(contact.edge(5000, false, 1));
        assert!(!contact.edge(5999, true, 2));
        assert_eq!(contact.due(), Some(6000));
        assert!(contact.settle() && contact.level() && contact.due().is_none());
        // It bounces from there.
        assert!(!contact.edge(6999, false, 3));
        assert_eq!(contact.due(), Some(7000));
    }

    #[test]
    fn gaps_in_the_numbers_are_lost_edges_and_numbers_wrap() {
        let mut contact = Contact::new(true, 0);
        contact.edge(1, false, 3);
        contact.edge(2, true, 4);
        assert_eq!(contact.counts(), [2, 2]);
        contact.next = u32::MAX;
        contact.edge(3, false, u32::MAX);
        contact.edge(4, true, 1);
        assert_eq!(contact.counts(), [4, 3]);
    }
}
