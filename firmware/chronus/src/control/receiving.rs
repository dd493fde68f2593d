//! The threads that receive: one for datagrams, one for connections. Both fill the queue of the control thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

use super::inbox::InboxWriter;
use super::{LONGEST_WAIT, WayBack};
use crate::input::{Receiver, StreamReceiver, Streams};
use crate::report::{Counters, STACK_BYTES};

/// Starts them; gives the way back to who has sent something. Where no connections can be taken it says so, and goes on
/// without.
///
/// # Errors
/// In words, if a thread or a descriptor cannot be had.
pub fn start_receiving(
    receiver: Receiver,
    streams: Streams,
    input: InboxWriter,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
) -> Result<WayBack, String> {
    let datagrams = receiver.socket().try_clone().map_err(|error| format!("copying the OSC socket: {error}"))?;
    let bind = |address| StreamReceiver::bind(address, receiver.gate(), streams.clone());
    match receiver.local_address().and_then(bind) {
        Ok(receiver) => start_streams(receiver, input.another(), counters.clone(), stop.clone())?,
        Err(error) => log::warn!(
            "OSC over TCP cannot be taken: {error}; another program has the port, perhaps. OSC over UDP is taken"
        ),
    }
    start_datagrams(receiver, input, counters, stop)?;
    Ok(WayBack { datagrams, streams: Some(streams) })
}

fn start_datagrams(
    mut receiver: Receiver,
    input: InboxWriter,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
) -> Result<(), String> {
    let work = move || {
        let mut told = 0;
        while !stop.load(Ordering::Relaxed) {
            let mut dropped = 0;
            let mut hand_over = |datagram| dropped += u64::from(!input.add(datagram));
            if let Err(error) = receiver.receive_batch(&mut hand_over) {
                log::error!("receiving OSC: {error}");
                std::thread::sleep(LONGEST_WAIT);
            }
            if dropped > 0 {
                counters.queue_drops.fetch_add(dropped, Ordering::Relaxed);
                log::warn!("{dropped} OSC datagrams came faster than they could be worked off and are lost");
            }
            counters.flood_drops.store(receiver.flood_drops(), Ordering::Relaxed);
            counters.floods.store(receiver.floods(), Ordering::Relaxed);
            let drops = receiver.kernel_drops();
            counters.kernel_drops.store(drops, Ordering::Relaxed);
            if drops > told {
                log::warn!("{} OSC datagrams came faster than they could be taken and are lost", drops - told);
                told = drops;
            }
        }
    };
    let started = Builder::new().name("osc-receive".to_owned()).spawn(work);
    started.map(drop).map_err(|error| format!("starting the OSC thread: {error}"))
}

fn start_streams(
    mut receiver: StreamReceiver,
    input: InboxWriter,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
) -> Result<(), String> {
    counters.streams.listening.store(true, Ordering::Relaxed);
    let work = move || {
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = receiver.turn(&mut |datagram| input.add(datagram)) {
                log::error!("receiving OSC over TCP: {error}");
                std::thread::sleep(LONGEST_WAIT);
            }
            let (counts, told) = (receiver.counts(), &counters.streams);
            for (counter, count) in [
                (&told.open, counts.open),
                (&told.accepted, counts.came.accepted),
                (&told.refused, counts.came.refused),
                (&told.slow, counts.came.slow),
                (&told.broken, counts.broken),
                (&told.dropped, counts.dropped),
            ] {
                counter.store(count, Ordering::Relaxed);
            }
        }
    };
    let started = Builder::new().name("osc-tcp".to_owned()).stack_size(STACK_BYTES).spawn(work);
    started.map(drop).map_err(|error| format!("starting the thread for OSC over TCP: {error}"))
}
