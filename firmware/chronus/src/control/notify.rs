//! Who is told of changes: each subscriber, for as long as its lease lasts, of all values that are not what it was told.
//!
//! What is told is what is set, whoever set it: a knob, OSC, a score, a kept patch. Nothing is queued: at each look the
//! values are compared, so that any number of changes between two looks is one.

use std::net::SocketAddr;
use std::time::Duration;

use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

use super::events::Happened;
use crate::input::catalogue::Values;
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

/// Values in one bundle: 32 bytes each or a little more, so that it stays far below the largest datagram.
pub const MOST_VALUES: usize = 256;
/// Looks from one telling of levels to the next: 20 a second are as many as a meter shows.
const LEVELS: u64 = 2;

struct Subscriber {
    address: SocketAddr,
    /// End of the lease, in nanoseconds of CLOCK_MONOTONIC.
    until: u64,
    told: Option<Values>,
    /// What had happened when it was last told.
    happened: Happened,
    /// It wants levels.
    levels: bool,
}

/// All of them.
#[derive(Default)]
pub struct Subscribers {
    list: Vec<Subscriber>,
    looked: u64,
    /// How often it was looked.
    looks: u64,
}

/// What there is to tell at a look.
pub struct News<'a> {
    /// What all parameters are set to.
    pub values: Values,
    /// What has happened until now.
    pub happened: Happened,
    /// The messages for what has happened since that.
    pub since: &'a dyn Fn(&Happened) -> Vec<OscPacket>,
    /// The levels since this was last asked for.
    pub levels: &'a mut dyn FnMut() -> Option<OscPacket>,
}

impl Subscribers {
    /// Subscribes somebody, anew or for longer, or ends it, at a time in nanoseconds. Whoever is new is told all values.
    ///
    /// # Errors
    /// If there are too many.
    pub fn set(&mut self, address: SocketAddr, on: bool, now: u64, happened: Happened) -> Result<(), Refusal> {
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
            self.list.push(Subscriber { address, until, told: None, happened, levels: false });
        } else {
            let text = format!("{MOST_SUBSCRIBERS} others are told already; try again when one of them has ended it");
            return Err(Refusal::new("/notify", Code::Full, text));
        }
        Ok(())
    }

    /// Has somebody told of levels too, or not any more; whoever is no subscriber becomes one for that.
    ///
    /// # Errors
    /// If there are too many.
    pub fn set_levels(&mut self, address: SocketAddr, on: bool, now: u64, happened: Happened) -> Result<(), Refusal> {
        if on {
            self.set(address, true, now, happened)?;
        }
        self.list.iter_mut().filter(|one| one.address == address).for_each(|one| one.levels = on);
        Ok(())
    }

    /// Whether anybody wants levels.
    pub fn want_levels(&self) -> bool {
        self.list.iter().any(|one| one.levels)
    }

    /// How long until the next look; `None` if there is nobody to look for.
    pub fn time_to_next(&self, now: u64) -> Option<Duration> {
        let next = self.looked + INTERVAL;
        (!self.list.is_empty()).then(|| Duration::from_nanos(next.saturating_sub(now)))
    }

    /// Tells everyone what has changed, if it is time to look. `news` are asked for only then; `send` sends, or does not.
    pub fn tell<'a>(
        &mut self,
        now: u64,
        news: impl FnOnce() -> News<'a>,
        mut send: impl FnMut(SocketAddr, OscPacket) -> bool,
    ) {
        if self.time_to_next(now) != Some(Duration::ZERO) {
            return;
        }
        self.looked = now;
        self.looks += 1;
        self.list.retain(|one| one.until > now);
        let News { values, happened, since, levels } = news();
        let levels = Some(self.looks).filter(|looks| looks.is_multiple_of(LEVELS)).and_then(|_| levels());
        for one in &mut self.list {
            let mut told = changed(one.told.as_ref(), &values);
            told.extend(since(&one.happened));
            told.extend(levels.clone().filter(|_| one.levels));
            // Whom it was not sent is told at the next look, but for levels, which are others then.
            let sent = told.chunks(MOST_VALUES).all(|some| send(one.address, bundle(some.to_vec())));
            if sent && !told.is_empty() {
                (one.told, one.happened) = (Some(values.clone()), happened);
            }
        }
    }
}

/// A message for each value that is not what was told: the address that sets it, with a 32-bit float, as tablets send it.
fn changed(told: Option<&Values>, values: &Values) -> Vec<OscPacket> {
    let is_changed = |(address, value): &(&String, &f64)| told.is_none_or(|told| told.get(*address) != Some(value));
    values
        .iter()
        .filter(is_changed)
        .map(|(address, value)| OscPacket::Message(value_message(address, *value)))
        .collect()
}

/// The message that would set the parameter of this address to this value.
pub fn value_message(address: &str, value: f64) -> OscMessage {
    OscMessage { addr: address.to_owned(), args: vec![OscType::Float(value as f32)] }
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

    fn news_of(values: Values) -> News<'static> {
        News { values, happened: Happened::default(), since: &|_| Vec::new(), levels: Box::leak(Box::new(level)) }
    }

    fn level() -> Option<OscPacket> {
        Some(OscPacket::Message(OscMessage { addr: "/levels".to_owned(), args: Vec::new() }))
    }

    /// Who is told how many values at this time.
    fn told(subscribers: &mut Subscribers, now: u64, first: f64) -> Vec<(u16, usize)> {
        let names = ["/mod/sine/freq", "/mod/sine/gain", "/mod/filter/q"].map(str::to_owned);
        let values = Values::from_iter(names.into_iter().zip([first, 0.5, 2.0]));
        let mut told = Vec::new();
        subscribers.tell(
            now,
            || news_of(values.clone()),
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
        subscribers.set(client(1), true, NANOSECONDS, Happened::default()).unwrap();
        assert_eq!(told(&mut subscribers, NANOSECONDS, 1.0), [(1, 3)], "at first all");
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
            subscribers.set(client(port), true, NANOSECONDS, Happened::default()).unwrap();
        }
        assert_eq!(subscribers.set(client(99), true, NANOSECONDS, Happened::default()).unwrap_err().code, Code::Full);
        let fifth = ([10, 0, 0, 0], 77).into();
        assert!(
            subscribers
                .set(fifth, true, NANOSECONDS, Happened::default())
                .unwrap_err()
                .text
                .contains("4 of your machine")
        );
        subscribers.set(client(3), true, 20 * NANOSECONDS, Happened::default()).unwrap();
        subscribers.set(client(7), false, 20 * NANOSECONDS, Happened::default()).unwrap();
        assert_eq!(told(&mut subscribers, 20 * NANOSECONDS, 1.0).len(), MOST_SUBSCRIBERS - 1);
        assert_eq!(told(&mut subscribers, (LEASE_SECONDS + 1) * NANOSECONDS, 2.0), [(3, 1)]);
        assert_eq!(told(&mut subscribers, (LEASE_SECONDS + 20) * NANOSECONDS, 3.0), []);
        assert_eq!(subscribers.time_to_next(0), None);
    }

    #[test]
    fn levels_are_told_to_who_wants_them_every_second_look() {
        let mut subscribers = Subscribers::default();
        subscribers.set(client(1), true, 0, Happened::default()).unwrap();
        assert!(!subscribers.want_levels());
        subscribers.set_levels(client(2), true, 0, Happened::default()).unwrap();
        assert!(subscribers.want_levels());
        let looks = [(); 5].map(|()| {
            let now = subscribers.looked + INTERVAL;
            told(&mut subscribers, now, 1.0)
        });
        let all = 3;
        assert_eq!(looks, [vec![(1, all), (2, all)], vec![(2, 1)], vec![], vec![(2, 1)], vec![]]);
        subscribers.set_levels(client(2), false, 0, Happened::default()).unwrap();
        assert!(!subscribers.want_levels());
    }

    #[test]
    fn who_could_not_be_told_is_told_later() {
        let mut subscribers = Subscribers::default();
        subscribers.set(client(1), true, 0, Happened::default()).unwrap();
        subscribers.tell(INTERVAL, || news_of(Values::default()), |_, _| false);
        assert_eq!(told(&mut subscribers, 2 * INTERVAL, 1.0), [(1, 3)]);
    }
}
