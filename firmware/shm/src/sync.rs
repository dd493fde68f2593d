//! The atomics, as the model checker sees them in its tests and as the processor has them otherwise.

#[cfg(loom)]
pub(crate) use crate::model::{AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{Ordering, fence};
