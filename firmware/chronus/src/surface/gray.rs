//! The two contacts of a rotary encoder, as steps from detent to detent.
//!
//! They go through a Gray cycle: of four states each differs from the next in one contact. Where the knob rests both are
//! open; of encoders with two detents a cycle, also where both are closed; with four, everywhere. A step is told when the
//! next place of rest is reached and not before: whoever rests between two detents, or goes back half way, has turned no
//! step, and turning round gives none extra.

/// How many detents an encoder has in one Gray cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// One: most encoders with a push button.
    Full,
    /// Two.
    Half,
    /// Four.
    Quarter,
}

impl Resolution {
    /// Quarters of a cycle from detent to detent.
    fn quarters(self) -> i64 {
        match self {
            Self::Full => 4,
            Self::Half => 2,
            Self::Quarter => 1,
        }
    }
}

/// The decoder of one encoder.
#[derive(Clone, Debug)]
pub struct Gray {
    resolution: Resolution,
    /// Place in the cycle, 0 to 3.
    place: i64,
    /// Quarters from the detent that was told last: less than from detent to detent.
    way: i64,
    /// 1 or -1: where the last step within the cycle went.
    direction: i64,
    /// Transitions that no encoder makes.
    illegal: u64,
}

/// The place in the cycle of two contacts, each closed or not. Clockwise the first one closes first.
fn place_of(closed: [bool; 2]) -> i64 {
    match closed {
        [false, false] => 0,
        [true, false] => 1,
        [true, true] => 2,
        [false, true] => 3,
    }
}

impl Gray {
    /// An encoder whose contacts are so.
    pub fn new(resolution: Resolution, closed: [bool; 2]) -> Self {
        let place = place_of(closed);
        let quarters = resolution.quarters();
        // Between two detents it belongs to the nearer one; half way to the one before.
        let way = place % quarters;
        let way = if 2 * way > quarters { way - quarters } else { way };
        Self { resolution, place, way, direction: 1, illegal: 0 }
    }

    /// Takes what the contacts are now; gives the detents turned, clockwise ones above 0.
    pub fn turn(&mut self, closed: [bool; 2]) -> i64 {
        let place = place_of(closed);
        let quarters = match (place - self.place).rem_euclid(4) {
            0 => return 0,
            1 => 1,
            3 => -1,
            // Both at once: one of the edges was lost, or both have one time. It has gone on as it went.
            _ => {
                self.illegal += 1;
                2 * self.direction
            }
        };
        (self.place, self.direction) = (place, quarters.signum());
        self.way += quarters;
        let detents = self.way / self.resolution.quarters();
        self.way %= self.resolution.quarters();
        detents
    }

    /// Transitions of both contacts at once: counted, and taken for two steps of the direction before.
    pub fn illegal(&self) -> u64 {
        self.illegal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Resolution::{Full, Half, Quarter};

    const CYCLE: [[bool; 2]; 4] = [[false, false], [true, false], [true, true], [false, true]];

    /// Detents after each of these places, from the first one on.
    fn turned(resolution: Resolution, places: &[i64]) -> Vec<i64> {
        let closed = |place: i64| CYCLE[place.rem_euclid(4) as usize];
        let mut gray = Gray::new(resolution, closed(places[0]));
        places[1..].iter().map(|place| gray.turn(closed(*place))).collect()
    }

    #[test]
    fn a_detent_is_told_when_it_is_reached() {
        assert_eq!(turned(Full, &[0, 1, 2, 3, 4, 5, 4]), [0, 0, 0, 1, 0, 0]);
        assert_eq!(turned(Full, &[0, -1, -2, -3, -4]), [0, 0, 0, -1]);
        assert_eq!(turned(Half, &[0, 1, 2, 3, 4, 3, 2, 1, 0]), [0, 1, 0, 1, 0, -1, 0, -1]);
        assert_eq!(turned(Quarter, &[0, 1, 2, 1, 0, -1]), [1, 1, -1, -1, -1]);
    }

    #[test]
    fn turning_round_and_resting_between_detents_give_nothing_extra() {
        assert_eq!(turned(Full, &[0, 1, 0, -1, 0, 1, 2, 3, 2, 1, 0]).iter().sum::<i64>(), 0);
        assert_eq!(turned(Full, &[0, 1, 2, 3, 4, 3, 2, 1, 0]), [0, 0, 0, 1, 0, 0, 0, -1]);
        // Begun between two detents: the way back is none, the way on is one.
        assert_eq!(turned(Full, &[1, 0, 1, 2, 3, 4]), [0, 0, 0, 0, 1]);
        assert_eq!(turned(Full, &[-1, 0, -1, -2, -3, -4]), [0, 0, 0, 0, -1]);
        assert_eq!(turned(Half, &[1, 0]), [0]);
        assert_eq!(turned(Half, &[1, 2]), [1]);
    }

    #[test]
    fn both_contacts_at_once_are_counted_and_go_on_as_it_went() {
        for direction in [1, -1] {
            let mut gray = Gray::new(Full, CYCLE[0]);
            let places = [1, 2, 4, 5, 7, 8].map(|place: i64| (place * direction).rem_euclid(4) as usize);
            let detents: i64 = places.iter().map(|place| gray.turn(CYCLE[*place])).sum();
            assert_eq!((detents, gray.illegal()), (2 * direction, 2));
        }
    }

    #[test]
    fn nothing_new_is_nothing() {
        assert_eq!(turned(Quarter, &[3, 3, 3]), [0, 0]);
    }
}
