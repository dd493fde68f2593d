//! What the operations of commands do to the clock and the tracks. One that cannot be done does nothing: who sends it has
//! asked before, and a command may come after another that was left out.

use abi::{Name, PART, Part, Place, Steps, TrackEdit, Transport};
use bytemuck::{Pod, Zeroable};

use super::{Config, Event, NONE, Pattern, Refusal, STEPS, Sequencer};

/// Values that are being gathered for a lane, of which a record holds only some. All zeros is none.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Gathered {
    track: u32,
    lane: u32,
    /// How many there are so far, and how many there are to be.
    length: u32,
    of: u32,
    values: [f32; STEPS],
}

impl Gathered {
    /// Takes some values of a lane. They are all there if this says how many: only who has got each part of one message, in its
    /// order, has the values of a lane.
    fn take(&mut self, track: u8, lane: u8, part: &Part) -> Option<usize> {
        let (track, lane, of) = (u32::from(track), u32::from(lane), u32::from(part.of));
        if part.place == 0 {
            *self = Self { track, lane, of, ..Self::zeroed() };
        }
        let goes_on = (self.track, self.lane, self.of, self.length) == (track, lane, of, u32::from(part.place));
        let from = usize::from(part.place);
        let room = self.values.get_mut(from..from + PART).filter(|_| goes_on && part.place < part.of)?;
        room.copy_from_slice(&part.values);
        self.length = u32::from(part.of).min(u32::from(part.place) + PART as u32);
        (self.length == of).then_some(of as usize)
    }
}

impl From<Steps> for Pattern {
    fn from(steps: Steps) -> Self {
        Self::of(steps.notes, steps.accents, steps.length)
    }
}

impl From<Pattern> for Steps {
    fn from(pattern: Pattern) -> Self {
        let (notes, accents) = pattern.bits();
        Self { notes, accents, length: pattern.len() as u8 }
    }
}

/// A parameter, as the target of a lane.
pub fn lane_target(place: Place) -> u32 {
    u32::from(u16::from_le_bytes([place.row, place.parameter]))
}

/// The parameter that is the target of a lane, if it has one.
pub fn place_of(target: u32) -> Option<Place> {
    let [row, parameter] = u16::try_from(target).ok()?.to_le_bytes();
    Some(Place { row, parameter })
}

impl Sequencer {
    /// Does what the clock is told.
    pub fn transport(&mut self, transport: &Transport) {
        match transport {
            // It is a number: whoever gives a frame to a command has looked.
            Transport::Tempo(bpm) => _ = self.bpm(*bpm),
            Transport::Start => self.start_clock(),
            Transport::Stop => self.stop_clock(),
            Transport::Continue => self.continue_clock(),
            Transport::Reset => self.reset_all(),
        }
    }

    /// Does what a track is told. What ends with it is given by `give`.
    pub fn tell(&mut self, track: u8, edit: &TrackEdit, give: impl FnMut(Event)) {
        let _ = self.try_to_tell(track, edit, give);
    }

    fn try_to_tell(&mut self, number: u8, edit: &TrackEdit, give: impl FnMut(Event)) -> Result<(), Refusal> {
        let track = usize::from(number);
        match *edit {
            TrackEdit::Create(name) => self.create_named(track, name),
            TrackEdit::Delete => self.remove(track, give),
            TrackEdit::Division(steps) => self.reconfigure(track, |config| config.steps_per_beat = u32::from(steps)),
            TrackEdit::Swing(part) => self.reconfigure(track, |config| config.swing = part),
            TrackEdit::Probability(part) => self.reconfigure(track, |config| config.probability = part),
            TrackEdit::Seed(seed) => self.reconfigure(track, |config| config.seed = seed),
            TrackEdit::Length(steps) => self.resize(track, steps),
            TrackEdit::GateLength(part) => self.gate_len(track, part),
            TrackEdit::Pattern(steps) => self.pattern(track, steps.into()),
            TrackEdit::Lane(lane, name) => self.name_lane(track, usize::from(lane), name),
            // What has not got its name is somebody else's, or nobody's.
            TrackEdit::Values(lane, _) | TrackEdit::AssignLane(lane, _) if !self.is_named(track, lane) => {
                Err(Refusal::NoSuchLane)
            }
            TrackEdit::Values(lane, part) => {
                let Some(length) = self.gathered.take(number, lane, &part) else { return Ok(()) };
                let values = self.gathered.values;
                self.param_lane(track, usize::from(lane), values.get(..length).unwrap_or(&[]))
            }
            TrackEdit::AssignGate(row) => self.assign_gate(track, row.map_or(NONE, u32::from)),
            TrackEdit::AssignLane(lane, place) => {
                self.assign_lane(track, usize::from(lane), place.map_or(NONE, lane_target))
            }
            TrackEdit::Start => self.start(track),
            TrackEdit::Stop => self.stop(track),
            TrackEdit::Reset => self.reset(track),
        }
    }

    fn create_named(&mut self, track: usize, name: Name) -> Result<(), Refusal> {
        self.create(track)?;
        self.track(track)?.name = name;
        Ok(())
    }

    /// What is assigned to a row that is in no patch any more is assigned to nothing: its number may be another module's
    /// next.
    pub fn lapse(&mut self, is_there: impl Fn(u8) -> bool) {
        for track in self.tracks.iter_mut().filter(|track| track.created()) {
            let gone = |target: u32| target != NONE && !place_of(target).is_some_and(|place| is_there(place.row));
            if gone(track.gate()) {
                track.assign_gate(NONE);
            }
            track.lanes.iter_mut().filter(|lane| gone(lane.target)).for_each(|lane| lane.target = NONE);
        }
    }

    fn reconfigure(&mut self, track: usize, change: impl FnOnce(&mut Config)) -> Result<(), Refusal> {
        let mut config = self.track(track)?.config();
        change(&mut config);
        self.config(track, &config)
    }

    fn resize(&mut self, track: usize, steps: u8) -> Result<(), Refusal> {
        let track = self.track(track)?;
        track.pattern = track.pattern.resized(steps);
        Ok(())
    }

    fn is_named(&self, track: usize, lane: u8) -> bool {
        let lane = self.tracks.get(track).and_then(|track| track.lanes().get(usize::from(lane)));
        lane.is_some_and(|lane| lane.name() != Name::default())
    }

    fn name_lane(&mut self, track: usize, lane: usize, name: Name) -> Result<(), Refusal> {
        let lane = self.track(track)?.lanes.get_mut(lane).ok_or(Refusal::NoSuchLane)?;
        lane.name = name;
        Ok(())
    }
}
