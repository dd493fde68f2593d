//! The allocator of the test build `audit`: it ends the process when a thread allocates that must not.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Constant initial value and nothing to drop: looking at it neither allocates nor registers anything.
    static FORBIDDEN: Cell<bool> = const { Cell::new(false) };
}

/// Forbids this thread to allocate or free.
pub fn forbid() {
    FORBIDDEN.set(true);
}

/// Lifts it, for the end of a thread.
pub fn allow() {
    FORBIDDEN.set(false);
}

/// The system allocator with a check in front.
pub struct Allocator;

fn check(what: &str) {
    if FORBIDDEN.replace(false) {
        eprintln!("chronus audit: {what} on a real-time thread\n{}", std::backtrace::Backtrace::force_capture());
        std::process::abort();
    }
}

// SAFETY: every call is handed to the system allocator unchanged; the check before it allocates only after
// having lifted the ban, and then does not return.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check("allocation");
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        check("free");
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}
