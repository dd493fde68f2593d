//! How the audio thread tells that a worker has to be replaced. It costs a system call only when it happens.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::sys::eventfd::{EfdFlags, EventFd};

/// The workers declared unfit, each by the epoch of its slot, and an event that says there is something new.
pub struct Alarm {
    declared: [AtomicU64; 2],
    distrusted: [AtomicU64; 2],
    stalled: AtomicBool,
    event: EventFd,
    /// Whether the event is readable; asking the kernel again and again would take longer than all the rest.
    #[cfg(feature = "simulation")]
    rung: AtomicBool,
}

impl Alarm {
    /// An alarm with nothing declared.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> nix::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        Ok(Self {
            declared: Default::default(),
            distrusted: Default::default(),
            stalled: AtomicBool::new(false),
            event,
            #[cfg(feature = "simulation")]
            rung: AtomicBool::new(false),
        })
    }

    /// Declares the worker of `slot` in `epoch` unfit. Said again, nothing happens. True if it was news.
    pub fn declare(&self, slot: usize, epoch: u64) -> bool {
        let news = self.declared[slot].fetch_max(epoch, Ordering::Relaxed) < epoch;
        if news {
            self.wake();
        }
        news
    }

    /// Declares that what the worker of `slot` in `epoch` has rendered is wrong, and its state with it.
    pub fn distrust(&self, slot: usize, epoch: u64) {
        self.distrusted[slot].store(epoch, Ordering::Relaxed);
        self.declare(slot, epoch);
    }

    /// The epoch last distrusted in `slot`; 0 if none.
    pub fn distrusted(&self, slot: usize) -> u64 {
        self.distrusted[slot].load(Ordering::Relaxed)
    }

    /// The epoch last declared unfit in `slot`; 0 if none.
    pub fn declared(&self, slot: usize) -> u64 {
        self.declared[slot].load(Ordering::Relaxed)
    }

    /// Tells that one worker keeps the other waiting that lets it go first.
    pub fn tell_of_stalling(&self) {
        self.stalled.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether that was told since the last call.
    pub fn take_stalling(&self) -> bool {
        self.stalled.swap(false, Ordering::Acquire)
    }

    /// Makes the event readable.
    pub fn wake(&self) {
        #[cfg(feature = "simulation")]
        return self.rung.store(true, Ordering::Relaxed);
        #[cfg(not(feature = "simulation"))]
        // Fails only if the counter is full, and then it is readable anyway.
        let _ = self.event.write(1);
    }

    /// Makes the event unreadable until the next declaration.
    pub fn acknowledge(&self) {
        let _ = self.event.read();
    }

    /// The same in a simulation. Whether it was readable.
    #[cfg(feature = "simulation")]
    pub fn take_event(&self) -> bool {
        self.rung.swap(false, Ordering::Relaxed)
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
