//! A push button: pressed, let go, held for long, pressed twice.
//!
//! A press is told at once: to wait whether a second one comes would make every press late. So the first press of two is
//! a press, and the second is told as a double press instead; what is held for long was a press before.

use rt::clock::NANOSECONDS;

/// Nanoseconds that a button is held until that is long: well above a slow press, well below impatience.
pub const LONG: u64 = 600 * NANOSECONDS / 1000;

/// Nanoseconds from press to press within which two are one double press: that of most desktops is 400 ms, and fingers
/// are quicker than mice.
pub const DOUBLE: u64 = 350 * NANOSECONDS / 1000;

/// What was done to a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It was pressed.
    Press,
    /// It was let go.
    Release,
    /// It has been held for long.
    LongPress,
    /// It was pressed for the second time.
    DoublePress,
}

/// A button.
#[derive(Clone, Debug, Default)]
pub struct Button {
    /// When it was pressed, while it is and that is not long yet.
    held: Option<u64>,
    /// When it was pressed last, if that may become a double press.
    before: Option<u64>,
    /// Whether anything is to be done at a double press: if not, the second press is a press.
    doubles: bool,
}

impl Button {
    /// A button that is not pressed.
    pub fn new(doubles: bool) -> Self {
        Self { doubles, ..Self::default() }
    }

    /// It was pressed or let go at this time, in nanoseconds.
    pub fn change(&mut self, pressed: bool, time: u64) -> Deed {
        if !pressed {
            self.held = None;
            return Deed::Release;
        }
        self.held = Some(time);
        let double = self.doubles && self.before.is_some_and(|before| time.saturating_sub(before) <= DOUBLE);
        // A third press begins anew.
        self.before = (!double).then_some(time);
        if double { Deed::DoublePress } else { Deed::Press }
    }

    /// When it will have been held for long, in nanoseconds; `None` if it is not held, or that was told.
    pub fn due(&self) -> Option<u64> {
        self.held.map(|pressed| pressed + LONG)
    }

    /// That time has come.
    pub fn hold(&mut self) -> Deed {
        self.held = None;
        Deed::LongPress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Deed::{DoublePress, LongPress, Press, Release};

    #[test]
    fn two_presses_are_a_double_press_and_a_third_begins_anew() {
        let mut button = Button::new(true);
        let mut time = 0;
        let deeds: Vec<_> = (0..6)
            .map(|change| {
                time += DOUBLE / 2;
                button.change(change % 2 == 0, time)
            })
            .collect();
        assert_eq!(deeds, [Press, Release, DoublePress, Release, Press, Release]);
        assert_eq!(button.change(true, time + DOUBLE), Press, "too late for a double press");
        let mut plain = Button::new(false);
        assert_eq!([plain.change(true, 1), plain.change(false, 2), plain.change(true, 3)], [Press, Release, Press]);
    }

    #[test]
    fn held_for_long_is_told_once() {
        let mut button = Button::new(true);
        assert_eq!((button.due(), button.change(true, 50)), (None, Press));
        assert_eq!((button.due(), button.hold()), (Some(50 + LONG), LongPress));
        assert_eq!((button.due(), button.change(false, 60 + LONG)), (None, Release));
        button.change(true, 10 * LONG);
        button.change(false, 10 * LONG + 1);
        assert_eq!(button.due(), None, "let go before");
    }
}
