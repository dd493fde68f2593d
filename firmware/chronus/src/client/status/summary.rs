//! The status in a few lines, for a person: first whether all is well, then where and how it plays, then what happened.

use serde_json::Value;

use crate::report::keeps_nothing;

/// What may have happened, with the key that counts it and what one of it means. Shown only if there was one.
const EVENTS: [(&str, &str); 14] = [
    ("late_blocks", "late blocks: gaps that were heard (TROUBLESHOOTING.md, \"late blocks\")"),
    ("device_lost", "times the sound card was lost"),
    ("started_over", "times the sound began anew with all defaults, as no worker survived what it was to play"),
    ("restarts", "times the whole engine was killed, and went on where it was"),
    ("divergences", "times the workers disagreed; the wrong one was replaced"),
    ("divergences_undecided", "times it could not be found out which of them was wrong"),
    ("damaged_copies", "blocks damaged in memory and not played; the other worker's were"),
    ("not_finite", "samples that were no number, played as silence"),
    ("commands.quarantined", "commands that a worker died of, left out since (--all lists them)"),
    ("commands.late", "commands after their time"),
    ("network.floods", "floods of OSC; their senders were kept out meanwhile"),
    ("network.dropped_by_kernel", "OSC datagrams lost, as they came faster than they could be taken"),
    ("recorder_drops", "blocks missing in the recording, as the disk was too slow or full"),
    ("load.overloads", "times the sound needed more than the time there is"),
];

/// The summary of a reply to `/health`.
pub fn summary(status: &Value) -> String {
    let mut lines = vec![verdict(status), String::new()];
    let rate = number(status, "rate").max(1);
    let seconds = number(status, "block") * abi::FRAMES as u64 / rate;
    let latency = number(status, "commands.latency_frames") as f64 * 1000.0 / rate as f64;
    lines.push(format!("playing   {} at {rate} Hz; a command is heard after {latency:.1} ms", duration(seconds)));
    lines.push(format!("sound     {}", sound(status)));
    lines.extend(workers(status));
    let commands = ["received", "applied", "refused"].map(|what| {
        let count = number(status, &format!("commands.{what}"));
        format!("{count} {what}")
    });
    lines.push(format!("commands  {}", commands.join(", ")));
    if let Some(percent) = find(status, "load.worker_percent").as_f64() {
        lines.push(format!("load      {percent:.1} % of the time there is for a block"));
    }
    lines.push(format!("rights    {}", find(status, "real_time").as_str().unwrap_or("not known")));
    lines.extend(light(status));
    lines.extend(kept(status));
    lines.extend(patch(status));
    lines.extend(recording(status));
    let xruns = ("xruns", "times the sound card ran dry");
    // Without a card nothing runs dry; what is counted is that this process was kept from its clock.
    let of_card = text(status, "sound_card") != "none";
    let events = of_card.then_some(xruns).into_iter().chain(EVENTS);
    let happened = events.filter(|(key, _)| number(status, key) > 0);
    lines.extend(happened.map(|(key, meaning)| format!("          {} {meaning}", number(status, key))));
    lines.push(String::new());
    lines.push("All that is counted: chronus status --all".to_string());
    lines.join("\n") + "\n"
}

/// One sentence.
fn verdict(status: &Value) -> String {
    let states = slots(status).map(|slot| text(slot, "state")).collect::<Vec<_>>();
    let alive = states.iter().filter(|state| **state == "lockstep").count();
    let late = number(status, "late_blocks");
    match (text(status, "sound_card"), alive) {
        ("lost", _) => "The sound card is lost; the engine keeps time until one is back.".to_string(),
        ("waiting", _) => match find(status, "card.refused").as_str() {
            Some(why) => format!("There is no sound; the engine keeps time and tries on. The reason:\n{why}"),
            None => "There is no sound card; the engine keeps time until one is plugged in.".to_string(),
        },
        (_, 0) => "No worker is in lockstep: if this stays so, it is silent. See the workers below.".to_string(),
        (_, 1) if states.len() > 1 => "It plays on one worker; the other one is being replaced.".to_string(),
        (_, 1) => "It plays on one worker, as it was told to.".to_string(),
        _ if patch(status).is_some() || find(status, "data").as_str().is_some_and(keeps_nothing) => {
            "It plays, but what you change is not kept: see below.".to_string()
        }
        _ if late > 0 => "Both workers are in lockstep. Not every block was in time.".to_string(),
        _ if text(status, "record.state") == "failed" => "It plays well, but the last recording broke off.".to_string(),
        _ => "All is well: both workers are in lockstep, no block was late.".to_string(),
    }
}

/// What the light says, and what one would say that is not there.
fn light(status: &Value) -> Option<String> {
    let (lamp, state) = (find(status, "led.lamp").as_str()?, text(status, "led.state"));
    match lamp {
        "off" => (state != "healthy").then(|| format!("light     none; it would say: {state}")),
        _ => Some(format!("light     {lamp}: {state}")),
    }
}

/// What becomes of what is changed, where it is not kept.
fn patch(status: &Value) -> Option<String> {
    (text(status, "patch.state") == "failing").then(|| {
        "patch     cannot be written: changes are lost with the power; the log of the engine says why".to_string()
    })
}

/// What is recorded, or why that broke off.
fn recording(status: &Value) -> Option<String> {
    let file = find(status, "record.file").as_str().unwrap_or("a file");
    match text(status, "record.state") {
        "recording" => Some(format!("recording {file}")),
        "failed" => Some(format!("recording broke off: {}", find(status, "record.why").as_str().unwrap_or(file))),
        _ => None,
    }
}

fn sound(status: &Value) -> String {
    let sink = text(status, "sink");
    match (find(status, "card.name").as_str(), text(status, "sound_card")) {
        (Some(name), state) => format!("{name}, {state}: {}", text(status, "card.why")),
        (None, "none") => format!("{sink}, no sound card"),
        (None, state) => format!("{sink}, {state}"),
    }
}

/// What became of the partition on which a box keeps things, where that is not as always.
fn kept(status: &Value) -> Option<String> {
    let words = match find(status, "data").as_str()? {
        "absent" => "the card has no partition DATA: nothing is kept over power cuts",
        "failed" => "DATA cannot be used: nothing is kept over power cuts; the card may be worn out",
        "anew" => "DATA was beyond repair and was made anew, with what could be read of it",
        "repaired" => "DATA was damaged and is repaired",
        _ => return None,
    };
    Some(format!("card      {words} (TROUBLESHOOTING.md, \"DATA\")"))
}

fn workers(status: &Value) -> impl Iterator<Item = String> {
    slots(status).enumerate().map(|(place, slot)| {
        let label = if place == 0 { "workers " } else { "        " };
        // Those that were declared hung or found wrong are among them: they were ended for it.
        let deaths = number(slot, "deaths");
        let survived = if deaths > 0 { format!(", {deaths} before it replaced") } else { String::new() };
        let (state, process) = (text(slot, "state"), number(slot, "pid"));
        format!("{label}  {}: {state}, process {process}{survived}", number(slot, "slot"))
    })
}

fn slots(status: &Value) -> impl Iterator<Item = &Value> {
    status["slots"].as_array().into_iter().flatten().filter(|slot| text(slot, "state") != "off")
}

/// The value at a dotted key; null if there is none.
fn find<'a>(status: &'a Value, key: &str) -> &'a Value {
    key.split('.').fold(status, |value, name| &value[name])
}

fn number(status: &Value, key: &str) -> u64 {
    find(status, key).as_u64().unwrap_or(0)
}

fn text<'a>(status: &'a Value, key: &str) -> &'a str {
    find(status, key).as_str().unwrap_or("not known")
}

fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn well() -> Value {
        let slot = |number, pid| json!({"slot": number, "pid": pid, "state": "lockstep", "deaths": 0});
        json!({"block": 13_500, "rate": 48_000, "sink": "paced", "sound_card": "none", "xruns": 7, "real_time": "none",
            "slots": [slot(0, 100), slot(1, 101)], "commands": {"received": 3, "latency_frames": 832}})
    }

    #[test]
    fn what_is_well_is_said_in_a_sentence_and_what_did_not_happen_is_not_said() {
        let summary = summary(&well());
        assert!(summary.starts_with("All is well: both workers are in lockstep, no block was late.\n"), "{summary}");
        assert!(summary.contains("1 min 12 s at 48000 Hz; a command is heard after 17.3 ms"), "{summary}");
        assert!(summary.contains("process 100\n") && summary.contains("process 101\n"), "{summary}");
        assert!(!summary.contains("ran dry") && !summary.contains("late blocks"), "{summary}");
        assert!(summary.lines().all(|line| line.len() < 80), "{summary}");
    }

    #[test]
    fn what_happened_is_named() {
        let mut status = well();
        (status["late_blocks"], status["sound_card"]) = (2.into(), "playing".into());
        let told = summary(&status);
        assert!(told.starts_with("Both workers are in lockstep. Not every"), "{told}");
        assert!(told.contains(" 2 late blocks") && told.contains(" 7 times the sound card ran dry"), "{told}");
        (status["slots"][1]["state"], status["slots"][1]["deaths"]) = ("joining".into(), 4.into());
        let told = summary(&status);
        assert!(told.starts_with("It plays on one worker; the other") && told.contains("101, 4 before"), "{told}");
        status["sound_card"] = "waiting".into();
        assert!(summary(&status).starts_with("There is no sound card; the engine keeps time"));
        status["card"] = json!({"refused": "it does not take 96000 Hz"});
        assert!(
            summary(&status).contains("tries on. The reason:\nit does not take 96000 Hz\n"),
            "{}",
            summary(&status)
        );
        status["sound_card"] = "lost".into();
        assert!(summary(&status).starts_with("The sound card is lost"));
    }

    #[test]
    fn a_reply_of_another_kind_is_no_reason_to_panic() {
        for odd in [json!({}), json!({"slots": 3, "rate": 0, "block": -1}), json!({"slots": [1, null], "load": "x"})] {
            assert!(summary(&odd).starts_with("No worker is in lockstep"));
        }
    }

    #[test]
    fn who_was_declared_hung_has_died_once() {
        let mut status = well();
        status["slots"][0] =
            json!({"slot": 0, "pid": 100, "state": "lockstep", "deaths": 5, "declared": 4, "wrong": 1});
        assert!(summary(&status).contains("process 100, 5 before it replaced"), "{}", summary(&status));
    }

    #[test]
    fn not_all_is_well_while_nothing_is_kept_or_a_recording_broke_off() {
        let mut status = well();
        (status["patch"], status["record"]) =
            (json!({"state": "kept"}), json!({"state": "recording", "file": "a.wav"}));
        let told = summary(&status);
        assert!(told.starts_with("All is well") && told.contains("recording a.wav\n"), "{told}");
        status["record"] = json!({"state": "failed", "why": "the disk is full"});
        let told = summary(&status);
        assert!(told.contains("the last recording broke off") && told.contains("off: the disk is full\n"), "{told}");
        status["data"] = "absent".into();
        status["late_blocks"] = 1.into();
        assert!(summary(&status).starts_with("It plays, but what you change is not kept"), "{}", summary(&status));
        status["data"] = "ok".into();
        status["patch"] = json!({"state": "failing"});
        let told = summary(&status);
        assert!(told.starts_with("It plays, but what you change is not kept") && told.contains("the log"), "{told}");
    }

    #[test]
    fn what_a_light_would_say_is_said() {
        let mut status = well();
        status["led"] = json!({"lamp": "off", "state": "healthy"});
        assert_eq!(light(&status), None);
        status["led"]["state"] = "identify".into();
        assert!(light(&status).is_some_and(|line| line.ends_with("it would say: identify")));
        status["led"]["lamp"] = "gpio:26".into();
        assert!(light(&status).is_some_and(|line| line.ends_with("gpio:26: identify")));
    }

    #[test]
    fn a_card_that_keeps_nothing_is_said() {
        let told = |word: &str| kept(&serde_json::json!({ "data": word }));
        for word in ["absent", "failed"] {
            assert!(told(word).is_some_and(|line| line.contains("nothing is kept")), "{word}");
        }
        assert!(told("anew").is_some() && told("repaired").is_some());
        assert_eq!((told("ok"), told("not yet"), kept(&Value::Null)), (None, None, None));
    }
}
