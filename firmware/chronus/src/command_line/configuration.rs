//! The configuration file: the options of `chronus run`, in TOML.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::options::Wrong;
use crate::settings::Bindings;

/// The file. Every key may be absent; a key nobody knows is an error, with its line and what there is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The engine.
    #[serde(default)]
    pub engine: Engine,
    /// OSC.
    #[serde(default)]
    pub osc: Osc,
    /// The light.
    #[serde(default)]
    pub led: Led,
    /// The box.
    #[serde(default, rename = "box")]
    pub of_box: OfBox,
    /// The controls as a whole.
    #[serde(default)]
    pub surface: Surface,
    /// Each control.
    #[serde(default)]
    pub control: Vec<toml::Table>,
    // What a box has in its file besides: with it the file is as right here as `check-config` says.
    #[serde(default, rename = "schema")]
    _schema: IgnoredAny,
    #[serde(default, rename = "audio")]
    _audio: IgnoredAny,
    #[serde(default, rename = "ssh")]
    _ssh: IgnoredAny,
}

/// `[box]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfBox {
    /// The file that says what became of the DATA partition.
    pub data: Option<PathBuf>,
    /// The name of a box, which a computer has already.
    #[serde(default, rename = "name")]
    _name: IgnoredAny,
}

/// `[surface]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// The file in which learned bindings are kept.
    pub file: Option<PathBuf>,
    /// Where they are left for a service that writes that file; the engine writes it without one.
    pub left: Option<PathBuf>,
    /// Where that service answers.
    pub answer: Option<PathBuf>,
}

impl Surface {
    /// Where learned bindings are kept, of a configuration in this file.
    pub fn bindings(self, own: &Path) -> Bindings {
        let service = self.left.zip(self.answer).map(|(left, answer)| [left, answer]);
        Bindings { file: self.file.unwrap_or_else(|| own.to_owned()), service }
    }
}

/// `[engine]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// As --sink.
    pub sink: Option<String>,
    /// As --rate.
    pub rate: Option<u32>,
    /// As --lead.
    pub lead: Option<u64>,
    /// As --workers.
    pub workers: Option<usize>,
    /// As --periods.
    pub periods: Option<u32>,
    /// As --real-time.
    pub real_time: Option<String>,
    /// As --patch.
    pub patch: Option<PathBuf>,
    /// As --recordings.
    pub recordings: Option<PathBuf>,
    /// As --recording-format.
    pub recording_format: Option<String>,
    /// As --cores.
    pub cores: Option<String>,
}

/// `[osc]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Osc {
    /// As --osc.
    pub listen: Option<String>,
    /// As --osc-query.
    pub query: Option<String>,
}

/// `[led]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Led {
    /// As --led.
    pub status: Option<String>,
    /// How often it blinks for a mistake in chronus.toml; `chronus apply-config` says so.
    pub code: Option<u8>,
}

/// Reads a configuration file.
///
/// # Errors
/// That it cannot be read, or what is wrong in which line.
pub fn read_configuration(path: &Path) -> Result<Configuration, Wrong> {
    let text = std::fs::read_to_string(path).map_err(|error| Wrong(format!("{}: {error}", path.display())))?;
    parse_configuration(&text).map_err(|wrong| Wrong(format!("{}: {wrong}", path.display())))
}

/// Reads the text of a configuration file.
///
/// # Errors
/// What is wrong in which line.
pub fn parse_configuration(text: &str) -> Result<Configuration, Wrong> {
    // Windows editors write a mark at the beginning; TOML does not know it.
    toml::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| Wrong(error.to_string()))
}
