//! What can be addressed in the patch that is there, as OSCQuery tells of it: each address with its types, range, unit and
//! value, from the tables by which what is sent is checked.

use std::borrow::Cow;
use std::collections::HashMap;

use dsp::instrument::{KINDS, Kind, Wiring, text_of};
use dsp::kernel::Parameter;
use dsp::time::{BPM_MAXIMUM, BPM_MINIMUM};
use rosc::{OscMessage, OscType};

use crate::input::{ALIASES, GATE_LENGTH, KEYS, WORDS, catalogue};

/// What one argument may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// Anything.
    Any,
    /// From the first to the second number.
    Between(f64, f64),
    /// From the first to the second whole number.
    BetweenWhole(i64, i64),
    /// One of these.
    OneOf(Vec<String>),
}

/// One argument of a method.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// What it may be.
    pub range: Range,
    /// Its unit as the proposal names it; "" for a plain number.
    pub unit: &'static str,
    /// Whether what is out of range is brought into it.
    pub clipped: bool,
}

impl Argument {
    const fn of(range: Range) -> Self {
        Self { range, unit: "", clipped: false }
    }
}

/// An address that takes something.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// Its address.
    pub path: String,
    /// The OSC types of its arguments.
    pub types: &'static str,
    /// Its arguments, as many as there are types.
    pub arguments: Vec<Argument>,
    /// What is set there, if that can be asked.
    pub value: Option<OscType>,
    /// The number of what is set there, where it has a name.
    pub number: Option<f64>,
    /// What it is, for a person.
    pub description: Cow<'static, str>,
}

impl Method {
    /// The message that would set what is set there; `None` if nothing can be asked there.
    pub fn message(&self) -> Option<OscMessage> {
        let value = self.value.clone()?;
        let value = match value {
            OscType::Double(value) => OscType::Float(value as f32),
            other => other,
        };
        Some(OscMessage { addr: self.path.clone(), args: vec![value] })
    }
}

/// All addresses of a patch.
pub struct Tree {
    methods: Vec<Method>,
    places: HashMap<String, usize>,
    /// The modules: name, and what its type is.
    modules: Vec<(String, &'static str)>,
}

/// The proposal's name of a unit of the parameters.
fn unit(unit: &'static str) -> &'static str {
    match unit {
        "Hz" => "time.hz",
        "ms" => "time.ms",
        "cent" => "time.cents",
        "dB" => "gain.db",
        other => other,
    }
}

fn of_parameter(path: String, parameter: &Parameter, value: Option<f64>, rate: u32) -> Method {
    let description = Cow::Borrowed(parameter.description);
    if !parameter.choices.is_empty() {
        let name = value.and_then(|value| parameter.choices.get(value as usize));
        let names = parameter.choices.iter().map(|name| (*name).to_owned()).collect();
        let arguments = vec![Argument::of(Range::OneOf(names))];
        return Method {
            path,
            types: "s",
            arguments,
            value: name.map(|name| OscType::from(*name)),
            number: value,
            description,
        };
    }
    let range = Range::Between(parameter.minimum, parameter.maximum.at(rate));
    let arguments = vec![Argument { range, unit: unit(parameter.unit), clipped: true }];
    Method { path, types: "f", arguments, value: value.map(OscType::Double), number: None, description }
}

/// An argument that is one of these names.
fn one_of(names: impl Iterator<Item = String>) -> Argument {
    let names: Vec<String> = names.collect();
    // A choice of nothing would be none that any program expects.
    Argument::of(if names.is_empty() { Range::Any } else { Range::OneOf(names) })
}

/// What is told of the arguments of a word, where more can be told than their types.
fn arguments_of(address: &str, types: &str, wiring: &Wiring) -> Vec<Argument> {
    let names = |wanted: fn(Option<Kind>) -> bool| {
        let found = catalogue::modules(wiring).filter(|(_, row)| wanted(row.kind()));
        one_of(found.map(|(_, row)| row.name().to_owned()))
    };
    let track = || one_of(wiring.sequencer().tracks().map(|(_, track)| text_of(&track.name()).to_owned()));
    let voices = || names(|kind| kind == Some(Kind::Voice));
    let note = || Argument::of(Range::BetweenWhole(0, 127));
    let within = |[low, high]: [f64; 2]| Argument { clipped: true, ..Argument::of(Range::Between(low, high)) };
    match address {
        "/note/on" => vec![voices(), note(), Argument::of(Range::Between(0.0, 1.0))],
        "/note/off" => vec![voices(), note()],
        "/patch/create" => {
            // `out` is there once, and always.
            let kinds = KINDS.iter().filter(|kind| kind.kind != Kind::Out).map(|kind| kind.name.to_owned());
            vec![Argument::of(Range::Any), one_of(kinds)]
        }
        "/patch/delete" => vec![names(|kind| kind != Some(Kind::Out))],
        "/clock/tempo" => vec![within([BPM_MINIMUM, BPM_MAXIMUM])],
        "/seq/bpm" => vec![track(), within([BPM_MINIMUM, BPM_MAXIMUM])],
        "/seq/gate_len" => vec![track(), within(GATE_LENGTH)],
        "/seq/config" => vec![track(), one_of(KEYS.map(str::to_owned).into_iter()), Argument::of(Range::Any)],
        "/seq/assign" => {
            let played = names(|kind| matches!(kind, Some(Kind::Adsr | Kind::Voice)));
            vec![track(), one_of(["gate".to_owned()].into_iter()), played]
        }
        "/seq/create" => vec![Argument::of(Range::Any)],
        _ if address.starts_with("/seq/") && types.starts_with('s') => {
            std::iter::once(track()).chain(types.chars().skip(1).map(|_| Argument::of(Range::Any))).collect()
        }
        _ => types.chars().map(|_| Argument::of(Range::Any)).collect(),
    }
}

/// A text of PROTOCOL.md as it is read elsewhere.
fn plain(text: &str) -> String {
    text.replace('`', "").replace(", see below", "").replace("; see led below", "")
}

impl Tree {
    /// Of a patch, at a sample rate in Hz.
    pub fn of(wiring: &Wiring, rate: u32) -> Self {
        let parameter = |path: String, place, parameter: &Parameter| {
            of_parameter(path, parameter, catalogue::value(wiring, place), rate)
        };
        let parameters = catalogue::parameters(wiring)
            .map(|(module, place, row)| parameter(catalogue::address(module, row), place, row));
        let gates = catalogue::gates(wiring).map(|(_, name)| Method {
            path: format!("/gate/{name}"),
            types: "T",
            arguments: vec![Argument::of(Range::Any)],
            value: None,
            number: None,
            description: "opens or closes the gate of this module, of all its voices".into(),
        });
        let aliases = ALIASES.iter().filter_map(|&(alias, [module, name])| {
            let (place, row) = catalogue::parameter(wiring, module, name)?;
            Some(parameter(alias.to_owned(), place, row))
        });
        let words = WORDS.iter().map(|word| Method {
            path: word.address.to_owned(),
            types: word.types,
            arguments: arguments_of(word.address, word.types, wiring),
            value: (word.address == catalogue::TEMPO).then(|| OscType::Double(wiring.sequencer().clock().bpm())),
            number: None,
            description: plain(word.description).into(),
        });
        let methods: Vec<Method> = parameters.chain(gates).chain(words).chain(aliases).collect();
        let places = methods.iter().enumerate().map(|(place, method)| (method.path.clone(), place)).collect();
        let described = |kind: Kind| kind.row().description;
        let modules = catalogue::modules(wiring)
            .map(|(_, row)| (row.name().to_owned(), row.kind().map_or("", described)))
            .collect();
        Self { methods, places, modules }
    }

    /// All methods, in the order of the patch.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The method at an address.
    pub fn method(&self, path: &str) -> Option<&Method> {
        self.places.get(path).map(|place| &self.methods[*place])
    }

    /// What stands at an address that others begin with.
    pub fn describe_container(&self, path: &str) -> &str {
        match path {
            "/" => "Chronus, a synthesizer that keeps playing",
            "/mod" => "the modules of the patch, each with its parameters",
            "/gate" => "the gates of the envelopes",
            "/note" => "notes of the modules of the type voice",
            "/patch" => "what makes and changes the patch",
            "/record" => "recordings",
            "/clock" => "the engine's time, and the tempo",
            "/seq" => "the tracks of the sequencer",
            "/engine" => "other names of two parameters",
            _ => {
                let module = |(name, _): &&(String, _)| path.strip_prefix("/mod/") == Some(name);
                self.modules.iter().find(module).map_or("", |(_, description)| description)
            }
        }
    }

    /// The addresses that are here and not in another tree.
    pub fn beyond<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        self.methods.iter().map(|method| &*method.path).filter(|path| !other.places.contains_key(*path))
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
