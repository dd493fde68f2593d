//! Reads the file: what it says becomes the messages that would do it, each checked as one that was sent.

use dsp::instrument::Wiring;
use rosc::{OscMessage, OscType};
use toml::{Table, Value};

use super::text::{SCHEMA, message, write};
use super::tracks;
use crate::input::{Request, When, catalogue, interpret_message};

/// The first form: the values of the patch at power-on, a table for each module.
const VALUES_ALONE: i64 = 1;

/// The form before this one: without tempo and tracks.
const WITHOUT_TRACKS: i64 = 2;

/// What is left out and named one by one: more than a line is read by nobody.
const NAMED: usize = 8;

/// What a file says.
#[derive(Debug)]
pub struct Contents {
    /// What makes the patch; the last one commits it, when the values are set. Nothing in a file of values alone.
    pub patch: Vec<OscMessage>,
    /// Whether it is the one at power-on, which need not be made where that is what is played.
    pub is_power_on: bool,

    /// What is set in it, and the tempo.
    pub values: Vec<OscMessage>,
    /// What makes the tracks; `None` of a file that knows none.
    pub tracks: Option<Vec<OscMessage>>,
    /// The file as it would be written of what it says.
    pub text: String,
    /// What cannot be done, and why.
    pub left_out: Vec<String>,
}

/// What is wrong with a file that is none.
#[derive(Debug)]
pub struct Damage {
    /// Counted from 1.
    pub line: usize,
    /// In words.
    pub why: String,
}

/// Reads a file, for a sample rate in Hz.
///
/// # Errors
/// If it is no TOML, of another form, or of a patch that cannot be heard.
pub fn read(bytes: &[u8], rate: u32) -> Result<Contents, Damage> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Damage { line: line_of(bytes, error.valid_up_to()), why: "no text in UTF-8".to_owned() })?;
    let mut table: Table = toml::from_str(text).map_err(|error| Damage {
        line: line_of(bytes, error.span().map_or(0, |span| span.start)),
        why: error.message().lines().next().unwrap_or_default().to_owned(),
    })?;
    let line = || text.lines().position(|line| line.trim_start().starts_with("schema")).unwrap_or(0) + 1;
    let mut reading = Reading::new(rate);
    match table.remove("schema") {
        Some(Value::Integer(VALUES_ALONE)) => reading.set_all(table),
        Some(Value::Integer(found @ (WITHOUT_TRACKS | SCHEMA))) => {
            if found == SCHEMA {
                reading.take_clock(&mut table);
            }
            reading.make(table).map_err(|why| Damage { line: 1, why })?;
        }
        found => {
            let found = found.map_or("nothing".to_owned(), |value| shown(&value.to_string()));
            return Err(Damage { line: line(), why: format!("`schema = {SCHEMA}` is needed, and there is {found}") });
        }
    }
    Ok(reading.contents())
}

/// Whether this is a patch of any form, as nothing else is that may lie beside one: a configuration has a `schema` too.
pub fn is_patch(bytes: &[u8]) -> bool {
    let table = std::str::from_utf8(bytes).ok().and_then(|text| toml::from_str::<Table>(text).ok());
    let Some(mut table) = table else { return false };
    match table.remove("schema") {
        Some(Value::Integer(VALUES_ALONE)) => {
            let known = |name: &String| catalogue::module(catalogue::power_on(), name).is_some();
            !table.is_empty() && table.keys().all(known)
        }
        Some(Value::Integer(WITHOUT_TRACKS | SCHEMA)) => {
            // Reading one leaves out what it does not know.
            table.is_empty() || ["module", "connection", "clock", "track"].iter().any(|key| table.contains_key(*key))
        }
        _ => false,
    }
}

/// What has been read so far, done to a patch of its own.
struct Reading {
    wiring: Box<Wiring>,
    rate: u32,
    patch: Vec<OscMessage>,
    values: Vec<OscMessage>,
    /// Tables of tracks, and what makes them.
    tables: Vec<Value>,
    tracks: Option<Vec<OscMessage>>,
    left_out: Vec<String>,
}

impl Reading {
    fn new(rate: u32) -> Self {
        let wiring = Box::new(*catalogue::power_on());
        let (patch, values, tables, left_out) = Default::default();
        Self { wiring, rate, patch, values, tables, tracks: None, left_out }
    }

    fn leave_out(&mut self, what: &str, why: &str) {
        self.left_out.push(format!("{}: {why}", shown(what)));
    }

    /// Does what a message says.
    fn take(&mut self, message: &OscMessage) -> Result<(), String> {
        for request in interpret_message(message, When::Arrival(0), self.rate, &self.wiring) {
            match request {
                Ok(Request::Apply(intent)) => self.wiring.follow(&intent.operation, self.rate),
                Ok(_) => return Err("nothing that a patch is made of".to_owned()),
                Err(refusal) => return Err(refusal.text),
            }
        }
        Ok(())
    }

    /// Takes tempo and tracks out of a file that knows of them: the tracks are made when there are modules.
    fn take_clock(&mut self, table: &mut Table) {
        self.tracks = Some(Vec::new());
        let mut clock = match table.remove("clock") {
            Some(Value::Table(clock)) => clock,
            Some(_) => return self.leave_out("clock", "no table; write [clock]"),
            None => Table::new(),
        };
        if let Some(tempo) = clock.remove("tempo") {
            let set = argument(tempo).map(|bpm| OscMessage { addr: "/clock/tempo".to_owned(), args: vec![bpm] });
            match set.and_then(|set| self.take(&set).map(|()| set)) {
                Ok(set) => self.values.push(set),
                Err(why) => self.leave_out("clock.tempo", &why),
            }
        }
        clock.into_iter().for_each(|(name, _)| self.leave_out(&format!("clock.{name}"), "there is only tempo"));
        match table.remove("track") {
            Some(Value::Array(tables)) => self.tables = tables,
            Some(_) => self.leave_out("track", "no list of tables; write [[track]]"),
            None => {}
        }
    }

    fn make_tracks(&mut self) {
        for table in std::mem::take(&mut self.tables) {
            let Value::Table(table) = table else {
                self.leave_out("track", "no table of a track");
                continue;
            };
            let mut useless = Vec::new();
            let messages = tracks::read(table, |what, why| useless.push((what.to_owned(), why.to_owned())));
            useless.iter().for_each(|(what, why)| self.leave_out(what, why));
            for message in messages {
                match self.take(&message) {
                    Ok(()) => self.tracks.iter_mut().for_each(|tracks| tracks.push(message.clone())),
                    Err(why) => self.leave_out(&message.addr, &why),
                }
            }
        }
    }

    /// The patch of a whole file.
    fn make(&mut self, mut table: Table) -> Result<(), String> {
        let clear = message("/patch/clear", &[]);
        self.take(&clear)?;
        self.patch.push(clear);
        let mut modules = Table::new();
        match table.remove("module") {
            Some(Value::Table(found)) => found.into_iter().for_each(|(name, module)| match module {
                Value::Table(mut values) => {
                    if let Some(values) = self.create(&name, values.remove("type"), values) {
                        modules.insert(name, Value::Table(values));
                    }
                }
                _ => self.leave_out(&name, "no table of a module"),
            }),
            Some(_) => self.leave_out("module", "no tables of modules"),
            None => {}
        }
        match table.remove("connection") {
            Some(Value::Array(connections)) => connections.into_iter().for_each(|one| self.connect(&one)),
            Some(_) => self.leave_out("connection", "no list of tables; write [[connection]]"),
            None => {}
        }
        table.into_iter().for_each(|(name, _)| {
            self.leave_out(&name, "nothing is known of this; modules are [module.NAME], tracks [[track]]")
        });
        // Before the commit: how many voices there are is read there.
        self.set_all(modules);
        self.make_tracks();
        let commit = message("/patch/commit", &[]);
        self.take(&commit).map_err(|why| format!("its patch cannot be heard: {why}"))?;
        self.patch.push(commit);
        Ok(())
    }

    /// Makes a module; what is to be set there, if there is one now.
    fn create(&mut self, name: &str, kind: Option<Value>, values: Table) -> Option<Table> {
        let Some(Value::String(kind)) = kind else {
            self.leave_out(name, "the module needs a type, such as type = \"osc\"");
            return None;
        };
        let create = message("/patch/create", &[name, &kind]);
        match self.take(&create) {
            Ok(()) => self.patch.push(create),
            Err(why) => {
                self.leave_out(name, &why);
                return None;
            }
        }
        Some(values)
    }

    fn connect(&mut self, connection: &Value) {
        let word = |key: &str| connection.get(key).and_then(Value::as_str);
        let (Some(from), Some(to)) = (word("from"), word("to")) else {
            return self.leave_out("connection", "it needs `from` and `to`, two strings");
        };
        let mut connect = message("/patch/connect", &[from, to]);
        let amount = connection.get("amount").map(|amount| argument(amount.clone()));
        let done = amount.transpose().and_then(|amount| {
            connect.args.extend(amount);
            self.take(&connect)
        });
        match done {
            Ok(()) => self.patch.push(connect),
            Err(why) => self.leave_out(&format!("{from} to {to}"), &why),
        }
    }

    /// Sets whatever stands in the tables of modules.
    fn set_all(&mut self, modules: Table) {
        for (module, values) in modules {
            let Value::Table(values) = values else {
                self.leave_out(&module, "no table of a module");
                continue;
            };
            for (name, value) in values {
                if let Err(why) = self.set(&module, &name, value) {
                    self.leave_out(&format!("{module}.{name}"), &why);
                }
            }
        }
    }

    fn set(&mut self, module: &str, name: &str, value: Value) -> Result<(), String> {
        // Not by a pattern, which an address might be.
        let (_, parameter) = catalogue::parameter(&self.wiring, module, name)
            .ok_or_else(|| format!("there is no /mod/{}/{}", shown(module), shown(name)))?;
        let set = OscMessage { addr: catalogue::address(module, parameter), args: vec![argument(value)?] };
        self.take(&set)?;
        self.values.push(set);
        Ok(())
    }

    fn contents(mut self) -> Contents {
        let more = self.left_out.len().saturating_sub(NAMED);
        self.left_out.truncate(NAMED);
        if more > 0 {
            self.left_out.push(format!("and {more} more"));
        }
        let is_power_on = catalogue::is_power_on(&self.wiring);
        let Self { wiring, patch, values, tracks, left_out, .. } = self;
        Contents { text: write(&wiring), patch, is_power_on, values, tracks, left_out }
    }
}

/// A value of the file as it would have been sent.
fn argument(value: Value) -> Result<OscType, String> {
    match value {
        Value::Float(value) => Ok(OscType::Double(value)),
        Value::Integer(value) => Ok(OscType::Long(value)),
        Value::String(name) => Ok(OscType::String(name)),
        other => Err(format!("got a {}; expected a number or a name", other.type_str())),
    }
}

/// Words of the file for a message: on one line, and not too long.
fn shown(words: &str) -> String {
    words.escape_debug().take(80).collect()
}

/// The line in which a byte stands, counted from 1.
fn line_of(bytes: &[u8], place: usize) -> usize {
    bytes.iter().take(place).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
