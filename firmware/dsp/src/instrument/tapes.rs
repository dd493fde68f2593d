//! The tapes of delays and reverbs, beside the state: what a worker has written to them.
//!
//! Only the row of a module says how much of its strip counts. So what a module before it left there need not be cleared: it is
//! further back than anything of its own. But for the block in which a module begins: all of that is published, so what is
//! before its first frame is 0, whatever else was there in which process.

use abi::FRAMES;
use abi::tape::{DELAYS, MORE_FRAMES, REVERB_MS, REVERBS, STRIPS, reach_of};
use bytemuck::{Pod, Zeroable};

use crate::kernel::tape::Tape;
use crate::kernel::{LANES, delay};

use super::Instrument;
use super::kind::Kind;
use super::wiring::flags;

/// Frames of a strip at the highest rate: a power of two, and a block more than it reaches.
const DELAY_FRAMES: usize = (2 * 96_000 + MORE_FRAMES as usize + FRAMES).next_power_of_two();
const REVERB_FRAMES: usize = (REVERB_MS as usize * 96_000 / 1000 + MORE_FRAMES as usize + FRAMES).next_power_of_two();

/// All strips. It is large, and only what is used of it is ever touched.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(8))]
pub(crate) struct Tapes {
    delays: [[[f32; delay::CHANNELS]; DELAY_FRAMES]; DELAYS],
    reverbs: [[[f32; LANES]; REVERB_FRAMES]; REVERBS],
}

/// Where a module is on its tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Its strip.
    pub(super) strip: usize,
    /// Frames on it that are the module's own.
    pub(super) age: u32,
    /// The number of the next frame.
    pub(super) next: u64,
    /// Sample rate in Hz.
    pub(super) rate: u32,
}

/// A strip that is in use, as a snapshot needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strip {
    /// Its number, below [`STRIPS`].
    pub number: usize,
    /// Newest blocks of it that may be heard again.
    pub blocks: u64,
}

impl Tapes {
    pub(super) fn delay(&mut self, at: Position) -> Reel<'_, { delay::CHANNELS }> {
        Reel::at(self.delays.get_mut(at.strip), at)
    }

    pub(super) fn reverb(&mut self, at: Position) -> Reel<'_, LANES> {
        Reel::at(at.strip.checked_sub(DELAYS).and_then(|strip| self.reverbs.get_mut(strip)), at)
    }

    /// A module begins at its first frame: what is before that in the same block is 0.
    pub(super) fn begin(&mut self, at: Position) {
        let before = at.next as usize % FRAMES;
        let end = at.next.wrapping_add((FRAMES - before) as u64);
        if let Some(words) = self.block_mut(at.strip, end) {
            let whole = words.len();
            words.iter_mut().take(whole / FRAMES * before).for_each(|word| *word = 0);
        }
    }

    /// The words of the block of a strip whose last frame is the one before `end`, a multiple of [`FRAMES`].
    pub(crate) fn block_mut(&mut self, strip: usize, end: u64) -> Option<&mut [u64]> {
        let start = end.wrapping_sub(FRAMES as u64) as usize;
        match strip.checked_sub(DELAYS) {
            None => words_at(self.delays.get_mut(strip)?, start % DELAY_FRAMES),
            Some(strip) => words_at(self.reverbs.get_mut(strip)?, start % REVERB_FRAMES),
        }
    }
}

fn words_at<const LINES: usize>(frames: &mut [[f32; LINES]], start: usize) -> Option<&mut [u64]> {
    let block = frames.get_mut(start..start.checked_add(FRAMES)?)?;
    bytemuck::try_cast_slice_mut(block).ok()
}

/// The strip of one module, from its own place on.
pub(super) struct Reel<'a, const LINES: usize> {
    frames: &'a mut [[f32; LINES]],
    at: Position,
}

impl<'a, const LINES: usize> Reel<'a, LINES> {
    fn at<const LENGTH: usize>(frames: Option<&'a mut [[f32; LINES]; LENGTH]>, at: Position) -> Self {
        Self { frames: frames.map_or(&mut [], |frames| frames), at }
    }

    fn place(&self, number: u64) -> usize {
        number as usize & self.frames.len().wrapping_sub(1)
    }
}

impl<const LINES: usize> Tape<LINES> for Reel<'_, LINES> {
    fn length(&self) -> usize {
        reach_of(self.at.strip, self.at.rate).min(self.frames.len() as u32) as usize
    }

    fn behind(&self, line: usize, frames: usize) -> f32 {
        if frames > self.at.age as usize {
            return 0.0;
        }
        let place = self.place(self.at.next.wrapping_sub(frames as u64));
        self.frames.get(place).and_then(|values| values.get(line)).copied().unwrap_or(0.0)
    }

    fn append(&mut self, values: [f32; LINES]) {
        let place = self.place(self.at.next);
        if let Some(frame) = self.frames.get_mut(place) {
            *frame = values;
        }
        self.at.next = self.at.next.wrapping_add(1);
        self.at.age = self.at.age.saturating_add(1);
    }
}

impl Instrument {
    /// Where the module in a row is on its tape. Without a strip it is on none, and silent.
    pub(super) fn position(&self, row: u8) -> Position {
        let [strip, age] = self.wiring.row(row).map_or([0, 0], |row| row.tape);
        let strip = (strip as usize).checked_sub(1).unwrap_or(STRIPS);
        Position { strip, age, next: self.elapsed, rate: self.rate }
    }

    /// The strips that the next block may be heard from.
    pub fn strips(&self) -> impl Iterator<Item = Strip> {
        let rows = self.wiring.rows.iter().filter(|row| row.is(flags::HEARD));
        rows.filter_map(|row| {
            let [strip, age] = row.tape;
            let number = (strip as usize).checked_sub(1).filter(|number| *number < STRIPS)?;
            let blocks = u64::from(age.min(reach_of(number, self.rate))).div_ceil(FRAMES as u64);
            (blocks > 0).then_some(Strip { number, blocks })
        })
    }

    /// The words that were written to a strip in the block before the one so many blocks back: 0 for the last one.
    pub fn written<'a>(&self, scratch: &'a mut super::Scratch, strip: usize, back: u64) -> Option<&'a mut [u64]> {
        scratch.tapes.block_mut(strip, self.elapsed.wrapping_sub(back.wrapping_mul(FRAMES as u64)))
    }

    /// So many frames were written to every tape.
    pub(super) fn turn_tapes(&mut self, frames: u32) {
        self.elapsed = self.elapsed.wrapping_add(u64::from(frames));
        let rate = self.rate;
        for row in self.wiring.rows.iter_mut().filter(|row| row.tape[0] != 0) {
            let [strip, age] = &mut row.tape;
            *age = age.saturating_add(frames).min(reach_of(*strip as usize - 1, rate));
        }
    }

    /// A strip of its own for a module that begins, if it needs one.
    pub(super) fn strip_for(&self, kind: Option<Kind>) -> u32 {
        let Some(strips) = kind.and_then(Kind::strips) else { return 0 };
        let is_free = |strip: &usize| !self.wiring.rows.iter().any(|row| row.tape[0] as usize == strip + 1);
        strips.into_iter().find(is_free).map_or(0, |strip| strip as u32 + 1)
    }
}
