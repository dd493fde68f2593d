//! Commands that workers died of: told to their senders, listed in the status.

use std::collections::VecDeque;

use abi::Command;
use dsp::instrument::Wiring;
use rosc::{OscMessage, OscType};

use crate::input::{Code, Refusal, catalogue, sender_name};

/// Quarantined commands that the status lists: the newest ones, as many as fit into a screen.
const LISTED: usize = 8;

/// A command that nobody applies any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantined {
    /// As it would be sent: address and argument.
    pub message: OscMessage,
    /// The block it was for.
    pub block: u64,
    /// Who sent it; `None` for the score, the kept patch, and what a dead engine was sent.
    pub sender: Option<std::net::SocketAddr>,
}

impl Quarantined {
    /// This command of a patch, which came from there.
    pub fn new(command: Command, sender: Option<std::net::SocketAddr>, wiring: &Wiring) -> Self {
        // What it was about may be gone by now.
        let unknown = || OscMessage { addr: "-".to_owned(), args: Vec::new() };
        let message = catalogue::message_of(command.operation, wiring).unwrap_or_else(unknown);
        Self { message, block: command.stamp.block, sender }
    }

    /// What its sender is told.
    pub fn refusal(&self) -> Refusal {
        let text = "a worker died of this command; it is left out, the other worker played on, and the rest is \
                    untouched. This is a bug in Chronus: please report what you sent";
        Refusal::new(&self.message.addr, Code::Quarantined, text)
    }

    /// In a few words: address and argument.
    pub fn words(&self) -> String {
        let argument = self.message.args.first().map(|argument| match argument {
            OscType::Double(value) => format!(" {value}"),
            OscType::Bool(value) => format!(" {}", u8::from(*value)),
            OscType::String(text) => format!(" {text}"),
            _ => String::new(),
        });
        self.message.addr.clone() + &argument.unwrap_or_default()
    }
}

/// The newest ones.
#[derive(Default)]
pub struct Quarantine(VecDeque<Quarantined>);

impl Quarantine {
    /// Adds one.
    pub fn add(&mut self, quarantined: Quarantined) {
        if self.0.len() == LISTED {
            self.0.pop_back();
        }
        self.0.push_front(quarantined);
    }

    /// The newest one, in a few words.
    pub fn newest(&self) -> Option<String> {
        self.0.front().map(Quarantined::words)
    }

    /// As key and value pairs for the status, the newest first.
    pub fn pairs(&self) -> Vec<OscType> {
        let pairs = self.0.iter().enumerate().flat_map(|(place, one)| {
            let key = |name: &str| OscType::String(format!("quarantine.{place}.{name}"));
            let sender = one.sender.map_or_else(|| "nobody".to_owned(), sender_name);
            [
                [key("command"), OscType::String(one.words())],
                [key("block"), OscType::Long(one.block as i64)],
                [key("sender"), OscType::String(sender)],
            ]
        });
        pairs.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::{Operation, Place, Stamp};

    #[test]
    fn the_newest_are_listed_in_words() {
        let mut quarantine = Quarantine::default();
        for block in 0..20 {
            let operation = Operation::Set(Place { row: 3, parameter: 2 }, block as f64 / 2.0);
            quarantine.add(Quarantined::new(
                Command { stamp: Stamp::start_of(block), operation },
                None,
                catalogue::power_on(),
            ));
        }
        let pairs = quarantine.pairs();
        assert_eq!(pairs.len(), LISTED * 6);
        assert_eq!(pairs[1], OscType::String("/mod/filter/q 9.5".to_owned()));
        assert_eq!((&pairs[3], &pairs[5]), (&OscType::Long(19), &OscType::String("nobody".to_owned())));
    }
}
