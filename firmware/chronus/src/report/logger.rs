//! Messages to the terminal or the journal: one line each, on standard error.

use std::io::{IsTerminal, Write};

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Logger {
    terminal: bool,
}

/// Clears a status line that may stand where the message is written.
const CLEAR_LINE: &str = "\r\x1b[2K";

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let clear = if self.terminal { CLEAR_LINE } else { "" };
        let word = match record.level() {
            Level::Error => "error: ",
            Level::Warn => "warning: ",
            Level::Info => "",
            Level::Debug | Level::Trace => "debug: ",
        };
        // One write a message, so that lines of several threads do not mix. Nowhere to complain if it fails.
        let line = format!("{clear}{word}{}\n", record.args());
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Messages of level information and above go to standard error from now on; CHRONUS_LOG=debug shows more.
pub fn start_logging() {
    let level = match std::env::var("CHRONUS_LOG").as_deref() {
        Ok("debug") => LevelFilter::Debug,
        Ok("warn") => LevelFilter::Warn,
        Ok("error") => LevelFilter::Error,
        _ => LevelFilter::Info,
    };
    if log::set_boxed_logger(Box::new(Logger { terminal: std::io::stderr().is_terminal() })).is_ok() {
        log::set_max_level(level);
    }
}
