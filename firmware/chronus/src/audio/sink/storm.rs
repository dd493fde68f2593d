//! Tells a card that ran dry once from one that does nothing else.

/// Blocks that are looked back on: a third of a second at 48 kHz. Shorter, and one bad moment of the machine would
/// be a storm; longer, and one would hear it for longer.
const BLOCKS: u32 = u64::BITS;

/// Buffers of sound that a card has to play, on average, between running dry and running dry again. After an underrun
/// it starts when its buffer is full, so one is the least there can be; with less than two, more is gap than sound,
/// and silence until the card is opened anew is the lesser evil. Some drivers recover in no other way.
const LEAST_BUFFERS: u32 = 2;

/// The last blocks: which of them found the card run dry.
#[derive(Clone, Copy, Debug)]
pub struct UnderrunStorm {
    /// A bit a block, the newest lowest.
    underruns: u64,
    /// More of them than this are a storm.
    most: u32,
}

impl UnderrunStorm {
    /// For a card with `periods` periods in its buffer.
    pub fn new(periods: u32) -> Self {
        Self { underruns: 0, most: BLOCKS / (LEAST_BUFFERS * periods.max(1)) }
    }

    /// Notes whether the card had run dry before it took the next block. True if that is a storm.
    pub fn note(&mut self, underrun: bool) -> bool {
        self.underruns = self.underruns << 1 | u64::from(underrun);
        self.underruns.count_ones() > self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many blocks a card that runs dry at every `distance`-th is in a storm.
    fn storm_after(periods: u32, distance: u32) -> Option<u32> {
        let mut storm = UnderrunStorm::new(periods);
        (0..10_000).find(|block| storm.note(block % distance == 0))
    }

    #[test]
    fn it_is_a_storm_when_less_than_two_buffers_are_played_between_underruns() {
        for periods in 2..=4 {
            let dry_at_once = storm_after(periods, periods).expect("a storm");
            assert!(dry_at_once <= 64, "{dry_at_once} blocks");
            assert!(storm_after(periods, 2 * periods - 1).is_some(), "{periods} periods");
            assert_eq!(storm_after(periods, 2 * periods + 1), None, "{periods} periods");
        }
    }

    #[test]
    fn a_bad_moment_is_no_storm() {
        let mut storm = UnderrunStorm::new(2);
        assert!((0..16).all(|_| !storm.note(true)));
        assert!(storm.note(true));
        assert!((0..48).filter(|_| storm.note(false)).count() > 0, "what was is remembered");
        assert!((0..1000).all(|_| !storm.note(false)), "and forgotten");
    }
}
