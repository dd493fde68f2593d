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
    assert!(!text.replace("{one,two}", "").replace("{sine,filter}", "").contains('{'), "a place was not filled");
}
