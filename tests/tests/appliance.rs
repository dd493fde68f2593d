//! The box's commands, as its units call them.

use std::path::Path;

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, call, number};
use serde_json::Value;

/// Conditions that a box is looked at for.
const CONDITIONS: u64 = 15;

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

#[test]
fn the_selftest_tells_of_everything_and_its_exit_code_is_the_sum() {
    let (code, json, error) = call(&["selftest", "--json"]);
    let report: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json} {error}"));
    assert_eq!(report["conditions"].as_array().expect("a list").len() as u64, CONDITIONS);
    let names = |key: &str| report[key].as_array().expect("a list").len() as u64;
    let all = number(&report, "held") + number(&report, "not_applicable") + names("failed") + names("unknown");
    assert_eq!(all, CONDITIONS, "{json}");
    assert_eq!(code == 0, names("failed") + names("unknown") == 0, "{json}");
    let (_, table, _) = call(&["selftest"]);
    for condition in report["conditions"].as_array().into_iter().flatten() {
        let name = condition["name"].as_str().expect("a name");
        assert!(table.lines().any(|line| line.starts_with(name)), "{name}: {table}");
    }
    for wrong in [["selftest", "--yaml"], ["tune", "--json"], ["tune", "now"]] {
        let (code, _, error) = call(&wrong);
        assert!(code == 2 && error.contains(&format!("chronus {} --help", wrong[0])), "{error}");
    }
}

#[test]
fn a_running_engine_tells_the_sum_in_its_status() {
    let engine = Engine::start(Build::Release, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    let status = engine.wait_until("a selftest", |status| status["selftest"]["held"].is_u64());
    let names = |list: &str| status["selftest"][list].as_array().map_or(0, |names| names.len() as u64);
    let all = number(&status, "selftest.held")
        + number(&status, "selftest.not_applicable")
        + names("failed")
        + names("unknown");
    assert_eq!(all, CONDITIONS, "{}", status["selftest"]);
}

#[test]
fn what_is_made_of_the_settings_is_what_the_engine_takes() {
    let folder = Folder::new("settings");
    let (file, out) = (folder.file("chronus.toml"), folder.file("run"));
    let engine_file = out.join("engine.toml");
    for (settings, expected) in [
        ("schema = 1\r\n[box]\r\nname = \"stage\"\r\n[engine]\r\nlead = 3\r\n", 0),
        ("schema = 1\n[engine]\nlead = 99\n", 1),
        ("this is no settings", 1),
    ] {
        std::fs::write(&file, settings).expect("a file");
        let (code, told, _) = call(&["check-config", text(&file)]);
        assert_eq!((code, out.exists()), (expected, false), "{told}");
        let (code, told_again, _) = call(&["apply-config", text(&file), "--into", text(&out)]);
        assert_eq!((code, &told_again), (expected, &told));
        for name in ["engine.toml", "name", "authorized_keys", "osc.dnssd", "oscjson.dnssd", "status.txt"] {
            assert!(out.join(name).is_file(), "{name}");
        }
        // Which card is on the pins is known only if nothing is wrong, and what was known before does not hold.
        assert_eq!(out.join("hat").is_file(), expected == 0, "{told}");
        std::fs::write(out.join("hat"), "").expect("a file");
        call(&["apply-config", text(&file), "--into", text(&out)]);
        assert_eq!(out.join("hat").is_file(), expected == 0, "{told}");
        // A box's engine insists on real time and a card; here it plays without.
        let (code, _, error) = call(&[
            "run",
            "--config",
            text(&engine_file),
            "--sink",
            "paced",
            "--real-time",
            "off",
            "--osc",
            "127.0.0.1:0",
            "--blocks",
            "20",
        ]);
        assert_eq!(code, 0, "{error}");
        std::fs::remove_dir_all(&out).expect("a folder");
    }
    let (code, told, _) = call(&["apply-config", text(&folder.file("absent.toml")), "--into", text(&out)]);
    assert!(code == 1 && told.contains("there is no file") && engine_file.is_file(), "{told}");
    assert_eq!(call(&["apply-config", text(&file)]).0, 2);
    assert_eq!(call(&["check-config"]).0, 2);
    // A pipe to which nobody writes is not waited for.
    let pipe = folder.file("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).expect("a pipe");
    for command in [&["check-config", text(&pipe)][..], &["apply-config", text(&pipe), "--into", text(&out)]] {
        let (code, told, _) = call(command);
        assert!(code == 1 && told.contains("it is a pipe, not a regular file"), "{told}");
    }
    // What is in a file and in its name is shown as what it is, and nothing of it makes a line of its own.
    let odd = folder.file("a\u{202e}lmot.\nb");
    for (content, code) in
        [("schema = 1\n", 0), ("schema = 1\n\"x\u{202e}\\ny\" = \"\u{2066}\"\n[engine]\nsink = \"\u{202e}\"\n", 1)]
    {
        std::fs::write(&odd, content).expect("a file");
        let (ended, told, error) = call(&["check-config", text(&odd)]);
        assert_eq!(ended, code, "{told}{error}");
        assert!(told.contains(r"\u{202e}") && !told.contains(['\u{202e}', '\u{2066}']), "{told}");
        assert_eq!(told.lines().count(), if code == 0 { 1 } else { 2 }, "{told}");
    }
    let (_, _, error) = call(&["\u{202e}start"]);
    assert!(error.contains(r"'\u{202e}start'"), "{error}");
    let (_, _, error) = call(&["render", text(&odd), "x.wav"]);
    assert!(error.contains(r"a\u{202e}lmot.") && !error.contains('\u{202e}'), "{error}");
}
