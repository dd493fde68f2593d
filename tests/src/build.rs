//! Builds of the engine: each test says which one it needs, and it is built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A build of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// As users have it.
    Release,
    /// With overflow checks and assertions.
    Debug,
    /// Workers die, hang, flip bits and take poison, as a test asks for.
    Faults,
    /// Aborts when a real-time thread allocates.
    Audit,
    /// The whole engine on a simulated machine: `chronus simulate`.
    Simulation,
}

/// The top of the project.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the project").to_owned()
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from)
}

/// The program `chronus` of a build, made or brought up to date if need be.
pub fn chronus(build: Build) -> PathBuf {
    static BUILT: Mutex<Vec<Build>> = Mutex::new(Vec::new());
    let (folder, arguments): (PathBuf, &[&str]) = match build {
        Build::Release => (target(), &["--release"]),
        Build::Debug => (target(), &[]),
        Build::Faults => (target().join("faults"), &["--release", "--features", "faults"]),
        Build::Audit => (target().join("audit"), &["--release", "--features", "audit"]),
        Build::Simulation => (target().join("simulation"), &["--release", "--features", "simulation"]),
    };
    let mut built = BUILT.lock().expect("no build has panicked");
    if !built.contains(&build) {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(project()).env("CARGO_TARGET_DIR", &folder).args([
            "build",
            "--quiet",
            "--package",
            "chronus",
        ]);
        assert!(cargo.args(arguments).status().expect("cargo runs").success(), "building {build:?} failed");
        built.push(build);
    }
    folder.join(if build == Build::Debug { "debug" } else { "release" }).join("chronus")
}

/// The box's program, if `scripts/build-firmware` has made it; otherwise says SKIPPED and why.
pub fn firmware(for_what: &str) -> Option<PathBuf> {
    let path = target().join("aarch64-unknown-linux-gnu/release/chronus");
    if let Ok(reason) = std::env::var("CHRONUS_NO_FIRMWARE") {
        crate::skipped(for_what, &reason);
        return None;
    }
    if !path.exists() {
        crate::skipped(for_what, "the box's program is not built; run scripts/build-firmware");
        return None;
    }
    // What an old program plays, a new one does not render: such a difference looks like the fault all this is about.
    let newer = newer_sources(&path);
    assert!(newer.is_empty(), "the box's program is older than {newer:?}; run scripts/build-firmware");
    Some(path)
}

/// The sources that a program was made of, as cargo wrote them down beside it, that have changed since or are gone.
fn newer_sources(program: &Path) -> Vec<PathBuf> {
    let made = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let list = std::fs::read_to_string(program.with_extension("d")).expect("cargo's list of the sources");
    let (_, sources) = list.split_once(": ").expect("a program and its sources");
    // A space in a name is written with a backslash before it.
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split_whitespace().map(|source| PathBuf::from(source.replace('\0', " ")));
    let program = made(program);
    sources.filter(|source| made(source).is_none() || made(source) > program).collect()
}

/// How many kills a test may spend in all: 5,000, or what CHRONUS_TEST_KILLS says (the long run: 1000000).
pub fn kills() -> u64 {
    std::env::var("CHRONUS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(5000)
}
