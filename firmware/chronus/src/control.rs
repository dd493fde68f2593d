//! The control thread: takes datagrams, has them interpreted, stamps what is good, answers the rest.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Queue, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use nix::sys::socket::{MsgFlags, SockaddrStorage, sendto};
use rosc::{OscMessage, OscPacket, OscType};

use crate::audio::SharedMemory;
use crate::input::{Code, Datagram, Receiver, Refusal, Request, interpret};
use crate::report::{Counters, Facts, count, status_pairs};
use crate::stamp::Stamper;

/// Datagrams between the receiving thread and this one: three times the largest burst promised.
const QUEUE_DATAGRAMS: usize = 16_384;

/// Longest wait, so that a stop is noticed.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// What the control thread works with.
pub struct Control {
    /// Stamps and logs.
    pub stamper: Stamper,
    /// Shared with the workers.
    pub memory: Arc<SharedMemory>,
    /// Shared with all.
    pub counters: Arc<Counters>,
    /// What does not change.
    pub facts: Facts,
    /// Set when the engine stops.
    pub stop: Arc<AtomicBool>,
}

/// Starts the receiving thread; gives the queue it fills and a socket to answer from.
///
/// # Errors
/// In words, if a thread or a descriptor cannot be had.
pub fn start_receiving(
    mut receiver: Receiver,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
) -> Result<(Queue<Datagram>, UdpSocket), String> {
    let replies = receiver.socket().try_clone().map_err(|error| format!("copying the OSC socket: {error}"))?;
    let (input, queue) = sync_channel(QUEUE_DATAGRAMS);
    std::thread::Builder::new()
        .name("osc-receive".to_owned())
        .spawn(move || {
            let mut told = 0;
            while !stop.load(Ordering::Relaxed) {
                if let Err(error) = receiver.receive_batch(&mut |datagram| hand_over(&input, datagram, &counters)) {
                    log::error!("receiving OSC: {error}");
                    std::thread::sleep(LONGEST_WAIT);
                }
                let drops = receiver.kernel_drops();
                counters.kernel_drops.store(drops, Ordering::Relaxed);
                if drops > told {
                    log::warn!("{} OSC datagrams came faster than they could be taken and are lost", drops - told);
                    told = drops;
                }
            }
        })
        .map_err(|error| format!("starting the OSC thread: {error}"))?;
    Ok((queue, replies))
}

fn hand_over(input: &SyncSender<Datagram>, datagram: Datagram, counters: &Counters) {
    if let Err(TrySendError::Full(_)) = input.try_send(datagram) {
        // Counted as refused: it came in, and it changed nothing.
        count(&counters.received);
        count(&counters.refused);
    }
}

impl Control {
    /// Works until the engine stops.
    pub fn run(mut self, queue: &Queue<Datagram>, replies: &UdpSocket) {
        while !self.stop.load(Ordering::Relaxed) {
            let wait = self.stamper.time_to_next().unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
            match queue.recv_timeout(wait) {
                Ok(datagram) => self.handle(&datagram, replies),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(wait),
            }
            // What is full now is tried again at the next turn: it stays waiting.
            let _ = self.stamper.release_due();
        }
    }

    fn handle(&mut self, datagram: &Datagram, replies: &UdpSocket) {
        if datagram.truncated {
            let text =
                format!("the datagram is larger than {} bytes; send less at once", crate::input::MAX_DATAGRAM_BYTES);
            self.refuse(Refusal { address: "-".to_owned(), code: Code::Oversized, text }, datagram.sender, replies);
            return;
        }
        for request in interpret(&datagram.bytes, datagram.arrival_ns, self.facts.rate) {
            match request {
                Ok(Request::Apply(intent)) => match self.stamper.accept(intent.operation, intent.when) {
                    Ok(()) => count(&self.counters.received),
                    Err((code, text)) => {
                        self.refuse(Refusal { address: intent.address, code, text }, datagram.sender, replies);
                    }
                },
                Ok(Request::Status) => {
                    let applied = self.memory.slots.iter().map(|slot| slot.consumed()).max().unwrap_or(0);
                    let arguments = status_pairs(&self.facts, &self.counters, applied, self.stamper.clock_origin());
                    reply("/status.reply", arguments, datagram.sender, replies);
                }
                Ok(Request::Version) => {
                    let arguments = ["chronus", env!("CARGO_PKG_VERSION")].map(|text| OscType::String(text.to_owned()));
                    reply("/version.reply", arguments.to_vec(), datagram.sender, replies);
                }
                Err(refusal) => self.refuse(refusal, datagram.sender, replies),
            }
        }
    }

    fn refuse(&self, refusal: Refusal, sender: SocketAddr, replies: &UdpSocket) {
        count(&self.counters.received);
        count(&self.counters.refused);
        send(refusal.to_message(), sender, replies);
    }
}

fn reply(address: &str, arguments: Vec<OscType>, sender: SocketAddr, replies: &UdpSocket) {
    send(OscMessage { addr: address.to_owned(), args: arguments }, sender, replies);
}

fn send(message: OscMessage, sender: SocketAddr, replies: &UdpSocket) {
    // A reply is a courtesy: a client that is gone or does not read must not hold anything up.
    if let Ok(bytes) = rosc::encoder::encode(&OscPacket::Message(message)) {
        let _ = sendto(replies.as_raw_fd(), &bytes, &SockaddrStorage::from(sender), MsgFlags::MSG_DONTWAIT);
    }
}
