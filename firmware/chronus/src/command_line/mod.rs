//! The command line and the configuration file: what the user wants, checked, or what is wrong with it.

mod appliance;
mod client;
mod configuration;
mod help;
mod options;
mod query;
mod run_options;

pub use appliance::{LearnedOptions, SettingsOptions, no_arguments, selftest_as_json};
pub use client::{RecordOptions, SendOptions, StatusForm, StatusOptions, jig_server};
pub use configuration::parse_configuration;
pub use help::{OVERVIEW, help_text};
pub use options::{RenderOptions, Wrong};
pub use query::QueryChoice;
pub use run_options::{RunOptions, SinkChoice};
