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

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// That number is here, whole, and the same bit by bit.
    Same,
    /// That number is here, whole, and not the same.
    Different,
    /// As [`Reading::Absent`].
    Absent,
    /// As [`Reading::Damaged`].
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
        self.checksum.store(checksum(number, words.len(), |place| words[place]), Ordering::Relaxed);
        kill_point(points.summed);
        // SYNC: release, so that whoever sees the tag sees the words and the checksum.
        self.tag.store(number + 1, Ordering::Release);
        kill_point(points.numbered);
    }

    /// The first word, whatever is here.
    pub(crate) fn first_word(&self) -> u64 {
        // SYNC: a hint; who reads the rest checks it.
        self.words[0].load(Ordering::Relaxed)
    }

    /// Takes away what is here. Only while nobody writes.
    pub(crate) fn clear(&self) {
        self.tag.store(0, Ordering::Release);
    }

    /// The number here now, if any. It may be gone at the next instant.
    pub fn number(&self) -> Option<u64> {
        // SYNC: acquire pairs with the release store of the tag.
        self.tag.load(Ordering::Acquire).checked_sub(1)
    }

    /// The checksum stored with `number`, if that is here. The words are not looked at.
    pub fn checksum_of(&self, number: u64) -> Option<u64> {
        (self.number() == Some(number)).then_some(())?;
        let stored = self.checksum.load(Ordering::Relaxed);
        // SYNC: as in `pass`: had the checksum of a later publication been read, the tag would no longer be this one.
        fence(Ordering::Acquire);
        (self.tag.load(Ordering::Relaxed) == number + 1).then_some(stored)
    }

    /// For tests: flips a bit of the words, counted over all of them, as a fault of the memory would.
    pub(crate) fn damage(&self, bit: u64) {
        self.words[(bit / 64) as usize % N].fetch_xor(1 << (bit % 64), Ordering::Relaxed);
    }

    /// Copies the words of `number` into `buffer`, which has the length that was published.
    /// Unless the result is [`Reading::Whole`] the buffer's content is meaningless.
    pub fn read(&self, number: u64, buffer: &mut [u64]) -> Reading {
        let length = buffer.len().min(N);
        self.pass(number, length, |place, word| buffer[place] = word)
    }

    /// Compares the words of `number` with `others`, which has the length that was published.
    pub fn compare(&self, number: u64, others: &[u64]) -> Comparison {
        let mut difference = 0;
        let length = others.len().min(N);
        match self.pass(number, length, |place, word| difference |= word ^ others[place]) {
            Reading::Whole(_) if difference == 0 => Comparison::Same,
            Reading::Whole(_) => Comparison::Different,
            Reading::Absent => Comparison::Absent,
            Reading::Damaged => Comparison::Damaged,
        }
    }

    /// Shows each word of `number` to `see`, once. What was shown counts only if the result is
    /// [`Reading::Whole`].
    #[inline(always)]
    fn pass(&self, number: u64, length: usize, mut see: impl FnMut(usize, u64)) -> Reading {
        if self.number() != Some(number) {
            return Reading::Absent;
        }
        let found = checksum(number, length, |place| {
            let word = self.words[place].load(Ordering::Relaxed);
            see(place, word);
            word
        });
        let stored = self.checksum.load(Ordering::Relaxed);
        // SYNC: pairs with the release fence of the writer: had a word of a later publication been read
        // above, the tag read below would no longer be this one.
        fence(Ordering::Acquire);
        if self.tag.load(Ordering::Relaxed) != number + 1 {
            return Reading::Absent;
        }
        if found == stored { Reading::Whole(stored) } else { Reading::Damaged }
    }
}

#[cfg(test)]
impl<const N: usize> Seqlock<N> {
    /// As shared memory is at first: all zero.
    pub(crate) fn fresh() -> Self {
        let zero = || AtomicU64::new(0);
        Self { tag: zero(), checksum: zero(), words: core::array::from_fn(|_| zero()) }
    }
}

#[cfg(test)]
const POINTS: PublishPoints = PublishPoints {
    opened: KillPoint::BlockOpened,
    half: KillPoint::BlockHalf,
    stored: KillPoint::BlockStored,
    summed: KillPoint::BlockSummed,
    numbered: KillPoint::BlockNumbered,
};

#[cfg(all(test, loom))]
mod model;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_asked_for_is_given() {
        let lock = Seqlock::<4>::fresh();
        let mut buffer = [0; 4];
        assert_eq!(lock.read(0, &mut buffer), Reading::Absent);
        lock.publish(0, &[1, 2, 3, 4], &POINTS);
        assert!(matches!(lock.read(0, &mut buffer), Reading::Whole(_)));
        assert_eq!(buffer, [1, 2, 3, 4]);
        assert_eq!(lock.read(1, &mut buffer), Reading::Absent);
    }

    #[test]
    fn damage_is_seen() {
        let lock = Seqlock::<4>::fresh();
        lock.publish(9, &[1, 2, 3, 4], &POINTS);
        lock.words[2].fetch_xor(1 << 17, Ordering::Relaxed);
        assert_eq!(lock.read(9, &mut [0; 4]), Reading::Damaged);
        assert_eq!(lock.compare(9, &[1, 2, 3, 4]), Comparison::Damaged);
    }

    #[test]
    fn a_comparison_tells_same_from_different() {
        let lock = Seqlock::<5>::fresh();
        lock.publish(9, &[1, 2, 3, 4, 5], &POINTS);
        assert_eq!(lock.compare(9, &[1, 2, 3, 4, 5]), Comparison::Same);
        assert_eq!(lock.compare(9, &[1, 2, 3, 4, 6]), Comparison::Different);
        assert_eq!(lock.compare(8, &[1, 2, 3, 4, 5]), Comparison::Absent);
    }

    #[test]
    fn a_reader_never_sees_a_mixture() {
        const WORDS: usize = if cfg!(miri) { 2 } else { 64 };
        let lock = Seqlock::<WORDS>::fresh();
        // Miri is slow, and switches threads so often that a long look is always disturbed. It has other seeds instead.
        let enough = if cfg!(miri) { 10 } else { 20_000 };
        let reading = core::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            // Writes for as long as the reader needs, wherever the scheduler puts the two.
            scope.spawn(|| {
                for number in (0..).take_while(|_| reading.load(Ordering::Acquire)) {
                    lock.publish(number, &[number; WORDS], &POINTS);
                    if cfg!(miri) {
                        std::thread::yield_now();
                    }
                }
            });
            let mut mixture = None;
            let mut whole = 0;
            while whole < enough && mixture.is_none() {
                let Some(number) = lock.number() else { continue };
                let mut buffer = [0; WORDS];
                match lock.read(number, &mut buffer) {
                    Reading::Whole(_) if buffer == [number; WORDS] => whole += 1,
                    Reading::Absent => {}
                    // The checksum is only compared when the tag held still, so damage would be a mixture too.
                    found => mixture = Some((number, found, buffer)),
                }
            }
            reading.store(false, Ordering::Release);
            assert_eq!(mixture, None);
        });
    }
}
