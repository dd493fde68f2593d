//! Waiting on a word in shared memory, and waking those who wait.

use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Waits until `word` is woken, unless it no longer has the value `seen`; at most `timeout`. May return
/// without reason: the caller looks again at what it waits for.
pub fn wait(word: &AtomicU32, seen: u32, timeout: Option<Duration>) {
    #[cfg(feature = "simulation")]
    if let Some(machine) = crate::simulation::machine() {
        if word.load(std::sync::atomic::Ordering::Acquire) == seen {
            machine.wait(word.as_ptr() as usize, timeout);
        }
        return;
    }
    let limit = timeout.map(|time| libc::timespec {
        tv_sec: time.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(time.subsec_nanos()),
    });
    let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the word outlives the call and the kernel only reads it; the time limit is null or lives on
    // this stack. Without FUTEX_PRIVATE_FLAG, because others see the word at other addresses.
    let _ = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, seen, limit, 0, 0) };
}

/// Wakes at most `count` of those who wait on `word`.
pub fn wake(word: &AtomicU32, count: i32) {
    #[cfg(feature = "simulation")]
    if let Some(machine) = crate::simulation::machine() {
        return machine.wake(word.as_ptr() as usize);
    }
    // SAFETY: the kernel takes the address as a key and touches nothing.
    let _ = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count, 0, 0, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn a_waiter_is_woken_and_a_changed_word_is_not_waited_on() {
        let word = AtomicU32::new(0);
        wait(&word, 1, None);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                while word.load(Ordering::Acquire) == 0 {
                    wait(&word, 0, None);
                }
            });
            word.store(1, Ordering::Release);
            wake(&word, 1);
            waiter.join().unwrap();
        });
    }
}
