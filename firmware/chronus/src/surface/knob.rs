//! How far a turn goes: acceleration, and the way of a value through its range.

use rt::clock::NANOSECONDS;

/// Detents a second up to which a turn is slow, and counts as it is: whoever sets a value listens meanwhile.
const SLOW: f64 = 8.0;

/// Detents a second from which a turn is fast, and has all of the acceleration: a quick flick of the wrist has forty of
/// the usual 24 detents a turn.
const FAST: f64 = 40.0;

/// How a value runs through its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// In equal steps.
    Linear,
    /// In equal ratios: for frequencies and times.
    Logarithmic,
}

/// A range and the steps in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Travel {
    /// The value at the left end.
    pub minimum: f64,
    /// The value at the right end; above the minimum.
    pub maximum: f64,
    /// The way between; above 0 both ends where it is logarithmic.
    pub curve: Curve,
    /// Detents from end to end, at least 1.
    pub steps: u32,
}

impl Travel {
    /// The value so many steps on from `value`; `None` if there is no way on. From beyond the range it comes back at its
    /// end, when it is turned that way.
    pub fn turned(&self, value: f64, steps: f64) -> Option<f64> {
        let beyond = if steps > 0.0 { value >= self.maximum } else { value <= self.minimum };
        if beyond || steps == 0.0 {
            return None;
        }
        let all = f64::from(self.steps);
        let place = self.place_of(value.max(self.minimum).min(self.maximum)) * all;
        // As many steps back as there were forth lead to the same value, bit for bit, if it was on a step.
        let place = if (place - place.round()).abs() < NEAR { place.round() } else { place };
        let place = (place + steps).clamp(0.0, all);
        Some(self.value_at(place / all)).filter(|turned| *turned != value)
    }

    /// 0 to 1.
    fn place_of(&self, value: f64) -> f64 {
        match self.curve {
            Curve::Linear => (value - self.minimum) / (self.maximum - self.minimum),
            Curve::Logarithmic => (value / self.minimum).ln() / (self.maximum / self.minimum).ln(),
        }
    }

    fn value_at(&self, place: f64) -> f64 {
        if place >= 1.0 {
            return self.maximum;
        }
        match self.curve {
            Curve::Linear => self.minimum + (self.maximum - self.minimum) * place,
            Curve::Logarithmic => self.minimum * ((self.maximum / self.minimum).ln() * place).exp(),
        }
    }
}

/// Part of a step within which a value is on it: above the rounding of the curve and of a value sent as a 32-bit float
/// (1e-7 of it, which is 1e-3 of a step where there are ten thousand), below what can be heard.
const NEAR: f64 = 2e-3;

/// Turns a fast turn into more steps.
#[derive(Clone, Debug)]
pub struct Acceleration {
    most: f64,
    last: Option<(u64, bool)>,
}

impl Acceleration {
    /// Up to so many times, at least 1.
    pub fn new(most: f64) -> Self {
        Self { most, last: None }
    }

    /// The steps that so many detents at a time, in nanoseconds, are worth.
    pub fn steps(&mut self, detents: i64, time: u64) -> f64 {
        let before = self.last.replace((time, detents > 0));
        // Turned round it is slow again: whoever went too far comes back with care.
        let since = before.filter(|(_, up)| *up == (detents > 0)).map(|(last, _)| time.saturating_sub(last).max(1));
        let speed = since.map_or(0.0, |since| detents.unsigned_abs() as f64 * NANOSECONDS as f64 / since as f64);
        let share = ((speed - SLOW) / (FAST - SLOW)).clamp(0.0, 1.0);
        detents as f64 * (1.0 + (self.most - 1.0) * share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUTOFF: Travel = Travel { minimum: 40.0, maximum: 12_000.0, curve: Curve::Logarithmic, steps: 96 };
    const GAIN: Travel = Travel { minimum: 0.0, maximum: 1.0, curve: Curve::Linear, steps: 50 };

    /// The values of turning so often by one step.
    fn all_the_way(travel: Travel, mut value: f64, step: f64) -> Vec<f64> {
        std::iter::from_fn(|| travel.turned(value, step).inspect(|turned| value = *turned)).take(20_000).collect()
    }

    #[test]
    fn the_whole_range_has_its_steps_there_and_back_bit_for_bit() {
        let fine = Travel { steps: 10_000, ..CUTOFF };
        for travel in [CUTOFF, GAIN, fine] {
            let up = all_the_way(travel, travel.minimum, 1.0);
            assert_eq!((up.len(), up.last()), (travel.steps as usize, Some(&travel.maximum)));
            let mut down = all_the_way(travel, travel.maximum, -1.0);
            assert_eq!(down.pop(), Some(travel.minimum));
            down.reverse();
            assert_eq!(down, up[..up.len() - 1]);
        }
        let ratios: Vec<_> = all_the_way(CUTOFF, 40.0, 1.0).windows(2).map(|pair| pair[1] / pair[0]).collect();
        assert!(ratios.iter().all(|ratio| (ratio - 300_f64.powf(1.0 / 96.0)).abs() < 1e-9));
    }

    #[test]
    fn it_goes_on_from_any_value_and_comes_back_from_beyond() {
        assert!((GAIN.turned(0.505, 1.0).unwrap() - 0.525).abs() < 1e-12);
        // Sent as a 32-bit float it still is on its step.
        assert_eq!(GAIN.turned(f64::from(0.3_f32), 1.0), GAIN.turned(0.3, 1.0));
        for (value, steps, turned) in [
            (20_000.0, 1.0, None),
            (20_000.0, -96.0, Some(40.0)),
            (10.0, -1.0, None),
            (10.0, 96.0, Some(12_000.0)),
            (12_000.0, 1.0, None),
            (300.0, 0.0, None),
            (300.0, 1e9, Some(12_000.0)),
        ] {
            assert_eq!(CUTOFF.turned(value, steps), turned, "{value} {steps}");
        }
        let back = CUTOFF.turned(20_000.0, -1.0).unwrap();
        assert_eq!(Some(back), CUTOFF.turned(12_000.0, -1.0));
    }

    #[test]
    fn slow_turns_count_as_they_are_and_fast_ones_up_to_the_most() {
        let second = NANOSECONDS;
        let worth = |per_second: u64, most: f64| {
            let mut acceleration = Acceleration::new(most);
            (0..5).map(|detent| acceleration.steps(1, second + detent * second / per_second)).last().unwrap()
        };
        assert_eq!((worth(1, 3.0), worth(8, 3.0), worth(40, 3.0), worth(200, 3.0)), (1.0, 1.0, 3.0, 3.0));
        assert!((worth(24, 3.0) - 2.0).abs() < 1e-6);
        assert_eq!(worth(200, 1.0), 1.0);
        let mut acceleration = Acceleration::new(4.0);
        acceleration.steps(1, second);
        assert_eq!((acceleration.steps(1, second + 1000), acceleration.steps(-1, second + 2000)), (4.0, -1.0));
    }
}
