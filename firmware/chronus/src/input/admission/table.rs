//! A table of bounded size: what is known of each of many senders. The address of a sender can be forged, so there
//! may be any number of them; who is new makes room first.

use std::hash::{BuildHasher, Hash, RandomState};

/// Places that a key may be at: a look at each costs less than receiving a datagram.
const WAYS: usize = 8;

/// Time after which a sender is known, in nanoseconds: a second. Who sends once from a forged address is not.
const KNOWN_AFTER_NS: u64 = 1_000_000_000;

/// One sender.
#[derive(Clone, Debug)]
pub struct Entry<K, V> {
    key: K,
    first_seen_ns: u64,
    last_seen_ns: u64,
    /// It does not make room for a new one before this time.
    pub keep_until_ns: u64,
    /// What is known of it.
    pub value: V,
}

impl<K, V> Entry<K, V> {
    /// Whether it has been in the table for a while.
    pub fn is_known(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.first_seen_ns) >= KNOWN_AFTER_NS
    }
}

/// Those whose keys have the same places.
type Set<K, V> = [Option<Entry<K, V>>; WAYS];

/// The table. All its memory is there from the start.
pub struct Table<K, V> {
    sets: Box<[Set<K, V>]>,
    /// With keys of its own at each start, so that nobody can choose addresses that fall into one set.
    hash: RandomState,
}

impl<K: Hash + Eq + Copy, V: Default> Table<K, V> {
    /// An empty table with so many places.
    pub fn new(places: usize) -> Self {
        let sets = (0..places.div_ceil(WAYS)).map(|_| std::array::from_fn(|_| None)).collect();
        Self { sets, hash: RandomState::new() }
    }

    /// What is known of this key; a new one, where none is known. It takes a free place or else that of another:
    /// of those that are not known the one seen least recently, or else of those that are.
    pub fn entry(&mut self, key: K, now_ns: u64) -> &mut Entry<K, V> {
        let number = self.hash.hash_one(key) as usize % self.sets.len();
        let set = &mut self.sets[number];
        let place = set.iter().position(|entry| entry.as_ref().is_some_and(|entry| entry.key == key));
        let place = place.unwrap_or_else(|| {
            let worth = |entry: &Option<Entry<K, V>>| {
                entry.as_ref().map(|entry| (entry.keep_until_ns > now_ns || entry.is_known(now_ns), entry.last_seen_ns))
            };
            let place = (0..WAYS).min_by_key(|place| worth(&set[*place])).unwrap_or(0);
            set[place] = None;
            place
        });
        let new = || Entry { key, first_seen_ns: now_ns, last_seen_ns: now_ns, keep_until_ns: 0, value: V::default() };
        let entry = set[place].get_or_insert_with(new);
        entry.last_seen_ns = now_ns;
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_million_new_senders_neither_fill_it_nor_drive_out_who_is_known() {
        let mut table: Table<u32, u32> = Table::new(64);
        for known in 0..8 {
            table.entry(known, 0).value = 7;
        }
        table.entry(1_000_000, SECOND - 1).keep_until_ns = 3 * SECOND;
        for new in 8..1_000_000 {
            table.entry(new, SECOND + u64::from(new)).value = 1;
        }
        assert_eq!(table.sets.len(), 8);
        let places = table.sets.iter().flatten().flatten();
        let kept = places.filter(|entry| entry.value == 7 || entry.key == 1_000_000).count();
        // Nine keys in eight sets of eight: that all fall into one is one case in ten million.
        assert_eq!(kept, 9);
        assert_eq!(table.entry(3, 2 * SECOND).value, 7);
    }

    #[test]
    fn among_the_known_the_one_seen_least_recently_makes_room() {
        let mut table: Table<u32, u32> = Table::new(WAYS);
        for key in 0..WAYS as u32 {
            table.entry(key, u64::from(key)).value = 7;
        }
        table.entry(0, SECOND);
        table.entry(99, 5 * SECOND);
        let gone: Vec<_> =
            (0..WAYS as u32).filter(|key| !table.sets[0].iter().flatten().any(|entry| entry.key == *key)).collect();
        assert_eq!(gone, [1]);
    }
}
