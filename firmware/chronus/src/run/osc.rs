//! Where OSC is taken, and where it is asked what can be sent.

use super::store::Stored;
use super::{Engine, adoption};
use crate::command_line::RunOptions;
use crate::control::InboxWriter;
use crate::input::{Receiver, Streams};
use crate::query;

impl Engine {
    /// Starts OSCQuery, if it is wanted. Where it cannot be had the engine says so, and goes on without.
    pub(super) fn start_query(
        &self,
        options: &RunOptions,
        receiver: &Receiver,
        streams: &Streams,
        input: InboxWriter,
    ) -> Result<(), String> {
        // As it was said: beside any free port is any free port.
        let wanted = options.osc.and_then(|osc| options.query.address(osc));
        let Some((address, osc)) = wanted.zip(receiver.local_address().ok()) else { return Ok(()) };
        let streams = streams.beside().map_err(|error| format!("event descriptor: {error}"))?;
        match query::Server::bind(address, osc, receiver.gate(), streams, self.memory.clone(), options.rate) {
            Ok(server) => query::start(server, input, self.counters.clone(), self.ended.clone()),
            Err(error) => {
                log::warn!(
                    "OSCQuery cannot be asked at {address}: {error}; another program has the port, perhaps \
                     (--osc-query names another). OSC is taken"
                );
                Ok(())
            }
        }
    }
}

/// The OSC socket: that of the engine before this one, with what came meanwhile, or a new one.
pub fn open_receiver(stored: &mut Stored, options: &RunOptions) -> Result<Option<Receiver>, String> {
    let Some(address) = options.osc else { return Ok(None) };
    if let Some(socket) = adoption::adopt_socket(stored, options) {
        return Receiver::adopt(socket).map(Some);
    }
    let receiver = Receiver::bind(address)?;
    adoption::keep_socket(receiver.socket());
    Ok(Some(receiver))
}
