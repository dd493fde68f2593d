//! Waiting for the end: a signal, or the audio thread.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::report::{Counters, StatusLine};

/// Time between two updates of the status line, in milliseconds: four a second read calmly.
const STATUS_INTERVAL: u16 = 250;

/// A second signal within this time is the same wish: a terminal that closes sends SIGHUP twice.
const SAME_WISH: Duration = Duration::from_millis(300);

/// Byte by which the audio thread says that it has ended; a signal writes another one.
const AUDIO_ENDED: u8 = b'e';

/// Signals and the end of the audio thread, in one pipe.
pub struct Signals {
    events: UnixStream,
    input: UnixStream,
}

/// Tells of the end of the audio thread.
pub struct Notifier(UnixStream);

impl Drop for Notifier {
    /// Tells it, also when the audio thread failed.
    fn drop(&mut self) {
        let _ = self.0.write_all(&[AUDIO_ENDED]);
    }
}

/// Whether this process was started with SIGHUP ignored, as `nohup` does; then it stays so.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    u64::from_str_radix(ignored.trim(), 16).is_ok_and(|set| set & 1 << (SIGHUP - 1) != 0)
}

impl Signals {
    /// Catches SIGINT, SIGTERM and, unless it is ignored, SIGHUP from here on.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn catch() -> std::io::Result<Self> {
        let (events, input) = UnixStream::pair()?;
        let ignored = hangup_is_ignored();
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| *signal != SIGHUP || !ignored) {
            signal_hook::low_level::pipe::register(signal, input.try_clone()?)?;
        }
        Ok(Self { events, input })
    }

    /// The audio thread's end of the pipe.
    pub fn notifier(&self) -> Notifier {
        // A process that has just started can copy a descriptor; if not, it has no future anyway.
        Notifier(self.input.try_clone().expect("a descriptor for the end of the audio thread"))
    }

    /// Keeps the status line alive until the audio thread has ended; a signal sets `stop`, a second one ends the
    /// process at once (its workers die with it). `ending` is called when it is first asked to. If `failed` names
    /// a thread the engine is stopped too.
    pub fn watch<T>(
        &self,
        audio: &JoinHandle<T>,
        failed: &dyn Fn() -> Option<&'static str>,
        ending: &dyn Fn(),
        stop: &AtomicBool,
        counters: &Counters,
        rate: u32,
    ) {
        let line = StatusLine::new();
        let mut asked = None::<Instant>;
        loop {
            line.update(counters, rate);
            let mut events = [PollFd::new(self.events.as_fd(), PollFlags::POLLIN)];
            if poll(&mut events, STATUS_INTERVAL).is_ok_and(|ready| ready > 0) {
                let mut byte = [0];
                let _ = (&self.events).read(&mut byte);
                if byte[0] == AUDIO_ENDED {
                    break;
                }
                let asked_before = asked.get_or_insert_with(Instant::now).elapsed() > SAME_WISH;
                let stopping = stop.swap(true, Ordering::Relaxed);
                if !asked_before {
                    ending();
                }
                if stopping && asked_before {
                    line.clear();
                    log::error!("stopped at once, as asked for twice");
                    log::logger().flush();
                    std::process::exit(1);
                }
            }
            if audio.is_finished() {
                break;
            }
            if let Some(thread) = failed() {
                log::error!("the {thread} thread failed; this is a bug in Chronus, and the engine stops");
                stop.store(true, Ordering::Relaxed);
            }
        }
        line.clear();
    }
}
