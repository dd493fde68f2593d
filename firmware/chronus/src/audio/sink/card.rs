//! The sink that is a sound card: it gives the beat while it is there; while it is not, a timer does.

use abi::{Block, BlockNumber};

use super::exchange::Exchange;
use super::paced::{PacedSink, deadline};
use super::playback::{Loss, Playback, push};
use super::refusal::Refusal;
use super::storm::UnderrunStorm;
use crate::audio::AudioClock;
use crate::audio::choose::Patience;
use crate::audio::quantise::LARGEST_BLOCK;
use crate::report::{Counters, SoundCard, count};

/// A sound card, or the place for one.
pub struct CardSink<P: 'static> {
    device: Option<P>,
    exchange: Exchange<P>,
    bytes: [u8; LARGEST_BLOCK],
    pace: PacedSink,
    storm: UnderrunStorm,
    periods: u32,
    /// Nanoseconds the device can go on by itself.
    buffered: u64,
    /// When the device took the last block, in nanoseconds; `None` if it has not begun, or begun again.
    taken: Option<u64>,
}

impl<P: Playback> CardSink<P> {
    /// A sink on this device, or on none yet (what was said about that is in `told`); when there is none any more,
    /// `open` is tried until there is.
    ///
    /// # Errors
    /// In words, if there can be no thread to do it.
    pub fn start(
        device: Option<P>,
        told: Option<String>,
        open: impl FnMut() -> Result<P, Refusal> + Send + 'static,
        periods: u32,
        clock: &AudioClock,
        counters: &Counters,
    ) -> Result<Self, String> {
        // Not with the first block: whoever asks before it must not hear that the engine does without a card.
        counters.sound_card.set(if device.is_some() { SoundCard::Playing } else { SoundCard::Waiting });
        let mut exchange = Exchange::start(open, told)?;
        if device.is_none() {
            exchange.lose(None, Loss::NotYetThere);
        }
        let buffered = u64::from(periods.saturating_sub(1)) * clock.period();
        let (pace, storm) = (PacedSink::new(periods, clock), UnderrunStorm::new(periods));
        Ok(Self { device, exchange, bytes: [0; LARGEST_BLOCK], pace, storm, periods, buffered, taken: None })
    }

    /// Starts the beat with block `first`, if it is not the device that gives it.
    pub fn begin(&mut self, first: BlockNumber, clock: &AudioClock) {
        if self.device.is_none() {
            clock.start(first, rt::clock::monotonic());
        }
    }

    /// The device gives the beat by taking a block, so there is nothing to wait for here. Without one a timer gives
    /// the beat, and a device that is there again is taken: between two blocks, when the next one is due, so that it
    /// starts in the beat and with the same latency as before.
    pub fn wait(&mut self, block: BlockNumber, clock: &AudioClock, counters: &Counters) -> Patience {
        if self.device.is_none() {
            let (_, patience) = self.pace.keep_time(block, clock, counters);
            self.take_back(clock, counters);
            return patience;
        }
        let now = rt::clock::monotonic();
        // The buffer was full when the block before was taken, one period before this one will be.
        let filled = if clock.origin() == 0 { now } else { clock.time_of_block(block).saturating_sub(clock.period()) };
        deadline(filled, now, self.buffered, clock)
    }

    fn take_back(&mut self, clock: &AudioClock, counters: &Counters) {
        self.device = self.exchange.take();
        if self.device.is_some() {
            self.storm = UnderrunStorm::new(self.periods);
            clock.restart();
            count(&counters.device_reopened);
            counters.sound_card.set(SoundCard::Playing);
        }
    }

    /// Plays a block; returns when the device has room for it. An underrun is counted and played on from. A
    /// device that is gone is given away, and time is kept without it.
    pub fn write(&mut self, number: BlockNumber, block: &Block, clock: &AudioClock, counters: &Counters) {
        let Some(device) = &mut self.device else { return };
        let bytes = device.format().quantise(block, &mut self.bytes);
        match push(device, bytes, &mut self.storm, clock, counters) {
            // Until the buffer is full for the first time writes return at once and tell nothing of the time.
            Ok(recovered) if device.is_running() => {
                let now = rt::clock::monotonic();
                let before = self.taken.replace(now).filter(|_| !recovered);
                if before.is_some_and(|before| now > before + self.longest(clock)) {
                    count(&counters.xruns);
                }
                clock.observe(number, now);
            }
            Ok(_) => self.taken = None,
            Err(loss) => self.lose(loss, number, clock, counters),
        }
    }

    /// How long a device may need to take a block, in nanoseconds. If it was longer, it has had nothing to play, whatever its
    /// driver says: a position that has gone once around the buffer looks as if it had not moved. An eighth of a period more,
    /// for its clock and ours differ.
    fn longest(&self, clock: &AudioClock) -> u64 {
        self.buffered + clock.period() + clock.period() / 8
    }

    /// Goes on without the device, in its beat; in one of its own if it never had any.
    fn lose(&mut self, loss: Loss, number: BlockNumber, clock: &AudioClock, counters: &Counters) {
        count(&counters.device_lost);
        counters.sound_card.set(SoundCard::Lost);
        self.taken = None;
        self.exchange.lose(self.device.take(), loss);
        if clock.origin() == 0 {
            clock.start(number, rt::clock::monotonic());
        }
    }

    /// Plays out what is left.
    pub fn finish(&mut self) {
        if let Some(device) = &mut self.device {
            device.play_out();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::quantise::SampleFormat;
    use crate::audio::sink::exchange::REST;
    use nix::errno::Errno;
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    /// A card, and what it is to say to the next blocks before it takes them; it takes all others.
    #[derive(Clone, Default)]
    struct Card {
        says: Arc<Mutex<VecDeque<Errno>>>,
        /// The first sample of each block it took.
        played: Arc<Mutex<Vec<f32>>>,
        prepared: Arc<AtomicU64>,
        /// Whether its time is looked at. Not in tests that count: this machine may be busy.
        running: Arc<AtomicBool>,
    }

    impl Card {
        fn saying(errors: &[Errno]) -> Self {
            let card = Self::default();
            card.says.lock().unwrap().extend(errors);
            card
        }
    }

    impl Playback for Card {
        fn format(&self) -> SampleFormat {
            SampleFormat::Float32
        }

        fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
            if let Some(error) = self.says.lock().unwrap().pop_front() {
                return Err(error);
            }
            self.played.lock().unwrap().push(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
            Ok(abi::FRAMES)
        }

        fn prepare(&mut self) -> Result<(), Errno> {
            self.prepared.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }

        fn is_running(&self) -> bool {
            self.running.load(Ordering::Relaxed)
        }

        fn play_out(&mut self) {}
    }

    const PERIODS: u32 = 2;

    struct Rig {
        sink: CardSink<Card>,
        clock: AudioClock,
        counters: Counters,
        block: BlockNumber,
    }

    impl Rig {
        /// A sink on the first card; when that is lost there is the other.
        fn new(first: Option<&Card>, other: &Card) -> Self {
            let (clock, counters, other) = (AudioClock::new(96_000), Counters::default(), other.clone());
            let opened = first.cloned();
            let sink = CardSink::start(opened, None, move || Ok(other.clone()), PERIODS, &clock, &counters);
            let mut sink = sink.expect("a thread");
            assert_ne!(counters.sound_card.get(), SoundCard::None, "whoever asks before the first block is told");
            sink.begin(0, &clock);
            Self { sink, clock, counters, block: 0 }
        }

        /// Plays the next block: its number in every sample.
        fn play(&mut self) {
            let block = Block { samples: [self.block as f32; abi::SAMPLES] };
            self.sink.wait(self.block, &self.clock, &self.counters);
            self.sink.write(self.block, &block, &self.clock, &self.counters);
            self.block += 1;
        }

        /// Plays until the card is in this state.
        fn play_until(&mut self, state: SoundCard) {
            while self.counters.sound_card.get() != state {
                // Half a minute of blocks.
                assert!(self.block < 12_000, "never {state:?}");
                self.play();
            }
        }

        /// Underruns, losses, returns.
        fn counts(&self) -> [u64; 3] {
            let counters = &self.counters;
            [&counters.xruns, &counters.device_lost, &counters.device_reopened].map(|one| one.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn an_underrun_is_counted_and_played_on_from() {
        let card = Card::saying(&[Errno::EINTR, Errno::EPIPE]);
        let mut rig = Rig::new(Some(&card), &Card::default());
        (0..3).for_each(|_| rig.play());
        assert_eq!(*card.played.lock().unwrap(), [0.0, 1.0, 2.0]);
        assert_eq!((rig.counts(), card.prepared.load(Ordering::Relaxed)), ([1, 0, 0], 1));
        assert_eq!(rig.counters.sound_card.get(), SoundCard::Playing);
    }

    #[test]
    fn a_card_that_took_nothing_for_longer_than_its_buffer_ran_dry_though_nobody_says_so() {
        let card = Card::default();
        card.running.store(true, Ordering::Relaxed);
        let mut rig = Rig::new(Some(&card), &Card::default());
        rig.play();
        assert_eq!(rig.counts(), [0; 3], "it has only begun");
        rt::clock::sleep_until(rt::clock::monotonic() + 2 * u64::from(PERIODS) * rig.clock.period());
        rig.play();
        assert_eq!(rig.counts(), [1, 0, 0]);
    }

    #[test]
    fn a_card_that_is_gone_or_suspended_is_lost_at_once_and_the_next_plays_on_in_time() {
        for error in [Errno::ENODEV, Errno::ESTRPIPE, Errno::EIO] {
            let (card, other) = (Card::saying(&[error, error]), Card::default());
            let mut rig = Rig::new(Some(&card), &other);
            let before = Instant::now();
            rig.play();
            assert_eq!((rig.counters.sound_card.get(), rig.counts()[1]), (SoundCard::Lost, 1), "{error}");
            // Asked once, and nothing was waited for.
            assert_eq!((card.says.lock().unwrap().len(), card.prepared.load(Ordering::Relaxed)), (1, 0), "{error}");
            rig.play_until(SoundCard::Playing);
            let taken_at = rig.block - 1;
            (0..3).for_each(|_| rig.play());
            let expected: Vec<_> = (taken_at..taken_at + 4).map(|number| number as f32).collect();
            assert_eq!(*other.played.lock().unwrap(), expected, "{error}");
            // It is not asked for at once; and time was kept, which a busy machine may be behind with by then.
            assert!(before.elapsed() >= REST && taken_at > 1, "{error}: {taken_at} blocks");
            assert_eq!(rig.counts()[1..], [1, 1], "{error}");
        }
    }

    #[test]
    fn a_card_that_runs_dry_all_the_time_is_opened_anew() {
        // At every other block, which is all the time with two periods; and at one block again and again.
        let card = Card::default();
        let mut rig = Rig::new(Some(&card), &Card::default());
        while rig.counters.sound_card.get() == SoundCard::Playing {
            assert!(rig.block < 64, "no storm");
            if rig.block.is_multiple_of(u64::from(PERIODS)) {
                card.says.lock().unwrap().push_back(Errno::EPIPE);
            }
            rig.play();
        }
        assert_eq!(rig.counts(), [17, 1, 0]);
        let stuck = Card::saying(&[Errno::EPIPE; 20]);
        let mut rig = Rig::new(Some(&stuck), &Card::default());
        rig.play();
        assert_eq!((rig.counts(), stuck.says.lock().unwrap().len()), ([10, 1, 0], 9));
    }

    #[test]
    fn a_card_that_is_not_there_does_not_run_dry() {
        let mut rig = Rig::new(Some(&Card::saying(&[Errno::ENODEV])), &Card::default());
        rig.play();
        // Longer than any card's buffer: the beat is behind, and caught up with.
        rt::clock::sleep_until(rt::clock::monotonic() + 10 * u64::from(PERIODS) * rig.clock.period());
        rig.play_until(SoundCard::Playing);
        assert!(rig.block > 10 * BlockNumber::from(PERIODS));
        assert_eq!(rig.counts(), [0, 1, 1]);
    }

    #[test]
    fn a_card_that_is_not_there_at_the_start_is_waited_for() {
        let card = Card::default();
        let mut rig = Rig::new(None, &card);
        assert_eq!(rig.counters.sound_card.get(), SoundCard::Waiting);
        rig.play_until(SoundCard::Playing);
        assert_eq!(rig.counts()[1..], [0, 1]);
        assert_eq!(*card.played.lock().unwrap(), [(rig.block - 1) as f32]);
    }
}
