//! Atomics in models, whose thread can be killed between any two stores.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use loom::sync::atomic::Ordering;

loom::thread_local! {
    /// Stores this thread may still make before it dies.
    static STORES_LEFT: Cell<usize> = Cell::new(usize::MAX);
}

/// How a thread dies: the unwinding ends in [`killed_after`].
struct Killed;

/// Called before every store. Loads need no such point: dying after a load is as dying before the next store.
fn store_point() {
    STORES_LEFT.with(|left| match left.get() {
        0 => resume_unwind(Box::new(Killed)),
        usize::MAX => {}
        more => left.set(more - 1),
    });
}

/// Lives `life` in this thread, killed after `stores` stores if it makes more. True if it was killed. All its stores
/// reach memory, as those of a process do that the kernel ends.
pub(crate) fn killed_after(stores: usize, life: impl FnOnce()) -> bool {
    STORES_LEFT.with(|left| left.set(stores));
    let end = catch_unwind(AssertUnwindSafe(life));
    STORES_LEFT.with(|left| left.set(usize::MAX));
    match end {
        Ok(()) => false,
        Err(cause) if cause.is::<Killed>() => true,
        Err(cause) => resume_unwind(cause),
    }
}

/// Makes loom try both orders of two loads.
///
/// Of each atomic loom 0.7 remembers only the last access when it looks for orders yet to be tried. If one thread loads
/// a word and then another one loads it and stores to it, as `if number() != Some(n) { publish(n) }` does, the second
/// thread's load hides the first one's, and the store is never tried before that. So each load is preceded by a
/// compare-and-swap that always fails, on a word of its own: an access that loom takes for a conflict with any other,
/// and that stores nothing and so orders nothing.
#[derive(Debug)]
struct Conflict(loom::sync::atomic::AtomicU32);

impl Conflict {
    fn new() -> Self {
        Self(loom::sync::atomic::AtomicU32::new(0))
    }

    fn note(&self) {
        let _ = self.0.compare_exchange(1, 1, Ordering::Relaxed, Ordering::Relaxed);
    }
}

macro_rules! atomic {
    ($name:ident, $number:ty) => {
        /// loom's, of a thread that can be killed.
        #[derive(Debug)]
        pub struct $name(loom::sync::atomic::$name, Option<Conflict>);

        #[allow(missing_docs, dead_code, reason = "the standard's names; not all are used of each")]
        impl $name {
            pub fn new(value: $number) -> Self {
                Self(loom::sync::atomic::$name::new(value), Some(Conflict::new()))
            }

            /// A word of which no store comes after a load, of this thread or one that this one has heard of: loads
            /// of it need not conflict, which makes far fewer orders.
            pub fn never_loaded_before_a_store(value: $number) -> Self {
                Self(loom::sync::atomic::$name::new(value), None)
            }

            pub fn load(&self, order: Ordering) -> $number {
                self.1.iter().for_each(Conflict::note);
                self.0.load(order)
            }

            pub fn store(&self, value: $number, order: Ordering) {
                store_point();
                self.0.store(value, order);
            }

            pub fn swap(&self, value: $number, order: Ordering) -> $number {
                store_point();
                self.0.swap(value, order)
            }

            pub fn fetch_add(&self, value: $number, order: Ordering) -> $number {
                store_point();
                self.0.fetch_add(value, order)
            }

            pub fn fetch_xor(&self, value: $number, order: Ordering) -> $number {
                store_point();
                self.0.fetch_xor(value, order)
            }

            pub fn compare_exchange(
                &self,
                current: $number,
                new: $number,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$number, $number> {
                store_point();
                self.0.compare_exchange(current, new, success, failure)
            }
        }
    };
}

atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);
