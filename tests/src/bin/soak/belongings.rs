//! What an engine has, so that what grows is found.

use std::time::Duration;

use chronus_tests::engine::Engine;
use chronus_tests::process::{Belongings, resident_kib};

/// Looks at an engine until three in a row show the same; a busy machine may go on replacing workers for a while.
const MOST_LOOKS: usize = 500;

/// What an engine has when nothing is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Descriptors, threads, mappings, children.
    pub belongings: Belongings,
    /// Resident memory in KiB.
    pub resident: u64,
}

impl Measured {
    /// Of an engine, as soon as it is the same three times in a row.
    pub fn of(engine: &Engine) -> Self {
        let (mut last, mut same) = (Belongings::of(engine.id()), 0);
        for _ in 0..MOST_LOOKS {
            std::thread::sleep(Duration::from_millis(20));
            let now = Belongings::of(engine.id());
            same = if now == last { same + 1 } else { 0 };
            last = now;
            if same == 3 {
                break;
            }
        }
        Self { belongings: last, resident: resident_kib(engine.id()) }
    }
}

/// What there is more of, in words. Resident memory may move by one part in a hundred, as in `tests/tests/leak.rs`.
pub fn growth(before: &Measured, after: &Measured) -> Vec<String> {
    let (old, new) = (&before.belongings, &after.belongings);
    let counts = [
        (old.descriptors, new.descriptors, "descriptors"),
        (old.threads, new.threads, "threads"),
        (old.mappings, new.mappings, "mappings"),
        (old.children, new.children, "children"),
    ];
    let grown = counts.iter().filter(|(old, new, _)| new > old);
    let mut grown: Vec<_> = grown.map(|(old, new, what)| format!("{what}: {old} -> {new}")).collect();
    if after.resident * 100 > before.resident * 101 {
        grown.push(format!("resident memory: {} -> {} KiB", before.resident, after.resident));
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_grows_is_named() {
        let belongings = Belongings { descriptors: 20, threads: 8, mappings: 90, children: 2 };
        let before = Measured { belongings, resident: 10_000 };
        assert_eq!(growth(&before, &Measured { resident: 10_100, ..before }), [""; 0]);
        type Spoil = fn(&mut Measured);
        let spoils: [(Spoil, &str); 5] = [
            (|measured| measured.belongings.descriptors += 1, "descriptors: 20 -> 21"),
            (|measured| measured.belongings.threads += 1, "threads: 8 -> 9"),
            (|measured| measured.belongings.mappings += 1, "mappings: 90 -> 91"),
            (|measured| measured.belongings.children += 1, "children: 2 -> 3"),
            (|measured| measured.resident += 101, "resident memory: 10000 -> 10101 KiB"),
        ];
        for (spoil, text) in spoils {
            let mut after = before;
            spoil(&mut after);
            assert_eq!(growth(&before, &after), [text]);
        }
    }
}
