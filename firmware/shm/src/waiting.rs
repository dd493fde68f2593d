//! Commands that wait for their time, where they survive the process that keeps them in order.
//!
//! One thread writes, the stamp; it is read once, by the stamp of an engine that goes on where another one was ended.
//! Each command is in exactly one place at any instant, for that reader: here, or in the log.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use abi::{COMMAND_WORDS, Command, Operation, Stamp};

use crate::log::LOG_RECORDS;
use crate::mapping::SharedLayout;
use crate::sync::{AtomicU64, Ordering};

/// Places: as many as the log holds, into which all of them go.
pub const WAITING_PLACES: usize = LOG_RECORDS;

/// Words of a place: the command's record, when it is due, and its sender.
const WORDS: usize = COMMAND_WORDS + 4;

/// A command that waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaitingCommand {
    /// Where it lies, below [`WAITING_PLACES`].
    pub place: u32,
    /// Its number in the order of arrival.
    pub sequence: u64,
    /// When it is due, in nanoseconds of CLOCK_MONOTONIC.
    pub due_ns: u64,
    /// What it does.
    pub operation: Operation,
    /// Who has sent it.
    pub sender: SocketAddr,
}

/// One place; free if the number is 0, otherwise the command's sequence number plus one.
#[repr(C)]
struct Place {
    number: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// The table as it lies in shared memory.
#[repr(C, align(64))]
pub struct WaitingMemory {
    /// The place plus one whose command is on its way into the log; 0 for none.
    moving: AtomicU64,
    /// Records that were in the log before it.
    moving_length: AtomicU64,
    _line: [AtomicU64; 6],
    places: [Place; WAITING_PLACES],
}

// SAFETY: repr(C), atomics only; all zero is a table of free places.
unsafe impl SharedLayout for WaitingMemory {}

impl WaitingMemory {
    /// Puts a command into its place, which is free.
    pub fn put(&self, command: &WaitingCommand) {
        let place = &self.places[command.place as usize];
        for (to, from) in place.words.iter().zip(words_of(command)) {
            to.store(from, Ordering::Relaxed);
        }
        // SYNC: release: a number stands for whole words.
        place.number.store(command.sequence + 1, Ordering::Release);
    }

    /// The command of `place` goes into the log, which has `length` records: says so before it is added.
    pub fn begin_move(&self, place: u32, length: u64) {
        self.moving_length.store(length, Ordering::Relaxed);
        // SYNC: release, after the length it belongs to, and before the log's seal word, which is a release too.
        self.moving.store(u64::from(place) + 1, Ordering::Release);
    }

    /// The log was full: the command stays where it is.
    pub fn cancel_move(&self) {
        self.moving.store(0, Ordering::Release);
    }

    /// The command of `place` is in the log now: the place is free. In this order: a place that is free is moving
    /// nowhere, and before it is used again nothing is said about it.
    pub fn end_move(&self, place: u32) {
        self.places[place as usize].number.store(0, Ordering::Release);
        self.moving.store(0, Ordering::Release);
    }

    /// What a dead writer has left waiting, by order of arrival, with a log of `length` records. Frees the place of a
    /// command that had got there. What is damaged is left out, and its place freed.
    pub fn take_over(&self, length: u64) -> Vec<WaitingCommand> {
        let moving = self.moving.load(Ordering::Acquire);
        let logged = moving != 0 && self.moving_length.load(Ordering::Relaxed) < length;
        if let Some(place) = self.places.get((moving as usize).wrapping_sub(1)).filter(|_| logged) {
            place.number.store(0, Ordering::Release);
        }
        self.moving.store(0, Ordering::Release);
        let mut commands = Vec::new();
        for (number, place) in (0..).zip(&self.places) {
            match command_of(number, place) {
                Some(command) => commands.push(command),
                None => place.number.store(0, Ordering::Release),
            }
        }
        commands.sort_by_key(|command| command.sequence);
        commands
    }
}

fn words_of(command: &WaitingCommand) -> [u64; WORDS] {
    let record = Command { stamp: Stamp::start_of(0), operation: command.operation }.to_words(command.sequence);
    let (address, kind) = match command.sender.ip() {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 4),
        IpAddr::V6(address) => (address.to_bits(), 6),
    };
    // A link-local sender has a scope, without which it cannot be answered.
    let scope = if let SocketAddr::V6(sender) = command.sender { sender.scope_id() } else { 0 };
    let port = u64::from(scope) << 32 | u64::from(command.sender.port()) << 8 | kind;
    let [a, b, c, d, e, f, g, h] = record;
    [a, b, c, d, e, f, g, h, command.due_ns, (address >> 64) as u64, address as u64, port]
}

fn command_of(number: u32, place: &Place) -> Option<WaitingCommand> {
    let sequence = place.number.load(Ordering::Acquire).checked_sub(1)?;
    let mut words = [0; WORDS];
    for (to, from) in words.iter_mut().zip(&place.words) {
        *to = from.load(Ordering::Relaxed);
    }
    let [a, b, c, d, e, f, g, h, due_ns, high, low, port] = words;
    let operation = Command::from_words(&[a, b, c, d, e, f, g, h], sequence)?.operation;
    let address = u128::from(high) << 64 | u128::from(low);
    let number_of_port = (port >> 8) as u16;
    let sender = match port & 0xFF {
        4 => SocketAddr::from((std::net::Ipv4Addr::from_bits(address as u32), number_of_port)),
        6 => std::net::SocketAddrV6::new(Ipv6Addr::from_bits(address), number_of_port, 0, (port >> 32) as u32).into(),
        _ => return None,
    };
    Some(WaitingCommand { place: number, sequence, due_ns, operation, sender })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use abi::Place;

    fn command(place: u32, sequence: u64, sender: &str) -> WaitingCommand {
        let operation = if place == 0 {
            Operation::Gate(2, true)
        } else {
            Operation::Set(Place { row: 1, parameter: 0 }, f64::from(place))
        };
        WaitingCommand { place, sequence, due_ns: 1 << 60 | sequence, operation, sender: sender.parse().unwrap() }
    }

    #[test]
    fn what_waits_is_found_in_the_order_of_arrival_with_its_sender() {
        let table = Mapping::<WaitingMemory>::create("test waiting").unwrap();
        assert_eq!(table.take_over(0), []);
        let commands = [
            command(7, 0, "10.1.2.3:65535"),
            command(0, 1, "[fe80::1%3]:9"),
            command(WAITING_PLACES as u32 - 1, 2, "[2001:db8::7]:80"),
        ];
        commands.iter().for_each(|command| table.put(command));
        assert_eq!(table.take_over(0), commands);
        table.begin_move(0, 5);
        table.end_move(0);
        assert_eq!(table.take_over(6), [commands[0], commands[2]]);
    }

    #[test]
    fn a_command_on_its_way_is_either_here_or_in_the_log() {
        for (length, waits) in [(5, true), (6, false)] {
            let table = Mapping::<WaitingMemory>::create("test waiting").unwrap();
            let command = command(3, 0, "127.0.0.1:9");
            table.put(&command);
            table.begin_move(3, 5);
            // Killed here, before or after the log has counted it.
            assert_eq!(table.take_over(length).contains(&command), waits, "{length}");
            // Whatever it was, it is settled now: the log grows on.
            assert_eq!(table.take_over(length + 9).contains(&command), waits, "{length}");
        }
    }

    #[test]
    fn a_place_that_is_used_again_is_not_taken_for_one_on_its_way() {
        let table = Mapping::<WaitingMemory>::create("test waiting").unwrap();
        table.put(&command(3, 0, "127.0.0.1:9"));
        table.begin_move(3, 5);
        table.end_move(3);
        let second = command(3, 1, "127.0.0.1:9");
        table.put(&second);
        assert_eq!(table.take_over(6), [second]);
        // Nor one for which the log was full, when it had room for others.
        table.begin_move(3, 6);
        table.cancel_move();
        assert_eq!(table.take_over(7), [second]);
    }
}
