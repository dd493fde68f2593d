//! `chronus status`: how a running engine is doing: in a few lines, or with all counters, or as JSON.

mod summary;

use std::io::Write;
use std::process::ExitCode;

use rosc::OscType;
use serde_json::{Map, Value};

use self::summary::summary;
use super::argument::text;
use super::exchange::send;
use crate::command_line::StatusForm;
use crate::report::printable::one_line;

/// Deepest key that is taken apart, in names. Chronus uses three; a reply from who knows where must not
/// decide how deep this program recurses.
const MAX_KEY_DEPTH: usize = 8;

/// `chronus status`.
pub fn run_status(server: &str, form: StatusForm) -> ExitCode {
    let mut replies = match send(server, "/health", &[]) {
        Ok(replies) => replies,
        Err(text) => {
            eprintln!("chronus status: {}", one_line(&text));
            return ExitCode::FAILURE;
        }
    };
    let Some(reply) = replies.pop().filter(|reply| reply.addr == "/health.reply") else {
        eprintln!("chronus status: {} refused to tell; is it a Chronus of another version?", one_line(server));
        return ExitCode::FAILURE;
    };
    let told = match form {
        StatusForm::Summary => summary(&nest(&reply.args)),
        StatusForm::All => table(&reply.args),
        StatusForm::Json => format!("{:#}\n", nest(&reply.args)),
    };
    // Not print!: who reads only the beginning (`| head`) closes the pipe, and that is no reason to panic.
    let _ = std::io::stdout().write_all(told.as_bytes());
    ExitCode::SUCCESS
}

/// Rebuilds objects and arrays from flat pairs of dotted key and value: `slots.0.pid 7` becomes
/// `{"slots": [{"pid": 7}]}`. An object whose keys are 0, 1, 2 and so on is an array. A key that
/// contradicts an earlier one (`a` and `a.b`) is left out.
pub fn nest(pairs: &[OscType]) -> Value {
    let mut root = Map::new();
    for (key, value) in keyed(pairs) {
        insert(&mut root, key, to_json(value));
    }
    with_arrays(root)
}

fn keyed(pairs: &[OscType]) -> impl Iterator<Item = (&str, &OscType)> {
    pairs.chunks_exact(2).filter_map(|pair| match &pair[0] {
        OscType::String(key) => Some((key.as_str(), &pair[1])),
        _ => None,
    })
}

fn insert(root: &mut Map<String, Value>, key: &str, value: Value) {
    let mut names: Vec<&str> = key.splitn(MAX_KEY_DEPTH, '.').collect();
    let Some(last) = names.pop() else { return };
    let mut object = root;
    for name in names {
        match object.entry(name).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(inner) => object = inner,
            _ => return,
        }
    }
    object.entry(last).or_insert(value);
}

fn with_arrays(object: Map<String, Value>) -> Value {
    let convert = |value| match value {
        Value::Object(inner) => with_arrays(inner),
        other => other,
    };
    let is_array = !object.is_empty() && (0..object.len()).all(|place| object.contains_key(&place.to_string()));
    if !is_array {
        return Value::Object(object.into_iter().map(|(key, value)| (key, convert(value))).collect());
    }
    let mut places: Vec<_> = object.into_iter().collect();
    // By number: "10" comes before "2" as text.
    places.sort_by_key(|(key, _)| key.parse::<usize>().unwrap_or(usize::MAX));
    Value::Array(places.into_iter().map(|(_, value)| convert(value)).collect())
}

fn to_json(value: &OscType) -> Value {
    match value {
        OscType::Int(value) => (*value).into(),
        OscType::Long(value) => (*value).into(),
        // NaN and infinity are null: JSON has no word for them.
        OscType::Float(value) => (*value).into(),
        OscType::Double(value) => (*value).into(),
        OscType::Bool(value) => (*value).into(),
        OscType::Nil => Value::Null,
        other => text(other).into(),
    }
}

/// The pairs for reading: a line for each plain one, and one line for those that share the beginning of
/// their key. In a list ("slots.0.pid") the line needs no name, and the last word tells the state. Plain values of a list
/// ("selftest.failed.0") need no number.
fn table(pairs: &[OscType]) -> String {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in keyed(pairs) {
        let (key, value) = (one_line(key), text(value));
        let Some((group, name)) = key.rsplit_once('.') else {
            lines.push((key.to_string(), vec![format!("{key}  {value}")]));
            continue;
        };
        if lines.last().is_none_or(|(last, _)| last != group) {
            let is_list = group.rsplit('.').next().is_some_and(|end| end.parse::<usize>().is_ok());
            lines.push((group.to_string(), if is_list { vec![] } else { vec![group.to_string()] }));
        }
        if let Some((_, words)) = lines.last_mut() {
            let says_itself = name == "state" || name.parse::<usize>().is_ok();
            words.push(if says_itself { value } else { format!("{name} {value}") });
        }
    }
    lines.into_iter().map(|(_, words)| words.join("  ") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reply() -> Vec<OscType> {
        let mut pairs: Vec<OscType> = vec!["version".into(), "0.1.0".into(), "block".into(), OscType::Long(1 << 40)];
        for slot in 0..12 {
            pairs.extend([format!("slots.{slot}.slot").as_str().into(), OscType::Int(slot)]);
            pairs.extend([format!("slots.{slot}.state").as_str().into(), "lockstep".into()]);
        }
        pairs.extend(["selftest.failed.0".into(), "swap".into(), "selftest.failed.1".into(), "wifi".into()]);
        pairs.extend(["commands.received".into(), OscType::Long(5), "commands.refused".into(), OscType::Long(0)]);
        pairs
    }

    #[test]
    fn dotted_keys_become_objects_and_arrays_in_order() {
        let value = nest(&reply());
        assert_eq!(value["version"], json!("0.1.0"));
        assert_eq!(value["block"], json!(1u64 << 40));
        assert_eq!(value["commands"], json!({"received": 5, "refused": 0}));
        assert_eq!(value["selftest"], json!({"failed": ["swap", "wifi"]}));
        assert_eq!(value["slots"].as_array().unwrap().len(), 12);
        assert_eq!(value["slots"][10], json!({"slot": 10, "state": "lockstep"}));
    }

    #[test]
    fn odd_replies_neither_panic_nor_recurse() {
        let deep = "a.".repeat(30_000);
        let pairs = ["a".into(), OscType::Int(1), "a.b".into(), OscType::Int(2), deep.as_str().into(), OscType::Nil];
        assert_eq!(nest(&pairs), json!({"a": 1}));
        assert_eq!(nest(&["x.1".into(), OscType::Float(f32::NAN), OscType::Int(3)]), json!({"x": {"1": null}}));
        assert_eq!(nest(&[OscType::Int(1), OscType::Int(2)]), json!({}));
        let value = nest(&[deep.as_str().into(), OscType::Nil]);
        assert_eq!(value.to_string().matches('{').count(), MAX_KEY_DEPTH);
    }

    #[test]
    fn the_table_has_a_line_for_each_slot() {
        let table = table(&reply());
        assert!(
            table.starts_with("version  0.1.0\nblock  1099511627776\nslot 0  lockstep\nslot 1  lockstep\n"),
            "{table}"
        );
        assert!(
            table.ends_with("slot 11  lockstep\nselftest.failed  swap  wifi\ncommands  received 5  refused 0\n"),
            "{table}"
        );
    }

    #[test]
    fn silence_is_a_failure() {
        assert_eq!(run_status("127.0.0.1:9", StatusForm::Json), ExitCode::FAILURE);
    }
}
