//! chronus.toml, the one file a box's owner writes: `chronus check-config` says what is wrong with it, and
//! `chronus apply-config` makes of it what the parts of the box read. A mistake costs what it is about, never the sound.

mod announcement;
mod bindings;
mod control;
mod document;
mod engine;
mod files;
mod finding;
mod hat;
mod keys;
mod learned;
mod led;
mod name;
mod ssh_key;
mod status;
mod taken;
mod text;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use toml::Table;

use crate::appliance::Machine;
use crate::light::LightChoice;
use crate::report::printable::one_line;
pub use bindings::Bindings;
pub use control::read_controls;
pub use files::{create_anew, open_regular, write_whole};
use finding::{Finding, Severity};
use hat::Hat;
pub use taken::keep_learned;

/// What holds for this box.
struct Settings {
    /// Its name in the network.
    name: String,
    /// The sound card on its pins; `None` if that cannot be told for certain: then it stays as it is.
    hat: Option<Hat>,
    /// Who may log in.
    keys: Vec<String>,
    /// `[engine]` as it was written.
    engine: Table,
    /// `[osc]` as it was written.
    osc: Table,
    /// The light on it.
    light: LightChoice,
    /// Which light was meant cannot be read.
    light_in_doubt: bool,
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
        let read = text.as_deref().map(|text| document::read(text, machine, &mut findings));
        let ((mut sections, controls), text) = (read.unwrap_or_default(), text.unwrap_or_default());
        let own = |name: &str| sections.get(name).cloned().unwrap_or_default();
        if let Err(reason) = engine::check_together(&own("engine"), &own("osc")) {
            let text = format!(
                "{reason}. For example: take the last change back. All of [engine] and [osc] has its defaults until then"
            );
            findings.push(Finding::error(None, text).of("engine"));
            sections.retain(|name, _| !matches!(*name, "engine" | "osc"));
        }
        // A line that is missing because the file is damaged, or is in it with a slip, must not silence the card that
        // plays.
        let unsaid_hat = findings.is_empty().then_some(Hat::Auto);
        let section = |name: &str| sections.get(name).cloned().unwrap_or_default();
        let said = |section: &str, key: &str| sections.get(section).and_then(|table| table.get(key)?.as_str());
        // What is in the sections is checked; what is not said or empty is the default.
        let name = said("box", "name").and_then(|name| name::checked_name(name).ok());
        let keys = section("ssh").get("keys").and_then(|keys| keys.as_array().cloned()).unwrap_or_default();
        let hat = said("audio", "hat").and_then(|hat| Hat::named(hat).ok()).or(unsaid_hat);
        let mut light = said("led", "status").and_then(|light| LightChoice::parse(light).ok());
        if let Some(Err(reason)) =
            light.as_ref().map(|light| led::check_beside(light, hat.unwrap_or(Hat::Auto), machine))
        {
            let line = document::line_of_key(&text, "led", "status");
            let text =
                format!("[led] status: {reason}. For example: status = \"gpio:23\". There is no light until then");
            findings.push(Finding::error(line, text).of("led"));
            light = None;
        }
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
        let light_in_doubt =
            light.is_none() && errors.clone().any(|finding| matches!(finding.section, None | Some("led")));
        Self {
            name: name.unwrap_or_else(|| name::default_name(machine)),
            hat,
            keys: keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect(),
            engine: section("engine"),
            osc: section("osc"),
            light: led::light(light, light_in_doubt, machine),
            light_in_doubt,
            controls,
            file: file.to_owned(),
            findings,
        }
    }

    /// The files for the parts of the box, each with its content; none for what is not to be touched.
    fn files(&self) -> [(&'static str, Option<String>); 7] {
        [
            (
                "engine.toml",
                Some(
                    engine::engine_file(&self.engine, &self.osc, &self.controls)
                        + engine::BOX_LINES
                        + &led::engine_lines(&self.light, self.code())
                        + &engine::controls_file(&self.controls, &self.file),
                ),
            ),
            ("name", Some(format!("{}\n", self.name))),
            ("authorized_keys", Some(self.keys.iter().map(|key| format!("{key}\n")).collect())),
            ("hat", self.hat.map(|hat| led::firmware_lines(hat, &self.light, self.light_in_doubt))),
            ("osc.dnssd", announcement::announcement(&self.osc)),
            ("oscjson.dnssd", announcement::query_announcement(&self.osc)),
            ("status.txt", Some(status::text(self))),
        ]
    }

    /// How often the light blinks for what is wrong; 0 for nothing.
    fn code(&self) -> u8 {
        led::code(&self.findings)
    }

    /// Prints what is wrong; says whether anything is.
    fn tell(&self, file: &Path) -> ExitCode {
        let mut told: String = self.findings.iter().map(|finding| format!("{finding}\n")).collect();
        if self.findings.is_empty() {
            told = format!("{}: nothing is wrong\n", one_line(&file.display().to_string()));
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
        settings.files().iter().try_for_each(|(name, content)| match content {
            Some(content) => files::write_whole(folder, name, content),
            None => files::remove(folder, name),
        })
    });
    if let Err(reason) = written {
        log::error!("{reason}");
        code = ExitCode::FAILURE;
    }
    code
}

#[cfg(test)]
mod tests;
