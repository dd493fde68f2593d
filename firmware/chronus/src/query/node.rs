//! A node of the tree as JSON: what OSCQuery calls its attributes.

use rosc::OscType;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::tree::{Argument, Method, Range, Tree};

/// Nothing can be read or set there; it can be set; it can be read and set.
const NO_ACCESS: u8 = 0;
const WRITE_ONLY: u8 = 2;
const READ_AND_WRITE: u8 = 3;

/// An attribute that is known: one of the proposal's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// The address.
    FullPath,
    /// The nodes below.
    Contents,
    /// The OSC types of the arguments.
    Type,
    /// What can be done there.
    Access,
    /// What is set there.
    Value,
    /// What the arguments may be.
    Range,
    /// For a person.
    Description,
    /// Units of the arguments.
    Unit,
    /// What becomes of arguments out of range.
    ClipMode,
    /// Other types that are taken.
    Overloads,
    /// One of those that no node here has.
    Absent,
}

impl Attribute {
    /// By its name; `None` if the proposal has none of that name. HOST_INFO is none of a node.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "FULL_PATH" => Self::FullPath,
            "CONTENTS" => Self::Contents,
            "TYPE" => Self::Type,
            "ACCESS" => Self::Access,
            "VALUE" => Self::Value,
            "RANGE" => Self::Range,
            "DESCRIPTION" => Self::Description,
            "UNIT" => Self::Unit,
            "CLIPMODE" => Self::ClipMode,
            "OVERLOADS" => Self::Overloads,
            "TAGS" | "EXTENDED_TYPE" | "CRITICAL" | "HTML" => Self::Absent,
            _ => return None,
        })
    }
}

/// The optional attributes that are told, and what a WebSocket is told of.
pub const EXTENSIONS: [&str; 11] = [
    "ACCESS",
    "VALUE",
    "RANGE",
    "DESCRIPTION",
    "UNIT",
    "CLIPMODE",
    "OVERLOADS",
    "LISTEN",
    "PATH_CHANGED",
    "PATH_ADDED",
    "PATH_REMOVED",
];

/// A node with all below it.
pub struct Node<'a> {
    tree: &'a Tree,
    path: String,
    method: Option<&'a Method>,
    /// Those below.
    below: Vec<&'a Method>,
}

impl<'a> Node<'a> {
    /// The node at an address; `None` if there is none.
    pub fn at(tree: &'a Tree, path: &str) -> Option<Self> {
        let path = path.trim_end_matches('/');
        let prefix = format!("{path}/");
        let below = tree.methods().iter().filter(|method| method.path.starts_with(&prefix)).collect::<Vec<_>>();
        let method = tree.method(path);
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        (method.is_some() || !below.is_empty()).then_some(Self { tree, path, method, below })
    }

    /// An attribute of it; `None` if it has none of that kind.
    pub fn attribute(&self, attribute: Attribute) -> Option<Value> {
        let method = self.method;
        match attribute {
            Attribute::FullPath => Some(json!({ "FULL_PATH": self.path })),
            Attribute::Contents => (!self.below.is_empty()).then(|| json!({ "CONTENTS": Contents(self) })),
            Attribute::Type => method.map(|method| json!({ "TYPE": method.types })),
            Attribute::Access => Some(json!({ "ACCESS": self.access() })),
            Attribute::Value => Some(json!({ "VALUE": [number(method?.value.as_ref()?)] })),
            Attribute::Range => Some(json!({ "RANGE": method.and_then(ranges)? })),
            Attribute::Description => Some(json!({ "DESCRIPTION": self.description() })),
            Attribute::Unit => Some(json!({ "UNIT": method.and_then(units)? })),
            Attribute::ClipMode => Some(json!({ "CLIPMODE": method.and_then(clip_modes)? })),
            Attribute::Overloads => Some(json!({ "OVERLOADS": method.and_then(overloads)? })),
            Attribute::Absent => None,
        }
    }

    fn access(&self) -> u8 {
        match self.method {
            None => NO_ACCESS,
            Some(Method { value: None, .. }) => WRITE_ONLY,
            Some(_) => READ_AND_WRITE,
        }
    }

    fn description(&self) -> &str {
        self.method.map_or_else(|| self.tree.describe_container(&self.path), |method| &method.description)
    }

    /// The nodes right below, each with its name, in the order of the patch.
    fn children(&self) -> Vec<(&'a str, Self)> {
        let above = if self.path == "/" { 1 } else { self.path.len() + 1 };
        let mut children: Vec<(&str, Self)> = Vec::new();
        for method in &self.below {
            let rest = &method.path[above..];
            let (name, is_here) = rest.split_once('/').map_or((rest, true), |(name, _)| (name, false));
            let place = children.iter().rposition(|(known, _)| *known == name).unwrap_or_else(|| {
                let path = method.path[..above + name.len()].to_owned();
                children.push((name, Self { tree: self.tree, path, method: None, below: Vec::new() }));
                children.len() - 1
            });
            let child = &mut children[place].1;
            if is_here {
                child.method = Some(method);
            } else {
                child.below.push(method);
            }
        }
        children
    }
}

/// A list with one item for each argument; `None` if there is nothing to tell of any.
fn each(method: &Method, told: impl Fn(&Argument) -> Value) -> Option<Vec<Value>> {
    let list: Vec<Value> = method.arguments.iter().map(told).collect();
    list.iter().any(|item| !item.is_null()).then_some(list)
}

fn ranges(method: &Method) -> Option<Vec<Value>> {
    each(method, |argument| match &argument.range {
        Range::Any => Value::Null,
        Range::Between(low, high) => json!({ "MIN": low, "MAX": high }),
        Range::BetweenWhole(low, high) => json!({ "MIN": low, "MAX": high }),
        Range::OneOf(names) => json!({ "VALS": names }),
    })
}

fn units(method: &Method) -> Option<Vec<Value>> {
    each(method, |argument| if argument.unit.is_empty() { Value::Null } else { argument.unit.into() })
}

fn clip_modes(method: &Method) -> Option<Vec<Value>> {
    each(method, |argument| if argument.clipped { "both".into() } else { Value::Null })
}

/// What chooses takes the number of a choice for its name.
fn overloads(method: &Method) -> Option<Value> {
    let (number, [Argument { range: Range::OneOf(names), .. }]) = (method.number?, &method.arguments[..]) else {
        return None;
    };
    let range = json!([{ "MIN": 0, "MAX": names.len().saturating_sub(1) }]);
    Some(json!([{ "TYPE": "i", "VALUE": [number as i64], "RANGE": range }]))
}

/// A value as JSON.
fn number(value: &OscType) -> Value {
    match value {
        OscType::Double(value) => json!(value),
        OscType::String(text) => json!(text),
        _ => Value::Null,
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("DESCRIPTION", self.description())?;
        map.serialize_entry("FULL_PATH", &self.path)?;
        map.serialize_entry("ACCESS", &self.access())?;
        if let Some(method) = self.method {
            map.serialize_entry("TYPE", method.types)?;
            let value = method.value.as_ref().map(|value| json!([number(value)]));
            let lists = [
                ("VALUE", value),
                ("RANGE", ranges(method).map(Value::from)),
                ("UNIT", units(method).map(Value::from)),
                ("CLIPMODE", clip_modes(method).map(Value::from)),
                ("OVERLOADS", overloads(method)),
            ];
            for (name, list) in lists {
                if let Some(list) = list {
                    map.serialize_entry(name, &list)?;
                }
            }
        }
        if !self.below.is_empty() {
            map.serialize_entry("CONTENTS", &Contents(self))?;
        }
        map.end()
    }
}

/// The nodes right below one, by their names.
struct Contents<'a, 'b>(&'a Node<'b>);

impl Serialize for Contents<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.children())
    }
}
