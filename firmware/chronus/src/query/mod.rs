//! OSCQuery (Vidvox's proposal): the addresses of the patch that is there as JSON over HTTP, and their values by WebSocket,
//! so that programs nobody here has written build a panel by themselves.

mod answer;
mod budget;
mod connection;
mod node;
mod origin;
mod played;
mod request;
mod server;
mod session;
mod tree;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

#[cfg(test)]
pub use budget::{ALL_REQUESTS, REQUESTS};
pub use server::Server;
#[cfg(test)]
pub use server::{MOST_PATHS, QUERY_PLACES};

use crate::control::InboxWriter;
use crate::report::{Counters, STACK_BYTES};

/// How long is waited after an error of the kernel, before the next try.
const AFTER_ERROR: Duration = Duration::from_millis(100);

/// Starts the thread. OSC that comes by WebSockets goes to `input`.
///
/// # Errors
/// In words, if there can be no further thread.
pub fn start(
    mut server: Server,
    input: InboxWriter,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
) -> Result<(), String> {
    if let Ok(address) = server.local_address() {
        // It is set once: there is one such thread.
        let _ = counters.query.address.set(address);
    }
    let work = move || {
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = server.turn(&mut |datagram| input.add(datagram)) {
                log::error!("OSCQuery: {error}");
                std::thread::sleep(AFTER_ERROR);
            }
            let (counts, told) = (server.counts(), &counters.query);
            for (counter, count) in [
                (&told.open, counts.open),
                (&told.sockets, counts.sockets),
                (&told.accepted, counts.came.accepted),
                (&told.refused, counts.came.refused),
                (&told.requests, counts.requests),
                (&told.slow, counts.came.slow),
                (&told.broken, counts.broken),
                (&told.dropped, counts.dropped),
            ] {
                counter.store(count, Ordering::Relaxed);
            }
        }
    };
    let started = Builder::new().name("osc-query".to_owned()).stack_size(STACK_BYTES).spawn(work);
    started.map(drop).map_err(|error| format!("starting the thread for OSCQuery: {error}"))
}
