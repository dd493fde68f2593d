//! Test builds: the poisons that are wrong arithmetic. The others are for the process.

use abi::Poison;

use super::{Instrument, Kind};
use crate::kernel::Lanes;

/// From here on down the frames are counted until the state kills: a pattern that no single flipped bit makes of 0.
const CURSED: u32 = 0x1110_0000;

impl Instrument {
    /// Does what a poison says.
    pub(crate) fn swallow(&mut self, poison: Poison) {
        match poison {
            Poison::NotANumber => {
                let filter = self.wiring.rows.iter().find(|row| row.kind() == Some(Kind::Filter));
                let first = filter.map_or(0, |row| row.first as usize);
                self.pool.iter_mut().skip(first).take(1).for_each(|lanes| *lanes = bytemuck::cast([f64::NAN; 4]));
            }
            Poison::Curse => self.curse = CURSED + abi::FRAMES as u32 + 9,
            Poison::OutOfRange => {
                let place = self.rate as usize;
                self.pool[place] = Lanes::ZERO;
            }
            _ => {}
        }
    }

    /// So many frames are rendered of a state that may be cursed.
    pub(super) fn count_down(&mut self, frames: u32) {
        if (CURSED..CURSED + 0x1000).contains(&self.curse) {
            assert!(self.curse > CURSED + frames, "the state is cursed");
            self.curse -= frames;
        }
    }
}
