//! The kinds of faults.

use chronus_tests::random::Random;

/// A command that does not end: no worker can be in time while it is found out.
const ENDLESS_LOOP: &str = "endless_loop";

/// A command that every worker survives: it puts NaN into the state, and the engine takes it out again.
const NOT_A_NUMBER: &str = "not_a_number";

/// The poisons, by the word for them in `/poison WORD`.
const POISONS: [&str; 8] = [
    "abort",
    "null_write",
    "stack_overflow",
    "huge_allocation",
    "open_file",
    "out_of_range",
    ENDLESS_LOOP,
    NOT_A_NUMBER,
];

/// What can go wrong in a soak. A new kind gets a place here and in `Kind::all`, a name, its doing in `inject.rs`, and
/// whether it may cost blocks. Not here: sound cards, which are in a virtual machine (`tests/tests/alsa.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIGKILL for one worker.
    KillOne,
    /// SIGKILL for both within a period.
    KillBoth,
    /// SIGKILL for the main process; the service manager starts it again.
    KillMain,
    /// SIGSTOP for one worker, for good.
    Stop,
    /// SIGSTOP for one worker, and SIGCONT a little later.
    StopAndContinue,
    /// A command that no worker survives, or that puts NaN into the state.
    Poison(&'static str),
    /// A flipped bit in a worker's state, in a block or in what it has published.
    Flip,
    /// A second of datagrams at full speed from another address.
    Flood,
    /// Datagrams that are no OSC.
    Garbage,
    /// Bundles of very many commands for a few blocks.
    Overload,
    /// The control thread gets no processor for a while.
    ControlPaused,
}

impl Kind {
    /// Each once.
    pub fn all() -> Vec<Self> {
        let others = [
            Self::KillOne,
            Self::KillBoth,
            Self::KillMain,
            Self::Stop,
            Self::StopAndContinue,
            Self::Flip,
            Self::Flood,
            Self::Garbage,
            Self::Overload,
            Self::ControlPaused,
        ];
        others.into_iter().chain(POISONS.map(Self::Poison)).collect()
    }

    /// For the report.
    pub fn name(self) -> String {
        match self {
            Self::KillOne => "one worker killed".to_owned(),
            Self::KillBoth => "both workers killed".to_owned(),
            Self::KillMain => "main process killed".to_owned(),
            Self::Stop => "worker stopped".to_owned(),
            Self::StopAndContinue => "stopped and continued".to_owned(),
            Self::Poison(poison) => format!("poison {poison}"),
            Self::Flip => "bit flipped".to_owned(),
            Self::Flood => "flood".to_owned(),
            Self::Garbage => "garbage".to_owned(),
            Self::Overload => "overload".to_owned(),
            Self::ControlPaused => "control thread paused".to_owned(),
        }
    }

    /// Whether it may cost blocks: no worker is left, or none can be in time. Every other kind must not be heard.
    pub fn may_cost_blocks(self) -> bool {
        matches!(self, Self::KillBoth | Self::Overload | Self::Poison(ENDLESS_LOOP))
    }

    /// Whether it is a command that must be taken out of the engine. NaN is survived.
    pub fn is_quarantined(self) -> bool {
        matches!(self, Self::Poison(poison) if poison != NOT_A_NUMBER)
    }
}

/// Kinds in random order, each as often as the others: like cards that are dealt, and shuffled when all are out.
pub struct Deck {
    random: Random,
    kinds: Vec<Kind>,
    left: Vec<Kind>,
    first: Option<Kind>,
    dealt: usize,
}

impl Deck {
    /// A deck of these kinds.
    pub fn new(seed: u64, kinds: Vec<Kind>) -> Self {
        Self { random: Random::new(seed), kinds, left: Vec::new(), first: None, dealt: 0 }
    }

    /// Whether each has been dealt.
    pub fn is_through(&self) -> bool {
        self.dealt >= self.kinds.len()
    }

    /// Deals this one next, if it is still in the deck.
    pub fn begin_with(&mut self, kind: Kind) {
        self.first = Some(kind);
    }

    /// The next one.
    pub fn deal(&mut self) -> Kind {
        if self.left.is_empty() {
            self.left.clone_from(&self.kinds);
        }
        self.dealt += 1;
        let first = self.first.take().and_then(|first| self.left.iter().position(|kind| *kind == first));
        let place = first.unwrap_or_else(|| self.random.below(self.left.len() as u64) as usize);
        self.left.swap_remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_before_any_comes_again() {
        let mut deck = Deck::new(3, Kind::all());
        let dealt: Vec<_> = Kind::all().iter().map(|_| deck.deal()).collect();
        assert!(deck.is_through() && !Deck::new(3, Kind::all()).is_through());
        assert!(Kind::all().iter().all(|kind| dealt.contains(kind)), "{dealt:?}");
        assert_ne!(dealt, Kind::all(), "it is shuffled");
        for seed in 0..20 {
            let mut deck = Deck::new(seed, Kind::all());
            deck.begin_with(Kind::KillMain);
            let dealt: Vec<_> = Kind::all().iter().map(|_| deck.deal()).collect();
            assert_eq!(dealt[0], Kind::KillMain);
            assert!(Kind::all().iter().all(|kind| dealt.contains(kind)), "{dealt:?}");
        }
    }
}
