//! The tracks of the sequencer play the modules: what they have for a frame is done before it, as commands for it are.

use abi::{NOTE, Place, TrackEdit, Transport};
use bytemuck::{Pod, Zeroable};

use crate::time::{Event, TRACKS, lane_target, place_of};

use super::kind::Kind;
use super::wiring::{OPENS, SOFT};
use super::{Instrument, STRETCH};

/// Highest number of a note, as in MIDI.
const HIGHEST: f32 = 127.0;

/// The note of a track that was never told one: middle C, as keyboards begin with.
const FIRST: u32 = 60;

/// What a track plays of a `voice`. Each is a note as in MIDI plus one, or 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct TrackNote {
    /// The one that the next gate begins.
    next: u32,
    /// The one that sounds.
    sounding: u32,
}

impl Instrument {
    /// Tells the clock something.
    pub(crate) fn transport(&mut self, transport: &Transport) {
        self.wiring.sequencer.transport(transport);
    }

    /// Tells a track something. What sounds of one that is taken away ends.
    pub(crate) fn tell(&mut self, track: u8, edit: &TrackEdit) {
        let mut ending = None;
        self.wiring.sequencer.tell(track, edit, |event| ending = Some(event));
        let number = usize::from(track);
        ending.into_iter().for_each(|event| self.perform(number, event));
        if matches!(edit, TrackEdit::Delete) {
            self.track_notes.iter_mut().skip(number).take(1).for_each(|note| *note = TrackNote::default());
        }
    }

    /// Does what the tracks have for the next frame; gives how many frames they have nothing more for, at most those of a
    /// stretch. At the first frame of a block, wherever in it, damage is undone.
    pub(super) fn play(&mut self, is_first: bool) -> u32 {
        if is_first {
            self.wiring.sequencer.heal();
        }
        // What ends on all tracks comes before what begins on any: they may play the same module. A note that is tied to the one
        // before ends that, too.
        for ends in [true, false] {
            for number in 0..TRACKS {
                let Some((mut track, clock)) = self.wiring.sequencer.due(number) else { continue };
                track.take(&clock, &mut |event| match event {
                    Event::GateOn { target, .. } if ends => self.end_note(number, target),
                    Event::GateOff { .. } if ends => self.perform(number, event),
                    Event::Parameter { .. } | Event::GateOn { .. } if !ends => self.perform(number, event),
                    _ => {}
                });
                if !ends {
                    self.wiring.sequencer.put_back(number, &track);
                }
            }
        }
        self.wiring.sequencer.wait(STRETCH)
    }

    fn perform(&mut self, track: usize, event: Event) {
        match event {
            Event::Parameter { target, value } => self.set_by_track(track, target, value),
            Event::GateOn { target, velocity } => self.begin_by_track(track, target, velocity),
            Event::GateOff { target } => self.end_by_track(track, target),
        }
    }

    fn set_by_track(&mut self, track: usize, target: u32, value: f32) {
        match place_of(target) {
            // The note of another voice than it plays is nobody's.
            Some(place) if place.parameter == NOTE && self.wiring.sequencer.plays(track, place.row) => {
                let note = (value.clamp(0.0, HIGHEST) + 0.5) as u32 + 1;
                self.track_notes.iter_mut().skip(track).take(1).for_each(|place| place.next = note);
            }
            Some(place) if place.parameter != NOTE => {
                self.set(place.row, usize::from(place.parameter), f64::from(value))
            }
            _ => {}
        }
    }

    fn begin_by_track(&mut self, track: usize, target: u32, velocity: f32) {
        let Ok(row) = u8::try_from(target) else { return };
        match self.wiring.row(row).and_then(|row| row.kind()) {
            Some(Kind::Voice) => {
                let told = self.wiring.sequencer.has_lane(track, lane_target(Place { row, parameter: NOTE }));
                let Some(place) = self.track_notes.get_mut(track) else { return };
                let note = place.next.checked_sub(1).filter(|_| told).unwrap_or(FIRST).min(HIGHEST as u32);
                place.sounding = note + 1;
                self.note(row, note as u8, velocity);
            }
            Some(Kind::Adsr) => {
                self.gate(row, true);
                let row = self.wiring.rows.get_mut(usize::from(row)).filter(|row| row.gate & OPENS != 0);
                row.into_iter().for_each(|row| row.gate |= if velocity < 1.0 { SOFT } else { 0 });
            }
            _ => {}
        }
    }

    fn end_by_track(&mut self, track: usize, target: u32) {
        let Ok(row) = u8::try_from(target) else { return };
        match self.wiring.row(row).and_then(|row| row.kind()) {
            Some(Kind::Adsr) => self.gate(row, false),
            _ => self.end_note(track, target),
        }
    }

    /// Ends what a track plays of a `voice`, if it does.
    fn end_note(&mut self, track: usize, target: u32) {
        let voice = u8::try_from(target)
            .ok()
            .filter(|row| self.wiring.row(*row).and_then(|row| row.kind()) == Some(Kind::Voice));
        let (Some(row), Some(place)) = (voice, self.track_notes.get_mut(track)) else { return };
        if let Some(note) = core::mem::take(&mut place.sounding).checked_sub(1) {
            self.note(row, note.min(HIGHEST as u32) as u8, 0.0);
        }
    }
}
