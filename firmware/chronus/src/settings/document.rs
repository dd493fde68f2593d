//! From the text of chronus.toml to what holds: what is right in it, and what is wrong with the rest.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::control::{Pins, read_control};
use super::finding::{Finding, nearest, quoted};
use super::hat::Hat;
use super::keys::{Key, SECTIONS, keys, keys_of};
use crate::appliance::Machine;

/// The form of the file this program reads.
const SCHEMA: i64 = 1;

/// The sections of the file, each with the values that hold.
pub type Sections = BTreeMap<&'static str, Table>;

/// The name of the tables of controls.
const CONTROL: &str = "control";

/// The sections of the file, and its controls that are right on this machine. What is wrong goes to `findings`, by line.
pub fn read(text: &str, machine: &Machine, findings: &mut Vec<Finding>) -> (Sections, Vec<Table>) {
    let reader = Reader { text, machine, findings };
    match (DeTable::parse(text), toml::from_str::<Table>(text)) {
        (Ok(places), Ok(values)) => reader.read(places.get_ref(), &values),
        (Err(error), _) | (_, Err(error)) => {
            let line = error.span().map(|span| line_of(text, span.start));
            let reason = error.message().replace('\n', ", ");
            let meaning = "the file cannot be understood, so everything has its default. Usual causes are a missing \
                           quotation mark, typographic quotation marks, and the same key or section twice. For example: name = \"stage-left\"";
            findings.push(Finding::error(line, format!("{reason}: {meaning}")));
            (Sections::new(), Vec::new())
        }
    }
}

/// The line of a key, counted from 1; none if the key is not there.
pub fn line_of_key(text: &str, section: &str, key: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let (_, place) = document.get_ref().iter().find(|(name, _)| name.get_ref() == section)?;
    let DeValue::Table(keys) = place.get_ref() else { return None };
    let (name, _) = keys.iter().find(|(name, _)| name.get_ref() == key)?;
    Some(line_of(text, name.span().start))
}

/// The line of a byte of the text, counted from 1.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.as_bytes()[..byte.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

struct Reader<'a> {
    text: &'a str,
    machine: &'a Machine,
    findings: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    fn read(mut self, places: &DeTable, values: &Table) -> (Sections, Vec<Table>) {
        let (mut sections, mut controls) = (Sections::new(), Vec::new());
        self.check_schema(places, values);
        for (name, place) in places {
            let line = self.line(name.span().start);
            let name = name.get_ref().as_ref();
            if name == CONTROL {
                let taken = pins_of_others(values, self.machine);
                controls = self.read_controls(line, place.get_ref(), &values[name], taken);
                continue;
            }
            let Some(section) = SECTIONS.into_iter().find(|section| *section == name) else {
                if name != "schema" {
                    self.findings.push(Finding::warning(line, unknown_at_top(name, place)));
                }
                continue;
            };
            match (place.get_ref(), &values[name]) {
                (DeValue::Table(places), Value::Table(values)) => {
                    sections.insert(section, self.read_section(section, places, values));
                }
                _ => {
                    let text = format!(
                        "{section} is a section: write [{section}] in a line of its own, and its keys below it"
                    );
                    self.findings.push(Finding::error(line, text).of(section));
                }
            }
        }
        self.findings.sort_by_key(|finding| finding.line);
        (sections, controls)
    }

    /// The controls that are right, each with its keys that are known.
    fn read_controls(&mut self, line: Option<usize>, places: &DeValue, values: &Value, mut taken: Pins) -> Vec<Table> {
        let (DeValue::Array(places), Value::Array(values)) = (places, values) else {
            let text = "controls are written as [[control]], in two brackets and in a line of its own, once for each";
            self.findings.push(Finding::error(line, text.to_owned()).of(CONTROL));
            return Vec::new();
        };
        let mut right = Vec::new();
        for (number, (place, value)) in (1..).zip(places.iter().zip(values)) {
            let own = self.line(place.span().start);
            let (DeValue::Table(keys), Value::Table(table)) = (place.get_ref(), value) else { continue };
            let (control, remarks) = read_control(number, table, &mut taken);
            let mut known = table.clone();
            for remark in remarks {
                let of_key = |key: &String| keys.iter().find(|(name, _)| name.get_ref().as_ref() == key.as_str());
                let key = remark.key.as_ref().and_then(of_key);
                let line = key.and_then(|(name, _)| self.line(name.span().start)).or(own);
                known.retain(|name, _| remark.key.as_deref() != Some(name));
                let finding = Finding { line, severity: remark.severity, text: remark.text, section: None };
                self.findings.push(finding.of(CONTROL));
            }
            right.extend(control.map(|_| known));
        }
        right
    }

    fn line(&self, byte: usize) -> Option<usize> {
        Some(line_of(self.text, byte))
    }

    fn check_schema(&mut self, places: &DeTable, values: &Table) {
        let line =
            places.iter().find(|(key, _)| key.get_ref() == "schema").and_then(|(key, _)| self.line(key.span().start));
        let finding = match values.get("schema") {
            Some(Value::Integer(SCHEMA)) => return,
            None => Finding::warning(
                None,
                format!("the line schema = {SCHEMA} is missing at the top of the file; it is read as if it were there"),
            ),
            Some(other) => Finding::error(
                line,
                format!(
                    "schema = {}: this program reads schema = {SCHEMA}, and has read the file as such. Is the file of another version of Chronus?",
                    quoted(&other.to_string())
                ),
            ),
        };
        self.findings.push(finding);
    }

    /// The values of a section; none of them if one is wrong.
    fn read_section(&mut self, section: &'static str, places: &DeTable, values: &Table) -> Table {
        let mut holding = Table::new();
        let mut is_right = true;
        for (name, place) in places {
            let line = self.line(name.span().start);
            let name = name.get_ref().as_ref();
            let value = &values[name];
            let Some(key) = keys_of(section).find(|key| key.name == name) else {
                self.findings.push(Finding::warning(line, unknown_key(section, name)));
                continue;
            };
            match key.check(value) {
                Ok(()) => _ = holding.insert(name.to_owned(), self.sound_part(key, place.get_ref(), value)),
                Err(reason) => {
                    is_right = false;
                    self.findings.push(Finding::error(line, wrong_value(key, value, &reason)).of(section));
                }
            }
        }
        if is_right { holding } else { Table::new() }
    }

    /// A value without what is wrong in it, if it is a list: the others hold.
    fn sound_part(&mut self, key: &Key, place: &DeValue, value: &Value) -> Value {
        let mut value = value.clone();
        let wrong = key.take_out_wrong_elements(&mut value);
        let hold = if value.as_array().is_some_and(Vec::is_empty) { "none is left" } else { "the others hold" };
        for (index, reason) in wrong {
            let start = place.as_array().and_then(|elements| Some(elements.get(index)?.span().start));
            let line = start.and_then(|start| self.line(start));
            let text = format!(
                "[{}] {}: number {} of the list is left out, and {hold}: {reason}",
                key.section,
                key.name,
                index + 1
            );
            self.findings.push(Finding::warning(line, text));
        }
        value
    }
}

/// The pins that are no control's: that of `[led] status = "gpio:N"`, and those over which the sound card is set up. One
/// that is not said, or is wrong, is the one that is there.
fn pins_of_others(values: &Table, machine: &Machine) -> Pins {
    let said = |section: &str, key: &str| values.get(section).and_then(|section| section.get(key)?.as_str());
    let light = said("led", "status").and_then(|status| status.strip_prefix("gpio:")?.parse().ok());
    let hat = said("audio", "hat").and_then(|hat| Hat::named(hat).ok()).unwrap_or(Hat::Auto);
    let mut pins = hat.pins_of_setup(machine);
    pins.extend(light.map(|pin| (pin, "the light, [led]".to_owned())));
    pins
}

fn wrong_value(key: &Key, value: &Value, reason: &str) -> String {
    let Key { section, name, example, .. } = key;
    let value = quoted(&value.to_string());
    let stop = if reason.ends_with('?') { "" } else { "." };
    format!(
        "[{section}] {name} = {value}: {reason}{stop} For example: {name} = {example}. All of [{section}] has its defaults \
         until then"
    )
}

fn unknown_key(section: &str, name: &str) -> String {
    let shown = quoted(name);
    if let Some(other) = keys().find(|key| key.name == name) {
        return format!(
            "[{section}] has no key {shown}, and the line is left out; it belongs below [{}]",
            other.section
        );
    }
    if let Some(meant) = nearest(name, keys_of(section).map(|key| key.name)) {
        return format!("[{section}] has no key {shown}, and the line is left out; did you mean {meant}?");
    }
    let there = keys_of(section).map(|key| key.name).collect::<Vec<_>>().join(", ");
    format!("[{section}] has no key {shown}, and the line is left out; there is {there}")
}

fn unknown_at_top(name: &str, place: &Spanned<DeValue>) -> String {
    let shown = quoted(name);
    if !place.get_ref().is_table() {
        if let Some(key) = keys().find(|key| key.name == name) {
            return format!(
                "{shown} stands before any section, and the line is left out; it belongs below [{}]",
                key.section
            );
        }
        if let Some(meant) = nearest(name, ["schema"].into_iter()) {
            return format!("there is no key {shown}, and the line is left out; did you mean {meant}?");
        }
    }
    if let Some(meant) = nearest(name, SECTIONS.into_iter().chain([CONTROL])) {
        let meant = if meant == CONTROL { "[[control]]".to_owned() } else { format!("[{meant}]") };
        return format!("there is no section {shown}, and all of it is left out; did you mean {meant}?");
    }
    let there = SECTIONS.map(|section| format!("[{section}]")).join(", ") + ", [[control]]";
    format!("there is no section or key {shown}, and it is left out; there is {there}")
}
