//! The instrument: modules that are connected, changed while they sound, and play voices.
//!
//! [`Instrument`] is plain old data. What depends on nothing but commands ([`Instrument::apply`]) needs no rendering, so
//! whoever wants to know what is set, or whether an edit is possible, applies the commands to a copy.
//!
//! # Rendering
//!
//! A block is rendered in stretches of at most [`CONTROL_FRAMES`] frames, which end at their multiples and before each
//! command and whatever the tracks of the sequencer do. In a stretch each module is rendered once, in the order of the plan, by its [`kernel`](crate::kernel): eight
//! voices at a time, or left and right.
//!
//! # Edits
//!
//! What is edited changes nothing until it is committed. A commit fades new connections in and old ones out while whatever
//! both patches have in common plays on. Where that cannot be done (a module gets voices or loses them, or the old
//! connections and the new ones together would be a cycle) the sound as a whole is faded out, the patch changed, and the
//! sound faded in, within eight milliseconds.
//!
//! # Voices
//!
//! A `voice` spreads along the connections: whatever is behind it is there once for each of its voices, up to a module
//! that sums them. A module that is not behind one has left and right in its first two lanes.

mod commit;
mod editor;
mod follow;
mod gate;
mod inputs;
mod kind;
mod modules;
mod plan;
mod play;
mod render;
mod setting;
mod tapes;
mod voices;
mod wiring;

#[cfg(test)]
mod commit_tests;
#[cfg(test)]
mod play_tests;
#[cfg(test)]
mod tape_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torture_tests;

use abi::Edit;
use bytemuck::{Pod, Zeroable};

use crate::fade::Fade;
use crate::kernel::{CONTROL_FRAMES, LANES, Lanes};
use crate::time::{Sequencer, TRACKS};

pub use editor::{Mistake, name_of, text_of};
pub use kind::{KINDS, Kind, KindRow, MOST_INPUTS, MOST_PARAMETERS};
pub use plan::{MOST_GROUPS, POOL, Refusal};
pub use render::Scratch;
pub use tapes::Strip;
pub use voices::MOST_VOICES;
pub use wiring::{
    Connection, MOST_CONNECTIONS, MOST_MODULES, NOTES, OUT, PARAMETER, PLACES, ROWS, Row, VOICE_OUTPUTS, Wiring,
};

use gate::AdsrGroup;
use play::TrackNote;
use setting::Setting;
use voices::VoiceGroup;
use wiring::flags;

/// All that a block depends on.
///
/// A multiple of 8 bytes without padding: a copy of its bytes is a snapshot, and equal bytes are equal sound.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Instrument {
    /// Frames rendered, by which what is on the tapes is found.
    elapsed: u64,
    /// Hz.
    rate: u32,
    /// Notes begun and ended; it wraps.
    notes: u32,
    /// By which everything is silenced at once.
    fade: Fade,
    /// What becomes of the patch when the fade is at its lowest: 1 if it is the one that was committed last.
    pending: u32,
    /// Frames until the last crossfade of connections is over.
    crossfading: u32,
    /// Whether what sounds is ended there: 1 after [`Instrument::silence`].
    silencing: u32,
    /// How many rows of `order` count.
    length: u32,
    /// Lanes of the pool that have ever been used: the others are 0.
    used: u32,
    /// Test builds: frames until it kills. Always 0 in all others.
    curse: u32,
    /// Rows in the order in which they are rendered.
    order: [u8; ROWS],
    /// The notes of the tracks.
    track_notes: [TrackNote; TRACKS],
    wiring: Wiring,
    /// The states of the modules.
    pool: [Lanes; POOL],
}

impl PartialEq for Instrument {
    /// Bit by bit: among the states of the modules are masks, which are no numbers.
    fn eq(&self, other: &Self) -> bool {
        bytemuck::bytes_of(self) == bytemuck::bytes_of(other)
    }
}

impl Instrument {
    /// At a sample rate in Hz, with nothing but `out`, as which `self` is zeroed memory.
    pub fn begin(&mut self, rate: u32) {
        *self = Self::zeroed();
        self.rate = rate;
        self.fade = Fade::new();
        self.wiring = Wiring::empty();
        self.wiring.sequencer = Sequencer::new(rate);
        self.commit();
    }

    /// Its modules and connections.
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// Changes the patch that is being edited, or commits it. A commit that [`Wiring::check`] refuses does nothing.
    pub fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Commit => self.commit(),
            other => self.wiring.edit(other),
        }
    }

    /// Sets a parameter of the module in `row`. What was in the range of a module that was there before may not be in its.
    pub fn set(&mut self, row: u8, parameter: usize, value: f64) {
        let rate = self.rate;
        let Some(row) = self.wiring.rows.get_mut(usize::from(row)) else { return };
        let heard = row.is(flags::HEARD);
        let known = row.kind().and_then(|kind| kind.row().parameters.get(parameter));
        if let (Some(setting), Some(known)) = (row.settings.get_mut(parameter), known) {
            let value = known.clamp(value, rate);
            // Of what is not heard nothing moves.
            if heard { setting.aim(known, value, rate) } else { *setting = Setting::at(value) }
        }
    }

    /// What is edited is heard from the next frame on, without a crossfade: at the start.
    pub(crate) fn hear_at_once(&mut self) {
        self.wiring.adopt();
        self.replace();
    }

    /// Sample rate in Hz.
    pub const fn rate(&self) -> u32 {
        self.rate
    }

    /// Bytes from its start that are in use: all behind them is 0. A multiple of 8.
    pub fn used_bytes(&self) -> usize {
        core::mem::offset_of!(Self, pool) + (self.used as usize).min(POOL) * size_of::<Lanes>()
    }

    /// Opens or closes the gate of the envelope in `row`, of all its voices.
    pub fn gate(&mut self, row: u8, on: bool) {
        let row = self.wiring.rows.get_mut(usize::from(row));
        if let Some(row) = row.filter(|row| row.is(flags::COMMITTED | flags::HEARD)) {
            // Opened after it was closed, at one frame, it is not closed.
            row.gate = if on { wiring::OPENS } else { row.gate | wiring::CLOSES };
        }
    }

    /// Begins a note of the `voice` in `row`, 0 to 127 as in MIDI, with a velocity above 0 to 1; or ends it with 0.
    pub fn note(&mut self, row: u8, note: u8, velocity: f32) {
        self.notes = self.notes.wrapping_add(1);
        let count = self.notes;
        let Some(place) = self.wiring.rows.get(usize::from(row)).filter(|row| row.kind() == Some(Kind::Voice)) else {
            return;
        };
        let quietest = place.value(voices::STEAL).is_some_and(|choice| choice >= 1.0);
        let levels = self.levels_behind(row);
        let level = |number: usize| levels.get(number).copied().unwrap_or(0.0);
        let [_, voices] = place.voices.map(|voices| voices as usize);
        let (first, groups) = (place.first as usize, place.groups as usize);
        let Some(groups) = states_of::<VoiceGroup>(&mut self.pool, first, groups, size_of::<VoiceGroup>()) else {
            return;
        };
        if velocity > 0.0 {
            let level: Option<&dyn Fn(usize) -> f32> = if quietest { Some(&level) } else { None };
            voices::note_on(groups, voices, (note, velocity), count, level);
        } else {
            voices::note_off(groups, note, count);
        }
    }

    /// The levels of the first envelope that plays the notes of the `voice` in `row`.
    fn levels_behind(&self, row: u8) -> [f32; MOST_VOICES] {
        let mut levels = [0.0; MOST_VOICES];
        let is_envelope = |row: &&Row| row.kind() == Some(Kind::Adsr) && row.allocator != 0;
        let envelope = self.wiring.rows.iter().filter(is_envelope).find(|found| found.allocator == u32::from(row) + 1);
        let Some(envelope) = envelope else { return levels };
        let size = size_of::<AdsrGroup>() / size_of::<Lanes>();
        let states = self.pool.iter().skip(envelope.first as usize).step_by(size).take(envelope.groups as usize);
        // The level is the first of the state.
        for (levels, state) in levels.chunks_mut(LANES).zip(states) {
            levels.iter_mut().zip(state.0).for_each(|(level, state)| *level = state);
        }
        levels
    }

    /// Fades out whatever sounds, closes all gates and stops the clock, which would open them again. What is opened after this is heard, faded in.
    pub fn silence(&mut self) {
        for row in self.wiring.rows.iter_mut().filter(|row| row.is(flags::COMMITTED | flags::HEARD)) {
            row.gate = wiring::CLOSES;
        }
        for place in 0..ROWS {
            if let Some(groups) = self.voice_groups(place) {
                groups.iter_mut().for_each(VoiceGroup::release_all);
            }
        }
        self.wiring.sequencer.stop_clock();
        self.silencing = 1;
        self.fade.begin(self.rate);
    }

    /// The voices of a row, if it is a `voice`.
    fn voice_groups(&mut self, row: usize) -> Option<&mut [VoiceGroup]> {
        let row = self.wiring.rows.get(row).filter(|row| row.kind() == Some(Kind::Voice))?;
        let (first, groups) = (row.first as usize, row.groups as usize);
        states_of(&mut self.pool, first, groups, size_of::<VoiceGroup>())
    }
}

#[cfg(feature = "faults")]
mod poison;

/// Longest stretch in frames.
const STRETCH: u32 = CONTROL_FRAMES as u32;

/// The states of `groups` groups from a place of the pool on; `size` is the number of bytes of each, whole lanes.
fn states_of<T: Pod>(pool: &mut [Lanes], first: usize, groups: usize, size: usize) -> Option<&mut [T]> {
    let lanes = groups.checked_mul(size / size_of::<Lanes>())?;
    bytemuck::try_cast_slice_mut(pool.get_mut(first..first.checked_add(lanes)?)?).ok()
}
