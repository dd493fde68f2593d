//! The sound of the modules, stretch by stretch.

use abi::tape::DELAYS;
use abi::{Block, CHANNELS};
use bytemuck::{Pod, Zeroable};

use crate::kernel::tape::{Tape, healed};
use crate::kernel::{CONTROL_FRAMES, LANES, Lanes};

use super::commit::crossfade_frames;
use super::gate::AdsrGroup;
use super::inputs::{Place, Stretch};
use super::kind::{Kind, RETURN};
use super::plan::MOST_GROUPS;
use super::tapes::Tapes;
use super::voices::{MOST_VOICES, VoiceGroup};
use super::wiring::{ROWS, flags};
use super::{Instrument, OUT, Row, STRETCH, states_of};

/// Groups of eight that a module has at most.
const GROUPS: usize = MOST_VOICES / LANES;

/// Magnitude beyond which the output is cut: 24 dB over full scale, which no card plays, and no modules can exceed.
pub const LOUDEST: f64 = 15.848_931_924_611_135;

/// What rendering needs beside the state: what the modules give in a stretch, which nothing outlasts, and the tapes. What is
/// on those belongs to the state; who goes on from a state of somebody else's has to put it there.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Scratch {
    outputs: [Stretch; MOST_GROUPS],
    /// What delays write to their tapes for the stretch, by their strips, but for what comes to `return`.
    pub(super) written: [Written; DELAYS],
    pub(crate) tapes: Tapes,
}

/// A stretch of a delay's tape.
type Written = [[f32; CHANNELS]; CONTROL_FRAMES];

/// No sound.
static SILENT: Stretch = [Lanes::ZERO; CONTROL_FRAMES];

impl Scratch {
    /// A sample of what a row has rendered.
    pub(crate) fn first_of(&self, row: &Row) -> f32 {
        let [first, ..] = self.output(row, 0).first().copied().unwrap_or_default().0;
        first
    }

    /// A group of a module.
    pub(super) fn output(&self, row: &Row, group: usize) -> &Stretch {
        if group < row.groups as usize {
            self.outputs.get(row.output as usize + group).unwrap_or(&SILENT)
        } else {
            &SILENT
        }
    }
}

impl Instrument {
    /// Renders one block. `due` is asked before each stretch to apply what is due at this frame of the block, and tells
    /// the frame at which there is something to be done next.
    pub fn render(&mut self, scratch: &mut Scratch, mut due: impl FnMut(&mut Self, u32) -> u32, out: &mut Block) {
        let mut frame = 0;
        let length = (out.samples.len() / CHANNELS) as u32;
        let mut rest = out.samples.as_mut_slice();
        while frame < length {
            let next = due(self, frame).min(length);
            let quiet = frame.saturating_add(self.play(frame == 0));
            let grid = (frame / STRETCH + 1) * STRETCH;
            let silent = frame.saturating_add(self.until_silence());
            let end = next.min(grid).min(quiet).min(silent).max(frame + 1);
            let (stretch, after) = rest.split_at_mut(((end - frame) as usize * CHANNELS).min(rest.len()));
            self.stretch(scratch, stretch);
            (rest, frame) = (after, end);
        }
    }

    /// Renders a single frame.
    #[cfg(test)]
    pub(super) fn one_frame(&mut self, scratch: &mut Scratch) -> [f32; CHANNELS] {
        let mut frame = [0.0; CHANNELS];
        self.stretch(scratch, &mut frame);
        frame
    }

    /// Renders one block of one module.
    pub(crate) fn render_alone(&mut self, scratch: &mut Scratch, row: u8) {
        let groups = self.wiring.row(row).map_or(0, |row| row.groups as usize).min(GROUPS);
        for _ in 0..abi::FRAMES / CONTROL_FRAMES {
            (0..groups).for_each(|group| self.group(scratch, row, group, STRETCH));
        }
    }

    /// Frames until what is to be done in silence can be done, that included.
    fn until_silence(&self) -> u32 {
        if self.pending != 0 || self.silencing != 0 { self.fade.until_silent(self.rate) } else { u32::MAX }
    }

    /// One stretch of at most [`CONTROL_FRAMES`] frames.
    fn stretch(&mut self, scratch: &mut Scratch, out: &mut [f32]) {
        let frames = ((out.len() / CHANNELS) as u32).min(STRETCH);
        #[cfg(feature = "faults")]
        self.count_down(frames);
        for place in 0..(self.length as usize).min(ROWS) {
            let Some(number) = self.order.get(place).copied() else { break };
            let groups = self.wiring.row(number).map_or(0, |row| row.groups as usize).min(GROUPS);
            for group in 0..groups {
                self.group(scratch, number, group, frames);
            }
        }
        self.write_tapes(scratch, frames);
        let silent = self.hand_out(scratch, out);
        self.advance(frames);
        self.turn_tapes(frames);
        if silent {
            self.in_silence();
        }
    }

    /// Gives what has come to `out`, and says whether its last frame is the one of silence.
    fn hand_out(&mut self, scratch: &Scratch, out: &mut [f32]) -> bool {
        let mut silent = false;
        let heard = self.wiring.row(OUT).map_or(&SILENT, |row| scratch.output(row, 0));
        for (frame, value) in out.chunks_exact_mut(CHANNELS).zip(heard) {
            let (level, is_silent) = self.fade.frame(self.rate);
            silent = is_silent;
            for (sample, value) in frame.iter_mut().zip(&value.0) {
                // Where the level is 1 no bit changes.
                let value = f64::from(*value * level as f32).clamp(-LOUDEST, LOUDEST);
                *sample = crate::flush(value) as f32;
            }
        }
        silent
    }

    /// So many frames are over.
    fn advance(&mut self, frames: u32) {
        let rate = self.rate;
        self.wiring.sequencer.advance(frames);
        for place in 0..(self.length as usize).min(ROWS) {
            let number = self.order.get(place).map_or(0, |number| usize::from(*number));
            let Some(row) = self.wiring.rows.get_mut(number) else { continue };
            row.gate = 0;
            if let Some(kind) = row.kind() {
                let settings = row.settings.iter_mut().zip(kind.row().parameters);
                settings.for_each(|(setting, parameter)| setting.advance(parameter, frames, rate));
            }
            if let Some(groups) = self.voice_groups(number) {
                groups.iter_mut().for_each(VoiceGroup::forget_gates);
            }
        }
        if self.crossfading > 0 {
            let connections = self.wiring.connections.iter_mut().filter(|connection| connection.is(flags::HEARD));
            connections.for_each(|connection| connection.fading = connection.fading.saturating_sub(frames));
            self.crossfading = self.crossfading.min(crossfade_frames(rate)).saturating_sub(frames);
            // What is to be changed in silence ends it there.
            if self.crossfading == 0 && self.pending == 0 {
                self.end_crossfade();
            }
        }
    }

    /// Nothing of it is heard at this frame, so nothing jumps.
    fn in_silence(&mut self) {
        if core::mem::take(&mut self.silencing) != 0 {
            self.calm();
        }
        if self.pending != 0 {
            self.replace();
        }
    }

    /// Whatever rings, and whatever is not held by an open gate, ends.
    fn calm(&mut self) {
        for row in &mut self.wiring.rows {
            // What is on the tape is further back than anything of its own.
            row.tape[1] = 0;
            let (first, lanes) = (row.first as usize, row.lanes_of_pool());
            match row.kind() {
                None | Some(Kind::Voice) => {}
                Some(Kind::Adsr) => {
                    let groups = states_of(&mut self.pool, first, row.groups as usize, size_of::<AdsrGroup>());
                    groups.into_iter().flatten().for_each(AdsrGroup::cut);
                }
                Some(_) => {
                    let states = self.pool.get_mut(first..first.saturating_add(lanes));
                    states.into_iter().flatten().for_each(|lanes| *lanes = Lanes::ZERO);
                }
            }
        }
    }

    /// What delays write to their tapes, with what comes to `return`: of that all is rendered by now.
    fn write_tapes(&mut self, scratch: &mut Scratch, frames: u32) {
        for place in 0..(self.length as usize).min(ROWS) {
            let Some(number) = self.order.get(place).copied() else { break };
            let Some(row) = self.wiring.row(number).filter(|row| row.kind() == Some(Kind::Delay)).copied() else {
                continue;
            };
            let at = self.position(number);
            let place = Place { instrument: self, scratch, row: &row, kind: Kind::Delay.row(), group: 0, frames };
            let returned = place.sound(RETURN);
            let Some(written) = scratch.written.get(at.strip).copied() else { continue };
            if at.age == 0 {
                scratch.tapes.begin(at);
            }
            let mut tape = scratch.tapes.delay(at);
            for (written, returned) in written.into_iter().zip(returned).take(frames as usize) {
                let [left, right] = written;
                tape.append([healed(left + returned.0[0]), healed(right + returned.0[1])]);
            }
        }
    }

    /// The notes of eight voices of a `voice`.
    pub(super) fn voices(&self, row: usize, group: usize) -> Option<VoiceGroup> {
        let row = self.wiring.rows.get(row).filter(|row| row.kind() == Some(Kind::Voice))?;
        (group < row.groups as usize).then_some(())?;
        let lanes = size_of::<VoiceGroup>() / size_of::<Lanes>();
        let from = (row.first as usize).checked_add(group * lanes)?;
        let state = self.pool.get(from..from.checked_add(lanes)?)?;
        bytemuck::try_pod_read_unaligned(bytemuck::cast_slice(state)).ok()
    }

    /// Renders eight voices of a module.
    fn group(&mut self, scratch: &mut Scratch, number: u8, group: usize, frames: u32) {
        let mut output = [Lanes::ZERO; CONTROL_FRAMES];
        let Some(sound) = output.get_mut(..frames as usize) else { return };
        self.render_group(scratch, number, group, sound);
        let output_of = |row: &Row| row.output as usize + group;
        let place = self.wiring.row(number).map(output_of).and_then(|place| scratch.outputs.get_mut(place));
        if let Some(place) = place {
            // What one module does to the sound may be too much for the next: 120 dB over full scale is no sound.
            *place = output.map(Lanes::heal);
        }
    }
}
