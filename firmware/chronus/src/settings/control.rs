//! `[[control]]`: the knobs, buttons and switches on the pins. Read by the box's settings, which know the lines, and by
//! the engine, which takes what is right.

use std::collections::BTreeMap;

use rosc::OscMessage;
use toml::{Table, Value};

use super::finding::{Severity, nearest, quoted};
use crate::client::parse_argument;
use crate::gpio::{Pull, header_pin};
use crate::input::catalogue;
use crate::surface::{Control, Curve, Encoder, Kind, Resolution, STEPS, Travel, operations, own_travel};

/// Keys that all kinds have.
const COMMON: [&str; 4] = ["kind", "pull", "active_low", "debounce_ms"];
const ENCODER: [&str; 8] = ["pins", "address", "min", "max", "curve", "steps", "acceleration", "resolution"];
const BUTTON: [&str; 5] = ["pin", "press", "release", "long_press", "double_press"];
const SWITCH: [&str; 3] = ["pin", "on", "off"];

/// Milliseconds that the contacts of an encoder may bounce. Good ones do so for up to 2 ms; at 200 detents a second each
/// of them changes every 2.5 ms.
const ENCODER_BOUNCES: f64 = 2.25;
/// Milliseconds that a button or a switch may bounce: the worst of the usual ones. Nobody presses twice within it.
const BUTTON_BOUNCES: f64 = 10.0;
/// Longest time of bouncing that can be meant, in milliseconds.
const LONGEST_BOUNCES: f64 = 100.0;
/// Most detents over a range: an hour of turning.
const MOST_STEPS: f64 = 10_000.0;
/// Most that a fast turn may be multiplied by: with the usual steps the whole range in one detent.
const MOST_ACCELERATION: f64 = 100.0;

/// What a mistake costs on a box.
const LEFT_OUT: &str = ". This control is left out until then";

/// Pins of the header that no interface needs, for examples: of these the first that are free.
const USUAL_PINS: [u8; 10] = [17, 27, 22, 23, 24, 25, 5, 6, 16, 26];

/// What a person may write for so many pins; where none is free, any of them: another control has to give its own up first.
fn example_of_pins(count: usize, taken: &Pins) -> String {
    let free: Vec<_> = USUAL_PINS.iter().filter(|pin| !taken.contains_key(pin)).take(count).collect();
    match (count, &free[..]) {
        (1, [pin]) => format!("pin = {pin}"),
        (1, _) => "pin = 22".to_owned(),
        (_, [first, second]) => format!("pins = [{first}, {second}]"),
        _ => "pins = [17, 27]".to_owned(),
    }
}

/// Something about one `[[control]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// The key it is about, if it is about one that is there.
    pub key: Option<String>,
    /// A warning leaves the key out, an error the control.
    pub severity: Severity,
    /// What it is.
    pub text: String,
}

/// Who has which pin, in words.
pub type Pins = BTreeMap<u8, String>;

/// Reads one `[[control]]`, the `number`th of the file from 1. `taken` are the pins of others; its own are added.
pub fn read_control(number: usize, table: &Table, taken: &mut Pins) -> (Option<Control>, Vec<Remark>) {
    let mut form = Form { table, kind: "", remarks: Vec::new() };
    let control = form.control(number, taken);
    let right = form.remarks.iter().all(|remark| remark.severity == Severity::Warning);
    (control.filter(|_| right), form.remarks)
}

/// Reads them all for the engine, which has checked settings before it.
///
/// # Errors
/// In words: the first thing that is wrong.
pub fn read_controls(tables: &[Table]) -> Result<Vec<Control>, String> {
    let mut taken = Pins::new();
    let controls = (1..).zip(tables).map(|(number, table)| {
        let (control, remarks) = read_control(number, table, &mut taken);
        match remarks.into_iter().next() {
            Some(remark) => {
                // Here nothing is left out: the engine does not start.
                let text = remark.text.trim_start_matches("[[control]] ").trim_end_matches(LEFT_OUT);
                Err(format!("[[control]] number {number}: {text}"))
            }
            None => control.ok_or_else(|| format!("[[control]] number {number} is none")),
        }
    });
    controls.collect()
}

struct Form<'a> {
    table: &'a Table,
    kind: &'static str,
    remarks: Vec<Remark>,
}

impl Form<'_> {
    fn control(&mut self, number: usize, taken: &mut Pins) -> Option<Control> {
        let own = self.kind()?;
        self.kind = own.0;
        self.leave_out_unknown(own.1);
        let pins = self.pins(number, taken);
        let pull = self.word("pull", &[("up", Pull::Up), ("down", Pull::Down), ("off", Pull::Off)], Pull::Up);
        let active_low = self.value("active_low", "true", Value::as_bool, |_| Ok(())).unwrap_or(pull != Pull::Down);
        let usual = if self.kind == "encoder" { ENCODER_BOUNCES } else { BUTTON_BOUNCES };
        let bouncing = self.number("debounce_ms", 0.0..=LONGEST_BOUNCES, "5").unwrap_or(usual);
        let kind = match self.kind {
            "encoder" => Kind::Encoder(self.encoder()?),
            "button" => Kind::Button(["press", "release", "long_press", "double_press"].map(|key| self.action(key))),
            _ => Kind::Switch(["on", "off"].map(|key| self.action(key))),
        };
        Some(Control { pins: pins?, pull, active_low, bouncing: (bouncing * 1e6) as u64, kind })
    }

    /// The kind and its keys.
    fn kind(&mut self) -> Option<(&'static str, &'static [&'static str])> {
        let kinds: [(&str, &[&str]); 3] = [("encoder", &ENCODER), ("button", &BUTTON), ("switch", &SWITCH)];
        let Some(value) = self.table.get("kind") else {
            self.wrong(None, "it has no kind", "kind = \"encoder\"");
            return None;
        };
        let word = value.as_str().unwrap_or_default();
        let found = kinds.into_iter().find(|(kind, _)| *kind == word);
        if found.is_none() {
            let reason = match (word, nearest(word, kinds.iter().map(|(kind, _)| *kind))) {
                ("pot", _) => {
                    "a potentiometer needs an analogue input, which a Raspberry Pi has not; take an encoder, which \
                               needs none"
                        .to_owned()
                }
                (_, Some(meant)) => format!("there is no such kind; did you mean {meant}?"),
                (_, None) => "there is encoder, button, switch".to_owned(),
            };
            self.wrong(Some("kind"), &reason, "kind = \"encoder\"");
        }
        found
    }

    fn leave_out_unknown(&mut self, own: &'static [&'static str]) {
        let known = || COMMON.iter().chain(own).copied();
        for key in self.table.keys().filter(|key| known().all(|known| known != *key)) {
            let shown = quoted(key);
            let meant = match (self.kind, key.as_str()) {
                ("encoder", "pin") => Some("an encoder has two: pins = [17, 27]".to_owned()),
                (_, "pins") => Some("it has one: pin = 22".to_owned()),
                _ => nearest(key, known()).map(|meant| format!("did you mean {meant}?")),
            };
            let there = meant.unwrap_or_else(|| format!("there is {}", known().collect::<Vec<_>>().join(", ")));
            let text = format!("a control of kind {} has no key {shown}, and the line is left out; {there}", self.kind);
            self.remarks.push(Remark { key: Some(key.clone()), severity: Severity::Warning, text });
        }
    }

    fn pins(&mut self, number: usize, taken: &mut Pins) -> Option<Vec<u8>> {
        let (key, count) = if self.kind == "encoder" { ("pins", 2) } else { ("pin", 1) };
        let example = &example_of_pins(count, taken);
        let numbers: Option<Vec<i64>> = match self.table.get(key) {
            Some(Value::Array(numbers)) if count == 2 => numbers.iter().map(Value::as_integer).collect(),
            Some(Value::Integer(number)) if count == 1 => Some(vec![*number]),
            Some(_) => None,
            None => {
                self.wrong(None, &format!("it has no {key}"), example);
                return None;
            }
        };
        let Some(numbers) = numbers.filter(|numbers| numbers.len() == count) else {
            self.wrong(
                Some(key),
                if count == 2 { "two BCM numbers are needed" } else { "one BCM number is needed" },
                example,
            );
            return None;
        };
        let mut pins = Vec::new();
        for wanted in numbers {
            let free = header_pin(wanted).and_then(|pin| match taken.get(&pin) {
                _ if pins.contains(&pin) => Err(format!("both contacts are at GPIO {pin}; each has a pin of its own")),
                Some(who) => Err(format!("GPIO {pin} is used by {who}; take another one")),
                None => Ok(pin),
            });
            match free {
                Ok(pin) => {
                    taken.insert(pin, format!("control {number} ({})", self.kind));
                    pins.push(pin);
                }
                Err(reason) => self.wrong(Some(key), &reason, example),
            }
        }
        Some(pins).filter(|pins| pins.len() == count)
    }

    fn encoder(&mut self) -> Option<Encoder> {
        let example = "address = \"/mod/filter/cutoff\"";
        if !self.table.contains_key("address") {
            self.wrong(None, "it has no address", example);
            return None;
        }
        // At the highest rate, which has the widest ranges: which one it will be is not known here.
        let rate = abi::RATES[abi::RATES.len() - 1];
        let check = |address: &&str| own_travel(address, rate, catalogue::power_on()).map(drop);
        let address = self.value("address", "\"/mod/filter/cutoff\"", Value::as_str, check)?.to_owned();
        let own = own_travel(&address, rate, catalogue::power_on()).ok()?;
        let [lowest, highest] = [own.minimum, own.maximum].map(|value| format!("{value:?}"));
        let minimum = self.number("min", own.minimum..=own.maximum, &lowest).unwrap_or(own.minimum);
        let maximum = self.number("max", own.minimum..=own.maximum, &highest).unwrap_or(own.maximum);
        if minimum >= maximum {
            let example = format!("min = {lowest} and max = {highest}");
            self.wrong(self.table.get("max").map(|_| "max"), "max must be above min", &example);
            return None;
        }
        let curves = [("lin", Curve::Linear), ("log", Curve::Logarithmic)];
        let curve = self.word("curve", &curves, own.curve);
        if curve == Curve::Logarithmic && minimum <= 0.0 {
            self.wrong(Some("curve"), "what begins at 0 has no equal ratios; min must be above 0", "curve = \"lin\"");
        }
        // Between two choices there is nothing: a finer step would be no step.
        let most = if own.steps < STEPS { f64::from(own.steps) } else { MOST_STEPS };
        let steps = self
            .number("steps", 1.0..=most, if own.steps < STEPS { "2" } else { "96" })
            .map_or(own.steps, |steps| steps as u32);
        let acceleration = self.number("acceleration", 1.0..=MOST_ACCELERATION, "3.0").unwrap_or(1.0);
        let resolutions = [("full", Resolution::Full), ("half", Resolution::Half), ("quarter", Resolution::Quarter)];
        let resolution = self.word("resolution", &resolutions, Resolution::Full);
        Some(Encoder { resolution, acceleration, address, travel: Travel { minimum, maximum, curve, steps } })
    }

    /// A message to send: an address and its argument, with a space between.
    fn action(&mut self, key: &'static str) -> Option<OscMessage> {
        let rate = abi::RATES[abi::RATES.len() - 1];
        let check =
            |text: &&str| message(text).and_then(|message| operations(&message, rate, catalogue::power_on())).map(drop);
        let text = self.value(key, "\"/gate/adsr 1\"", Value::as_str, check)?;
        message(text).ok()
    }

    fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)], usual: T) -> T {
        let find = |text: &str| words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        let there = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let check = |text: &&str| find(text).map(drop).ok_or_else(|| format!("there is {}", there()));
        let example = format!("\"{}\"", words[0].0);
        self.value(key, &example, Value::as_str, check).and_then(find).unwrap_or(usual)
    }

    fn number(&mut self, key: &'static str, range: std::ops::RangeInclusive<f64>, example: &str) -> Option<f64> {
        let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        let whole = !example.contains('.') && key == "steps";
        let check = |number: &f64| match range.contains(number) && (!whole || number.fract() == 0.0) {
            true => Ok(()),
            false if whole => Err(format!("a whole number from {} to {} is needed", range.start(), range.end())),
            false => Err(format!("a number from {} to {} is needed", range.start(), range.end())),
        };
        self.value(key, example, number, check)
    }

    /// The value of a key, if it is there and right.
    fn value<'a, T>(
        &'a mut self,
        key: &'static str,
        example: &str,
        take: impl Fn(&'a Value) -> Option<T>,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Option<T> {
        let table: &'a Table = self.table;
        let value = table.get(key)?;
        let taken = take(value);
        let reason = match taken.as_ref().map(check) {
            Some(Ok(())) => return taken,
            Some(Err(reason)) => reason,
            None if example.starts_with('"') => "text is needed, in quotation marks".to_owned(),
            None if example == "true" => "true or false is needed, without quotation marks".to_owned(),
            None => "a number is needed, without quotation marks".to_owned(),
        };
        self.wrong(Some(key), &reason, &format!("{key} = {example}"));
        None
    }

    fn wrong(&mut self, key: Option<&str>, reason: &str, example: &str) {
        let said = key.map_or(String::new(), |key| {
            let value = self.table.get(key).map(ToString::to_string).unwrap_or_default();
            format!("{key} = {}: ", quoted(&value))
        });
        let stop = if reason.ends_with('?') { "" } else { "." };
        let text = format!("[[control]] {said}{reason}{stop} For example: {example}{LEFT_OUT}");
        self.remarks.push(Remark { key: key.map(str::to_owned), severity: Severity::Error, text });
    }
}

fn message(text: &str) -> Result<OscMessage, String> {
    let mut words = text.split_whitespace();
    let addr = words.next().filter(|word| word.starts_with('/')).ok_or("an address begins with /")?.to_owned();
    Ok(OscMessage { addr, args: words.map(parse_argument).collect::<Result<_, _>>()? })
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
