//! chronus.toml, the one file a box's owner writes: `chronus check-config` says what is wrong with it, and
//! `chronus apply-config` makes of it what the parts of the box read. A mistake costs what it is about, never the sound.

mod control;
mod document;
mod engine;
mod files;
mod finding;
mod hat;
mod keys;
mod learned;
mod name;
mod ssh_key;
mod status;
mod text;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use toml::Table;

use crate::appliance::Machine;
pub use control::read_controls;
pub use files::write_whole;
use finding::Finding;
use hat::Hat;
pub use learned::write_binding;

/// What holds for this box.
struct Settings {
    /// Its name in the network.
    name: String,
    /// The sound card on its pins.
    hat: Hat,
    /// Who may log in.
    keys: Vec<String>,
    /// `[engine]` as it was written.
    engine: Table,
    /// `[osc]` as it was written.
    osc: Table,
    /// Each `[[control]]` that is right, as it was written.
    controls: Vec<Table>,
    /// The file.
    file: PathBuf,
    /// What is wrong with the file.
    findings: Vec<Finding>,
}

impl Settings {
    /// Of the file, and where it says nothing, of the machine.
    fn read(file: &Path, machine: &Machine) -> Self {
        let mut findings = Vec::new();
        let text = text::read_text(file, &mut findings);
        let (mut sections, controls) = text.map(|text| document::read(&text, &mut findings)).unwrap_or_default();
        let own = |name: &str| sections.get(name).cloned().unwrap_or_default();
        if let Err(reason) = engine::check_together(&own("engine"), &own("osc")) {
            let text = format!(
                "{reason}. For example: take the last change back. All of [engine] and [osc] has its defaults until then"
            );
            findings.push(Finding::error(None, text));
            sections.retain(|name, _| !matches!(*name, "engine" | "osc"));
        }
        let section = |name: &str| sections.get(name).cloned().unwrap_or_default();
        let said = |section: &str, key: &str| sections.get(section).and_then(|table| table.get(key)?.as_str());
        // What is in the sections is checked; what is not said or empty is the default.
        let name = said("box", "name").and_then(|name| name::checked_name(name).ok());
        let keys = section("ssh").get("keys").and_then(|keys| keys.as_array().cloned()).unwrap_or_default();
        Self {
            name: name.unwrap_or_else(|| name::default_name(machine)),
            hat: said("audio", "hat").and_then(|hat| Hat::named(hat).ok()).unwrap_or(Hat::Auto),
            keys: keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect(),
            engine: section("engine"),
            osc: section("osc"),
            controls,
            file: file.to_owned(),
            findings,
        }
    }

    /// The files for the parts of the box, each with its content.
    fn files(&self) -> [(&'static str, String); 5] {
        [
            (
                "engine.toml",
                engine::engine_file(&self.engine, &self.osc) + &engine::controls_file(&self.controls, &self.file),
            ),
            ("name", format!("{}\n", self.name)),
            ("authorized_keys", self.keys.iter().map(|key| format!("{key}\n")).collect()),
            ("hat", self.hat.firmware_lines()),
            ("status.txt", status::text(self)),
        ]
    }

    /// Prints what is wrong; says whether anything is.
    fn tell(&self, file: &Path) -> ExitCode {
        let mut told: String = self.findings.iter().map(|finding| format!("{finding}\n")).collect();
        if self.findings.is_empty() {
            told = format!("{}: nothing is wrong\n", file.display());
        }
        let _ = std::io::stdout().write_all(told.as_bytes());
        if self.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// `chronus check-config FILE`.
pub fn check(file: &Path) -> ExitCode {
    Settings::read(file, &Machine::here()).tell(file)
}

/// `chronus apply-config FILE --into FOLDER`.
pub fn apply(file: &Path, folder: &Path) -> ExitCode {
    let settings = Settings::read(file, &Machine::here());
    let mut code = settings.tell(file);
    let written = std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()));
    let written = written.and_then(|()| {
        settings.files().iter().try_for_each(|(name, content)| files::write_whole(folder, name, content))
    });
    if let Err(reason) = written {
        log::error!("{reason}");
        code = ExitCode::FAILURE;
    }
    code
}

#[cfg(test)]
mod tests;
