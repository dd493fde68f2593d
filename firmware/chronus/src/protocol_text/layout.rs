//! A panel for Open Stage Control, of the patch at power-on: from the same tables, so that it cannot go stale.

use dsp::instrument::Kind;
use dsp::kernel::Parameter;
use serde_json::{Value, json};

use crate::input::catalogue;

/// Its form of sessions, of which later ones are made by the program itself.
const VERSION: &str = "1.26.0";

/// The rate of which the panel has the ends of frequencies: the one that most cards have.
const RATE: u32 = 48_000;

/// Seconds between two renewals of the subscription by which the panel follows what others turn.
const RENEWAL: u64 = 10;

/// The session file.
pub fn open_stage_control() -> String {
    let wiring = catalogue::power_on();
    let gates: Vec<&str> = catalogue::gates(wiring).map(|(_, name)| name).collect();
    let mut panels: Vec<Value> = catalogue::modules(wiring)
        .filter(|(_, row)| row.kind() != Some(Kind::Out))
        .map(|(_, row)| {
            let name = row.name();
            let own = catalogue::parameters(wiring).filter(|(module, ..)| *module == name);
            let mut widgets: Vec<Value> = own.map(|(_, _, parameter)| widget(name, parameter)).collect();
            widgets.extend(gates.contains(&name).then(|| gate(name)));
            panel(name, widgets)
        })
        .collect();
    let bang = |name: &str| {
        json!({
            "type": "button", "id": name, "label": name, "mode": "momentary", "address": format!("/{name}"), "expand": true,
        })
    };
    panels.push(panel("box", ["test", "panic", "identify"].map(bang).to_vec()));
    let subscribe = format!(
        "send('/notify', {{type: 'i', value: 1}})\nsetInterval(() => send('/notify', {{type: 'i', value: 1}}), {})",
        RENEWAL * 1000
    );
    let session = json!({
        "createdWith": "Open Stage Control",
        "version": VERSION,
        "type": "session",
        "content": {
            "type": "root", "id": "root", "layout": "vertical", "onCreate": subscribe, "widgets": panels, "tabs": [],
        },
    });
    serde_json::to_string_pretty(&session).unwrap_or_default() + "\n"
}

fn panel(name: &str, widgets: Vec<Value>) -> Value {
    json!({
        "type": "panel", "id": format!("panel_{name}"), "html": format!("<div>{name}</div>"), "layout": "horizontal",
        "expand": true, "widgets": widgets, "tabs": [],
    })
}

fn widget(module: &str, parameter: &Parameter) -> Value {
    let (id, name) = (format!("{module}_{}", parameter.name), parameter.name);
    let mut widget = json!({
        "id": id, "address": catalogue::address(module, parameter), "default": parameter.default, "expand": true,
        "html": format!("<div>{name}</div>"), "comments": parameter.description, "preArgs": "", "ignoreDefaults": false,
    });
    let more = if parameter.choices.is_empty() {
        json!({
            "type": "fader", "design": "compact", "typeTags": "f", "decimals": 4, "doubleTap": true,
            "range": { "min": parameter.minimum, "max": parameter.maximum.at(RATE) }, "logScale": parameter.by_ratio,
        })
    } else {
        // Numbers, which is what the engine tells of.
        let values = parameter.choices.iter().enumerate().map(|(number, choice)| ((*choice).to_owned(), number.into()));
        json!({ "type": "dropdown", "typeTags": "i", "values": values.collect::<serde_json::Map<_, Value>>() })
    };
    if let (Some(widget), Value::Object(more)) = (widget.as_object_mut(), more) {
        widget.extend(more);
    }
    widget
}

fn gate(module: &str) -> Value {
    json!({
        "type": "button", "id": format!("gate_{module}"), "label": "gate", "mode": "toggle", "typeTags": "i", "on": 1, "off": 0,
        "address": format!("/gate/{module}"), "expand": true,
    })
}
