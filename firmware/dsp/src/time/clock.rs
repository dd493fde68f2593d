//! The clock: a tempo, and how many beats have passed, exactly.

use bytemuck::{Pod, Zeroable};

use super::Refusal;

/// Slowest tempo in beats a minute.
pub const BPM_MINIMUM: f64 = 1.0;
/// Fastest tempo in beats a minute: the most that three digits show.
pub const BPM_MAXIMUM: f64 = 999.0;

/// The least common multiple of 1 to 16: every number of steps that a beat may have divides it.
const STEP_MULTIPLE: u64 = 720_720;

/// Tempo is kept in thousandths of a beat a minute, three decimals, so a minute has that many thousandths for each beat.
const THOUSANDTHS_PER_MINUTE: u64 = 60_000;

/// The rate that stands for one the engine does not know, which only a damaged clock has.
const USUAL_RATE: u64 = 48_000;

/// Longest wait that is worked out, in frames: three minutes at 96 kHz, far beyond any block. Units for that many frames,
/// at the fastest tempo, fit into 64 bits.
const LONGEST_WAIT: u32 = 1 << 24;

/// More beats than any clock comes to: 10^8 years at the fastest tempo. Sixteen times as many still fit into 64 bits.
const MOST_BEATS: u64 = 1 << 56;

/// Units in a beat at `rate` frames a second: 4.2e15 at most. Of those a frame has as many as the tempo has thousandths,
/// times [`STEP_MULTIPLE`]. A millionth of a step is a whole number of them too, as all rates are multiples of 100.
pub const fn units_per_beat(rate: u64) -> u64 {
    rate * THOUSANDTHS_PER_MINUTE * STEP_MULTIPLE
}

/// A time in beats since the clock's beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub struct Position {
    /// Whole beats.
    pub beat: u64,
    /// Units of the beat that has begun, less than [`units_per_beat`].
    pub unit: u64,
}

impl Position {
    /// The position so many units later, where a beat has `per_beat` of them.
    pub(super) fn later(self, units: u128, per_beat: u64) -> Self {
        let sum = u128::from(self.unit) + units;
        let per_beat = u128::from(per_beat.max(1));
        // Most stretches end within the beat, and a division of 128 bits is dear.
        let (beats, unit) = if sum < per_beat { (0, sum) } else { (sum / per_beat, sum % per_beat) };
        Self { beat: self.beat.wrapping_add(beats as u64), unit: unit as u64 }
    }
}

/// The clock. All zeros is a stopped clock at its beginning, at the slowest tempo and 48 kHz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Clock {
    /// Where the frame that is rendered next begins.
    position: Position,
    /// Frames a second.
    rate: u64,
    /// Tempo in thousandths of a beat a minute.
    tempo: u32,
    /// 0 stopped, anything else running.
    running: u32,
}

impl Clock {
    /// A stopped clock at its beginning: 120 beats a minute. `rate` is one of [`abi::RATES`].
    pub fn new(rate: u32) -> Self {
        Self { position: Position::default(), rate: u64::from(rate), tempo: 120_000, running: 0 }
    }

    /// Where the next frame begins.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether it runs.
    pub fn running(&self) -> bool {
        self.running != 0
    }

    /// Runs from the beginning.
    pub fn start(&mut self) {
        self.rewind();
        self.resume();
    }

    /// Goes on from where it stopped (MIDI's *continue*, which is a word of the language).
    pub fn resume(&mut self) {
        self.running = 1;
    }

    /// Stops where it is.
    pub fn stop(&mut self) {
        self.running = 0;
    }

    /// Goes to the beginning; runs on if it runs.
    pub fn rewind(&mut self) {
        self.position = Position::default();
    }

    /// Tempo in beats a minute.
    pub fn bpm(&self) -> f64 {
        f64::from(self.tempo()) / 1000.0
    }

    /// Sets the tempo from the next frame on; the position stays. Kept to three decimals, from 1 to 999 beats a minute:
    /// what is beyond becomes the nearest. Refused if it is not a number.
    pub fn set_bpm(&mut self, bpm: f64) -> Result<(), Refusal> {
        let bpm = Refusal::unless_finite(bpm)?.clamp(BPM_MINIMUM, BPM_MAXIMUM);
        self.tempo = (bpm * 1000.0 + 0.5) as u32;
        Ok(())
    }

    /// Frames a second, one of [`abi::RATES`].
    pub fn rate(&self) -> u64 {
        if abi::RATES.iter().any(|rate| u64::from(*rate) == self.rate) { self.rate } else { USUAL_RATE }
    }

    /// Where the next frame begins in turns of so many beats, above 0: the turn, and how far in it, 0 to 1 without 1. Worked out
    /// anew from the position, so nothing adds up.
    pub fn turns_of(&self, beats: f64) -> (u64, f64) {
        let position = self.position.beat as f64 + self.position.unit as f64 / self.units_per_beat() as f64;
        let turns = position / beats;
        let whole = turns as u64;
        (whole, (turns - whole as f64).clamp(0.0, 1.0))
    }

    /// Goes on by `frames`. A stopped clock stays.
    pub fn advance(&mut self, frames: u32) {
        if self.running() {
            let units = u128::from(frames) * u128::from(self.units_per_frame());
            self.position = self.position.later(units, self.units_per_beat());
        }
    }

    /// Takes a damaged clock, that stands where none can, to its beginning.
    pub(super) fn heal(&mut self) {
        if self.position.beat >= MOST_BEATS || self.position.unit >= self.units_per_beat() {
            self.rewind();
        }
    }

    /// Frames until the frame in which `position` falls, 0 if that is the next one or it has passed, at most `most` and
    /// 2^24. The clock is taken to run.
    pub fn wait(&self, position: Position, most: u32) -> u32 {
        let most = most.min(LONGEST_WAIT);
        let (left, frame) = (self.until(position), self.units_per_frame());
        if left <= 0 {
            0
        } else if left >= i128::from(u64::from(most) * frame) {
            most
        } else {
            // Less than 2^24, as compared above.
            (left as u64 / frame) as u32
        }
    }

    /// Whether `position` falls into the next frame or has passed.
    pub(super) fn due(&self, position: Position) -> bool {
        self.until(position) < i128::from(self.units_per_frame())
    }

    /// Units from the next frame's beginning to `position`, negative if it has passed.
    pub(super) fn until(&self, position: Position) -> i128 {
        let beats = i128::from(position.beat) - i128::from(self.position.beat);
        beats * i128::from(self.units_per_beat()) + i128::from(position.unit) - i128::from(self.position.unit)
    }

    pub(super) fn units_per_beat(&self) -> u64 {
        units_per_beat(self.rate())
    }

    fn units_per_frame(&self) -> u64 {
        u64::from(self.tempo()) * STEP_MULTIPLE
    }

    fn tempo(&self) -> u32 {
        self.tempo.clamp((BPM_MINIMUM * 1000.0) as u32, (BPM_MAXIMUM * 1000.0) as u32)
    }
}
