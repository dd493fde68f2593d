//! What each state looks like: on and off, in milliseconds. TROUBLESHOOTING.md has the same as a table.

use crate::report::LightState;

/// A time of light or of dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Light.
    pub on: bool,
    /// How long, in milliseconds; never 0.
    pub length: u64,
}

const fn on(length: u64) -> Segment {
    Segment { on: true, length }
}

const fn off(length: u64) -> Segment {
    Segment { on: false, length }
}

/// Ten times a second: nobody takes it for anything else, and no other state is faster than 4 a second.
const SILENT: [Segment; 2] = [on(50), off(50)];
/// Even, slower than that of a starting box and faster than that of a waiting one.
const IDENTIFY: [Segment; 2] = [on(250), off(250)];
const CARD_LOST: [Segment; 4] = [on(100), off(150), on(100), off(850)];
/// One flash of dark that is just long enough to be seen; the state is over long before the pattern is.
const FAULT_SURVIVED: [Segment; 2] = [off(50), on(10_000)];
const ONE_WORKER: [Segment; 2] = [off(100), on(1900)];
const SAVING: [Segment; 4] = [on(700), off(150), on(150), off(400)];
const WAITING: [Segment; 2] = [on(1000), off(1000)];
const HEALTHY: [Segment; 1] = [on(2000)];

/// A blink that is counted, and the dark behind it.
const COUNTED: [Segment; 2] = [on(200), off(300)];
/// More dark after the last one, so that one sees where counting begins.
const PAUSE: u64 = 1200;

/// What a state looks like, over and over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Segment>);

impl Pattern {
    /// That of a state.
    pub fn of(state: LightState) -> Self {
        Self(match state {
            LightState::Silent => SILENT.to_vec(),
            LightState::Identify => IDENTIFY.to_vec(),
            LightState::CardLost => CARD_LOST.to_vec(),
            LightState::FaultSurvived => FAULT_SURVIVED.to_vec(),
            LightState::OneWorker => ONE_WORKER.to_vec(),
            LightState::Saving => SAVING.to_vec(),
            LightState::ConfigurationError(code) => {
                let mut segments = COUNTED.repeat(usize::from(code.max(1)) - 1);
                segments.extend([COUNTED[0], off(COUNTED[1].length + PAUSE)]);
                segments
            }
            LightState::Waiting | LightState::Starting => WAITING.to_vec(),
            LightState::Healthy => HEALTHY.to_vec(),
        })
    }

    /// One turn of it.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// How long a turn is, in milliseconds.
    pub fn period(&self) -> u64 {
        self.0.iter().map(|segment| segment.length).sum()
    }

    /// What is to be seen from `phase` milliseconds after its beginning on, for `length` milliseconds. Neighbours differ.
    pub fn cut(&self, phase: u64, length: u64) -> Vec<Segment> {
        let (mut skip, mut left, mut cut) = (phase % self.period(), length, Vec::<Segment>::new());
        for segment in self.0.iter().cycle() {
            if left == 0 {
                break;
            }
            let skipped = skip.min(segment.length);
            skip -= skipped;
            let length = (segment.length - skipped).min(left);
            left -= length;
            match cut.last_mut() {
                Some(last) if last.on == segment.on => last.length += length,
                _ if length > 0 => cut.push(Segment { length, ..*segment }),
                _ => {}
            }
        }
        cut
    }

    /// What is to be seen `phase` milliseconds after its beginning, and how long it stays so.
    pub fn at(&self, phase: u64) -> Segment {
        // Two turns hold a whole segment from anywhere.
        self.cut(phase, 2 * self.period()).first().copied().unwrap_or(SILENT[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds that hold a whole turn of every pattern, and its beginning again.
    const SEEN: u64 = 12_000;

    #[test]
    fn no_two_states_look_alike() {
        let states = LightState::all(2).into_iter().chain([1, 3, 8].map(LightState::ConfigurationError));
        let states: Vec<_> = states.filter(|state| *state != LightState::Starting).collect();
        for (place, state) in states.iter().enumerate() {
            for other in &states[..place] {
                // Whatever the moment one begins to look at.
                let pattern = Pattern::of(*state);
                let same =
                    (0..pattern.period()).any(|phase| pattern.cut(phase, SEEN) == Pattern::of(*other).cut(0, SEEN));
                assert!(!same, "{state:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_cut_is_what_is_seen_moment_by_moment() {
        for state in LightState::all(3) {
            let pattern = Pattern::of(state);
            let at = |moment: u64| {
                let mut left = moment % pattern.period();
                let mut segments = pattern.segments().iter();
                segments
                    .find(|segment| {
                        left < segment.length || {
                            left -= segment.length;
                            false
                        }
                    })
                    .unwrap()
                    .on
            };
            for phase in (0..pattern.period()).step_by(37) {
                let cut = pattern.cut(phase, 1500);
                assert_eq!(cut.iter().map(|segment| segment.length).sum::<u64>(), 1500);
                let seen = cut.iter().flat_map(|segment| std::iter::repeat_n(segment.on, segment.length as usize));
                assert!(seen.enumerate().all(|(time, on)| on == at(phase + time as u64)), "{state:?} from {phase}");
                assert!(cut.windows(2).all(|pair| pair[0].on != pair[1].on));
                assert_eq!(pattern.at(phase).on, at(phase));
            }
        }
        assert!(Pattern::of(LightState::Healthy).cut(1999, 5000) == [on(5000)]);
    }

    #[test]
    fn a_code_is_counted() {
        for code in 1..=9 {
            let cut = Pattern::of(LightState::ConfigurationError(code));
            let lights = cut.segments().iter().filter(|segment| segment.on).count();
            assert_eq!((lights, cut.segments().last()), (usize::from(code), Some(&off(1500))));
        }
    }
}
