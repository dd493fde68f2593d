//! What goes into a module: sound, modulation, notes.

use crate::kernel::{CONTROL_FRAMES, LANES, Lanes, Parameter, Sweep};

use super::commit::crossfade_frames;
use super::kind::{Kind, KindRow};
use super::render::Scratch;
use super::setting::Crossfade;
use super::voices::VoiceGroup;
use super::{Connection, Instrument, Row};

/// A stretch of sound of eight voices.
pub(super) type Stretch = [Lanes; CONTROL_FRAMES];

/// One group of a module in a stretch, seen from what goes into it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) instrument: &'a Instrument,
    pub(super) scratch: &'a Scratch,
    /// The module.
    pub(super) row: &'a Row,
    pub(super) kind: &'static KindRow,
    /// Which eight of its voices.
    pub(super) group: usize,
    /// Length of the stretch.
    pub(super) frames: u32,
}

impl<'a> Place<'a> {
    /// Sample rate in Hz.
    pub(super) fn rate(&self) -> f32 {
        self.instrument.rate as f32
    }

    fn connections(&self) -> impl Iterator<Item = &'a Connection> {
        self.instrument.wiring.incoming(self.row)
    }

    /// How much of a connection there is at both ends of the stretch, its amount included.
    fn amounts(&self, connection: &Connection) -> [f32; 2] {
        let levels = connection.levels(self.frames, crossfade_frames(self.instrument.rate));
        levels.map(|level| level * connection.amount)
    }

    /// Adds up what is connected to an input for sound; where nothing is, it is what its row in the table says.
    pub(super) fn sound(&self, input: usize) -> Stretch {
        let unconnected = self.kind.unconnected.get(input).copied().unwrap_or(0.0);
        let mut sum = [Lanes::ZERO; CONTROL_FRAMES];
        // How much of the input is connected: a level that is being connected goes from 1 to what it then is.
        let mut connected = [0.0f32; 2];
        let whole = crossfade_frames(self.instrument.rate);
        for connection in self.connections().filter(|connection| connection.sound() == Some(input)) {
            let [from, to] = self.amounts(connection).map(Lanes::splat);
            let mut level = Sweep { from, to }.line(self.frames as usize);
            for (sum, value) in sum.iter_mut().zip(self.signal(connection)) {
                *sum = *sum + value * level.next();
            }
            let levels = connection.levels(self.frames, whole);
            connected.iter_mut().zip(levels).for_each(|(connected, level)| *connected = (*connected + level).min(1.0));
        }
        if unconnected != 0.0 {
            let [from, to] = connected.map(|connected| Lanes::splat((1.0 - connected) * unconnected));
            let mut rest = Sweep { from, to }.line(self.frames as usize);
            sum.iter_mut().for_each(|sum| *sum = *sum + rest.next());
        }
        sum
    }

    /// Whether anything is connected to an input for sound.
    pub(super) fn has_sound(&self, input: usize) -> bool {
        self.connections().any(|connection| connection.sound() == Some(input))
    }

    /// What a connection brings, frame by frame.
    fn signal(&self, connection: &Connection) -> impl Iterator<Item = Lanes> + 'a {
        let source = self.source(connection);
        let frames = self.frames as usize;
        (0..frames).map(move |frame| source.at(frame))
    }

    /// Where a connection comes from.
    fn source(&self, connection: &Connection) -> Source<'a> {
        let (number, scratch) = (usize::from(connection.link.source), self.scratch);
        let Some(row) = self.instrument.wiring.rows.get(number) else { return Source::Constant(Lanes::ZERO) };
        if row.kind() == Some(Kind::Voice) {
            let group = self.instrument.voices(number, self.group).unwrap_or_default();
            return Source::Constant(if connection.link.output == 0 { group.velocity } else { group.pitch() });
        }
        match (row.allocator != 0, self.row.allocator != 0 && !self.kind.sums) {
            (true, true) => Source::Group(scratch.output(row, self.group)),
            (false, false) => Source::Group(scratch.output(row, 0)),
            (false, true) => Source::Middle(scratch.output(row, 0)),
            (true, false) => {
                let allocator = self.instrument.wiring.rows.get(row.allocator as usize - 1);
                let voices = allocator.map_or(0, |allocator| allocator.voices[1] as usize);
                Source::Sum { scratch, row, voices: voices.min(row.groups as usize * LANES) }
            }
        }
    }

    /// A parameter during the stretch, moved by what is connected to it, within its range.
    pub(super) fn sweep(&self, parameter: usize) -> Sweep {
        let Some((setting, known)) = self.row.settings.get(parameter).zip(self.kind.parameters.get(parameter)) else {
            return Sweep::at(0.0);
        };
        let [from, to] = setting.ends(known, self.frames).map(Lanes::splat);
        self.modulated(parameter, known, Sweep { from, to })
    }

    fn modulated(&self, parameter: usize, known: &Parameter, base: Sweep) -> Sweep {
        let mut sum: Option<Sweep> = None;
        for connection in self.connections().filter(|connection| connection.parameter() == Some(parameter)) {
            let [from, to] = self.amounts(connection);
            let source = self.source(connection);
            let so_far = sum.unwrap_or(Sweep::at(0.0));
            let last = (self.frames as usize).saturating_sub(1);
            sum = Some(Sweep { from: so_far.from + source.at(0) * from, to: so_far.to + source.at(last) * to });
        }
        let Some(sum) = sum else { return base };
        let moved = if known.by_ratio {
            let ratio = sum.map(crate::kernel::octaves_of);
            Sweep { from: base.from * ratio.from, to: base.to * ratio.to }
        } else {
            Sweep { from: base.from + sum.from, to: base.to + sum.to }
        };
        moved.within(known.minimum as f32, known.maximum_at(self.instrument.rate) as f32)
    }

    /// A frequency, which a note transposes: at 440 Hz notes are played as they are.
    pub(super) fn frequency(&self, parameter: usize) -> Sweep {
        let base = self.sweep(parameter);
        let Some(voices) = self.notes() else { return base };
        let ratio = voices.frequency() * (1.0 / 440.0);
        base.map(|frequency| frequency * ratio)
    }

    /// The notes that the module plays.
    pub(super) fn notes(&self) -> Option<VoiceGroup> {
        let connection = self.connections().find(|connection| connection.is_notes() && !connection.leaving())?;
        self.instrument.voices(usize::from(connection.link.source), self.group)
    }

    /// How a choice is to be rendered.
    pub(super) fn choice(&self, parameter: usize) -> Crossfade {
        let setting = self.row.settings.get(parameter);
        setting.map_or(Crossfade { before: 0, after: 0, levels: [0.0; 2] }, |setting| {
            setting.crossfade(self.frames, self.instrument.rate)
        })
    }
}

/// Where a signal comes from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// The same for the whole stretch.
    Constant(Lanes),
    /// Voice by voice, or left and right.
    Group(&'a Stretch),
    /// The middle of left and right, for every voice.
    Middle(&'a Stretch),
    /// All voices together, left and right.
    Sum { scratch: &'a Scratch, row: &'a Row, voices: usize },
}

impl Source<'_> {
    /// A frame of it.
    fn at(&self, frame: usize) -> Lanes {
        match *self {
            Self::Constant(value) => value,
            Self::Group(stretch) => stretch.get(frame).copied().unwrap_or_default(),
            Self::Middle(stretch) => {
                let [left, right, ..] = stretch.get(frame).copied().unwrap_or_default().0;
                Lanes::splat((left + right) * 0.5)
            }
            Self::Sum { scratch, row, voices } => Lanes::splat(sum_of_voices(scratch, row, voices, frame)),
        }
    }
}

/// All voices of a module at a frame, added in their order.
fn sum_of_voices(scratch: &Scratch, row: &Row, voices: usize, frame: usize) -> f32 {
    let groups = (0..voices.div_ceil(LANES)).map(|group| scratch.output(row, group));
    let lanes = groups.flat_map(|stretch| stretch.get(frame).copied().unwrap_or_default().0);
    lanes.take(voices).fold(0.0, |sum, value| sum + value)
}
