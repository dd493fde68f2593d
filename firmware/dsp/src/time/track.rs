//! A track: which of its steps is next, and the gate it has open.

use abi::Name;
use bytemuck::{Pod, Zeroable};

use super::chance::{CERTAIN, happens};
use super::event::{Config, Event, NONE, VELOCITY_ACCENT, VELOCITY_NORMAL};
use super::grid::{Grid, PARTS, STEPS_PER_BEAT, parts};
use super::{Clock, LANES, Lane, Pattern, Position, Refusal, Step};

/// What is to become of the open gate.
mod end {
    /// It closes at its position.
    pub(super) const TIMED: u32 = 0;
    /// It closes when a step begins that is no note.
    pub(super) const TIED: u32 = 1;
    /// It closes before the next frame.
    pub(super) const NOW: u32 = 2;
}

/// A track. All zeros is one that nobody has created.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Track {
    /// The line of the grid at which the next step begins.
    line: u64,
    /// Number of that step, from 0 at start and reset.
    step: u64,
    /// Where the open gate closes, if it is timed.
    off: Position,
    /// Probability of a note, of [`CERTAIN`].
    chance: u64,
    seed: u64,
    pub(super) pattern: Pattern,
    grid: Grid,
    /// In [`PARTS`] of a step.
    gate_length: u32,
    /// Whose gate is opened by notes; [`NONE`].
    gate: u32,
    /// Whose gate is open; [`NONE`].
    sounding: u32,
    /// What is to become of it, one of [`end`].
    end: u32,
    /// 0 if nobody has created it.
    created: u32,
    /// Whether it plays while the clock runs: not 0.
    started: u32,
    pub(super) name: Name,
    pub(super) lanes: [Lane; LANES],
}

impl Track {
    /// A new track: stopped, an empty pattern, half a step's gates, assigned to nothing.
    pub(super) fn new() -> Self {
        let mut track = Self { gate: NONE, sounding: NONE, created: 1, lanes: [Lane::new(); LANES], ..Self::zeroed() };
        // Both are numbers.
        let _ = track.configure(&Config::default(), &Clock::zeroed());
        let _ = track.set_gate_length(0.5);
        track
    }

    pub(super) fn created(&self) -> bool {
        self.created != 0
    }

    /// Its name.
    pub fn name(&self) -> Name {
        self.name
    }

    /// Whose gate its notes open, or [`NONE`]'s.
    pub fn gate(&self) -> u32 {
        self.gate
    }

    /// Its pattern.
    pub fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// Its lanes, those that nobody uses too.
    pub fn lanes(&self) -> &[Lane; LANES] {
        &self.lanes
    }

    /// How it plays: what leads to the same again.
    pub fn config(&self) -> Config {
        Config {
            steps_per_beat: self.grid.steps_per_beat,
            swing: f64::from(self.grid.swing) / PARTS as f64,
            probability: self.chance as f64 / CERTAIN as f64,
            seed: self.seed,
        }
    }

    /// Length of its gates as a part of a step.
    pub fn gate_length(&self) -> f64 {
        f64::from(self.gate_length) / PARTS as f64
    }

    /// Sets all of it; other steps per beat from the next line of the new grid on.
    pub(super) fn configure(&mut self, config: &Config, clock: &Clock) -> Result<(), Refusal> {
        let swing = Refusal::unless_finite(config.swing)?.clamp(0.5, 0.75);
        let probability = Refusal::unless_finite(config.probability)?.clamp(0.0, 1.0);
        let steps_per_beat = config.steps_per_beat.clamp(1, STEPS_PER_BEAT);
        // No step begins twice: the next one is behind the last one.
        let last = self.grid.time_of(self.line.saturating_sub(1), clock).later(1, clock.units_per_beat());
        let grid = Grid { steps_per_beat, swing: parts(swing) };
        let other = self.grid.steps_per_beat != steps_per_beat;
        self.grid = grid;
        self.chance = (probability * CERTAIN as f64) as u64;
        self.seed = config.seed;
        if other {
            let from = if self.line > 0 { clock.position().max(last) } else { clock.position() };
            self.line = self.grid.first_line(from, clock);
        }
        Ok(())
    }

    /// Length of the gates that open from now on, as a part of their step, 0.05 to 1; 1 ties a note to the next.
    pub(super) fn set_gate_length(&mut self, length: f64) -> Result<(), Refusal> {
        self.gate_length = parts(Refusal::unless_finite(length)?.clamp(0.05, 1.0));
        Ok(())
    }

    /// Notes open this gate from now on; the one that is open closes.
    pub(super) fn assign_gate(&mut self, target: u32) {
        if self.gate != target {
            self.close_now();
        }
        self.gate = target;
    }

    /// Plays from its first step on, from the next line of the grid.
    pub(super) fn start(&mut self, clock: &Clock) {
        (self.step, self.started) = (0, 1);
        self.line = self.grid.first_line(clock.position(), clock);
    }

    /// Whether it plays while the clock runs.
    pub fn started(&self) -> bool {
        self.started != 0
    }

    pub(super) fn stop(&mut self) {
        self.started = 0;
        self.close_now();
    }

    /// The next step is the first one.
    pub(super) fn reset(&mut self) {
        self.step = 0;
    }

    /// The clock is at its beginning again.
    pub(super) fn rewind(&mut self) {
        (self.step, self.line) = (0, 0);
        self.close_now();
    }

    /// What is open closes before the next frame.
    pub(super) fn close_now(&mut self) {
        self.end = end::NOW;
    }

    /// Frames until something may happen, at most `most`.
    pub(super) fn wait(&self, clock: &Clock, most: u32) -> u32 {
        if !self.created() {
            return most;
        }
        if self.sounding != NONE && self.end == end::NOW {
            return 0;
        }
        if !self.started() || !clock.running() {
            return most;
        }
        let most = clock.wait(self.grid.time_of(self.line, clock), most);
        if self.sounding != NONE && self.end == end::TIMED { clock.wait(self.off, most) } else { most }
    }

    /// Gives what happens before the next frame: first what ends, then parameters, then what begins.
    pub(crate) fn take(&mut self, clock: &Clock, give: &mut impl FnMut(Event)) {
        if !self.created() {
            return;
        }
        if self.end == end::NOW {
            self.close(give);
        }
        if !self.started() || !clock.running() {
            return;
        }
        self.find_line(clock);
        loop {
            let line = self.grid.time_of(self.line, clock);
            let timed = self.end == end::TIMED && self.sounding != NONE;
            if timed && clock.due(self.off) && self.off <= line {
                self.close(give);
            } else if clock.due(line) {
                self.begin(clock, give);
            } else {
                break;
            }
        }
    }

    /// Begins the step of the next line.
    fn begin(&mut self, clock: &Clock, give: &mut impl FnMut(Event)) {
        let (step, line) = (self.step, self.line);
        self.step = step.wrapping_add(1);
        self.line = line.wrapping_add(1);
        let note = self.pattern.at(step);
        let played = self.gate != NONE && note != Step::Rest && happens(self.chance, self.seed, &self.name, step);
        if self.end == end::TIED && !played {
            self.close(give);
        }
        for (target, value) in self.lanes.iter().filter_map(|lane| lane.at(step)) {
            give(Event::Parameter { target, value });
        }
        if played {
            let velocity = if note == Step::Accent { VELOCITY_ACCENT } else { VELOCITY_NORMAL };
            give(Event::GateOn { target: self.gate, velocity });
            self.sounding = self.gate;
            self.end = if u64::from(self.gate_length) >= PARTS { end::TIED } else { end::TIMED };
            self.off = self
                .grid
                .time_of(line, clock)
                .later(self.grid.gate_units(line, self.gate_length, clock), clock.units_per_beat());
        }
    }

    fn close(&mut self, give: &mut impl FnMut(Event)) {
        if self.sounding != NONE {
            give(Event::GateOff { target: self.sounding });
        }
        (self.sounding, self.end) = (NONE, end::TIMED);
    }

    /// A line that is more than a beat behind, or two ahead, is damage, as a step is at most a beat and swing half of one.
    /// So is a gate's end that far away. Both heal, and no damage makes many steps begin at once.
    pub(super) fn find_line(&mut self, clock: &Clock) {
        let beat = i128::from(clock.units_per_beat());
        let healthy = |position| (-beat..=2 * beat).contains(&clock.until(position));
        if !healthy(self.grid.time_of(self.line, clock)) {
            self.line = self.grid.first_line(clock.position(), clock);
        }
        if self.end > end::NOW || self.sounding != NONE && !healthy(self.off) {
            (self.end, self.off) = (end::TIMED, clock.position());
        }
    }
}
