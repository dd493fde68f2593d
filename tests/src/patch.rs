//! The file in which the values of all parameters are kept, as a test sees it.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;

use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};
use toml::{Table, Value};

use crate::engine::Engine;
use crate::power_on::parameters;

/// Values by `module.name`.
pub type Kept = BTreeMap<String, f64>;

/// The values at which an engine starts.
pub fn defaults() -> Kept {
    parameters()
        .iter()
        .map(|(module, _, parameter)| (format!("{module}.{}", parameter.name), parameter.default))
        .collect()
}

/// How many values a file of the engine's has: those of all parameters, and the tempo.
pub fn all_values() -> u64 {
    parameters().len() as u64 + 1
}

/// The values of a file's text, which is of the patch at power-on.
///
/// # Errors
/// What is not there, too much, or no value: it must be whole.
pub fn parse(text: &str) -> Result<Kept, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    if table.remove("schema") != Some(Value::Integer(3)) {
        return Err(format!("no schema in {text:?}"));
    }
    let modules = table.get_mut("module").and_then(Value::as_table_mut).ok_or(format!("no modules in {text:?}"))?;
    let mut kept = Kept::new();
    for (module, _, parameter) in parameters() {
        let key = format!("{module}.{}", parameter.name);
        let module = modules.get_mut(module).and_then(Value::as_table_mut);
        let value = match module.and_then(|module| module.remove(parameter.name)) {
            Some(Value::Float(value)) => value,
            Some(Value::String(name)) => {
                let place = parameter.choices.iter().position(|choice| *choice == name);
                place.ok_or(format!("no choice {name}"))? as f64
            }
            other => return Err(format!("{key} is {other:?} in {text:?}")),
        };
        kept.insert(key, value);
    }
    let has_tempo = table.get("clock").is_some_and(|clock| clock.get("tempo").is_some_and(Value::is_float));
    let is_all = |module: &Value| module.as_table().is_some_and(|module| module.keys().eq(["type"]));
    let connections = table.get("connection").and_then(Value::as_array).map_or(0, Vec::len);
    let modules = table.get("module").and_then(Value::as_table).into_iter().flat_map(Table::values);
    if modules.into_iter().all(is_all) && connections == 3 && has_tempo && table.len() == 3 {
        Ok(kept)
    } else {
        Err(format!("too much or too little in {text:?}"))
    }
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
