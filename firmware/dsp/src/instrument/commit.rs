//! How an edited patch comes to be heard.

use crate::kernel::Lanes;
use crate::ramp::frames_in;

use super::kind::Kind;
use super::plan::{self, MOST_GROUPS, POOL, Plan};
use super::wiring::{CLOSES, ROWS, flags};
use super::{Instrument, Row};

/// Milliseconds in which connections are faded in and out: as the ramp of a filter, which may be behind them.
const CROSSFADE_MS: f64 = 10.0;

/// Frames of a crossfade at a rate in Hz.
pub(super) fn crossfade_frames(rate: u32) -> u32 {
    frames_in(CROSSFADE_MS, rate)
}

impl Instrument {
    /// Commits what is edited, if it can be heard.
    pub(super) fn commit(&mut self) {
        let Ok(planned) = plan::check(&self.wiring) else { return };
        self.wiring.adopt();
        if self.length == 0 {
            // Nothing has been heard yet.
            self.replace();
        } else if self.pending != 0 || self.crossfade(&planned).is_none() {
            self.pending = 1;
            self.fade.begin(self.rate);
        }
    }

    /// Whether a row is, in the patch that was committed last, what it is in the one that is heard: of that there is no
    /// fading from one to the other.
    fn goes_on(&self, number: u8, row: &Row) -> bool {
        let synced = |flag: u32| {
            let mut connections = self.wiring.connections_of(flag).map(|(_, connection)| connection);
            connections.any(|connection| connection.link.destination == number && connection.sound() == Some(0))
        };
        match row.kind() {
            // One that is synced is another kernel.
            Some(Kind::Osc) => synced(flags::HEARD) == synced(flags::COMMITTED),
            Some(Kind::Voice) => row.voices[0] == row.voices[1],
            _ => true,
        }
    }

    /// Whether the patch that was committed last can fade in while the one that is heard fades out; then it does.
    fn crossfade(&mut self, planned: &Plan) -> Option<()> {
        let both = plan::plan(&self.wiring, flags::COMMITTED | flags::HEARD).ok()?;
        for (number, row) in (0u8..).zip(&self.wiring.rows) {
            let place = usize::from(number);
            let voices = (*both.groups.get(place)?, *both.allocators.get(place)?);
            let stays = !row.is(flags::HEARD) || voices == (row.groups, row.allocator);
            let comes =
                !row.is(flags::COMMITTED) || voices == (*planned.groups.get(place)?, *planned.allocators.get(place)?);
            let is_in_both = row.is(flags::HEARD) && row.is(flags::COMMITTED);
            (stays && comes && (!is_in_both || self.goes_on(number, row))).then_some(())?;
        }
        let all = flags::COMMITTED | flags::HEARD;
        plan::check_tape(&self.wiring, all).ok()?;
        let fits = both.room(&self.wiring, all) <= POOL && both.groups(&self.wiring, all) <= MOST_GROUPS;
        fits.then_some(())?;
        let whole = crossfade_frames(self.rate);
        for connection in &mut self.wiring.connections {
            match (connection.is(flags::COMMITTED), connection.is(flags::HEARD)) {
                (true, false) => connection.fading = whole,
                // From the level it has come to.
                (false, true) if !connection.leaving() => {
                    connection.fading = whole.saturating_sub(connection.fading).max(1);
                    connection.flags |= flags::LEAVING;
                }
                _ => {}
            }
        }
        self.crossfading = whole;
        self.hear(&both, flags::COMMITTED | flags::HEARD);
        Some(())
    }

    /// The patch that was committed last takes the place of the one that is heard, at once: for a moment of silence.
    pub(super) fn replace(&mut self) {
        self.pending = 0;
        self.crossfading = 0;
        let Ok(planned) = plan::plan(&self.wiring, flags::COMMITTED) else { return };
        for all in self.wiring.all_flags() {
            *all &= !flags::LEAVING;
        }
        self.wiring.copy_flags(flags::COMMITTED, flags::HEARD);
        self.wiring.connections.iter_mut().for_each(|connection| connection.fading = 0);
        self.forget_what_is_gone();
        self.hear(&planned, flags::COMMITTED);
    }

    /// The crossfade is over.
    pub(super) fn end_crossfade(&mut self) {
        for all in self.wiring.all_flags() {
            if *all & flags::COMMITTED == 0 {
                *all &= !(flags::HEARD | flags::LEAVING);
            }
        }
        self.forget_what_is_gone();
        if let Ok(planned) = plan::plan(&self.wiring, flags::COMMITTED) {
            self.hear(&planned, flags::COMMITTED);
        }
    }

    /// Rows and connections that are in no patch are empty, so that equal patches are equal bit by bit.
    fn forget_what_is_gone(&mut self) {
        self.wiring.rows.iter_mut().filter(|row| row.flags == 0).for_each(|row| *row = bytemuck::Zeroable::zeroed());
        for connection in &mut self.wiring.connections {
            if connection.flags == 0 {
                *connection = bytemuck::Zeroable::zeroed();
            }
        }
    }

    /// Renders these rows from now on, in that order.
    fn hear(&mut self, planned: &Plan, which: u32) {
        self.wiring.copy_flags(which, flags::HEARD);
        self.wiring.sort_incoming();
        self.close_what_no_notes_come_to();
        self.order = planned.order;
        self.length = planned.length as u32;
        self.give_room(planned);
    }

    /// Envelopes whose notes do not come any more would stay open for ever.
    fn close_what_no_notes_come_to(&mut self) {
        for place in 0..ROWS {
            let Some(row) = self.wiring.rows.get(place) else { return };
            let plays = self.wiring.incoming(row).any(|connection| connection.is_notes() && !connection.leaving());
            let Some(row) = self.wiring.rows.get_mut(place) else { return };
            if row.plays != 0 && !plays {
                row.gate |= CLOSES;
            }
            row.plays = u32::from(plays);
        }
    }

    /// Gives each row its lanes: those that have theirs keep what is in them, closer together; the others follow.
    fn give_room(&mut self, planned: &Plan) {
        let mut end = 0;
        let mut placed = [false; ROWS];
        // What has changed its voices begins anew.
        for (row, (groups, allocator)) in
            self.wiring.rows.iter_mut().zip(planned.groups.into_iter().zip(planned.allocators))
        {
            if (row.groups, row.allocator) != (groups, allocator) || !row.is(flags::HEARD) {
                (row.groups, row.first, row.tape) = (0, 0, [0; 2]);
            }
        }
        while let Some(place) = next_in_pool(&self.wiring.rows, &placed) {
            placed.iter_mut().skip(place).take(1).for_each(|placed| *placed = true);
            let Some(row) = self.wiring.rows.get_mut(place) else { continue };
            let (from, lanes) = (row.first as usize, row.lanes_of_pool());
            if from >= end && from + lanes <= POOL {
                self.pool.copy_within(from..from + lanes, end);
                row.first = end as u32;
                end += lanes;
            } else if lanes > 0 {
                // Damaged: it begins anew.
                (row.groups, row.first, row.tape) = (0, 0, [0; 2]);
            }
        }
        if let Some(rest) = self.pool.get_mut(end..(self.used as usize).min(POOL)) {
            rest.fill(Lanes::ZERO);
        }
        let allotted = planned.groups.into_iter().zip(planned.allocators);
        for (place, (groups, allocator)) in allotted.enumerate() {
            let strip = self.wiring.rows.get(place).map_or(0, |row| self.strip_for(row.kind()));
            let Some(row) = self.wiring.rows.get_mut(place).filter(|row| row.is(flags::HEARD)) else { continue };
            (row.allocator, row.voices[1]) = (allocator, row.voices[0]);
            if row.groups == 0 {
                (row.groups, row.first, row.tape) = (groups, end as u32, [strip, 0]);
                end += row.lanes_of_pool();
            }
        }
        self.used = end.min(POOL) as u32;
        let mut output = 0;
        for row in self.wiring.rows.iter_mut().filter(|row| row.is(flags::HEARD)) {
            row.output = output;
            output += row.groups;
        }
    }
}

/// Of the rows that have lanes and are not placed yet the one whose lanes come first.
fn next_in_pool(rows: &[Row; ROWS], placed: &[bool; ROWS]) -> Option<usize> {
    let waiting = rows.iter().zip(placed).enumerate().filter(|(_, (row, placed))| row.groups > 0 && !**placed);
    waiting.min_by_key(|(_, (row, _))| row.first).map(|(place, _)| place)
}
