//! What the controls were seen to do: counted by the thread that watches the pins, read by whoever wants to know.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::button::Deed;
use super::contact::Contact;

/// The counts of one control. One thread writes them; they order nothing.
#[derive(Debug, Default)]
pub struct Tally {
    edges: AtomicU64,
    lost: AtomicU64,
    illegal: AtomicU64,
    floods: AtomicU64,
    right: AtomicU64,
    left: AtomicU64,
    deeds: [AtomicU64; 4],
    closed: AtomicBool,
}

/// The same as plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Edges of its pins.
    pub edges: u64,
    /// Edges that were lost on the way: gaps in their numbers.
    pub lost: u64,
    /// Times that one of its pins changed faster than it could be read.
    pub floods: u64,
    /// Times that both contacts of an encoder changed at once, which none does.
    pub illegal: u64,
    /// Detents turned clockwise.
    pub right: u64,
    /// Detents turned counter-clockwise.
    pub left: u64,
    /// Presses, releases, long and double presses; of a switch the first two.
    pub deeds: [u64; 4],
    /// The contact of a button or a switch is closed.
    pub closed: bool,
}

impl Tally {
    /// Notes what the contacts and the decoder of a control have counted.
    pub fn note(&self, contacts: &[Contact], illegal: u64) {
        let [edges, lost] =
            contacts.iter().map(Contact::counts).fold([0; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
        self.edges.store(edges, Ordering::Relaxed);
        self.lost.store(lost, Ordering::Relaxed);
        self.illegal.store(illegal, Ordering::Relaxed);
    }

    /// Notes how the contact of a button or a switch is at first.
    pub fn begin(&self, closed: bool) {
        self.closed.store(closed, Ordering::Relaxed);
    }

    /// Notes that one of its pins changes faster than it can be read; says whether that is the first time.
    pub fn flooded(&self) -> bool {
        self.floods.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Notes a turn by so many detents.
    pub fn turned(&self, detents: i64) {
        let way = if detents > 0 { &self.right } else { &self.left };
        way.fetch_add(detents.unsigned_abs(), Ordering::Relaxed);
    }

    /// Notes what was done to a button or a switch.
    pub fn done(&self, deed: Deed, closed: bool) {
        self.deeds[deed as usize].fetch_add(1, Ordering::Relaxed);
        self.closed.store(closed, Ordering::Relaxed);
    }

    /// What was seen.
    pub fn seen(&self) -> Seen {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Seen {
            edges: read(&self.edges),
            lost: read(&self.lost),
            illegal: read(&self.illegal),
            floods: read(&self.floods),
            right: read(&self.right),
            left: read(&self.left),
            deeds: self.deeds.each_ref().map(read),
            closed: self.closed.load(Ordering::Relaxed),
        }
    }
}

/// The tallies of all controls, in the order of the file.
pub type Board = Vec<Tally>;
