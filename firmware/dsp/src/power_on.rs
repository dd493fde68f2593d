//! The patch at power-on: a sine, its envelope, a filter; and what operations do.

use abi::{Block, Operation, Place};

use crate::instrument::{Instrument, Scratch};

/// A module of the patch at power-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its row.
    row: u8,
    /// Its name, and that of its type.
    name: &'static str,
}

/// All of them, in the order in which the sound passes through them.
pub const MODULES: [Module; 3] =
    [Module { row: 1, name: "sine" }, Module { row: 2, name: "adsr" }, Module { row: 3, name: "filter" }];

/// What is connected, from the sine to the output.
const CONNECTIONS: [(&str, &str); 3] = [("sine", "adsr"), ("adsr", "filter"), ("filter", "out")];

impl Module {
    /// Its name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The row in which it is as long as nobody takes it away.
    pub const fn row(self) -> u8 {
        self.row
    }
}

impl Instrument {
    /// The state at engine start, at a sample rate in Hz, of [`abi::RATES`]: the table's defaults, gate closed, silence.
    pub fn power_on(&mut self, rate: u32) {
        self.begin(rate);
        for module in MODULES {
            let edit = self.wiring().create(module.name, module.name);
            edit.into_iter().for_each(|edit| self.edit(&edit));
        }
        for (source, destination) in CONNECTIONS {
            let edits = self.wiring().connect(source, destination, 1.0);
            edits.into_iter().for_each(|edit| self.edit(&edit));
        }
        self.hear_at_once();
    }

    /// Makes an operation take effect at the next frame rendered. Values are in range: [`Operation`] says so.
    pub fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Set(Place { row, parameter }, value) => self.set(row, usize::from(parameter), value),
            Operation::Gate(row, on) => self.gate(row, on),
            Operation::Note(row, note, velocity) => self.note(row, note, velocity),
            Operation::Silence => self.silence(),
            Operation::Edit(edit) => self.edit(&edit),
            Operation::Transport(transport) => self.transport(&transport),
            Operation::Track(track, edit) => self.tell(track, &edit),
            #[cfg(feature = "faults")]
            Operation::Poison(poison) => self.swallow(poison),
        }
    }

    /// Renders one block of one module alone, without commands: what it costs. Nobody is to hear it.
    pub fn exercise(&mut self, scratch: &mut Scratch, module: Module, block: &mut Block) {
        self.render_alone(scratch, module.row);
        // Only so that it is not left out.
        let first = self.wiring().row(module.row).map_or(0.0, |row| scratch.first_of(row));
        block.samples.fill(first);
    }
}
