//! What a patch needs before it can be heard: an order in which its modules are rendered, and voices for each.

use super::kind::Kind;
use super::voices::{self, MOST_VOICES};
use super::wiring::{MOST_CONNECTIONS, MOST_MODULES, ROWS, Wiring, flags as flag};
use crate::kernel::LANES;

/// Lanes in the pool: 64 voices of an oscillator, an envelope and a filter are 208 of them.
pub const POOL: usize = 4096;

/// Most groups of eight voices that are rendered: 32 modules of 64 voices. What they give takes 256 KiB, which each new
/// worker has to lock before it can begin.
pub const MOST_GROUPS: usize = 256;

/// Why a patch cannot be heard. Rows are those of the modules to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// More than [`MOST_MODULES`].
    Modules,
    /// More than [`MOST_CONNECTIONS`].
    Connections,
    /// This module hears itself.
    Cycle(u8),
    /// This module would play the notes of both.
    TwoVoices(u8, [u8; 2]),
    /// More modules of this type than there is tape for.
    Tape {
        /// The type.
        kind: Kind,
        /// How many there may be.
        most: usize,
    },
    /// Modules and their voices are more groups of eight than are rendered.
    Groups {
        /// Groups needed, of [`MOST_GROUPS`].
        needed: usize,
    },
    /// Voices and modules together need more lanes than there are.
    Room {
        /// Lanes needed, of [`POOL`].
        needed: usize,
    },
}

/// How the modules of one patch, or of one that fades into another, are rendered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Plan {
    /// Rows in the order in which they are rendered; those after `length` mean nothing.
    pub(super) order: [u8; ROWS],
    /// How many there are.
    pub(super) length: usize,
    /// Of each row: that of its `voice` plus one, or 0.
    pub(super) allocators: [u32; ROWS],
    /// Of each row: its groups.
    pub(super) groups: [u32; ROWS],
}

/// The plan for whatever is in one of these patches.
///
/// # Errors
/// Why there is none.
pub(super) fn plan(wiring: &Wiring, flags: u32) -> Result<Plan, Refusal> {
    let mut plan = Plan { order: [0; ROWS], length: 0, allocators: [0; ROWS], groups: [0; ROWS] };
    plan.sort(wiring, flags)?;
    plan.spread(wiring, flags)?;
    Ok(plan)
}

/// Whether the patch that is being edited can be heard.
///
/// # Errors
/// Why not.
pub(super) fn check(wiring: &Wiring) -> Result<Plan, Refusal> {
    if wiring.edited().count() > MOST_MODULES {
        return Err(Refusal::Modules);
    }
    if wiring.edited_connections().count() > MOST_CONNECTIONS {
        return Err(Refusal::Connections);
    }
    check_tape(wiring, flag::EDITED)?;
    let plan = plan(wiring, flag::EDITED)?;
    let needed = plan.groups(wiring, flag::EDITED);
    if needed > MOST_GROUPS {
        return Err(Refusal::Groups { needed });
    }
    let needed = plan.room(wiring, flag::EDITED);
    if needed > POOL { Err(Refusal::Room { needed }) } else { Ok(plan) }
}

/// Whether there is tape for all that need it.
///
/// # Errors
/// For what there is not.
pub(super) fn check_tape(wiring: &Wiring, flags: u32) -> Result<(), Refusal> {
    for kind in [Kind::Delay, Kind::Reverb] {
        let most = kind.strips().map_or(0, |strips| strips.len());
        let rows = wiring.rows.iter().filter(|row| row.is(flags) && row.kind() == Some(kind));
        if rows.count() > most {
            return Err(Refusal::Tape { kind, most });
        }
    }
    Ok(())
}

impl Plan {
    /// Kahn, "Topological sorting of large networks", 1962: of the modules whose sources are all in their places, the one
    /// with the lowest row is next; so the order is the same everywhere.
    fn sort(&mut self, wiring: &Wiring, flags: u32) -> Result<(), Refusal> {
        let mut waits = [0u32; ROWS];
        let order = || wiring.connections_of(flags).filter(|(_, connection)| !connection.comes_later(wiring));
        for (_, connection) in order() {
            if let Some(count) = waits.get_mut(usize::from(connection.link.destination)) {
                *count += 1;
            }
        }
        let mut left: [bool; ROWS] = core::array::from_fn(|row| wiring.rows.get(row).is_some_and(|row| row.is(flags)));
        while let Some(row) = left.iter().zip(&waits).position(|(left, waits)| *left && *waits == 0) {
            left.iter_mut().skip(row).take(1).for_each(|left| *left = false);
            if let Some(place) = self.order.get_mut(self.length) {
                *place = row as u8;
                self.length += 1;
            }
            for (_, connection) in order().filter(|(_, c)| usize::from(c.link.source) == row) {
                if let Some(count) = waits.get_mut(usize::from(connection.link.destination)) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        let Some(start) = left.iter().position(|left| *left) else { return Ok(()) };
        // Whoever is left waits for one that is left. Who goes from each to that one goes round in the end.
        let source = |row: u8| {
            let mut sources = order().filter(|(_, c)| c.link.destination == row).map(|(_, c)| c.link.source);
            sources.find(|source| left.get(usize::from(*source)).copied().unwrap_or(false))
        };
        Err(Refusal::Cycle((0..ROWS).fold(start as u8, |row, _| source(row).unwrap_or(row))))
    }

    /// Voices spread from a `voice` along the connections, to where they are summed.
    fn spread(&mut self, wiring: &Wiring, flags: u32) -> Result<(), Refusal> {
        for row in self.order.into_iter().take(self.length) {
            let Some(kind) = wiring.row(row).and_then(|row| row.kind()) else { continue };
            let allocator = match kind {
                Kind::Voice => u32::from(row) + 1,
                _ if kind.row().sums => 0,
                _ => self.of_sources(wiring, flags, row)?,
            };
            let voices = allocator
                .checked_sub(1)
                .map_or(1, |voice| voices_of(wiring, voice as usize, flags & flag::EDITED != 0));
            let place = usize::from(row);
            self.allocators.iter_mut().skip(place).take(1).for_each(|place| *place = allocator);
            self.groups.iter_mut().skip(place).take(1).for_each(|place| *place = voices.div_ceil(LANES) as u32);
        }
        Ok(())
    }

    /// The one `voice` whose notes the sources of a row play, or 0.
    fn of_sources(&self, wiring: &Wiring, flags: u32, row: u8) -> Result<u32, Refusal> {
        let sources = wiring.connections_of(flags).filter(|(_, connection)| connection.link.destination == row);
        sources.filter_map(|(_, c)| self.allocators.get(usize::from(c.link.source))).try_fold(0, |found, allocator| {
            match (found, *allocator) {
                (found, 0) => Ok(found),
                (0, other) => Ok(other),
                (found, other) if found == other => Ok(found),
                (found, other) => Err(Refusal::TwoVoices(row, [found as u8 - 1, other as u8 - 1])),
            }
        })
    }

    /// Groups of eight voices that the rows of a patch have.
    pub(super) fn groups(&self, wiring: &Wiring, flags: u32) -> usize {
        let rows = wiring.rows.iter().zip(&self.groups).filter(|(row, _)| row.is(flags));
        rows.map(|(_, groups)| *groups as usize).sum()
    }

    /// Lanes of the pool that the rows of a patch need.
    pub(super) fn room(&self, wiring: &Wiring, flags: u32) -> usize {
        let rows = wiring.rows.iter().zip(&self.groups).filter(|(row, _)| row.is(flags));
        rows.map(|(row, groups)| row.kind().map_or(0, |kind| kind.row().size) * *groups as usize).sum()
    }
}

/// How many voices the `voice` of a row has: in the patch that is edited as many as it is set to, otherwise as many as were
/// committed.
fn voices_of(wiring: &Wiring, row: usize, is_edited: bool) -> usize {
    let Some(row) = wiring.rows.get(row) else { return 1 };
    let [committed, _] = row.voices;
    let voices = if is_edited { row.value(voices::VOICES).unwrap_or(1.0) as usize } else { committed as usize };
    voices.clamp(1, MOST_VOICES)
}
