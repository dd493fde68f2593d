//! What is done at the controls, made into messages: from there on they go the way of those that were sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use abi::Operation;
use dsp::instrument::Wiring;
use rosc::{OscMessage, OscType};
use rt::clock::NANOSECONDS;

use crate::input::{Code, Refusal, catalogue};
use crate::surface::{Board, Control, Encoder, Gesture, Kind, Moved, operations};

/// A binding that was learned: for whoever writes it into the file, and tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The place of the control.
    pub place: usize,
    /// What it is from now on.
    pub control: Control,
    /// Who asked for it.
    pub sender: SocketAddr,
}

/// What a gesture comes to.
#[derive(Debug, PartialEq)]
pub enum Meaning {
    /// This is to be done as if it had been sent.
    Message(OscMessage),
    /// It is nothing, or nothing that has to be done.
    Nothing,
    /// It was the one that shows which control is meant.
    Learned(Learned),
    /// The same, and the control cannot be for that address.
    Unfit(SocketAddr, Refusal),
}

/// What became of the bindings that were learned since the start, by the places of their controls.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<BTreeMap<usize, String>>>);

impl Notes {
    /// Notes what became of the newest one of a control, in words.
    pub fn set(&self, place: usize, words: String) {
        if let Ok(mut notes) = self.0.lock() {
            notes.insert(place, words);
        }
    }

    /// What became of it; `None` if none was learned.
    pub fn get(&self, place: usize) -> Option<String> {
        self.0.lock().ok()?.get(&place).cloned()
    }
}

/// The controls, as the control thread knows them.
pub struct Hands {
    controls: Vec<Control>,
    board: Arc<Board>,
    rate: u32,
    /// What encoders have sent where nothing can be asked how it is set: gates.
    sent: Vec<Option<f64>>,
    learning: Option<Learning>,
    notes: Notes,
}

/// An address that the next control moved will be for.
struct Learning {
    address: String,
    sender: SocketAddr,
    /// Until when, in nanoseconds of CLOCK_MONOTONIC.
    until: u64,
}

/// How long the control to be bound is waited for, in nanoseconds: who has asked for it has a hand at it. A request that
/// was forgotten, or not meant well, must not take a press hours later.
const LEARNING: u64 = 20 * NANOSECONDS;

/// Longest address that can be bound: the longest there is has half of it. Whoever asks for the controls is told it.
const LONGEST_ADDRESS: usize = 63;

/// What patterns are made of, and what an address in the file ends at.
const NOT_PLAIN: [char; 8] = ['?', '*', '[', ']', '{', '}', ',', ' '];

impl Hands {
    /// These controls, at a sample rate in Hz, counted on this board.
    pub fn new(controls: Vec<Control>, board: Arc<Board>, rate: u32) -> Self {
        Self { sent: vec![None; controls.len()], controls, board, rate, learning: None, notes: Notes::default() }
    }

    /// For whoever writes what was learned.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Has the next control that is moved bound to an address, at a time in nanoseconds, or not any more.
    ///
    /// # Errors
    /// Why no control can be bound to it.
    pub fn learn(
        &mut self,
        address: Option<String>,
        sender: SocketAddr,
        now: u64,
        wiring: &Wiring,
    ) -> Result<(), Refusal> {
        let others = |learning: &&Learning| learning.until > now && learning.sender.ip() != sender.ip();
        if let Some(learning) = self.learning.as_ref().filter(others) {
            let text = format!("a control for {} is waited for already; try again in 20 s", learning.address);
            return Err(Refusal::new("/controls/learn", Code::Full, text));
        }
        self.learning = None;
        let Some(address) = address else { return Ok(()) };
        if address.len() > LONGEST_ADDRESS || address.contains(NOT_PLAIN) {
            let text = "a control is bound to one address, written out: no pattern, and at most 63 bytes";
            return Err(Refusal::new("/controls/learn", Code::UnknownAddress, text));
        }
        if self.controls.is_empty() {
            let text = "there are no controls: they are named in the configuration file, in [[control]]";
            return Err(Refusal::new("/controls/learn", Code::UnknownAddress, text));
        }
        let message = |arguments| OscMessage { addr: address.clone(), args: arguments };
        let fits = operations(&message(Vec::new()), self.rate, wiring)
            .or_else(|_| operations(&message(vec![OscType::Int(1)]), self.rate, wiring));
        fits.map_err(|text| Refusal::new("/controls/learn", Code::UnknownAddress, text))?;
        self.learning = Some(Learning { address, sender, until: now + LEARNING });
        Ok(())
    }

    /// What a gesture comes to in a patch, in which a value is turned on from where it is.
    pub fn meaning(&mut self, moved: Moved, wiring: &Wiring) -> Meaning {
        let Some(control) = self.controls.get(moved.control) else { return Meaning::Nothing };
        let wanted = self.learning.take().filter(|learning| moved.time_ns < learning.until);
        if let Some(Learning { address, sender, .. }) = wanted {
            return match control.bound_to(&address, self.rate, wiring) {
                Ok(control) => {
                    (self.controls[moved.control], self.sent[moved.control]) = (control.clone(), None);
                    Meaning::Learned(Learned { place: moved.control, control, sender })
                }
                Err(text) => Meaning::Unfit(sender, Refusal::new("/controls/learn", Code::WrongType, text)),
            };
        }
        let message = match (moved.gesture, &control.kind) {
            (Gesture::Turn(steps), Kind::Encoder(encoder)) => {
                let value = self.value(moved.control, encoder, wiring);
                let turned = encoder.travel.turned(value, steps);
                self.sent[moved.control] = turned.or(Some(value));
                turned.map(|value| message_of(encoder, value))
            }
            (Gesture::Deed(deed), _) => control.message(deed).cloned(),
            (Gesture::Turn(_), _) => None,
        };
        message.map_or(Meaning::Nothing, Meaning::Message)
    }

    /// What is set where this encoder turns.
    fn value(&self, place: usize, encoder: &Encoder, wiring: &Wiring) -> f64 {
        let minimum = encoder.travel.minimum;
        let parameter = operations(&message_of(encoder, minimum), self.rate, wiring).ok().and_then(|operations| {
            operations.into_iter().find_map(|operation| match operation {
                Operation::Set(place, _) => catalogue::value(wiring, place),
                _ => None,
            })
        });
        parameter.or(self.sent[place]).unwrap_or(minimum)
    }

    /// The reply to `/controls` at a time in nanoseconds: pairs of key and value, as those of the status.
    pub fn pairs(&self, wiring: &Wiring, now: u64) -> Vec<OscType> {
        let mut pairs = Vec::new();
        let long = |count: u64| OscType::Long(count.min(i64::MAX as u64) as i64);
        for (place, (control, tally)) in self.controls.iter().zip(self.board.iter()).enumerate() {
            let mut add = |key: &str, value| pairs.extend([OscType::String(format!("controls.{place}.{key}")), value]);
            let seen = tally.seen();
            let pins = control.pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            add("kind", OscType::String(control.kind().to_owned()));
            add("pins", OscType::String(pins));
            add("does", OscType::String(control.words()));
            if let Kind::Encoder(encoder) = &control.kind {
                add("value", OscType::Float(self.value(place, encoder, wiring) as f32));
                add("right", long(seen.right));
                add("left", long(seen.left));
                add("illegal", long(seen.illegal));
            } else {
                let [press, release, long_press, double_press] = seen.deeds;
                add("value", OscType::String(if seen.closed { "closed" } else { "open" }.to_owned()));
                add("closed", long(press + double_press));
                add("opened", long(release));
                if matches!(control.kind, Kind::Button(_)) {
                    add("long", long(long_press));
                    add("double", long(double_press));
                }
            }
            add("edges", long(seen.edges));
            add("lost", long(seen.lost));
            add("floods", long(seen.floods));
            if let Some(note) = self.notes.get(place) {
                add("learned", OscType::String(note));
            }
        }
        if let Some(Learning { address, .. }) = self.learning.as_ref().filter(|learning| now < learning.until) {
            pairs.extend([OscType::String("learning".to_owned()), OscType::String(address.clone())]);
        }
        pairs
    }
}

/// Sent with all bits of the value.
fn message_of(encoder: &Encoder, value: f64) -> OscMessage {
    OscMessage { addr: encoder.address.clone(), args: vec![OscType::Double(value)] }
}

#[cfg(test)]
#[path = "hands_tests.rs"]
mod tests;
