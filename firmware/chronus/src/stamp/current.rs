//! What the parameters are set to by now: what is played, and over it what is in the log and not yet in any state.

use abi::{Operation, PARAMETERS, Values};

use crate::audio::SharedMemory;
use crate::worker::newest_state;

/// The values set last.
pub struct Current {
    /// The newest record of each parameter, with its index in the log.
    logged: [Option<(u64, f64)>; PARAMETERS.len()],
    /// What was played when it was last looked at.
    played: Values,
}

impl Current {
    /// Nothing has been set yet.
    pub fn new() -> Self {
        Self { logged: [None; PARAMETERS.len()], played: PARAMETERS.each_ref().map(|parameter| parameter.default) }
    }

    /// Takes notice of a record of the log.
    pub fn note(&mut self, index: u64, operation: Operation) {
        if let Operation::Set(id, value) = operation {
            self.logged[id as usize] = Some((index, value));
        }
    }

    /// The values by now, at a sample rate in Hz.
    pub fn values(&mut self, memory: &SharedMemory, rate: u32) -> Values {
        let [first, second] = &memory.slots;
        let state = newest_state([first, second], memory.log.sealed().blocks());
        let mut applied = 0;
        // Where there is no whole state just now, what was known last stays.
        if let Some((state, values)) = state.and_then(|state| Some((state, state.values(rate)?))) {
            (self.played, applied) = (values, state.log_index);
        }
        let mut values = self.played;
        for (value, logged) in values.iter_mut().zip(self.logged) {
            *value = logged.filter(|(index, _)| *index >= applied).map_or(*value, |(_, logged)| logged);
        }
        values
    }
}
