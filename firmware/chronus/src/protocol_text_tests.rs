use super::*;
use crate::control::{Quarantine, Quarantined};
use crate::report::{CardChoice, Counters, Facts, PassedOver, SlotState, status_pairs};
use rosc::OscType;

#[test]
fn protocol_md_is_what_the_tables_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../PROTOCOL.md");
    if std::env::var_os("CHRONUS_WRITE_PROTOCOL").is_some() {
        std::fs::write(path, protocol_markdown()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == protocol_markdown(),
        "PROTOCOL.md is out of date; write it again: CHRONUS_WRITE_PROTOCOL=1 cargo test -p chronus protocol"
    );
}

#[test]
fn the_layout_is_what_the_tables_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../board/common/open-stage-control.json");
    if std::env::var_os("CHRONUS_WRITE_PROTOCOL").is_some() {
        std::fs::write(path, layout::open_stage_control()).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == layout::open_stage_control(),
        "the layout is out of date; write it again: CHRONUS_WRITE_PROTOCOL=1 cargo test -p chronus protocol"
    );
}

/// All widgets of a session.
fn widgets(node: &serde_json::Value) -> Vec<&serde_json::Value> {
    let below = node["widgets"].as_array().map(Vec::as_slice).unwrap_or_default();
    std::iter::once(node).chain(below.iter().flat_map(widgets)).collect()
}

#[test]
fn what_the_layout_sends_is_taken_and_every_parameter_is_there_once() {
    use crate::input::{Request, When, catalogue, interpret_message};
    let session: serde_json::Value = serde_json::from_str(&layout::open_stage_control()).unwrap();
    let all = widgets(&session["content"]);
    let address = |widget: &serde_json::Value| widget["address"].as_str().map(str::to_owned);
    for (module, _, parameter) in catalogue::parameters(catalogue::power_on()) {
        let path = catalogue::address(module, parameter);
        assert_eq!(all.iter().filter(|widget| address(widget).as_ref() == Some(&path)).count(), 1, "{path}");
    }
    let number = |value: &serde_json::Value| value.as_f64().map(|number| rosc::OscType::Float(number as f32));
    for widget in all.iter().filter(|widget| widget["address"].is_string()) {
        let sent =
            [&widget["range"]["min"], &widget["range"]["max"], &widget["default"], &widget["on"], &widget["off"]];
        let chosen = widget["values"].as_object().into_iter().flat_map(|values| values.values());
        let mut messages: Vec<Vec<_>> =
            sent.into_iter().chain(chosen).filter_map(number).map(|one| vec![one]).collect();
        if widget["mode"] == "momentary" {
            messages.push(Vec::new());
        }
        assert!(!messages.is_empty(), "{widget}");
        for args in messages {
            let message = rosc::OscMessage { addr: address(widget).unwrap(), args };
            let taken = interpret_message(&message, When::Arrival(0), 48_000, catalogue::power_on());
            assert!(taken.iter().all(|one| matches!(one, Ok(Request::Apply(_) | Request::Identify))), "{message:?}");
        }
    }
}

#[test]
fn every_key_of_the_status_is_explained() {
    let facts = Facts {
        rate: 48_000,
        lead: 2,
        command_latency: 1,
        sink: String::new(),
        patch: Some(String::new()),
        recordings: Some(String::new()),
        data: Some("/nowhere".into()),
        real_time: String::new(),
        restarts: 0,
        continued_at: 0,
    };
    let counters = Counters::default();
    counters.streams.listening.store(true, std::sync::atomic::Ordering::Relaxed);
    counters.query.address.set(([127, 0, 0, 1], 1).into()).unwrap();
    counters.slots.iter().for_each(|slot| slot.set_state(SlotState::Lockstep));
    let other = PassedOver { card: String::new(), why: String::new() };
    counters.card_choice.note(&CardChoice { others: vec![other], ..CardChoice::default() });
    counters.card_refusal.note(Some("busy"));
    counters.record.change(|recorded| {
        let texts = [&mut recorded.file, &mut recorded.why, &mut recorded.keeping];
        texts.into_iter().for_each(|place| *place = Some(String::new()));
    });
    counters.load.name_modules(["sine"].into_iter());
    let mut quarantine = Quarantine::default();
    let operation = abi::Operation::Gate(2, true);
    let command = abi::Command { stamp: abi::Stamp::start_of(0), operation };
    quarantine.add(Quarantined::new(command, None, crate::input::catalogue::power_on()));
    let text = protocol_markdown();
    for pair in status_pairs(&facts, &counters, 0, 0, quarantine.pairs()).chunks_exact(2) {
        let OscType::String(key) = &pair[0] else { panic!("keys are strings") };
        // Of builds for tests only.
        if key.starts_with("faults.") {
            continue;
        }
        let key = key.replace(".0.", ".N.").replace(".1.", ".N.");
        let figures = ["count", "p50", "p99", "max"].iter().find_map(|figure| key.strip_suffix(&format!(".{figure}")));
        let row = format!("| `{}` |", figures.unwrap_or(&key));
        assert!(text.contains(&row), "{row} is missing in the table of the status");
    }
}

#[test]
fn protocol_text_names_everything() {
    let text = protocol_markdown();
    for kind in &dsp::instrument::KINDS {
        assert!(text.contains(&format!("### `{}`", kind.name)));
        assert!(kind.parameters.iter().all(|parameter| text.contains(&format!("| `{}` |", parameter.name))));
    }
    assert!(crate::input::PATCH_WORDS.iter().all(|(address, _)| text.contains(&format!("| `{address}` |"))));
    assert!(crate::input::TRACK_WORDS.iter().all(|(address, _)| text.contains(&format!("| `{address}` |"))));
    assert!(text.contains("rate/2 - 10 Hz") && text.contains("0 `lowpass`, 1 `highpass`, 2 `bandpass`"));
    assert!(Code::ALL.iter().all(|code| text.contains(&format!("| `{}` |", code.name()))));
    let braces = ["{one,two}", "{sine,filter}", "{\"COMMAND\""].into_iter();
    let text = braces.fold(text, |text, known| text.replace(known, ""));
    assert!(!text.contains('{'), "a place was not filled");
}
