//! The service manager as a keeper of descriptors: what is handed to it outlives this process, and comes back to the
//! next one.

use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use libsystemd::activation::receive_descriptors_with_names;
use libsystemd::daemon::{NotifyState, notify, notify_with_fds, watchdog_enabled};

/// What a predecessor has left with the service manager, by name.
pub struct Stored(Vec<(String, OwnedFd)>);

impl Stored {
    /// Takes what came with this process's start, if anything. Before the process has threads that read its
    /// environment, because it is taken out of that: the workers are not meant.
    pub fn receive() -> Self {
        let received = receive_descriptors_with_names(true).unwrap_or_else(|error| {
            log::warn!("what the service manager kept cannot be read: {error}");
            Vec::new()
        });
        // A socket unit's descriptors, say, are no predecessor's.
        let ours = received.into_iter().filter(|(_, name)| name.starts_with("chronus-"));
        let owned = ours.filter_map(|(descriptor, name)| {
            let number = descriptor.into_raw_fd();
            let copy = rt::process::inherited(number);
            let _ = nix::unistd::close(number);
            Some((name, copy.ok()?))
        });
        Self(owned.collect())
    }

    /// Whether there is nothing: this process has no predecessor that was ended unexpectedly.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The descriptor of this name.
    pub fn take(&mut self, name: &str) -> Option<OwnedFd> {
        let place = self.0.iter().position(|(stored, _)| stored == name)?;
        Some(self.0.swap_remove(place).1)
    }
}

/// Hands a descriptor to the service manager, which gives it to the next process of this service. Without a service
/// manager nothing is done. As all that is said to it, this waits if it does not listen.
pub fn keep(name: &str, descriptor: RawFd) {
    // Without FDPOLL=0 the service manager drops a socket on which an error is pending, such as that of a client that
    // is gone.
    let words = [NotifyState::Fdstore, NotifyState::Fdname(name.to_owned()), NotifyState::FdpollDisable];
    complain(notify_with_fds(false, &words, &[descriptor]));
}

/// Has the service manager forget the descriptors of this name.
pub fn forget(name: &str) {
    complain(notify(false, &[NotifyState::FdstoreRemove, NotifyState::Fdname(name.to_owned())]));
}

/// Says that sound runs.
pub fn ready() {
    complain(notify(false, &[NotifyState::Ready]));
}

/// Whether there is a service manager, which starts the next engine when this one ends.
pub fn is_managed() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// Says that the engine ends as it was asked to.
pub fn stopping() {
    complain(notify(false, &[NotifyState::Stopping]));
}

/// Time after which the service manager ends this process if it is not told that all is well; `None` if it waits for
/// nothing, or for another process.
pub fn watchdog_limit() -> Option<Duration> {
    watchdog_enabled(false).filter(|limit| !limit.is_zero())
}

/// Says how it is going; and that all is well, if so.
pub fn alive(all_is_well: bool, words: &str) {
    let states = [NotifyState::Status(words.to_owned()), NotifyState::Watchdog];
    // Whether anybody listens was found out with the first word to the service manager.
    let _ = notify(false, if all_is_well { &states } else { &states[..1] });
}

fn complain(said: Result<bool, libsystemd::errors::SdError>) {
    // It is all one whether it is said once or for each of some thirty words.
    static SAID: AtomicBool = AtomicBool::new(false);
    if let Err(error) = said
        && !SAID.swap(true, Ordering::Relaxed)
    {
        log::warn!(
            "the service manager does not listen ({error}); the engine plays, but if it is killed the next one starts \
             afresh. If there is none, it was inherited: start with env -u NOTIFY_SOCKET"
        );
    }
}
