//! Threads of the engine, and how long they are waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::report::STACK_BYTES;

/// The first lines come before the last ones; unless nobody reads them.
pub fn wait_a_little_for(announcing: &JoinHandle<()>) {
    // A thousandth of a second at a time, for half a second: a reader who is there is quicker.
    for _ in 0..500 {
        if announcing.is_finished() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits, but not for the end of the engine; says whether it goes on.
pub fn pause(time: Duration, ended: &AtomicBool) -> bool {
    let started = Instant::now();
    while !ended.load(Ordering::Acquire) {
        let left = time.saturating_sub(started.elapsed());
        if left.is_zero() {
            return true;
        }
        std::thread::park_timeout(left);
    }
    false
}

/// Starts a thread.
///
/// # Errors
/// In words, if there can be no further one.
pub fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let builder = Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    builder.spawn(work).map_err(|error| format!("starting the {name} thread: {error}"))
}
