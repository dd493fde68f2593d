//! From edges of pins to what was done to the controls: pure, but for the counts.

use std::sync::Arc;

use super::board::Board;
use super::button::{Button, Deed};
use super::contact::Contact;
use super::control::{Control, Kind};
use super::gray::Gray;
use super::knob::Acceleration;
use crate::gpio::{Edge, Gpio, MOST_OF_A_PIN};

/// Nanoseconds that are waited for edges that the kernel has and has not told yet, before something is decided because
/// none came. Nothing that is heard waits for it: only what a contact is after it has bounced, and long presses.
const GRACE: u64 = 500_000;

/// What was done to a control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gesture {
    /// It was turned, by so many steps of its value, clockwise ones above 0.
    Turn(f64),
    /// Something a button or a switch is for.
    Deed(Deed),
}

/// A gesture, at which control, and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moved {
    /// Its place among the controls.
    pub control: usize,
    /// What was done.
    pub gesture: Gesture,
    /// When the edge came that made it so: nanoseconds of CLOCK_MONOTONIC.
    pub time_ns: u64,
}

/// What stands behind the contacts.
enum Part {
    Knob(Gray, Acceleration),
    Button(Button),
    Switch,
}

/// One control.
struct Sensor {
    pins: Vec<u8>,
    /// Level of a closed contact.
    closed: bool,
    contacts: Vec<Contact>,
    part: Part,
}

/// All controls.
pub struct Surface {
    sensors: Vec<Sensor>,
    board: Arc<Board>,
}

impl Surface {
    /// Takes the pins of these controls, which are counted on a board with a place for each. What cannot be had is said
    /// in `refused`, and is never moved.
    pub fn open(controls: &[Control], gpio: &mut dyn Gpio, board: Arc<Board>, refused: &mut Vec<String>) -> Self {
        let sensors: Vec<_> = controls.iter().map(|control| Sensor::open(control, gpio, refused)).collect();
        for (sensor, tally) in sensors.iter().zip(board.iter()) {
            tally.begin(sensor.contacts[0].level() == sensor.closed);
        }
        Self { sensors, board }
    }

    /// Takes edges, in any order, and the time by now; adds what was done to `moved`, for each control in its order.
    pub fn take(&mut self, edges: &mut Vec<Edge>, now: u64, moved: &mut Vec<Moved>) {
        // Stable: those of one pin come in their order.
        edges.sort_by_key(|edge| edge.time_ns);
        for (control, (sensor, tally)) in self.sensors.iter_mut().zip(self.board.iter()).enumerate() {
            let mut tell = |gesture: Gesture, time_ns: u64| moved.push(Moved { control, gesture, time_ns });
            let mut told = |told: Told, time: u64| match told {
                Told::Turned(detents, steps) => {
                    tally.turned(detents);
                    tell(Gesture::Turn(steps), time);
                }
                Told::Done(deed, closed) => {
                    tally.done(deed, closed);
                    tell(Gesture::Deed(deed), time);
                }
            };
            let own: Vec<Edge> = edges.iter().filter(|edge| sensor.pins.contains(&edge.pin)).copied().collect();
            let flood =
                sensor.pins.iter().find(|pin| own.iter().filter(|edge| edge.pin == **pin).count() >= MOST_OF_A_PIN);
            if let Some(pin) = flood
                && tally.flooded()
            {
                log::warn!(
                    "GPIO {pin} changes faster than it can be read: a wire that is loose, or picks something up. What its \
                     control does is not to be trusted; the others go on"
                );
            }
            for at_once in own.chunk_by(|one, next| one.time_ns == next.time_ns) {
                sensor.settle(at_once[0].time_ns, &mut told);
                sensor.edges(at_once, &mut told);
            }
            sensor.settle(now.saturating_sub(GRACE), &mut told);
            tally.note(&sensor.contacts, sensor.illegal());
        }
        edges.clear();
    }

    /// When [`Self::take`] is to be called even if no edge comes; `None` if nothing is open.
    pub fn due(&self) -> Option<u64> {
        self.sensors.iter().filter_map(Sensor::due).min().map(|due| due + GRACE)
    }
}

/// What a sensor tells: detents and the steps they are worth, or a deed and whether the contact is closed.
enum Told {
    Turned(i64, f64),
    Done(Deed, bool),
}

impl Sensor {
    fn open(control: &Control, gpio: &mut dyn Gpio, refused: &mut Vec<String>) -> Self {
        let mut level = |pin: &u8| {
            // Open, where it cannot be had.
            gpio.input(*pin, control.pull).unwrap_or_else(|reason| {
                refused.push(format!("{} on GPIO {pin}: {reason}", control.kind()));
                control.active_low
            })
        };
        let contacts: Vec<_> = control.pins.iter().map(|pin| Contact::new(level(pin), control.bouncing)).collect();
        let closed = !control.active_low;
        let part = match &control.kind {
            Kind::Encoder(encoder) => {
                let gray = Gray::new(encoder.resolution, [0, 1].map(|place| contacts[place].level() == closed));
                Part::Knob(gray, Acceleration::new(encoder.acceleration))
            }
            Kind::Button(messages) => Part::Button(Button::new(messages[Deed::DoublePress as usize].is_some())),
            Kind::Switch(_) => Part::Switch,
        };
        Self { pins: control.pins.clone(), closed, contacts, part }
    }

    /// Takes edges that came at one time.
    fn edges(&mut self, edges: &[Edge], tell: &mut impl FnMut(Told, u64)) {
        let mut changed = false;
        for edge in edges {
            let contacts = self.pins.iter().zip(&mut self.contacts);
            for (_, contact) in contacts.filter(|(pin, _)| **pin == edge.pin) {
                changed |= contact.edge(edge.time_ns, edge.high, edge.sequence);
            }
        }
        if changed {
            self.changed(edges[0].time_ns, tell);
        }
    }

    /// Decides what is due up to this time, in its order.
    fn settle(&mut self, time: u64, tell: &mut impl FnMut(Told, u64)) {
        while let Some(due) = self.due().filter(|due| *due <= time) {
            let mut changed = false;
            for contact in self.contacts.iter_mut().filter(|contact| contact.due() == Some(due)) {
                changed |= contact.settle();
            }
            if changed {
                self.changed(due, tell);
            } else if let Part::Button(button) = &mut self.part {
                tell(Told::Done(button.hold(), true), due);
            }
        }
    }

    fn changed(&mut self, time: u64, tell: &mut impl FnMut(Told, u64)) {
        let closed = self.contacts[0].level() == self.closed;
        match &mut self.part {
            Part::Knob(gray, acceleration) => {
                let detents = gray.turn([closed, self.contacts[1].level() == self.closed]);
                if detents != 0 {
                    tell(Told::Turned(detents, acceleration.steps(detents, time)), time);
                }
            }
            Part::Button(button) => tell(Told::Done(button.change(closed, time), closed), time),
            Part::Switch => tell(Told::Done(if closed { Deed::Press } else { Deed::Release }, closed), time),
        }
    }

    fn due(&self) -> Option<u64> {
        let long = match &self.part {
            Part::Button(button) => button.due(),
            Part::Knob(..) | Part::Switch => None,
        };
        self.contacts.iter().filter_map(Contact::due).chain(long).min()
    }

    fn illegal(&self) -> u64 {
        match &self.part {
            Part::Knob(gray, _) => gray.illegal(),
            Part::Button(_) | Part::Switch => 0,
        }
    }
}

#[cfg(test)]
#[path = "sensing_tests.rs"]
mod tests;
