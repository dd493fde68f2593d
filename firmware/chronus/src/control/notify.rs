//! Who is told of changes: each subscriber, for as long as its lease lasts, of all values that are not what it was told.
//!
//! What is told is what is set, whoever set it: a knob, OSC, a score, a kept patch. Nothing is queued: at each look the
//! values are compared, so that any number of changes between two looks is one.

use std::net::SocketAddr;
use std::time::Duration;

use abi::{PARAMETERS, Values};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

use crate::input::{Code, Refusal, host_of};

/// Subscribers at a time: a stage has some tablets, not a crowd.
pub const MOST_SUBSCRIBERS: usize = 16;

/// Of these at most so many of one machine, so that one cannot take the places of all.
pub const MOST_OF_A_HOST: usize = 4;

/// Seconds that a subscription lasts unless it is renewed. A sender's address can be forged, and a tablet be carried away:
/// neither may cause datagrams for ever.
pub const LEASE_SECONDS: u64 = 30;

/// Nanoseconds between two looks: 40 a second are more than a finger notices, and a tenth of the answers one sender may
/// have.
pub const INTERVAL: u64 = 25_000_000;

struct Subscriber {
    address: SocketAddr,
    /// End of the lease, in nanoseconds of CLOCK_MONOTONIC.
    until: u64,
    told: Option<Values>,
}

/// All of them.
#[derive(Default)]
pub struct Subscribers {
    list: Vec<Subscriber>,
    looked: u64,
}

impl Subscribers {
    /// Subscribes somebody, anew or for longer, or ends it, at a time in nanoseconds. Whoever is new is told all values.
    ///
    /// # Errors
    /// If there are too many.
    pub fn set(&mut self, address: SocketAddr, on: bool, now: u64) -> Result<(), Refusal> {
        self.list.retain(|one| one.until > now && (on || one.address != address));
        if !on {
            return Ok(());
        }
        let until = now + LEASE_SECONDS * rt::clock::NANOSECONDS;
        if let Some(known) = self.list.iter_mut().find(|one| one.address == address) {
            // All anew: what was lost on the way is told by this.
            (known.until, known.told) = (until, None);
        } else if self.list.iter().filter(|one| host_of(one.address.ip()) == host_of(address.ip())).count()
            >= MOST_OF_A_HOST
        {
            let text = format!("{MOST_OF_A_HOST} of your machine are told already; end one of them with /notify 0");
            return Err(Refusal::new("/notify", Code::Full, text));
        } else if self.list.len() < MOST_SUBSCRIBERS {
            self.list.push(Subscriber { address, until, told: None });
        } else {
            let text = format!("{MOST_SUBSCRIBERS} others are told already; try again when one of them has ended it");
            return Err(Refusal::new("/notify", Code::Full, text));
        }
        Ok(())
    }

    /// How long until the next look; `None` if there is nobody to look for.
    pub fn time_to_next(&self, now: u64) -> Option<Duration> {
        let next = self.looked + INTERVAL;
        (!self.list.is_empty()).then(|| Duration::from_nanos(next.saturating_sub(now)))
    }

    /// Tells everyone what has changed, if it is time to look. `values` are asked for only then; `send` sends, or does not.
    pub fn tell(
        &mut self,
        now: u64,
        values: impl FnOnce() -> Values,
        mut send: impl FnMut(SocketAddr, OscPacket) -> bool,
    ) {
        if self.time_to_next(now) != Some(Duration::ZERO) {
            return;
        }
        self.looked = now;
        self.list.retain(|one| one.until > now);
        let values = values();
        for one in &mut self.list {
            let news = news(one.told.as_ref(), &values);
            // Whom it was not sent is told at the next look.
            if !news.is_empty() && send(one.address, bundle(news)) {
                one.told = Some(values);
            }
        }
    }
}

/// A message for each value that is not what was told: the address that sets it, with a 32-bit float, as tablets send it.
fn news(told: Option<&Values>, values: &Values) -> Vec<OscPacket> {
    let changed = |(place, _): &(usize, OscMessage)| told.is_none_or(|told| told[*place] != values[*place]);
    value_messages(values).enumerate().filter(changed).map(|(_, message)| OscPacket::Message(message)).collect()
}

/// For each value the message that would set it, in the order of the values.
pub fn value_messages(values: &Values) -> impl Iterator<Item = OscMessage> {
    PARAMETERS.iter().zip(values).map(|(parameter, value)| {
        let addr = format!("/mod/{}/{}", parameter.module, parameter.name);
        OscMessage { addr, args: vec![OscType::Float(*value as f32)] }
    })
}

/// A bundle of what is so now.
pub fn bundle(content: Vec<OscPacket>) -> OscPacket {
    OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rt::clock::NANOSECONDS;

    fn client(port: u16) -> SocketAddr {
        ([10, 0, 0, (port / 4) as u8], port).into()
    }

    /// Who is told how many values at this time.
    fn told(subscribers: &mut Subscribers, now: u64, first: f64) -> Vec<(u16, usize)> {
        let mut values = Values::default();
        values[0] = first;
        let mut told = Vec::new();
        subscribers.tell(
            now,
            || values,
            |address, packet| {
                let OscPacket::Bundle(bundle) = packet else { panic!("a bundle") };
                told.push((address.port(), bundle.content.len()));
                true
            },
        );
        told
    }

    #[test]
    fn changes_are_told_once_and_no_more_often_than_said() {
        let mut subscribers = Subscribers::default();
        assert_eq!((told(&mut subscribers, NANOSECONDS, 1.0), subscribers.time_to_next(0)), (vec![], None));
        subscribers.set(client(1), true, NANOSECONDS).unwrap();
        assert_eq!(told(&mut subscribers, NANOSECONDS, 1.0), [(1, PARAMETERS.len())], "at first all");
        let looks = (1..1000).map(|millisecond| NANOSECONDS + millisecond * 1_000_000);
        let all: Vec<_> = looks.flat_map(|now| told(&mut subscribers, now, now as f64)).collect();
        assert_eq!(all, [(1, 1); 39], "changed a thousand times a second");
        assert_eq!(told(&mut subscribers, 3 * NANOSECONDS, 5.0), [(1, 1)]);
        assert_eq!(told(&mut subscribers, 4 * NANOSECONDS, 5.0), []);
    }

    #[test]
    fn a_lease_ends_is_renewed_and_given_back_and_there_are_so_many() {
        let mut subscribers = Subscribers::default();
        for port in 0..MOST_SUBSCRIBERS as u16 {
            subscribers.set(client(port), true, NANOSECONDS).unwrap();
        }
        assert_eq!(subscribers.set(client(99), true, NANOSECONDS).unwrap_err().code, Code::Full);
        let fifth = ([10, 0, 0, 0], 77).into();
        assert!(subscribers.set(fifth, true, NANOSECONDS).unwrap_err().text.contains("4 of your machine"));
        subscribers.set(client(3), true, 20 * NANOSECONDS).unwrap();
        subscribers.set(client(7), false, 20 * NANOSECONDS).unwrap();
        assert_eq!(told(&mut subscribers, 20 * NANOSECONDS, 1.0).len(), MOST_SUBSCRIBERS - 1);
        assert_eq!(told(&mut subscribers, (LEASE_SECONDS + 1) * NANOSECONDS, 2.0), [(3, 1)]);
        assert_eq!(told(&mut subscribers, (LEASE_SECONDS + 20) * NANOSECONDS, 3.0), []);
        assert_eq!(subscribers.time_to_next(0), None);
    }

    #[test]
    fn who_could_not_be_told_is_told_later() {
        let mut subscribers = Subscribers::default();
        subscribers.set(client(1), true, 0).unwrap();
        subscribers.tell(INTERVAL, Values::default, |_, _| false);
        assert_eq!(told(&mut subscribers, 2 * INTERVAL, 1.0), [(1, PARAMETERS.len())]);
    }
}
