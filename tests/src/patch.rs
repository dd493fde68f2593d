//! The file in which the values of all parameters are kept, as a test sees it.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;

use abi::PARAMETERS;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};
use toml::{Table, Value};

use crate::engine::Engine;

/// Values by `module.name`.
pub type Kept = BTreeMap<String, f64>;

/// The values at which an engine starts.
pub fn defaults() -> Kept {
    PARAMETERS.iter().map(|parameter| (key(parameter), parameter.default)).collect()
}

fn key(parameter: &abi::Parameter) -> String {
    format!("{}.{}", parameter.module, parameter.name)
}

/// The values of a file's text.
///
/// # Errors
/// What is not there, too much, or no value: it must be whole.
pub fn parse(text: &str) -> Result<Kept, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    if table.remove("schema") != Some(Value::Integer(1)) {
        return Err(format!("no schema in {text:?}"));
    }
    let mut kept = Kept::new();
    for parameter in &PARAMETERS {
        let module = table.get_mut(parameter.module).and_then(Value::as_table_mut);
        let value = match module.and_then(|module| module.remove(parameter.name)) {
            Some(Value::Float(value)) => value,
            Some(Value::String(name)) => {
                let place = parameter.choices.iter().position(|choice| *choice == name);
                place.ok_or(format!("no choice {name}"))? as f64
            }
            other => return Err(format!("{} is {other:?} in {text:?}", key(parameter))),
        };
        kept.insert(key(parameter), value);
    }
    let rest = table.values().all(|module| module.as_table().is_some_and(Table::is_empty));
    if rest { Ok(kept) } else { Err(format!("too much in {text:?}")) }
}

/// The values of a file that must be whole.
pub fn read(path: &Path) -> Kept {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// A file with these values only, as somebody may write it by hand.
pub fn text(values: &[(&str, f64)]) -> String {
    let lines = values.iter().map(|(name, value)| format!("{name} = {value:?}\n"));
    format!("schema = 1\n{}", lines.collect::<String>())
}

/// Sets these values, all in one datagram: they take effect at one frame.
pub fn set(engine: &Engine, values: &[(&str, f64)]) {
    let content = values.iter().map(|(name, value)| {
        let addr = format!("/mod/{}", name.replace('.', "/"));
        OscPacket::Message(OscMessage { addr, args: vec![OscType::Double(*value)] })
    });
    let bundle = OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content: content.collect() };
    let bytes = rosc::encoder::encode(&OscPacket::Bundle(bundle)).expect("a bundle encodes");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.send_to(&bytes, engine.address()).expect("it is sent");
}
