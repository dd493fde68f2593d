//! The patch from before the last power cut, made and set as anything else that is sent.

use abi::{Operation, Transport};
use rosc::{OscMessage, OscType};

use super::Control;
use crate::input::catalogue::{self, Values};
use crate::input::{Code, Request, When, interpret_message};
use crate::patch::{Answer, Offer};

impl Control {
    /// Makes the patch that is offered and sets its values, but for what somebody has changed before.
    pub(super) fn take_patch(&mut self) {
        let Some(offer) = self.patch.take() else { return };
        let set = self.set_patch(&offer);
        offer.answer(set.map_or(Answer::NotNow, Answer::Set));
    }

    /// How many values are set.
    fn set_patch(&mut self, offer: &Offer) -> Result<u64, (Code, String)> {
        let wiring = self.stamper.refresh();
        let before = catalogue::values(wiring);
        if !catalogue::is_power_on(wiring) || !wiring.is_committed() || self.stamper.is_edited_by_a_score() {
            // Somebody makes another one, or has, perhaps with an engine before this one that has not seen the file.
            return Ok(0);
        }
        let defaults = catalogue::values(catalogue::power_on());
        let is_touched = |(address, value): &(&String, &f64)| {
            self.patch.was_changed(address) || defaults.get(*address) != Some(value)
        };
        let touched: Values =
            before.iter().filter(is_touched).map(|(address, value)| (address.clone(), *value)).collect();
        let (commit, patch) = offer.patch.split_last().map_or((None, &[][..]), |(commit, patch)| (Some(commit), patch));
        for message in patch {
            self.do_at_once(message)?;
        }
        let mut count = 0;
        for message in &offer.values {
            if !touched.contains_key(&message.addr) {
                self.do_at_once(message)?;
                count += 1;
            }
        }
        if !offer.patch.is_empty() {
            // What somebody has set in the modules that are made anew.
            for (addr, value) in touched {
                self.do_at_once(&OscMessage { addr, args: vec![OscType::Double(value)] })?;
            }
        }
        // Who has made tracks wants those.
        if self.stamper.wiring().sequencer().tracks().next().is_none() {
            for message in &offer.tracks {
                self.do_at_once(message)?;
            }
        }
        if let Some(commit) = commit {
            self.do_at_once(commit)?;
        }
        Ok(count)
    }

    /// Does what a message says at the first frame that is free. One that is refused does nothing: it was checked when it was
    /// read.
    fn do_at_once(&mut self, message: &OscMessage) -> Result<(), (Code, String)> {
        for request in interpret_message(message, When::Arrival(0), self.facts.rate, self.stamper.wiring()) {
            if let Ok(Request::Apply(intent)) = request {
                self.stamper.set_at_once(intent.operation)?;
            }
        }
        Ok(())
    }

    /// Notes what somebody has changed: it is not taken from the file any more.
    pub(super) fn note_change(&mut self, operation: Operation) {
        let address = match operation {
            Operation::Set(place, _) => {
                let found = catalogue::at(self.stamper.wiring(), place);
                found.map(|(module, parameter)| catalogue::address(module, parameter))
            }
            Operation::Transport(Transport::Tempo(_)) => Some(catalogue::TEMPO.to_owned()),
            _ => None,
        };
        address.into_iter().for_each(|address| self.patch.note_change(address));
    }
}
