//! Which modules there are, and what is connected to what: as it is heard, as it was last committed, and as it is being
//! edited.
//!
//! All three are in one table, of which each row and each connection says in which of them it is. So an edit is a bit, a
//! commit copies bits, and whatever all three have in common exists once.

use abi::{Edit, Link, NAME_BYTES, Name};
use bytemuck::{Pod, Zeroable};

use super::kind::{Kind, MOST_PARAMETERS};
use super::setting::Setting;
use crate::time::{Sequencer, TRACKS};

/// Most modules of a patch, `out` among them.
pub const MOST_MODULES: usize = 64;
/// Most connections of a patch.
pub const MOST_CONNECTIONS: usize = 256;
/// Rows: a patch that is heard, and another that takes its place.
pub const ROWS: usize = 2 * MOST_MODULES;
/// Places for connections, for the same reason.
pub const PLACES: usize = 2 * MOST_CONNECTIONS;

/// The row of `out`, which is always there.
pub const OUT: u8 = 0;

/// As an input of a [`Link`]: the notes of a voice.
pub const NOTES: u8 = 0x40;
/// As an input of a [`Link`]: from here on the parameters, in the order of their table.
pub const PARAMETER: u8 = 0x80;

/// Which patches a row or a connection is in.
pub(super) mod flags {
    /// The one that is being edited.
    pub(in super::super) const EDITED: u32 = 1;
    /// The one that was committed last.
    pub(in super::super) const COMMITTED: u32 = 2;
    /// The one that is heard, which may be what is left of one before, fading out.
    pub(in super::super) const HEARD: u32 = 4;
    /// Of a connection: it is being faded out.
    pub(in super::super) const LEAVING: u32 = 8;
}

/// A module.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Row {
    /// Its name.
    pub name: Name,
    /// Number of its [`Kind`].
    kind: u32,
    /// Of [`flags`].
    pub(super) flags: u32,
    /// First of its lanes in the pool.
    pub(super) first: u32,
    /// Groups of eight voices that it has; 1 without voices, and 0 before it is heard.
    pub(super) groups: u32,
    /// Row of the `voice` whose notes it plays plus one, or 0.
    pub(super) allocator: u32,
    /// Its gate: whether it opens and closes at the next frame rendered.
    pub(super) gate: u32,
    /// Of a `voice`: how many voices were committed last, and how many are heard.
    pub(super) voices: [u32; 2],
    /// 1 if notes come here.
    pub(super) plays: u32,
    /// First of its groups in [`Scratch`](super::Scratch).
    pub(super) output: u32,
    /// First of [`Wiring::incoming`] that comes here, and how many do.
    pub(super) incoming: [u32; 2],
    /// Of what has a tape: its strip plus one, and how many frames on it are its own.
    pub(super) tape: [u32; 2],
    /// What its parameters are set to.
    pub(super) settings: [Setting; MOST_PARAMETERS],
}

/// The gate of a row opens.
pub(super) const OPENS: u32 = 1;
/// The gate of a row closes.
pub(super) const CLOSES: u32 = 2;
/// With [`OPENS`]: with the velocity of a note that is no accent.
pub(super) const SOFT: u32 = 4;

/// What a `voice` gives for modulation: the velocity of each note, and its pitch in octaves over A4.
pub const VOICE_OUTPUTS: [&str; 2] = ["velocity", "pitch"];

/// A connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Connection {
    /// What is connected to what.
    pub link: Link,
    /// By how much a parameter is moved by a signal of 1: in its unit, in octaves if that is Hz. Of sound its level.
    pub amount: f32,
    /// Of [`flags`].
    pub(super) flags: u32,
    /// Frames until it has been faded in, if it is committed, or out.
    pub(super) fading: u32,
}

/// The tables.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Wiring {
    pub(super) rows: [Row; ROWS],
    pub(super) connections: [Connection; PLACES],
    /// Places of the connections that are heard, by the row they go to: who renders a row need not look for them.
    incoming: [u16; PLACES],
    /// The row and the place that were given to a module and a connection last.
    pub(super) newest: [u32; 2],
    /// What plays the modules: the clock and the tracks.
    pub(super) sequencer: Sequencer,
}

impl Row {
    /// A module of this type, its parameters at their defaults, in the patch that is being edited.
    pub(super) fn new(kind: Kind, name: Name) -> Self {
        let mut settings = [Setting::at(0.0); MOST_PARAMETERS];
        for (setting, parameter) in settings.iter_mut().zip(kind.row().parameters) {
            *setting = Setting::at(parameter.default);
        }
        Self { name, kind: kind as u32, flags: flags::EDITED, settings, ..Self::zeroed() }
    }

    /// Its type; `None` if it was damaged.
    pub fn kind(&self) -> Option<Kind> {
        u8::try_from(self.kind).ok().and_then(Kind::from_number)
    }

    /// What a parameter is set to.
    pub fn value(&self, parameter: usize) -> Option<f64> {
        self.settings.get(parameter).map(Setting::target)
    }

    /// The same, as it is heard: how many voices there are is read at a commit.
    pub fn committed_value(&self, parameter: usize) -> Option<f64> {
        let [committed, _] = self.voices;
        let is_voices = self.kind() == Some(Kind::Voice) && parameter == super::voices::VOICES && committed > 0;
        if is_voices { Some(f64::from(committed)) } else { self.value(parameter) }
    }

    pub(super) fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Eight voices are one group.
    pub(super) fn lanes_of_pool(&self) -> usize {
        self.kind().map_or(0, |kind| kind.row().size) * self.groups as usize
    }
}

impl Connection {
    pub(super) fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Which parameter it moves, if any.
    pub(super) fn parameter(&self) -> Option<usize> {
        self.link.input.checked_sub(PARAMETER).map(usize::from)
    }

    /// Which input for sound it goes into, if any.
    pub(super) fn sound(&self) -> Option<usize> {
        (self.link.input < NOTES).then_some(usize::from(self.link.input))
    }

    /// Whether it is being faded out.
    pub(super) fn leaving(&self) -> bool {
        self.is(flags::LEAVING)
    }

    /// How much of it is heard, when so many frames of `whole` are left of its fade: 0 to 1.
    fn level_at(&self, fading: u32, whole: u32) -> f32 {
        let left = (fading as f32 / whole.max(1) as f32).min(1.0);
        if self.leaving() { left } else { 1.0 - left }
    }

    /// How much of it is heard at the next frame, and at the one behind so many more.
    pub(super) fn levels(&self, frames: u32, whole: u32) -> [f32; 2] {
        [self.level_at(self.fading, whole), self.level_at(self.fading.saturating_sub(frames), whole)]
    }

    /// Whether it is what a delay writes to its tape and is not heard in the same stretch: through it a module may hear itself.
    pub(super) fn comes_later(&self, wiring: &Wiring) -> bool {
        let kind = wiring.row(self.link.destination).and_then(Row::kind);
        kind == Some(Kind::Delay) && self.sound() == Some(super::kind::RETURN)
    }

    pub(super) fn is_notes(&self) -> bool {
        self.link.input == NOTES
    }
}

impl Wiring {
    /// A patch of nothing but `out`, heard.
    pub(super) fn empty() -> Self {
        let mut wiring = Self::zeroed();
        wiring.sequencer = Sequencer::new(abi::RATES[0]);
        let mut name = [0; NAME_BYTES];
        name.iter_mut().zip(b"out").for_each(|(to, from)| *to = *from);
        if let Some(row) = wiring.rows.get_mut(usize::from(OUT)) {
            *row = Row::new(Kind::Out, name);
        }
        wiring
    }

    /// The clock and the tracks. What is told of time passing is only so in an instrument that renders.
    pub fn sequencer(&self) -> &Sequencer {
        &self.sequencer
    }

    /// Whether whoever reads both reads the same of modules, connections, tempo and names of tracks, wherever those have got to.
    pub fn reads_as(&self, other: &Self) -> bool {
        let tempo = |wiring: &Self| wiring.sequencer.clock().bpm().to_bits();
        let named = |one: &Self, other: &Self| {
            let names = |wiring: &Self, track| wiring.sequencer.name_of(track);
            (0..TRACKS).all(|track| names(one, track) == names(other, track))
        };
        self.rows == other.rows
            && self.connections == other.connections
            && tempo(self) == tempo(other)
            && named(self, other)
    }

    /// A row, if it is in any patch.
    pub fn row(&self, row: u8) -> Option<&Row> {
        self.rows.get(usize::from(row)).filter(|row| row.flags != 0)
    }

    /// The modules of the patch that was committed last, with their rows.
    pub fn committed(&self) -> impl Iterator<Item = (u8, &Row)> {
        self.rows_of(flags::COMMITTED)
    }

    /// The modules of the patch that is being edited, with their rows.
    pub fn edited(&self) -> impl Iterator<Item = (u8, &Row)> {
        self.rows_of(flags::EDITED)
    }

    fn rows_of(&self, flag: u32) -> impl Iterator<Item = (u8, &Row)> {
        (0u8..).zip(&self.rows).filter(move |(_, row)| row.is(flag))
    }

    /// The connections of the patch that was committed last.
    pub fn committed_connections(&self) -> impl Iterator<Item = (u16, &Connection)> {
        self.connections_of(flags::COMMITTED)
    }

    /// The connections of the patch that is being edited.
    pub fn edited_connections(&self) -> impl Iterator<Item = (u16, &Connection)> {
        self.connections_of(flags::EDITED)
    }

    pub(super) fn connections_of(&self, flag: u32) -> impl Iterator<Item = (u16, &Connection)> {
        (0u16..).zip(&self.connections).filter(move |(_, connection)| connection.is(flag))
    }

    /// A row for a new module: the next one that is neither edited nor committed. It depends on nothing but the edits so far,
    /// so whoever makes them again, in whatever time, gives the same rows; and what was taken away a moment ago has its row
    /// for longer than it takes to fade out.
    pub fn free_row(&self) -> Option<u8> {
        let [newest, _] = self.newest;
        free(self.rows.iter().map(|row| row.flags), newest).and_then(|row| u8::try_from(row).ok())
    }

    /// A place for a new connection, likewise.
    pub fn free_place(&self) -> Option<u16> {
        let [_, newest] = self.newest;
        let flags = self.connections.iter().map(|connection| connection.flags);
        free(flags, newest).and_then(|place| u16::try_from(place).ok())
    }

    /// Whether the patch that is being edited can be heard.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), super::Refusal> {
        super::plan::check(self).map(drop)
    }

    /// Changes the patch that is being edited; a commit is not for here.
    pub fn edit(&mut self, edit: &Edit) {
        match *edit {
            Edit::Create(row, kind, name) if row != OUT => {
                let Some(kind) = Kind::from_number(kind) else { return };
                // What is assigned to a module that was left out is not assigned to this one.
                self.lapse_assignments();
                self.forget_links_of(row);
                self.newest[0] = u32::from(row);
                if let Some(row) = self.rows.get_mut(usize::from(row)) {
                    *row = Row::new(kind, name);
                }
            }
            Edit::Delete(row) if row != OUT => {
                if let Some(row) = self.rows.get_mut(usize::from(row)) {
                    row.flags &= !flags::EDITED;
                }
                self.disconnect(|link| link.source == row || link.destination == row);
                self.lapse_assignments();
            }
            // What an edit that was left out would have made cannot be connected.
            Edit::Connect(_, link, _) if !self.is_edited(link.source) || !self.is_edited(link.destination) => {}
            Edit::Connect(place, link, amount) => {
                self.newest[1] = u32::from(place);
                self.disconnect(|other| *other == link);
                if let Some(connection) = self.connections.get_mut(usize::from(place)) {
                    *connection = Connection { link, amount, flags: flags::EDITED, fading: 0 };
                }
            }
            Edit::Disconnect(place) => {
                if let Some(connection) = self.connections.get_mut(usize::from(place)) {
                    connection.flags &= !flags::EDITED;
                }
            }
            Edit::Clear => {
                self.rows.iter_mut().skip(1).for_each(|row| row.flags &= !flags::EDITED);
                self.disconnect(|_| true);
                self.lapse_assignments();
            }
            Edit::Abort => {
                self.copy_flags(flags::COMMITTED, flags::EDITED);
                self.lapse_assignments();
            }
            Edit::Create(..) | Edit::Delete(_) | Edit::Commit => {}
        }
    }

    /// Whether a row is in the patch that is being edited.
    pub fn is_edited(&self, row: u8) -> bool {
        self.rows.get(usize::from(row)).is_some_and(|row| row.is(flags::EDITED))
    }

    fn disconnect(&mut self, which: impl Fn(&Link) -> bool) {
        for connection in &mut self.connections {
            if which(&connection.link) {
                connection.flags &= !flags::EDITED;
            }
        }
    }

    /// What was connected to a row that becomes another module is gone at once: it was fading out.
    fn forget_links_of(&mut self, row: u8) {
        for connection in &mut self.connections {
            if connection.link.source == row || connection.link.destination == row {
                *connection = Connection::default();
            }
        }
    }

    /// Whatever is in the patch `from` is in the patch `to`, and nothing else.
    pub(super) fn copy_flags(&mut self, from: u32, to: u32) {
        for flags in self.all_flags() {
            *flags = if *flags & from != 0 { *flags | to } else { *flags & !to };
        }
    }

    /// The connections that are heard and go to a row, in the order of their places.
    pub(super) fn incoming(&self, row: &Row) -> impl Iterator<Item = &Connection> {
        let [first, count] = row.incoming.map(|number| number as usize);
        let places = self.incoming.get(first..first.saturating_add(count)).unwrap_or_default();
        // A place may have been given to another connection since, which is not heard yet.
        let known = places.iter().filter_map(|place| self.connections.get(usize::from(*place)));
        known.filter(|connection| connection.is(flags::HEARD))
    }

    /// Puts the connections that are heard in order.
    pub(super) fn sort_incoming(&mut self) {
        let mut end = 0;
        self.incoming = [0; PLACES];
        for (number, row) in (0u8..).zip(&mut self.rows) {
            let first = end;
            let arrives =
                |connection: &Connection| connection.is(flags::HEARD) && connection.link.destination == number;
            for (place, _) in (0u16..).zip(&self.connections).filter(|(_, connection)| arrives(connection)) {
                self.incoming.iter_mut().skip(end).take(1).for_each(|free| *free = place);
                end += 1;
            }
            row.incoming = if end > first { [first as u32, (end - first) as u32] } else { [0; 2] };
        }
    }

    /// The flags of all rows and connections.
    pub(super) fn all_flags(&mut self) -> impl Iterator<Item = &mut u32> {
        let rows = self.rows.iter_mut().map(|row| &mut row.flags);
        rows.chain(self.connections.iter_mut().map(|connection| &mut connection.flags))
    }
}

/// The first that is neither edited nor committed behind the one that was given last.
fn free(flags: impl Iterator<Item = u32> + Clone, newest: u32) -> Option<usize> {
    const PATCHES: u32 = flags::EDITED | flags::COMMITTED;
    let first = newest as usize + 1;
    let is_free = |(_, flags): &(usize, u32)| flags & PATCHES == 0;
    let all = flags.enumerate();
    let mut free = all.clone().skip(first).chain(all.take(first)).filter(is_free);
    free.next().map(|(place, _)| place)
}
