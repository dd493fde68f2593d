//! Messages to the terminal or the journal: one line each, on standard error.
//!
//! They are written by a thread of their own: a terminal that is held (Ctrl-S) or a full pipe must not hold whoever
//! has something to say, least of all the supervisor.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::printable::one_line;

/// Messages that may wait to be written. More than anybody reads; what comes on top is lost.
const QUEUE_MESSAGES: usize = 256;

/// How long the end of the program waits for the last messages to be written.
const FLUSH_LIMIT: Duration = Duration::from_millis(500);

/// Clears a status line that may stand where the message is written.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// A line to write, or whom to tell that all before it is written.
enum Entry {
    Line(String),
    Flush(SyncSender<()>),
}

struct Logger {
    terminal: bool,
    queue: SyncSender<Entry>,
}

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
        // One line, whatever names are in it: a message is not to look like two.
        let text = one_line(&record.args().to_string());
        let _ = self.queue.try_send(Entry::Line(format!("{clear}{word}{text}\n")));
    }

    fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.queue.try_send(Entry::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(FLUSH_LIMIT);
        }
    }
}

fn write_all(queue: &Receiver<Entry>) {
    for entry in queue {
        match entry {
            // One write a message, so that it does not mix with the status line. Nowhere to complain if it fails.
            Entry::Line(line) => drop(std::io::stderr().write_all(line.as_bytes())),
            Entry::Flush(done) => drop(done.try_send(())),
        }
    }
}

/// Messages of level information and above go to standard error from now on; CHRONUS_LOG=debug shows more, warn less.
/// `log::logger().flush()` before the end of the program gets the last ones out.
pub fn start_logging() {
    let wanted = std::env::var("CHRONUS_LOG").unwrap_or_default();
    let level = wanted.parse().ok().filter(|level| *level <= LevelFilter::Debug);
    let (queue, messages) = sync_channel(QUEUE_MESSAGES);
    let writer = std::thread::Builder::new().name("log".to_owned()).stack_size(super::STACK_BYTES);
    let started = writer.spawn(move || write_all(&messages));
    let logger = Logger { terminal: std::io::stderr().is_terminal(), queue };
    if started.is_ok() && log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level.unwrap_or(LevelFilter::Info));
    }
    if level.is_none() && !wanted.is_empty() {
        log::warn!("CHRONUS_LOG={wanted} is not known; it is one of off, error, warn, info, debug");
    }
}
