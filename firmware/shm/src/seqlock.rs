//! Numbered words with one writer, read by anyone, never waited for.
//!
//! A seqlock whose sequence number is the number of what is published (a block, a snapshot): readers know
//! which number they want, so a copy that is stale, torn, half written by a killed writer or damaged is
//! told apart from the right one.

use crate::checksum::checksum;
use crate::kill_point::{KillPoint, kill_point};
use crate::sync::{AtomicU64, Ordering, fence};

/// What a reader found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The words of that number are in the buffer, whole; with their checksum.
    Whole(u64),
    /// That number is not here: not yet, no longer, or being written just now.
    Absent,
    /// That number is here and its checksum is wrong: memory was damaged.
    Damaged,
}

/// The instants at which a test build may die while publishing.
pub(crate) struct PublishPoints {
    pub opened: KillPoint,
    pub half: KillPoint,
    pub stored: KillPoint,
    pub summed: KillPoint,
    pub numbered: KillPoint,
}

/// `N` words with a number and a checksum. All zero is a valid value that holds nothing.
#[repr(C, align(64))]
pub struct Seqlock<const N: usize> {
    /// The number published plus one; 0 while nothing whole is here.
    tag: AtomicU64,
    checksum: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Seqlock<N> {
    /// Publishes `words` under `number`. Only the one writer of this memory calls it.
    ///
    /// # Panics
    /// If there are more than `N` words; the callers' sizes are constants.
    pub(crate) fn publish(&self, number: u64, words: &[u64], points: &PublishPoints) {
        assert!(words.len() <= N);
        // SYNC: the release fence keeps the stores of the words behind this one: a reader that sees any
        // of the new words and then passes its acquire fence also sees the tag gone.
        self.tag.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        kill_point(points.opened);
        for (place, (to, from)) in self.words.iter().zip(words).enumerate() {
            to.store(*from, Ordering::Relaxed);
            if place == words.len() / 2 {
                kill_point(points.half);
            }
        }
        kill_point(points.stored);
        self.checksum.store(checksum(number, words), Ordering::Relaxed);
        kill_point(points.summed);
        // SYNC: release, so that whoever sees the tag sees the words and the checksum.
        self.tag.store(number + 1, Ordering::Release);
        kill_point(points.numbered);
    }

    /// The number here now, if any. It may be gone at the next instant.
    pub fn number(&self) -> Option<u64> {
        // SYNC: acquire pairs with the release store of the tag.
        self.tag.load(Ordering::Acquire).checked_sub(1)
    }

    /// Copies the words of `number` into `buffer`, which has the length that was published.
    /// Unless the result is [`Reading::Whole`] the buffer's content is meaningless.
    pub fn read(&self, number: u64, buffer: &mut [u64]) -> Reading {
        if self.number() != Some(number) {
            return Reading::Absent;
        }
        for (to, from) in buffer.iter_mut().zip(&self.words) {
            *to = from.load(Ordering::Relaxed);
        }
        let stored = self.checksum.load(Ordering::Relaxed);
        // SYNC: pairs with the release fence of the writer: had a word of a later publication been read
        // above, the tag read below would no longer be this one.
        fence(Ordering::Acquire);
        if self.tag.load(Ordering::Relaxed) != number + 1 {
            return Reading::Absent;
        }
        if checksum(number, buffer) == stored { Reading::Whole(stored) } else { Reading::Damaged }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const POINTS: PublishPoints = PublishPoints {
        opened: KillPoint::BlockOpened,
        half: KillPoint::BlockHalf,
        stored: KillPoint::BlockStored,
        summed: KillPoint::BlockSummed,
        numbered: KillPoint::BlockNumbered,
    };

    fn fresh<const N: usize>() -> Seqlock<N> {
        Seqlock { tag: AtomicU64::new(0), checksum: AtomicU64::new(0), words: [const { AtomicU64::new(0) }; N] }
    }

    #[test]
    fn only_the_number_asked_for_is_given() {
        let lock = fresh::<4>();
        let mut buffer = [0; 4];
        assert_eq!(lock.read(0, &mut buffer), Reading::Absent);
        lock.publish(0, &[1, 2, 3, 4], &POINTS);
        assert!(matches!(lock.read(0, &mut buffer), Reading::Whole(_)));
        assert_eq!(buffer, [1, 2, 3, 4]);
        assert_eq!(lock.read(1, &mut buffer), Reading::Absent);
    }

    #[test]
    fn damage_is_seen() {
        let lock = fresh::<4>();
        lock.publish(9, &[1, 2, 3, 4], &POINTS);
        lock.words[2].fetch_xor(1 << 17, Ordering::Relaxed);
        assert_eq!(lock.read(9, &mut [0; 4]), Reading::Damaged);
    }

    #[test]
    fn a_reader_never_sees_a_mixture() {
        let lock = fresh::<64>();
        let running = core::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..200_000 {
                    lock.publish(number, &[number; 64], &POINTS);
                }
                running.store(false, Ordering::Release);
            });
            let mut whole = 0;
            while running.load(Ordering::Acquire) {
                let Some(number) = lock.number() else { continue };
                let mut buffer = [0; 64];
                match lock.read(number, &mut buffer) {
                    Reading::Whole(_) => {
                        assert_eq!(buffer, [number; 64]);
                        whole += 1;
                    }
                    Reading::Absent => {}
                    // The checksum is only compared when the tag held still, so this would be a mixture.
                    Reading::Damaged => panic!("torn read passed the tag check"),
                }
            }
            assert!(whole > 0);
        });
    }
}
