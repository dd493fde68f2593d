//! Chronus: a fault-tolerant synthesizer. This is the one binary; what it does depends on its first argument.
#![forbid(unsafe_code)]

mod appliance;
mod audio;
mod client;
mod command_line;
mod control;
mod gpio;
mod input;
mod jig;
mod judge;
mod light;
mod load;
mod patch;
#[cfg(test)]
mod protocol_text;
mod query;
mod record;
mod render;
mod report;
mod run;
mod settings;
#[cfg(feature = "simulation")]
mod simulation;
mod stamp;
mod supervise;
mod surface;
mod worker;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use command_line::{
    LearnedOptions, OVERVIEW, RecordOptions, RenderOptions, RunOptions, SendOptions, SettingsOptions, StatusForm,
    StatusOptions, Wrong, help_text, jig_server, no_arguments, selftest_as_json,
};

#[cfg(feature = "audit")]
#[global_allocator]
static ALLOCATOR: rt::audit::Allocator = rt::audit::Allocator;

/// Exit code of wrong usage; 0 is good and 1 is failure at work.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.to_string_lossy().into_owned(), rest),
        None => (String::new(), &[][..]),
    };
    if command == "worker" {
        let words: Vec<String> = rest.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        return worker::run(&words);
    }
    report::start_logging();
    if let Some(help) = help_text(&command).filter(|_| asks_for_help(&command, rest)) {
        return tell(help);
    }
    let code = dispatch(&command, rest).unwrap_or_else(|Wrong(reason)| {
        eprintln!("chronus: {}", report::printable::lines(&reason));
        ExitCode::from(WRONG_USAGE)
    });
    log::logger().flush();
    code
}

/// Whether help is asked for. What follows the address of `send` is its arguments, whatever they look like.
fn asks_for_help(command: &str, rest: &[OsString]) -> bool {
    let looked_at = if command == "send" { &rest[..rest.len().min(1)] } else { rest };
    looked_at.iter().any(|argument| argument == "--help" || argument == "-h")
}

fn dispatch(command: &str, rest: &[OsString]) -> Result<ExitCode, Wrong> {
    Ok(match command {
        "run" => work(run::run(&RunOptions::parse(rest)?)),
        "render" => work(render::run(&RenderOptions::parse(rest)?)),
        "send" => {
            let options = SendOptions::parse(rest)?;
            client::run_send(&options.server, &options.address, &options.arguments)
        }
        "status" => {
            let options = StatusOptions::parse(rest)?;
            client::run_status(&options.server, options.form)
        }
        "record" => client::run_record(&RecordOptions::parse(rest)?),
        "jig" => jig::run(&jig_server(rest)?),
        "controls" => {
            let options = StatusOptions::parse_for("controls", rest)?;
            client::run_controls(&options.server, options.form == StatusForm::Json)
        }
        "selftest" => appliance::selftest(selftest_as_json(rest)?),
        "tune" => {
            no_arguments("tune", rest)?;
            appliance::run_tune()
        }
        "apply-config" | "check-config" => {
            let SettingsOptions { file, into } = SettingsOptions::parse(command, rest)?;
            into.map_or_else(|| settings::check(&file), |folder| settings::apply(&file, &folder))
        }
        "keep-learned" => {
            let LearnedOptions { left, file, into } = LearnedOptions::parse(rest)?;
            work(settings::keep_learned(&left, &file, &into))
        }
        #[cfg(feature = "simulation")]
        "simulate" => work(simulation::run(rest)),
        "--version" | "-V" | "version" => tell(concat!("chronus ", env!("CARGO_PKG_VERSION"), "\n")),
        "--help" | "-h" | "help" => {
            tell(rest.first().and_then(|word| help_text(&word.to_string_lossy())).unwrap_or(OVERVIEW))
        }
        "" => return Err(Wrong(format!("what shall it do?\n\n{}", OVERVIEW))),
        unknown => return Err(Wrong(format!("there is no command '{unknown}'; `chronus --help` shows what there is"))),
    })
}

/// Writes text to standard output; a reader that has seen enough is no failure.
fn tell(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn work(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            log::error!("{reason}");
            ExitCode::FAILURE
        }
    }
}
