//! The service manager's watchdog is fed by blocks that were played, and by nothing else: a process that is alive and
//! silent is ended and started again.

use std::time::{Duration, Instant};

use chronus_tests::engine::number;
use chronus_tests::service::Service;
use chronus_tests::skipped;
use nix::errno::Errno;
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// What an engine says that is well.
const FED: &str = "WATCHDOG=1";

/// What it says of a silence.
const SILENT: &str = "STATUS=no block was rendered and played for";

/// A bound on every wait, so that a broken engine fails a test and does not hang it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that is looked after, by the number of microseconds and the environment besides.
fn service(name: &str, variables: &[(&str, &str)]) -> Service {
    let mut service = Service::new(name, &["--sink", "paced", "--osc", "127.0.0.1:0"]);
    service.variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    service
}

/// The thread of this name in a process.
fn thread(process: u32, name: &str) -> Pid {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("a process").flatten();
    let mut named =
        threads.filter(|thread| std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default().trim() == name);
    let thread = named.next().unwrap_or_else(|| panic!("no thread {name}"));
    Pid::from_raw(thread.file_name().to_string_lossy().parse().expect("a number"))
}

/// Stops one thread of another process, while the others go on. To be continued from the same thread.
fn stop(thread: Pid) -> Result<(), Errno> {
    ptrace::seize(thread, ptrace::Options::empty())?;
    ptrace::interrupt(thread)?;
    waitpid(thread, Some(WaitPidFlag::__WALL)).map(drop)
}

#[test]
fn it_is_fed_while_blocks_are_played_and_only_then() {
    let mut service = service("watchdog", &[("WATCHDOG_USEC", "200000")]);
    let engine = service.start();
    service.wait_for(FED, 5);
    assert!(service.said_beginning("STATUS=") > 0, "what `systemctl status` shows");
    let audio = thread(engine.id(), "audio");
    if let Err(error) = stop(audio) {
        return skipped("the watchdog of a silent engine", &format!("no thread may be stopped here: {error}"));
    }
    let (fed, silent) = (service.said(FED), service.said_beginning(SILENT));
    let started = Instant::now();
    while service.said_beginning(SILENT) < silent + 10 {
        assert!(started.elapsed() < PATIENCE, "nothing is said of the silence");
        std::thread::sleep(Duration::from_millis(1));
    }
    // Of what was played just before it stopped it may be told once.
    let while_silent = service.said(FED) - fed;
    assert!(while_silent <= 1, "fed {while_silent} times while no block was played");
    ptrace::detach(audio, None).expect("the thread goes on");
    service.wait_for(FED, fed + while_silent + 5);
}

#[test]
fn that_of_another_process_is_left_alone() {
    let mut service = service("watchdog-other", &[("WATCHDOG_USEC", "200000"), ("WATCHDOG_PID", "1")]);
    let engine = service.start();
    // Twenty times as long as between two words.
    engine.wait_until("a second of sound", |status| number(status, "block") > 200);
    assert_eq!((service.said(FED), service.said_beginning("STATUS=")), (0, 0));
    assert_eq!(service.said("READY=1"), 1);
}
