//! chronus.toml as a whole: every mistake costs what it is about, and nothing else.

use super::*;
use crate::appliance::MadeUp;
use crate::command_line::RunOptions;
use finding::Severity;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f anna@desk";

fn good() -> String {
    format!(
        "schema = 1\n\n[box]\nname = \"Stage-Left\"\n\n[audio]\nhat = \"hifiberry-dac\"\n\n[ssh]\nkeys = [\"{KEY}\"]\n\n\
         [engine]\nlead = 3\n\n[osc]\nlisten = \"0.0.0.0:6000\"\n"
    )
}

fn read(text: &[u8]) -> Settings {
    let made_up = MadeUp::new("settings");
    made_up.write("proc/device-tree/serial-number", "10000000a1b2c3d4\0");
    std::fs::write(made_up.machine().path("chronus.toml"), text).unwrap();
    let machine = made_up.machine();
    Settings::read(&machine.path("chronus.toml"), &machine)
}

/// The content of one of the files.
fn file(settings: &Settings, name: &str) -> String {
    settings.files().into_iter().find(|(file, _)| *file == name).unwrap().1.unwrap_or_default()
}

fn options(settings: &Settings) -> RunOptions {
    let text = file(settings, "engine.toml");
    RunOptions::of_configuration(&text).unwrap_or_else(|wrong| panic!("{text}\n{wrong}"))
}

/// Lines, severities and texts of what is wrong.
fn findings(settings: &Settings) -> Vec<(Option<usize>, Severity, &str)> {
    settings.findings.iter().map(|finding| (finding.line, finding.severity, finding.text.as_str())).collect()
}

#[test]
fn a_good_file_is_what_was_wanted_in_any_editor() {
    let (unix, windows) = (good(), good().replace('\n', "\r\n"));
    for text in [unix.clone(), windows.clone(), format!("\u{feff}{windows}")] {
        let settings = read(text.as_bytes());
        assert_eq!(findings(&settings), []);
        assert_eq!(file(&settings, "name"), "stage-left\n");
        assert_eq!(file(&settings, "hat"), "dtoverlay=\ndtoverlay=hifiberry-dac\ndtoverlay=\ndtparam=i2s=on\n");
        assert_eq!(file(&settings, "authorized_keys"), format!("{KEY}\n"));
        let options = options(&settings);
        assert_eq!((options.lead, options.osc.unwrap().port()), (3, 6000));
        assert_eq!(file(&settings, "status.txt"), file(&read(unix.as_bytes()), "status.txt"));
    }
}

#[test]
fn a_wrong_value_costs_its_section_and_no_other() {
    for (right, wrong, line, hint) in [
        ("\"Stage-Left\"", "\"Stage Left\"", 4, "letters"),
        ("\"hifiberry-dac\"", "\"hifibery-dac\"", 7, "did you mean \"hifiberry-dac\""),
        ("keys = [", "keys = 1 # [", 10, "a list (in brackets) is needed"),
        ("lead = 3", "lead = 9", 13, "1 to 4"),
        ("\"0.0.0.0:6000\"", "6000", 16, "text (in quotation marks) is needed"),
    ] {
        let settings = read(good().replace(right, wrong).as_bytes());
        let found = findings(&settings);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].1), (Some(line), Severity::Error), "{found:?}");
        assert!(found[0].2.contains(hint) && found[0].2.contains("For example: "), "{found:?}");
        let holds = [
            file(&settings, "name") == "stage-left\n",
            file(&settings, "hat").contains("hifiberry-dac"),
            file(&settings, "authorized_keys").contains("anna"),
            options(&settings).lead == 3,
            options(&settings).osc.unwrap().port() == 6000,
        ];
        // Sections stand three lines apart.
        let expected = std::array::from_fn(|section| section != (line - 4) / 3);
        assert_eq!(holds, expected, "{wrong}");
    }
}

#[test]
fn a_wrong_key_costs_that_key_and_no_other() {
    let keys = format!("keys = [\n\"ssh-ed25519 AAAA\",\n\"{KEY}\",\n7,\n\"{}\"]", KEY.replace("anna", "ben"));
    let settings = read(good().replace(&format!("keys = [\"{KEY}\"]"), &keys).as_bytes());
    let found = findings(&settings);
    let lines: Vec<_> = found.iter().map(|(line, severity, _)| (*line, *severity)).collect();
    assert_eq!(lines, [(Some(11), Severity::Warning), (Some(13), Severity::Warning)], "{found:?}");
    assert!(found[0].2.contains("number 1 of the list") && found[0].2.contains("copy the whole line"), "{found:?}");
    assert!(found[1].2.contains("number 3 of the list") && found[1].2.contains("not text"), "{found:?}");
    assert_eq!(file(&settings, "authorized_keys"), format!("{KEY}\n{}\n", KEY.replace("anna", "ben")));
    assert!(file(&settings, "status.txt").contains("one of the 2 keys"));
}

#[test]
fn the_card_on_the_pins_is_taken_away_only_by_a_file_with_nothing_wrong() {
    let hat = |settings: &Settings| settings.files().into_iter().find(|(name, _)| *name == "hat").unwrap().1;
    let whole = read(good().replace("hat = \"hifiberry-dac\"", "").as_bytes());
    assert_eq!(hat(&whole), Some(Hat::Auto.firmware_lines() + "dtparam=i2s=on\n"));
    for (right, wrong) in [
        ("\"hifiberry-dac\"", "\"hifiberry-dac"),
        ("\"hifiberry-dac\"", "\"hifibery-dac\""),
        ("[audio]", "[adio]"),
        ("hat =", "hatt ="),
        ("[box]", "[box"),
    ] {
        let settings = read(good().replace(right, wrong).as_bytes());
        assert_eq!(hat(&settings), None, "{wrong}");
        assert!(file(&settings, "status.txt").contains("left as it is"), "{wrong}");
    }
    // What is said of it holds, whatever is wrong elsewhere.
    let elsewhere = read(good().replace("lead = 3", "lead = 9").as_bytes());
    assert!(hat(&elsewhere).is_some_and(|lines| lines.contains("hifiberry-dac")));
}

#[test]
fn what_nobody_knows_is_left_out_and_the_rest_of_its_section_holds() {
    for (right, wrong, line, hint) in [
        ("lead = 3", "laed = 4\nlead = 3", Some(13), "did you mean lead?"),
        ("lead = 3", "lead = 3\nname = \"x\"", Some(14), "belongs below [box]"),
        ("lead = 3", "lead = 3\nvolume = 11", Some(14), "there is sink"),
        ("[osc]", "[enigne]\nlead = 1\n\n[osc]", Some(15), "did you mean [engine]?"),
        ("[osc]", "[wifi]\nssid = 1\n\n[osc]", Some(15), "there is [box]"),
        ("schema = 1", "schema = 1\nhat = \"none\"", Some(2), "belongs below [audio]"),
        ("schema = 1", "", None, "schema = 1 is missing"),
    ] {
        let settings = read(good().replace(right, wrong).as_bytes());
        let found = findings(&settings);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].1), (line, Severity::Warning), "{found:?}");
        assert!(found[0].2.contains(hint), "{found:?}");
        assert_eq!((options(&settings).lead, file(&settings, "name").as_str()), (3, "stage-left\n"), "{wrong}");
    }
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let settings = read(b"schema = 2\n[osc]\nlisten = 1\n[box]\nname = 1\nnmae = 2\n[engine]\nlead = 0\nrate = 1\n");
    let lines: Vec<_> = settings.findings.iter().map(|finding| finding.line.unwrap_or(0)).collect();
    assert_eq!(lines, [1, 3, 5, 6, 8, 9]);
}

#[test]
fn what_does_not_go_together_is_said_and_the_box_plays() {
    // Without OSC nobody sets values that could be kept; the box's own default gives way.
    let settings = read(b"schema = 1\n[osc]\nlisten = \"off\"\n");
    assert_eq!((findings(&settings), options(&settings).osc), (vec![], None));
    let settings = read(b"schema = 1\n[engine]\npatch = \"/data/presets/a.toml\"\nlead = 3\n[osc]\nlisten = \"off\"\n");
    let found = findings(&settings);
    assert!(found.len() == 1 && found[0].2.contains("OSC is off"), "{found:?}");
    assert_eq!(options(&settings).lead, 2);
    assert!(options(&settings).osc.is_some() && file(&settings, "engine.toml").contains("last.toml"));
}

#[test]
fn what_is_no_settings_at_all_costs_all_settings_and_not_the_sound() {
    let cut = &good()[..good().find("hifi").unwrap()];
    let twice = format!("{}\n[box]\n", good());
    for (text, line, severity, hint) in [
        (&b""[..], None, Severity::Warning, "is empty"),
        (&[0; 4096], None, Severity::Warning, "is empty"),
        (b"PK\x03\x04\x14\x00\x06", Some(1), Severity::Error, "cannot be understood"),
        (cut.as_bytes(), Some(7), Severity::Error, "cannot be understood"),
        (twice.as_bytes(), Some(18), Severity::Error, "twice"),
        ("[".repeat(60_000).as_bytes(), Some(1), Severity::Error, "cannot be understood"),
    ] {
        let settings = read(text);
        let found = findings(&settings);
        assert!(!found.is_empty() && found[0].0 == line && found[0].1 == severity, "{found:?}");
        assert!(found[0].2.contains(hint), "{found:?}");
        assert_eq!(file(&settings, "name"), "chronus-c3d4\n");
        assert_eq!((file(&settings, "authorized_keys").as_str(), settings.hat), ("", None));
        assert_eq!(options(&settings).lead, RunOptions::default().lead);
    }
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let made_up = MadeUp::new("no-settings");
    let machine = made_up.machine();
    let settings = Settings::read(&machine.path("chronus.toml"), &machine);
    assert!(findings(&settings)[0].2.contains("there is no file") && settings.hat.is_none());
    assert_eq!(file(&settings, "name"), "chronus\n");
}

#[test]
fn the_status_names_every_mistake_and_what_holds() {
    let settings = read(good().replace("lead = 3", "lead = 3\nvolume = 1").as_bytes());
    let told = file(&settings, "status.txt");
    for said in ["One thing is wrong", "line 14: warning: ", "stage-left.local", "HiFiBerry DAC", "one key", "lead = 3"]
    {
        assert!(told.contains(said), "{said}: {told}");
    }
    assert!(file(&read(good().as_bytes()), "status.txt").contains("Nothing is wrong"));
}

#[test]
fn the_template_of_the_card_is_right() {
    let template = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board/common/chronus.toml");
    let Ok(text) = std::fs::read(&template) else {
        println!("SKIPPED the template of the card: there is no {}", template.display());
        return;
    };
    let settings = read(&text);
    assert_eq!(findings(&settings), []);
    assert_eq!(file(&settings, "name"), "chronus-c3d4\n", "the template is the same for every box");
    // With every line taken in that is shown; the key is cut there.
    let shown = String::from_utf8(text).unwrap().replace("ssh-ed25519 AAAA... me@laptop", KEY);
    let taken = |line: &str| {
        line.strip_prefix('#')
            .filter(|rest| rest.starts_with(|first: char| first.is_alphabetic() || first == '['))
            .map(str::to_owned)
    };
    let all: Vec<_> = shown.lines().map(|line| taken(line).unwrap_or_else(|| line.to_owned())).collect();
    assert_ne!(all.join("\n"), shown.trim_end());
    assert_eq!(findings(&read(all.join("\n").as_bytes())), []);
}

#[test]
fn a_mistake_is_blinked_by_the_number_of_its_section_and_the_light_goes_on() {
    let with = |text: String| read((text + "\n[led]\nstatus = \"gpio:23\"\n").as_bytes());
    assert!(file(&with(good()), "engine.toml").ends_with("\n[led]\nstatus = \"gpio:23\"\n"));
    for (right, wrong, code) in [
        ("\"Stage-Left\"", "\"Stage Left\"", 2),
        ("\"hifiberry-dac\"", "\"hifibery-dac\"", 3),
        ("keys = [", "keys = 7 # [", 4),
        ("lead = 3", "lead = 9", 5),
        ("\"0.0.0.0:6000\"", "6000", 6),
    ] {
        let settings = with(good().replace(right, wrong));
        assert_eq!((settings.code(), options(&settings).led_code), (code, code), "{wrong}");
        assert_eq!(options(&settings).led, LightChoice::Gpio(23));
        // Where nobody knows which sound card is meant, all that the firmware is told stays as it is: the light too.
        let lines = settings.files().into_iter().find(|(name, _)| *name == "hat").and_then(|(_, lines)| lines);
        assert_eq!(
            lines.map(|lines| lines.contains("dtoverlay=gpio-led,gpio=23,")),
            (code != 3).then_some(true),
            "{wrong}"
        );
        assert!(file(&settings, "status.txt").contains(&format!("gpio:23, which blinks {code} times")));
    }
    let warned = with(good().replace("lead = 3", "laed = 3"));
    assert_eq!((warned.code(), findings(&warned).len()), (0, 1), "what is left out is no mistake to blink");
}

#[test]
fn a_light_that_cannot_be_is_named_with_its_line() {
    for (status, hint, light) in [
        ("\"gpio:18\"", "PCM_CLK", LightChoice::Off),
        ("\"gpio:0\"", "ID_SD", LightChoice::Off),
        ("\"gpio:40\"", "no GPIO 40", LightChoice::Off),
        ("23", "text (in quotation marks) is needed", LightChoice::Off),
        ("\"gpio:22\"", "", LightChoice::Gpio(22)),
    ] {
        let settings = read((good() + "\n[led]\nstatus = " + status + "\n").as_bytes());
        let found = findings(&settings);
        if light == LightChoice::Off {
            assert_eq!((found.len(), found[0].0, found[0].1), (1, Some(19), Severity::Error), "{found:?}");
            assert!(found[0].2.contains(hint) && found[0].2.contains("For example: "), "{found:?}");
            // Nobody knows which light is meant: the one there is stays, to tell of it.
            assert_eq!((settings.code(), settings.light_in_doubt), (7, true));
            assert!(file(&settings, "hat").ends_with("# light: as it is\n"));
        }
        assert_eq!(settings.light, light, "{status}");
        assert_eq!(options(&settings).lead, 3);
    }
    // Where no sound card sits on the pins they are free.
    let settings = read(b"schema = 1\n[led]\nstatus = \"gpio:18\"\n");
    assert_eq!((findings(&settings), &settings.light), (vec![], &LightChoice::Gpio(18)));
    assert!(!file(&settings, "hat").contains("i2s"), "I2S would take the pin");
}

const CONTROLS: &str = "\n[[control]]\nkind = \"encoder\"\npins = [17, 27]\naddress = \"/mod/filter/cutoff\"\n\n\
    [[control]]\nkind = \"button\"\npin = 22\npress = \"/gate/adsr 1\"\n";

#[test]
fn controls_are_for_the_engine_and_a_mistake_costs_its_control() {
    let settings = read((good() + CONTROLS).as_bytes());
    assert_eq!((findings(&settings), options(&settings).controls.len()), (vec![], 2));
    let engine = file(&settings, "engine.toml");
    assert!(engine.contains("[surface]") && engine.contains("/chronus.toml\""), "{engine}");
    assert!(file(&settings, "status.txt").contains("controls: encoder on GPIO 17 27, button on GPIO 22"));
    // The file without them has 16 lines, and an empty one comes before each.
    for (right, wrong, line, severity, left, hint) in [
        ("[17, 27]", "[17, 21]", 20, Severity::Error, 1, "sound card on the pins"),
        ("pin = 22", "pin = 17", 25, Severity::Error, 1, "GPIO 17 is used by control 1 (encoder)"),
        ("pin = 22", "pni = 22\npin = 22", 25, Severity::Warning, 2, "did you mean pin?"),
        ("\"button\"", "\"pot\"", 24, Severity::Error, 1, "analogue"),
        ("/gate/adsr 1", "/gate/adrs 1", 26, Severity::Error, 1, "did you mean /gate/adsr"),
        ("kind = \"button\"\n", "", 23, Severity::Error, 1, "it has no kind"),
        (
            "[[control]]\nkind = \"button\"",
            "[[contorl]]\nkind = \"button\"",
            23,
            Severity::Warning,
            1,
            "did you mean [[control]]?",
        ),
    ] {
        let settings = read((good() + CONTROLS).replace(right, wrong).as_bytes());
        let found = findings(&settings);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].1), (Some(line), severity), "{found:?}");
        assert!(found[0].2.contains(hint), "{found:?}");
        assert_eq!((options(&settings).controls.len(), options(&settings).lead), (left, 3), "{wrong}");
    }
    let light = read((good() + CONTROLS + "\n[led]\nstatus = \"gpio:22\"\n").as_bytes());
    assert!(
        findings(&light).iter().any(|one| one.2.contains("GPIO 22 is used by the light")),
        "{:?}",
        findings(&light)
    );
    // Beside a card that is set up over them two pins are not for controls.
    let first = (good() + CONTROLS).replace("pin = 22", "pin = 3");
    assert_eq!(findings(&read(first.as_bytes())), [], "hifiberry-dac needs the sound alone");
    let over = read(first.replace("hifiberry-dac\"", "hifiberry-dacplus\"").as_bytes());
    let found = findings(&over);
    assert_eq!((found.len(), found[0].0, options(&over).controls.len()), (1, Some(25), 1), "{found:?}");
    for said in ["GPIO 3", "[audio] hat = \"hifiberry-dacplus\"", "set up", "I2C (SCL)", "take another"] {
        assert!(found[0].2.contains(said), "{said}: {found:?}");
    }
    // What is played by knobs alone is kept too.
    let alone = read(format!("schema = 1\n[osc]\nlisten = \"off\"\n{CONTROLS}").as_bytes());
    assert!(options(&alone).patch.is_some() && options(&alone).osc.is_none());
    let single = read((good() + "\n[control]\nkind = \"button\"\n").as_bytes());
    assert!(findings(&single)[0].2.contains("[[control]], in two brackets"), "{:?}", findings(&single));
}

#[test]
fn the_file_of_a_box_is_one_for_any_computer_too() {
    let controls = "[[control]]\nkind = \"button\"\npin = 22\npress = \"/gate/adsr 1\"\n";
    let boxes = "schema = 1\n[box]\nname = \"stage\"\n[audio]\nhat = \"auto\"\n[ssh]\nkeys = []\n";
    let options = RunOptions::of_configuration(&format!("{boxes}{controls}")).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(options.controls.len(), 1);
    assert!(RunOptions::of_configuration("scheme = 1\n").is_err());
}
