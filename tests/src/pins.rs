//! Pins that a test moves, for an engine of the build that takes them from a socket.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rt::clock::monotonic;

/// Between two quarters of a turn: a quick hand.
const QUARTER: Duration = Duration::from_millis(3);

/// The other end of the engine's pins.
pub struct Pins {
    socket: UnixDatagram,
    path: PathBuf,
    /// How often each pin has had an edge.
    edges: BTreeMap<u8, u32>,
    /// Place of each encoder in its cycle, by its first pin.
    places: BTreeMap<u8, i64>,
}

impl Pins {
    /// Pins behind the socket that the engine was told in `CHRONUS_GPIO`.
    pub fn new(path: &Path) -> Self {
        let socket = UnixDatagram::unbound().expect("a socket");
        Self { socket, path: path.to_owned(), edges: BTreeMap::new(), places: BTreeMap::new() }
    }

    /// Gives a pin this level now; the time of the edge, in nanoseconds of CLOCK_MONOTONIC.
    pub fn set(&mut self, pin: u8, high: bool) -> u64 {
        let time = monotonic();
        let number = self.edges.entry(pin).or_default();
        *number += 1;
        let line = format!("{pin} {} {time} {number}\n", u8::from(high));
        self.socket.send_to(line.as_bytes(), &self.path).expect("the engine has pins");
        time
    }

    /// An edge that nobody is told of.
    pub fn lose(&mut self, pin: u8) {
        *self.edges.entry(pin).or_default() += 1;
    }

    /// Turns an encoder at these pins by detents, each contact bouncing once at each change; the times at which it came
    /// to each detent.
    pub fn turn(&mut self, pins: [u8; 2], detents: i64) -> Vec<u64> {
        let closed = |place: i64| [matches!(place.rem_euclid(4), 1 | 2), matches!(place.rem_euclid(4), 2 | 3)];
        let quarters = (0..4 * detents.abs()).map(|_| {
            let place = self.places.get(&pins[0]).copied().unwrap_or(0);
            let next = place + detents.signum();
            self.places.insert(pins[0], next);
            let contact = usize::from(closed(place)[0] == closed(next)[0]);
            // A closed contact is low.
            let high = !closed(next)[contact];
            let time = self.set(pins[contact], high);
            self.set(pins[contact], !high);
            self.set(pins[contact], high);
            std::thread::sleep(QUARTER);
            (next, time)
        });
        let times: Vec<_> = quarters.collect();
        times.into_iter().filter(|(place, _)| place % 4 == 0).map(|(_, time)| time).collect()
    }
}
