//! The sequencer: a clock and eight tracks.

use bytemuck::{Pod, Zeroable};

use super::tell::Gathered;
use super::{Clock, Config, Event, Pattern, Refusal, Track};

/// Most tracks.
pub const TRACKS: usize = 8;

/// The sequencer. All zeros has no tracks, and a stopped clock.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Sequencer {
    clock: Clock,
    pub(super) tracks: [Track; TRACKS],
    pub(super) gathered: Gathered,
}

impl Sequencer {
    /// One without tracks, whose clock stands at its beginning. `rate` is one of [`abi::RATES`].
    pub fn new(rate: u32) -> Self {
        Self { clock: Clock::new(rate), ..Self::zeroed() }
    }

    /// The clock, to be looked at.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The tracks that there are, with their numbers.
    pub fn tracks(&self) -> impl Iterator<Item = (u8, &Track)> {
        (0u8..).zip(&self.tracks).filter(|(_, track)| track.created())
    }

    /// The name of a track, if it is there.
    pub(crate) fn name_of(&self, track: usize) -> Option<abi::Name> {
        self.tracks.get(track).filter(|track| track.created()).map(Track::name)
    }

    /// A number for a new track: the lowest that is free. It depends on nothing but what tracks were told so far.
    pub fn free_track(&self) -> Option<u8> {
        (0u8..).zip(&self.tracks).find(|(_, track)| !track.created()).map(|(number, _)| number)
    }

    /// Makes a track: stopped, with an empty pattern and [`Config::default`].
    pub fn create(&mut self, track: usize) -> Result<(), Refusal> {
        let place = self.tracks.get_mut(track).ok_or(Refusal::NoSuchTrack)?;
        if place.created() {
            return Err(Refusal::Exists);
        }
        *place = Track::new();
        Ok(())
    }

    /// Removes a track. Its gate, if open, is closed by `give` at once.
    pub fn remove(&mut self, track: usize, mut give: impl FnMut(Event)) -> Result<(), Refusal> {
        let clock = self.clock;
        let removed = self.track(track)?;
        removed.stop();
        removed.take(&clock, &mut give);
        *removed = Track::zeroed();
        Ok(())
    }

    /// Sets how a track plays. What is beyond its range becomes the nearest.
    pub fn config(&mut self, track: usize, config: &Config) -> Result<(), Refusal> {
        let clock = self.clock;
        self.track(track)?.configure(config, &clock)
    }

    /// Sets a track's pattern; the next step is of the new one, at the number that it has.
    pub fn pattern(&mut self, track: usize, pattern: Pattern) -> Result<(), Refusal> {
        self.track(track)?.pattern = pattern;
        Ok(())
    }

    /// Sets the values of a lane, 1 to 64 finite ones. Each step gives the next one, rests too.
    pub fn param_lane(&mut self, track: usize, lane: usize, values: &[f32]) -> Result<(), Refusal> {
        self.track(track)?.lanes.get_mut(lane).ok_or(Refusal::NoSuchLane)?.set(values)
    }

    /// Length of a track's gates as a part of their step, 0.05 to 1; 1 ties notes that follow each other.
    pub fn gate_len(&mut self, track: usize, length: f64) -> Result<(), Refusal> {
        self.track(track)?.set_gate_length(length)
    }

    /// Whose gate a track's notes open, or [`super::NONE`]'s. What it has open at another closes.
    pub fn assign_gate(&mut self, track: usize, target: u32) -> Result<(), Refusal> {
        self.track(track)?.assign_gate(target);
        Ok(())
    }

    /// Whose parameter a lane sets, or [`super::NONE`]'s.
    pub fn assign_lane(&mut self, track: usize, lane: usize, target: u32) -> Result<(), Refusal> {
        self.track(track)?.lanes.get_mut(lane).ok_or(Refusal::NoSuchLane)?.target = target;
        Ok(())
    }

    /// A track plays whenever the clock runs, from its first step, beginning at the next line of its grid.
    pub fn start(&mut self, track: usize) -> Result<(), Refusal> {
        let clock = self.clock;
        self.track(track)?.start(&clock);
        Ok(())
    }

    /// A track is silent from this frame on.
    pub fn stop(&mut self, track: usize) -> Result<(), Refusal> {
        self.track(track)?.stop();
        Ok(())
    }

    /// The next step of a track is its first. What sounds goes on.
    pub fn reset(&mut self, track: usize) -> Result<(), Refusal> {
        self.track(track)?.reset();
        Ok(())
    }

    /// Everything is at its beginning: the clock, running or not, and the first step of each track.
    pub fn reset_all(&mut self) {
        self.clock.rewind();
        self.tracks.iter_mut().for_each(Track::rewind);
    }

    /// Tempo, 1 to 999 beats a minute; steps go on from where they are.
    pub fn bpm(&mut self, bpm: f64) -> Result<(), Refusal> {
        self.clock.set_bpm(bpm)
    }

    /// The clock runs from the beginning, and all started tracks play from their first step.
    pub fn start_clock(&mut self) {
        self.reset_all();
        self.clock.resume();
    }

    /// The clock stops where it is, and every open gate closes.
    pub fn stop_clock(&mut self) {
        self.clock.stop();
        self.tracks.iter_mut().for_each(Track::close_now);
    }

    /// The clock goes on from where it stopped.
    pub fn continue_clock(&mut self) {
        self.clock.resume();
    }

    /// Gives everything that happens before the next frame, track by track. Each thing is given once.
    pub fn take(&mut self, mut give: impl FnMut(Event)) {
        self.clock.heal();
        for track in &mut self.tracks {
            track.take(&self.clock, &mut give);
        }
    }

    /// Whether what a track plays is this row.
    pub(crate) fn plays(&self, track: usize, row: u8) -> bool {
        self.tracks.get(track).is_some_and(|track| track.gate() == u32::from(row))
    }

    /// Whether a lane of a track has values for this target.
    pub(crate) fn has_lane(&self, track: usize, target: u32) -> bool {
        let is = |lane: &super::Lane| lane.target() == target && !lane.values().is_empty();
        self.tracks.get(track).is_some_and(|track| track.lanes().iter().any(is))
    }

    /// Takes what damage has moved to where nothing would ever happen back to the grid, as [`Self::take`] does: for who takes
    /// only what is due.
    pub(crate) fn heal(&mut self) {
        self.clock.heal();
        let clock = self.clock;
        let playing = self.tracks.iter_mut().filter(|track| track.created() && track.started() && clock.running());
        playing.for_each(|track| track.find_line(&clock));
    }

    /// The track of this number and the clock, if something of it happens before the next frame: to be taken, and put back.
    pub(crate) fn due(&self, number: usize) -> Option<(Track, Clock)> {
        let track = self.tracks.get(number).filter(|track| track.created() && track.wait(&self.clock, 1) == 0)?;
        Some((*track, self.clock))
    }

    /// Puts a track back.
    pub(crate) fn put_back(&mut self, number: usize, track: &Track) {
        self.tracks.iter_mut().skip(number).take(1).for_each(|place| *place = *track);
    }

    /// Frames until the next thing may happen, at most `most`: 0 if it is before the next frame.
    pub fn wait(&self, most: u32) -> u32 {
        self.tracks.iter().fold(most, |most, track| track.wait(&self.clock, most))
    }

    /// Goes on by so many frames, no more than [`wait`](Self::wait) says. What is passed over comes late, and what is more
    /// than a beat late not at all.
    pub fn advance(&mut self, frames: u32) {
        self.clock.advance(frames);
    }

    pub(super) fn track(&mut self, track: usize) -> Result<&mut Track, Refusal> {
        let found = self.tracks.get_mut(track).ok_or(Refusal::NoSuchTrack)?;
        if found.created() { Ok(found) } else { Err(Refusal::NotCreated) }
    }
}
