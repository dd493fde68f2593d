//! Which voice plays which note.

use core::cmp::Reverse;

use bytemuck::{Pod, Zeroable};

use crate::kernel::{LANES, Lanes, Parameter, Words};

use super::gate::Gates;

/// Most voices of an allocator.
pub const MOST_VOICES: usize = 64;

/// What can be set of a `voice`.
pub static PARAMETERS: [Parameter; 2] = [
    Parameter {
        minimum: 1.0,
        maximum: abi::Maximum::Value(MOST_VOICES as f64),
        default: 8.0,
        ramp_ms: 0.0,
        ..Parameter::plain("voices", "How many notes sound at a time; takes effect with the next /patch/commit.")
    },
    Parameter {
        ramp_ms: 0.0,
        choices: &["oldest", "quietest"],
        ..Parameter::plain("steal", "Which note ends when all voices are taken and another begins.")
    },
];

/// Of [`PARAMETERS`]: how many voices.
pub(super) const VOICES: usize = 0;
/// Of [`PARAMETERS`]: which one is taken away.
pub(super) const STEAL: usize = 1;

/// Stands for "no note yet" in [`VoiceGroup::note`].
const NO_NOTE: u32 = 0;

/// The note of each of eight voices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct VoiceGroup {
    /// The note last played, as in MIDI, plus one; 0 before the first.
    note: Words,
    /// Mask of those whose key is down.
    held: Words,
    /// When its note began or ended: a count that only grows.
    since: Words,
    /// What is to happen at the next frame rendered.
    pub(super) gates: Gates,
    /// Velocity of the note, 0 to 1.
    pub(super) velocity: Lanes,
}

/// Frequency of the note A4 in Hz, and its number in MIDI.
const A4: (f32, f32) = (440.0, 69.0);

impl VoiceGroup {
    /// Octaves over A4 of each voice's note. Before the first note it is A4.
    pub(super) fn pitch(&self) -> Lanes {
        let pitch = |note: u32| if note == NO_NOTE { 0.0 } else { ((note.min(128) - 1) as f32 - A4.1) / 12.0 };
        Lanes(self.note.0.map(pitch))
    }

    /// Frequencies in Hz.
    pub(super) fn frequency(&self) -> Lanes {
        self.pitch().map(|octaves| A4.0 * crate::kernel::octaves(octaves))
    }

    /// What was to happen has happened.
    pub(super) fn forget_gates(&mut self) {
        self.gates = Gates::default();
    }

    /// Ends all notes.
    pub(super) fn release_all(&mut self) {
        self.gates.closes = self.gates.closes | self.held;
        self.held = Words::ZERO;
    }

    fn begin(&mut self, lane: usize, note: u8, velocity: f32, count: u32) {
        set(&mut self.note, lane, u32::from(note.min(127)) + 1);
        set(&mut self.held, lane, u32::MAX);
        set(&mut self.since, lane, count);
        set(&mut self.gates.opens, lane, u32::MAX);
        set(&mut self.gates.closes, lane, 0);
        for lanes in [&mut self.velocity, &mut self.gates.velocity] {
            if let Some(value) = lanes.0.get_mut(lane) {
                *value = velocity;
            }
        }
    }

    fn end(&mut self, lane: usize, count: u32) {
        set(&mut self.held, lane, 0);
        set(&mut self.since, lane, count);
        set(&mut self.gates.closes, lane, u32::MAX);
    }
}

fn set(words: &mut Words, lane: usize, bits: u32) {
    if let Some(word) = words.0.get_mut(lane) {
        *word = bits;
    }
}

/// A voice as the allocator sees it.
struct Voice {
    /// Which of all.
    number: usize,
    note: u32,
    held: bool,
    /// Counts since its note began or ended.
    age: u32,
    /// Level of its envelope; of a note that begins at this very frame more than any.
    level: f32,
}

fn all<'a>(
    groups: &'a [VoiceGroup],
    voices: usize,
    count: u32,
    level: impl Fn(usize) -> f32 + 'a,
) -> impl Iterator<Item = Voice> + 'a {
    let lanes = groups
        .iter()
        .flat_map(|group| group.note.0.iter().zip(group.held.0).zip(group.since.0).zip(group.gates.opens.0));
    lanes.take(voices).enumerate().map(move |(number, (((note, held), since), opens))| Voice {
        number,
        note: *note,
        held: held != 0,
        age: count.wrapping_sub(since),
        level: if opens != 0 { f32::MAX } else { level(number) },
    })
}

/// Begins a note on one of `voices`: on the one that has it already; or on the one that was released first; or, if the
/// keys of all are down, on the one whose note began first, or that is the quietest by `level`. `count` is higher than at
/// the last call. Velocity is 0 to 1.
pub(super) fn note_on(
    groups: &mut [VoiceGroup],
    voices: usize,
    (note, velocity): (u8, f32),
    count: u32,
    level: Option<&dyn Fn(usize) -> f32>,
) {
    let levels = |number: usize| level.map_or(0.0, |level| level(number));
    let same = all(groups, voices, count, levels).find(|voice| voice.held && voice.note == u32::from(note) + 1);
    // Of those of the same age the first.
    let free = || all(groups, voices, count, levels).filter(|voice| !voice.held).min_by_key(|voice| Reverse(voice.age));
    let oldest = || all(groups, voices, count, levels).min_by_key(|voice| Reverse(voice.age));
    let quietest = || {
        let order = |a: &Voice, b: &Voice| a.level.total_cmp(&b.level).then(b.age.cmp(&a.age));
        all(groups, voices, count, levels).min_by(order)
    };
    let stolen = || if level.is_some() { quietest() } else { oldest() };
    let Some(voice) = same.or_else(free).or_else(stolen) else { return };
    if let Some(group) = groups.get_mut(voice.number / LANES) {
        group.begin(voice.number % LANES, note, velocity, count);
    }
}

/// Ends a note, wherever it is played.
pub(super) fn note_off(groups: &mut [VoiceGroup], note: u8, count: u32) {
    for group in groups {
        for lane in 0..LANES {
            let held = group.held.0.get(lane).is_some_and(|held| *held != 0);
            if held && group.note.0.get(lane) == Some(&(u32::from(note) + 1)) {
                group.end(lane, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// The notes whose keys are down, voice by voice.
    fn held(groups: &[VoiceGroup]) -> Vec<u32> {
        let of =
            |group: &VoiceGroup| core::array::from_fn::<u32, LANES, _>(|lane| group.held.0[lane] & group.note.0[lane]);
        groups.iter().flat_map(of).map(|note| note.saturating_sub(1)).collect()
    }

    #[test]
    fn notes_take_free_voices_then_the_oldest_and_a_note_its_own() {
        let mut groups = [VoiceGroup::default(); 1];
        for (count, note) in (1u32..).zip([60, 64, 67]) {
            note_on(&mut groups, 3, (note, 1.0), count, None);
        }
        assert_eq!(held(&groups)[..4], [60, 64, 67, 0]);
        note_on(&mut groups, 3, (64, 0.5), 4, None);
        assert_eq!(held(&groups)[..4], [60, 64, 67, 0], "it has a voice");
        note_on(&mut groups, 3, (72, 1.0), 5, None);
        assert_eq!(held(&groups)[..4], [72, 64, 67, 0], "the oldest");
        note_on(&mut groups, 3, (73, 1.0), 6, None);
        assert_eq!(held(&groups)[..4], [72, 64, 73, 0], "64 began anew");
        note_off(&mut groups, 64, 7);
        note_off(&mut groups, 72, 8);
        note_on(&mut groups, 3, (50, 1.0), 9, None);
        assert_eq!(held(&groups)[..4], [0, 50, 73, 0], "the one that was released first");
    }

    #[test]
    fn the_quietest_is_taken_where_that_is_asked_for() {
        let mut groups = [VoiceGroup::default(); 2];
        for note in 0..12u8 {
            note_on(&mut groups, 12, (note + 30, 1.0), u32::from(note) + 1, None);
        }
        groups.iter_mut().for_each(VoiceGroup::forget_gates);
        let level = |number: usize| if number == 9 { 0.1 } else { 0.5 };
        note_on(&mut groups, 12, (90, 1.0), 20, Some(&level));
        assert_eq!(held(&groups)[9], 90);
        // The next one of the same frame takes another: the oldest of those that are alike.
        note_on(&mut groups, 12, (91, 1.0), 21, Some(&level));
        assert_eq!((held(&groups)[0], held(&groups)[9]), (91, 90));
    }

    #[test]
    fn pitches_are_those_of_midi() {
        let mut groups = [VoiceGroup::default(); 1];
        assert_eq!(groups[0].frequency().0[0], 440.0);
        for (count, note) in [69, 57, 60, 127, 0].into_iter().enumerate() {
            note_on(&mut groups, 8, (note, 1.0), count as u32 + 1, None);
            let expected = 440.0 * 2f64.powf((f64::from(note) - 69.0) / 12.0);
            let is = f64::from(groups[0].frequency().0[count]);
            assert!((is / expected - 1.0).abs() < 2e-6, "{note}: {is}");
        }
    }

    #[test]
    fn random_bytes_are_no_reason_to_panic() {
        let mut word = 1u32;
        let mut next = || {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            word
        };
        for _ in 0..10_000 {
            let mut groups = [VoiceGroup::default(); 2];
            bytemuck::cast_slice_mut::<_, u32>(&mut groups).fill_with(&mut next);
            note_on(&mut groups, next() as usize, (next() as u8, 1.0), next(), Some(&|number| number as f32));
            note_off(&mut groups, next() as u8, next());
            assert!(groups.iter().all(|group| group.frequency().0.iter().all(|hertz| hertz.is_finite())));
        }
    }
}
