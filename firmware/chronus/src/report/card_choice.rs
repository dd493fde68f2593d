//! Which sound card was chosen, where the engine was to choose; and why there is none, where it was refused.

use std::sync::{Mutex, PoisonError};

/// A choice among the cards there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardChoice {
    /// The device, by a name that is the same after every start; `None` if none is good for anything.
    pub device: Option<String>,
    /// The card's id and name.
    pub card: String,
    /// Why this one.
    pub why: String,
    /// The others, in the order in which they would have been taken, then those that never are.
    pub others: Vec<PassedOver>,
}

/// A card that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its id and name.
    pub card: String,
    /// Why not.
    pub why: String,
}

/// The newest choice. Written by whoever opens cards, read by whoever tells of it; the audio thread never sees it.
#[derive(Default)]
pub struct NewestChoice(Mutex<Option<CardChoice>>);

impl NewestChoice {
    /// The newest choice; `None` if nothing was to be chosen.
    pub fn get(&self) -> Option<CardChoice> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a choice; true if it is another one than before.
    pub fn note(&self, choice: &CardChoice) -> bool {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = newest.as_ref() != Some(choice);
        *newest = Some(choice.clone());
        news
    }
}

/// Why the card could not be had when it was tried last. Written and read as the newest choice.
#[derive(Default)]
pub struct NewestRefusal(Mutex<Option<String>>);

impl NewestRefusal {
    /// In words; `None` if the card was had.
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how an attempt ended: in words, or `None` if the card was had.
    pub fn note(&self, refusal: Option<&str>) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_deref() != refusal {
            *newest = refusal.map(str::to_owned);
        }
    }
}
