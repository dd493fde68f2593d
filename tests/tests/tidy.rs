//! Promise 7: the boundaries hold. Lints what no compiler checks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use chronus_tests::build::project;

/// No file is longer: what does not fit is two things.
const MOST_LINES: usize = 400;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![project().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten()
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("source is text");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

/// The code without comments and without the tests at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    production.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn complain(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn place(path: &Path, line: usize) -> String {
    format!("{}:{}", path.strip_prefix(project()).unwrap_or(path).display(), line + 1)
}

/// Whether `line` names the module, crate or type `word`: as the head of a path, or right below the crate.
fn names(line: &str, word: &str) -> bool {
    let is_type = word.starts_with(char::is_uppercase);
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
        let whole = !before.ends_with(part_of_a_word) && !after.starts_with(part_of_a_word);
        whole && (is_type || after.starts_with("::") || before.ends_with("crate::"))
    })
}

#[test]
fn unsafe_lives_in_shm_and_rt_and_each_has_its_reason() {
    let mut problems = Vec::new();
    for crate_name in ["abi", "dsp", "chronus"] {
        let root = if crate_name == "chronus" { "main.rs" } else { "lib.rs" };
        let path = project().join("firmware").join(crate_name).join("src").join(root);
        if !std::fs::read_to_string(&path).expect("a crate root").contains("#![forbid(unsafe_code)]") {
            problems.push(format!("{}: does not forbid unsafe code", path.display()));
        }
    }
    for (path, text) in sources("firmware").into_iter().chain(sources("tests")) {
        let allowed = ["firmware/shm/", "firmware/rt/"].iter().any(|folder| path.to_string_lossy().contains(folder));
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in code(&text) {
            let used = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait"].iter().any(|form| line.contains(form));
            let quoted = line.contains("\"unsafe ");
            if !used || quoted {
                continue;
            }
            if !allowed {
                problems.push(format!("{}: unsafe outside shm and rt", place(&path, number)));
            }
            // The reason stands right above, in the comment block that ends at this statement.
            let reasons = lines[..number].iter().rev().take(8).take_while(|above| !above.trim().is_empty());
            let mut reasons = reasons.map(|above| above.trim_start());
            if !line.contains("unsafe fn")
                && !reasons.any(|above| above.starts_with("// SAFETY:") || above.starts_with("/// # Safety"))
            {
                problems.push(format!("{}: unsafe without a SAFETY line", place(&path, number)));
            }
        }
    }
    complain(problems);
}

#[test]
fn data_flows_one_way() {
    // Who must not name whom (ARCHITECTURE.md, invariants).
    let forbidden: [(&str, &[&str]); 6] = [
        ("firmware/chronus/src/audio", &["dsp", "rosc", "input", "supervise", "stamp", "control", "command_line"]),
        (
            "firmware/chronus/src/worker",
            &["input", "stamp", "clock", "Instant", "SystemTime", "rosc", "audio", "supervise"],
        ),
        ("firmware/chronus/src/input", &["audio", "worker", "supervise", "stamp", "shm", "control"]),
        ("firmware/chronus/src/supervise", &["dsp", "input", "stamp", "rosc", "EngineState"]),
        ("firmware/chronus/src/report", &["dsp", "input", "stamp", "worker", "audio", "supervise"]),
        ("firmware/dsp", &["shm", "rt", "std", "nix", "libc"]),
    ];
    let mut problems = Vec::new();
    for (folder, words) in forbidden {
        let production = |path: &Path| !path.to_string_lossy().ends_with("tests.rs");
        for (path, text) in sources(folder).into_iter().filter(|(path, _)| production(path)) {
            for (number, line) in code(&text) {
                for word in words.iter().filter(|word| names(line, word)) {
                    problems.push(format!("{}: {folder} must not name {word}", place(&path, number)));
                }
            }
        }
    }
    complain(problems);
}

#[test]
fn crates_depend_only_downwards() {
    let allowed: [(&str, &[&str]); 4] = [("abi", &[]), ("dsp", &["abi"]), ("shm", &["abi"]), ("rt", &[])];
    let mut problems = Vec::new();
    for (name, may) in allowed {
        let manifest = project().join("firmware").join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).expect("a manifest");
        for other in ["abi", "dsp", "shm", "rt", "chronus"] {
            let depends = text
                .lines()
                .any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} =")));
            if depends && !may.contains(&other) {
                problems.push(format!("{name} must not depend on {other}"));
            }
        }
    }
    complain(problems);
}

#[test]
fn files_are_short_and_nothing_is_left_undone() {
    let unfinished = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let marks = [["FIX", "ME"].concat(), ["XX", "X"].concat(), ["#[ign", "ore"].concat()];
    let vague = ["manager", "helper", "utils"];
    let mut problems = Vec::new();
    for (path, text) in sources("firmware").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            problems.push(format!("{}: {lines} lines, over {MOST_LINES}", place(&path, 0)));
        }
        for (number, line) in text.lines().enumerate() {
            for mark in unfinished.iter().chain(&marks).filter(|mark| line.contains(mark.as_str())) {
                problems.push(format!("{}: {mark}", place(&path, number)));
            }
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        problems.extend(
            vague
                .iter()
                .filter(|word| name.contains(*word))
                .map(|word| format!("{}: '{word}' says nothing", place(&path, 0))),
        );
    }
    complain(problems);
}

#[test]
fn every_public_name_is_documented() {
    for name in ["abi", "dsp", "shm", "rt", "chronus"] {
        let text =
            std::fs::read_to_string(project().join("firmware").join(name).join("Cargo.toml")).expect("a manifest");
        assert!(text.contains("[lints]\nworkspace = true"), "{name} does not take the workspace's lints");
    }
    let workspace = std::fs::read_to_string(project().join("Cargo.toml")).expect("a manifest");
    assert!(
        workspace.contains("missing_docs = \"warn\"") && workspace.contains("undocumented_unsafe_blocks = \"deny\"")
    );
}

/// What lies at the top, for git: recordings and notes of a user who plays right here are none of it. Without git
/// (an unpacked archive), what lies there.
fn top_level() -> BTreeSet<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(project()).output();
    if let Some(listed) = listed.ok().filter(|listed| listed.status.success() && !listed.stdout.is_empty()) {
        let paths = String::from_utf8_lossy(&listed.stdout).into_owned();
        return paths.split_terminator('\0').filter_map(|path| path.split('/').next().map(str::to_owned)).collect();
    }
    let entries = std::fs::read_dir(project()).expect("the project").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.ends_with(".wav") && !name.ends_with(".osc")).collect()
}

#[test]
fn the_top_level_is_as_agreed() {
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "rustfmt.toml",
        "firmware",
        "board",
        "buildroot",
        "systemd",
        "scripts",
        "tests",
        "README.md",
        "ARCHITECTURE.md",
        "PROTOCOL.md",
        "TROUBLESHOOTING.md",
        "BENCHMARKS.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        ".ci",
        ".git",
        ".gitignore",
        "target",
    ];
    let mut problems = Vec::new();
    for name in top_level() {
        if !agreed.contains(&name.as_str()) {
            problems.push(format!("{name}: not part of the agreed top level"));
        }
    }
    complain(problems);
}
