//! All that chronus.toml may hold: one table, from which it is checked and explained.

use toml::Value;

use super::engine::{check_setting, engine_knows};
use super::hat::Hat;
use super::led::check_light;
use super::name::checked_name;
use super::ssh_key::check_key;

/// A key of a section.
pub struct Key {
    /// Its section.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// A value that is right, as it is written in the file. It also says of which type the value is to be.
    pub example: &'static str,
    /// Checks a value of the right type; of a list, one element.
    check: fn(&Key, &Value) -> Result<(), String>,
}

const fn engine(name: &'static str, example: &'static str) -> Key {
    Key { section: "engine", name, example, check: of_engine }
}

const KEYS: [Key; 16] = [
    Key { section: "box", name: "name", example: "\"stage-left\"", check: of_name },
    Key { section: "audio", name: "hat", example: "\"hifiberry-dacplus\"", check: of_hat },
    Key { section: "ssh", name: "keys", example: "[\"ssh-ed25519 AAAA... anna@desk\"]", check: of_ssh_key },
    engine("sink", "\"auto\""),
    engine("rate", "48000"),
    engine("lead", "2"),
    engine("workers", "2"),
    engine("periods", "2"),
    engine("real_time", "\"require\""),
    engine("cores", "\"1,2,3\""),
    engine("patch", "\"/data/presets/last.toml\""),
    engine("recordings", "\"/data/recordings\""),
    engine("recording_format", "\"24\""),
    Key { section: "osc", name: "listen", example: "\"0.0.0.0:5005\"", check: of_engine },
    Key { section: "osc", name: "query", example: "\"0.0.0.0:5006\"", check: of_engine },
    Key { section: "led", name: "status", example: "\"gpio:23\"", check: of_light },
];

/// The sections, in the order in which they are told.
pub const SECTIONS: [&str; 6] = ["box", "audio", "ssh", "engine", "osc", "led"];

/// All keys; of the engine's those that this engine has.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| {
        !matches!(key.section, "engine" | "osc") || engine_knows(key.section, key.name, &key.example_value())
    })
}

/// The keys of a section.
pub fn keys_of(section: &str) -> impl Iterator<Item = &'static Key> {
    keys().filter(move |key| key.section == section)
}

impl Key {
    /// Checks a value; of a list only that it is one.
    ///
    /// # Errors
    /// In words: what is wrong with it.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let wanted = self.example_value();
        if !value.same_type(&wanted) {
            return Err(format!("this is {}, and {} is needed", kind(value), kind(&wanted)));
        }
        if value.is_array() { Ok(()) } else { (self.check)(self, value) }
    }

    /// Takes out of a list what is wrong in it. Gives the place of each, counted from 0, and in words what is wrong
    /// with it.
    pub fn take_out_wrong_elements(&self, value: &mut Value) -> Vec<(usize, String)> {
        let Value::Array(elements) = value else { return Vec::new() };
        let (mut wrong, mut place) = (Vec::new(), 0..);
        elements.retain(|element| {
            let place = place.next().unwrap_or_default();
            (self.check)(self, element).map_err(|reason| wrong.push((place, reason))).is_ok()
        });
        wrong
    }

    fn example_value(&self) -> Value {
        // Of the table above, which a test reads whole.
        self.example.parse().unwrap_or(Value::Boolean(false))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text (in quotation marks)",
        Value::Integer(_) => "a whole number (without quotation marks)",
        Value::Float(_) => "a number with a fraction",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list (in brackets)",
        Value::Table(_) => "a section",
    }
}

/// The text in a value of which the type is right.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Nothing said is nothing wrong: the template has an empty name.
fn of_name(_: &Key, value: &Value) -> Result<(), String> {
    if text(value).is_empty() { Ok(()) } else { checked_name(text(value)).map(drop) }
}

fn of_hat(_: &Key, value: &Value) -> Result<(), String> {
    Hat::named(text(value)).map(drop)
}

fn of_ssh_key(_: &Key, value: &Value) -> Result<(), String> {
    check_key(value.as_str().ok_or("this is not text (in quotation marks)")?)
}

fn of_light(_: &Key, value: &Value) -> Result<(), String> {
    check_light(text(value))
}

fn of_engine(key: &Key, value: &Value) -> Result<(), String> {
    check_setting(key.section, key.name, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line::parse_configuration;

    #[test]
    fn every_example_is_right() {
        for key in keys() {
            let value: Value = key.example.parse().unwrap_or_else(|_| panic!("{}: {}", key.name, key.example));
            // That of a key is cut, for it would fill the line.
            if key.section != "ssh" {
                key.check(&value).unwrap_or_else(|wrong| panic!("{} = {}: {wrong}", key.name, key.example));
            }
            assert!(SECTIONS.contains(&key.section));
        }
    }

    #[test]
    fn all_that_the_engine_knows_is_known_here() {
        for section in ["engine", "osc"] {
            let refused = parse_configuration(&format!("[{section}]\nno_such_key = 1")).unwrap_err().0;
            // "unknown field `no_such_key`, expected one of `sink`, `rate`", or "expected `listen`".
            let (_, expected) = refused.rsplit_once("expected").unwrap_or_else(|| panic!("{refused}"));
            let mut theirs: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
            let mut ours: Vec<_> = keys_of(section).map(|key| key.name).collect();
            theirs.sort_unstable();
            ours.sort_unstable();
            assert_eq!(ours, theirs, "{refused}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_what_is_needed() {
        let key = keys().find(|key| key.name == "rate").unwrap();
        let wrong = key.check(&Value::String("48000".to_owned())).unwrap_err();
        assert!(wrong.contains("whole number"), "{wrong}");
    }
}
