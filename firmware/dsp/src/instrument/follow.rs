//! What commands do to the tables alone: for whoever wants to know what is set and connected without rendering anything.

use abi::{Edit, Operation, Place};

use super::kind::Kind;
use super::setting::Setting;
use super::wiring::flags;
use super::{Row, Wiring, voices};

impl Wiring {
    /// Whether nothing was edited since the last commit.
    pub fn is_committed(&self) -> bool {
        let rows = self.rows.iter().map(|row| row.flags);
        let mut all = rows.chain(self.connections.iter().map(|connection| connection.flags));
        all.all(|one| (one & flags::EDITED != 0) == (one & flags::COMMITTED != 0))
    }

    /// Whether all parameters of what is edited or committed are within their ranges at a sample rate in Hz; only damage can
    /// bring about that they are not.
    pub fn is_in_range(&self, rate: u32) -> bool {
        let rows = self.edited().chain(self.committed());
        let mut settings = rows.flat_map(|(_, row)| {
            let parameters = row.kind().map_or(&[][..], |kind| kind.row().parameters);
            row.settings.iter().map(Setting::target).zip(parameters)
        });
        settings.all(|(value, parameter)| parameter.clamp(value, rate) == value)
    }

    /// What is edited is what was committed last.
    pub(super) fn adopt(&mut self) {
        self.copy_flags(flags::EDITED, flags::COMMITTED);
        self.lapse_assignments();
        for row in self.rows.iter_mut().filter(|row| row.is(flags::COMMITTED) && row.kind() == Some(Kind::Voice)) {
            row.voices[0] = row.value(voices::VOICES).unwrap_or(1.0) as u32;
        }
    }

    /// What tracks play that is in no patch any more, they play no longer.
    pub(super) fn lapse_assignments(&mut self) {
        let Self { rows, sequencer, .. } = self;
        let known = |row: &Row| row.is(flags::EDITED | flags::COMMITTED);
        sequencer.lapse(|row| rows.get(usize::from(row)).is_some_and(known));
    }

    /// Follows a command: what is edited, committed and set is afterwards as in an instrument that has applied it. What is
    /// heard is not looked at. The rate is in Hz.
    pub fn follow(&mut self, operation: &Operation, rate: u32) {
        match operation {
            Operation::Edit(Edit::Commit) if self.check().is_err() => {}
            Operation::Edit(Edit::Commit) => self.adopt(),
            Operation::Edit(edit) => self.edit(edit),
            Operation::Set(Place { row, parameter }, value) => {
                let (Some(row), parameter) = (self.rows.get_mut(usize::from(*row)), usize::from(*parameter)) else {
                    return;
                };
                let known = row.kind().and_then(|kind| kind.row().parameters.get(parameter));
                if let (Some(setting), Some(known)) = (row.settings.get_mut(parameter), known) {
                    *setting = Setting::at(known.clamp(*value, rate));
                }
            }
            Operation::Transport(transport) => self.sequencer.transport(transport),
            Operation::Track(track, edit) => self.sequencer.tell(*track, edit, |_| ()),
            Operation::Silence => self.sequencer.stop_clock(),
            _ => {}
        }
    }
}
