//! The image: that Buildroot and the kernel take every line of ours, and that the scripts which see to it do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use chronus_tests::build::project;
use chronus_tests::engine::Folder;
use chronus_tests::script::{BOARDS, board, command, lines, there_is, told};
use chronus_tests::skipped;

/// The names that a fragment sets.
fn names(fragment: &str) -> BTreeSet<String> {
    let setting = |line: &str| {
        let line = line.trim();
        let name = match line.strip_prefix("# ").and_then(|rest| rest.strip_suffix(" is not set")) {
            Some(name) => name,
            None => line.split_once('=')?.0,
        };
        let known = name.starts_with("BR2_") || name.starts_with("CONFIG_");
        (known && !name.contains(' ')).then(|| name.to_owned())
    };
    fragment.lines().filter_map(setting).collect()
}

#[test]
fn the_fragments_use_names_that_were_found_in_effect() {
    let folders = ["common", "rpi", "rpi4", "rpi5", "vm"];
    let fragments =
        folders.iter().flat_map(|folder| ["buildroot", "linux"].map(|kind| format!("{folder}/{kind}.fragment")));
    let fragments = fragments.filter(|file| project().join("board").join(file).exists());
    let used: BTreeSet<_> = fragments.flat_map(|file| names(&board(&file))).collect();
    let list = board("accepted-names.txt");
    let accepted: BTreeSet<_> = lines(&list).filter(|line| !line.starts_with('[')).map(str::to_owned).collect();
    let (strange, idle): (Vec<_>, Vec<_>) =
        (used.difference(&accepted).collect(), accepted.difference(&used).collect());
    assert!(strange.is_empty() && idle.is_empty(), "not tried: {strange:?}; not used: {idle:?}");
    let script = std::fs::read_to_string(project().join("scripts/lib/buildroot.sh")).expect("a script");
    let pinned = script.lines().find_map(|line| line.strip_prefix("readonly BUILDROOT_VERSION=")).expect("a version");
    assert!(list.contains(&format!("[buildroot {pinned}: ")), "the list is for the Buildroot that is built, {pinned}");
    for name in ["CONFIG_PREEMPT_RT", "CONFIG_NO_HZ_FULL", "CONFIG_CPU_ISOLATION", "CONFIG_RCU_NOCB_CPU"] {
        assert!(board("common/linux.fragment").lines().any(|line| line == format!("{name}=y")), "{name}");
    }
}

/// Runs a piece of bash with the scripts' functions.
fn with_functions(parts: &[&str], piece: &str) -> (bool, String) {
    let sourced: String = parts.iter().map(|part| format!(". scripts/lib/{part}.sh; ")).collect();
    let mut bash = command("bash");
    bash.current_dir(project())
        .args(["-c", &format!("set -euo pipefail; ROOT=$PWD TARGET_DIR=/nowhere; {sourced}{piece}")]);
    let output = bash.output().expect("bash starts");
    (output.status.success(), told(&output))
}

#[test]
fn a_line_that_is_not_in_effect_stops_the_build_and_is_named() {
    let folder = Folder::new("lines");
    let (config, fragment) = (folder.file(".config"), folder.file("linux.fragment"));
    std::fs::write(&config, "CONFIG_HZ=250\n# CONFIG_PREEMPT_RT is not set\nCONFIG_SQUASHFS=y\n").expect("a file");
    let hold = |text: &str| {
        std::fs::write(&fragment, text).expect("a file");
        let call = format!("hold_lines 'the kernel' CONFIG_ '{}' '{}'", config.display(), fragment.display());
        with_functions(&["message", "buildroot"], &call)
    };
    assert_eq!(hold("# a comment\nCONFIG_SQUASHFS=y\n"), (true, String::new()));
    for (line, there) in [
        ("CONFIG_PREEMPT_RT=y", "there is: # CONFIG_PREEMPT_RT is not set"),
        ("CONFIG_SQUASHFS=m", "there is: CONFIG_SQUASHFS=y"),
        ("CONFIG_PREMPT_RT=y", "there is: nothing of that name"),
        ("CONFIG_HZ=2500", "there is: CONFIG_HZ=250"),
        ("# CONFIG_SQUASHFS is not set", "there is: CONFIG_SQUASHFS=y"),
    ] {
        let (held, said) = hold(&format!("CONFIG_HZ=250\n{line}\n"));
        assert!(!held && said.contains(line) && said.contains(there) && said.contains("1 of our lines"), "{said}");
    }
}

#[test]
fn progress_counts_the_packages_that_are_finished_by_what_they_cost() {
    let folder = Folder::new("progress");
    for package in ["host-libtool-2.4.7", "libtool-2.4.7", "linux-6.12-rc1", "half-1"] {
        std::fs::create_dir_all(folder.file("build").join(package)).expect("a folder");
        if package != "half-1" {
            std::fs::write(folder.file("build").join(package).join(".stamp_installed"), "").expect("a stamp");
        }
    }
    std::fs::write(folder.file("order"), "host-libtool\nlinux\nhalf\nother\nlinux\n").expect("a file");
    let out = folder.file(".");
    let call = format!("done_weight '{}' '{}'", out.display(), folder.file("order").display());
    let (_, said) = with_functions(&["message", "buildroot", "progress"], &call);
    // Finished: host-libtool and linux, but neither `half`, nor the other libtool, which is not to be built.
    assert_eq!(said.trim(), "1530 1550 2 4");
}

#[test]
fn the_scripts_are_clean() {
    if !there_is("shellcheck") {
        skipped("image: scripts", "no shellcheck here; as root: apt-get install shellcheck");
        return;
    }
    let mut scripts: Vec<PathBuf> = vec![project().join("board/common/make-card")];
    for folder in ["scripts", "scripts/lib", "board/overlay/usr/lib/chronus", "tests/box"] {
        let entries = std::fs::read_dir(project().join(folder)).expect("a folder").flatten();
        scripts.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    assert!(scripts.len() >= 16, "{scripts:?}");
    let output = command("shellcheck").arg("-x").args(&scripts).output().expect("shellcheck starts");
    assert!(output.status.success(), "{}", told(&output));
}

/// The Buildroot to look at, if there is one.
fn buildroot(for_what: &str) -> Option<PathBuf> {
    match std::env::var_os("BUILDROOT_DIR") {
        Some(place) => Some(place.into()),
        None => {
            let how =
                "git clone --branch 2026.02.3 https://gitlab.com/buildroot.org/buildroot.git, then BUILDROOT_DIR=...";
            skipped(&format!("image: {for_what}"), &format!("no BUILDROOT_DIR; {how}"));
            None
        }
    }
}

/// `scripts/build-image --check BOARD` of the project at `top`.
fn check(top: &Path, board: &str) -> (Option<i32>, String) {
    let output = command(top.join("scripts/build-image")).args(["--check", board]).output().expect("the script starts");
    (output.status.code(), told(&output))
}

#[test]
fn buildroot_takes_every_line_for_every_board() {
    let Some(_) = buildroot("every line in effect") else { return };
    for name in BOARDS {
        let (code, said) = check(&project(), name);
        assert!(code == Some(0) && said.contains(&format!("{name}: every line is in effect")), "{said}");
    }
}

#[test]
fn buildroot_is_not_let_go_on_with_a_line_it_does_not_know() {
    let Some(_) = buildroot("a wrong line is refused") else { return };
    let folder = Folder::new("lines");
    let copy = folder.file(".");
    let mut cp = Command::new("cp");
    cp.current_dir(project()).args(["-r", "scripts", "board", "buildroot", "systemd", "Cargo.toml"]).arg(&copy);
    assert!(cp.status().expect("cp starts").success());
    let fragment = copy.join("board/vm/buildroot.fragment");
    let text = std::fs::read_to_string(&fragment).expect("the fragment");
    for line in ["BR2_PACKAGE_CHRONOS=y", "BR2_PACKAGE_ALSA_LIB_PYTHON=y"] {
        std::fs::write(&fragment, format!("{text}{line}\n")).expect("a copy can be written");
        let (code, said) = check(&copy, "vm");
        assert!(code == Some(1) && said.contains(line), "{said}");
    }
}

#[test]
fn buildroot_finds_no_fault_with_our_package() {
    let Some(buildroot) = buildroot("check-package") else { return };
    // The distribution's Python has the modules, whatever else stands first on the path.
    let mut checker = command("/usr/bin/python3");
    checker.arg(buildroot.join("utils/check-package"));
    checker.current_dir(project()).args([
        "-b",
        "buildroot/Config.in",
        "buildroot/external.mk",
        "buildroot/external.desc",
    ]);
    for file in ["Config.in", "chronus.mk"] {
        checker.arg(format!("buildroot/package/chronus/{file}"));
    }
    let output = checker.output().expect("check-package starts");
    let said = told(&output);
    if said.contains("ModuleNotFoundError") {
        skipped("image: check-package", "as root: apt-get install python3-magic python3-flake8");
        return;
    }
    assert!(output.status.success() && said.lines().any(|line| line == "0 warnings generated"), "{said}");
}
