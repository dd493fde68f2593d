//! What can be addressed in a patch: its modules with their parameters, gates and voices, by name.
//!
//! The modules are those of the patch that is edited, and those of the one committed last of other names: who makes a
//! module may set it before it is heard, and who is about to take one away can still turn it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use abi::{Edit, Link, Operation, Place};
use dsp::Instrument;
use dsp::instrument::{Kind, NOTES, OUT, PARAMETER, Row, VOICE_OUTPUTS, Wiring};
use dsp::kernel::Parameter;
use rosc::{OscMessage, OscType};

use super::tracks::{track_message, transport_message};

/// The patch at power-on.
pub fn power_on() -> &'static Wiring {
    static INSTRUMENT: LazyLock<Box<Instrument>> = LazyLock::new(|| {
        let mut instrument = bytemuck::zeroed_box::<Instrument>();
        // The rate is no part of a wiring.
        instrument.power_on(abi::RATES[0]);
        instrument
    });
    INSTRUMENT.wiring()
}

/// Whether the patch that was committed last is the one at power-on, whatever is set there.
pub fn is_power_on(wiring: &Wiring) -> bool {
    let mut committed = Box::new(*wiring);
    committed.edit(&Edit::Abort);
    let made = |wiring: &Wiring| patch_messages(wiring).map(|message| format!("{message:?}")).collect::<BTreeSet<_>>();
    made(&committed) == made(power_on())
}

/// All modules with their rows.
pub fn modules(wiring: &Wiring) -> impl Iterator<Item = (u8, &Row)> {
    // Most of what is committed is edited too, in the same row.
    let is_hidden = |row: &Row| wiring.find_edited(row.name()).is_some();
    let left = wiring.committed().filter(|(number, _)| !wiring.is_edited(*number));
    wiring.edited().chain(left.filter(move |(_, row)| !is_hidden(row)))
}

/// The module of this name.
pub fn module<'a>(wiring: &'a Wiring, name: &str) -> Option<(u8, &'a Row)> {
    wiring.find_edited(name).or_else(|| wiring.find(name))
}

/// The parameters of a module, with their places.
fn parameters_of(row: u8, module: &Row) -> impl Iterator<Item = (Place, &'static Parameter)> + use<> {
    let parameters = module.kind().map_or(&[][..], |kind| kind.row().parameters);
    (0u8..).map(move |parameter| Place { row, parameter }).zip(parameters)
}

/// All parameters, with the names of their modules.
pub fn parameters(wiring: &Wiring) -> impl Iterator<Item = (&str, Place, &'static Parameter)> {
    modules(wiring).flat_map(|(row, module)| {
        parameters_of(row, module).map(|(place, parameter)| (module.name(), place, parameter))
    })
}

/// The parameter of this name of the module of this name.
pub fn parameter(wiring: &Wiring, name: &str, of_parameter: &str) -> Option<(Place, &'static Parameter)> {
    let (row, module) = module(wiring, name)?;
    parameters_of(row, module).find(|(_, parameter)| parameter.name == of_parameter)
}

/// What stands at a place: the name of the module, and the parameter.
pub fn at(wiring: &Wiring, place: Place) -> Option<(&str, &'static Parameter)> {
    let row = wiring.row(place.row)?;
    let parameter = row.kind()?.row().parameters.get(usize::from(place.parameter))?;
    Some((row.name(), parameter))
}

/// The address of a parameter.
pub fn address(module: &str, parameter: &Parameter) -> String {
    format!("/mod/{module}/{}", parameter.name)
}

/// What a parameter is set to.
pub fn value(wiring: &Wiring, place: Place) -> Option<f64> {
    wiring.row(place.row)?.value(usize::from(place.parameter))
}

/// Where the tempo is set.
pub const TEMPO: &str = "/clock/tempo";

/// What all parameters are set to, and the tempo.
pub fn values(wiring: &Wiring) -> Values {
    let told = |(module, place, parameter): (&str, Place, &Parameter)| {
        Some((address(module, parameter), value(wiring, place)?))
    };
    let tempo = (TEMPO.to_owned(), wiring.sequencer().clock().bpm());
    parameters(wiring).filter_map(told).chain([tempo]).collect()
}

/// The modules that have a gate, with their rows.
pub fn gates(wiring: &Wiring) -> impl Iterator<Item = (u8, &str)> {
    modules(wiring).filter(|(_, row)| row.kind() == Some(Kind::Adsr)).map(|(number, row)| (number, row.name()))
}

/// What all parameters are set to, by their addresses.
pub type Values = BTreeMap<String, f64>;

/// As they would be written in `/patch/connect`: what a link comes from, and what it goes to.
pub fn ends(wiring: &Wiring, link: &Link) -> Option<[String; 2]> {
    let [source, destination] = [link.source, link.destination].map(|row| wiring.row(row));
    let (source, destination) = (source?, destination?);
    let kind = destination.kind()?.row();
    let is_voice = source.kind() == Some(Kind::Voice);
    let output = VOICE_OUTPUTS.get(usize::from(link.output)).filter(|_| is_voice && link.input != NOTES);
    let input = match link.input.checked_sub(PARAMETER) {
        Some(parameter) => Some(kind.parameters.get(usize::from(parameter))?.name),
        // The first one is meant where none is named.
        None if link.input == NOTES || link.input == 0 => None,
        None => Some(*kind.inputs.get(usize::from(link.input))?),
    };
    let joined = |name: &str, part: Option<&str>| part.map_or_else(|| name.to_owned(), |part| format!("{name}.{part}"));
    Some([joined(source.name(), output.copied()), joined(destination.name(), input)])
}

/// The message that does this again in the same patch, exactly: values are sent as 64-bit floats. `None` if there is nothing of
/// what it is about.
pub fn message_of(operation: Operation, wiring: &Wiring) -> Option<OscMessage> {
    let name = |row: u8| wiring.row(row).map(|row| OscType::from(row.name()));
    let (addr, args) = match operation {
        Operation::Set(place, value) => {
            let (module, parameter) = at(wiring, place)?;
            (address(module, parameter), vec![OscType::Double(value)])
        }
        Operation::Gate(row, on) => (format!("/gate/{}", wiring.row(row)?.name()), vec![OscType::Bool(on)]),
        Operation::Note(row, note, velocity) => {
            let word = if velocity > 0.0 { "/note/on" } else { "/note/off" };
            (word.to_owned(), vec![name(row)?, OscType::Int(note.into()), OscType::Float(velocity)])
        }
        Operation::Silence => ("/panic".to_owned(), Vec::new()),
        Operation::Edit(edit) => edit_message(edit, wiring)?,
        Operation::Transport(transport) => transport_message(transport),
        Operation::Track(track, edit) => track_message(track, &edit, wiring)?,
        #[cfg(feature = "faults")]
        Operation::Poison(poison) => ("/poison".to_owned(), vec![OscType::String(poison.name().to_owned())]),
    };
    Some(OscMessage { addr, args })
}

fn edit_message(edit: Edit, wiring: &Wiring) -> Option<(String, Vec<OscType>)> {
    let ends = |link: &Link| ends(wiring, link).map(|ends| ends.map(OscType::String));
    let (word, args) = match edit {
        Edit::Create(_, kind, name) => {
            let name = std::str::from_utf8(&name).ok()?.trim_end_matches('\0');
            ("create", vec![OscType::from(name), OscType::from(Kind::from_number(kind)?.row().name)])
        }
        Edit::Delete(row) => ("delete", vec![OscType::from(wiring.row(row)?.name())]),
        Edit::Connect(_, link, amount) => {
            let [source, destination] = ends(&link)?;
            ("connect", vec![source, destination, OscType::Float(amount)])
        }
        Edit::Disconnect(place) => {
            let (_, connection) = wiring.edited_connections().find(|(number, _)| *number == place)?;
            ("disconnect", ends(&connection.link)?.into())
        }
        Edit::Clear => ("clear", Vec::new()),
        Edit::Abort => ("abort", Vec::new()),
        Edit::Commit => ("commit", Vec::new()),
    };
    Some((format!("/patch/{word}"), args))
}

/// The messages that make the patch that is being edited: its modules, its connections.
pub fn patch_messages(wiring: &Wiring) -> impl Iterator<Item = OscMessage> {
    let creates = wiring
        .edited()
        .filter(|(number, _)| *number != OUT)
        .filter_map(|(number, row)| Some(Edit::Create(number, row.kind()? as u8, row.name)));
    let connects = wiring.edited_connections();
    let connects = connects.map(|(place, connection)| Edit::Connect(place, connection.link, connection.amount));
    creates.chain(connects).filter_map(|edit| message_of(Operation::Edit(edit), wiring))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Request, When, interpret_message};

    /// What these messages make of the patch at power-on.
    fn made(messages: impl IntoIterator<Item = OscMessage>) -> (Box<Wiring>, Vec<Operation>) {
        let (mut wiring, mut all) = (Box::new(*power_on()), Vec::new());
        for message in messages {
            for request in interpret_message(&message, When::Arrival(0), 48_000, &wiring) {
                let Ok(Request::Apply(intent)) = request else { panic!("{message:?}: {request:?}") };
                wiring.follow(&intent.operation, 48_000);
                all.push(intent.operation);
            }
        }
        (wiring, all)
    }

    fn message(addr: &str, args: &[&str]) -> OscMessage {
        OscMessage { addr: addr.to_owned(), args: args.iter().map(|text| OscType::from(*text)).collect() }
    }

    fn words() -> Vec<OscMessage> {
        let numbers = |addr: &str, name: &str, numbers: [f64; 2]| OscMessage {
            addr: addr.to_owned(),
            args: [OscType::from(name)].into_iter().chain(numbers.map(OscType::Double)).collect(),
        };
        vec![
            message("/patch/create", &["keys", "voice"]),
            message("/patch/create", &["saw", "osc"]),
            message("/patch/create", &["mix", "mixer"]),
            message("/patch/connect", &["keys", "saw"]),
            message("/patch/connect", &["keys.velocity", "saw.width"]),
            message("/patch/connect", &["keys.pitch", "filter.cutoff"]),
            message("/patch/connect", &["saw", "mix.in3"]),
            message("/patch/connect", &["saw", "mix"]),
            message("/patch/disconnect", &["saw", "mix"]),
            message("/patch/delete", &["adsr"]),
            message("/patch/commit", &[]),
            numbers("/note/on", "keys", [60.0, 0.5]),
            numbers("/note/off", "keys", [60.0, 0.0]),
            OscMessage { addr: "/mod/mix/level3".to_owned(), args: vec![OscType::Double(0.123_456_789)] },
            message("/panic", &[]),
            message("/patch/clear", &[]),
            message("/patch/abort", &[]),
        ]
    }

    #[test]
    fn what_was_done_is_told_so_that_it_can_be_done_again() {
        let (first, operations) = made(words());
        let (mut wiring, mut told) = (Box::new(*power_on()), Vec::new());
        for operation in &operations {
            told.push(message_of(*operation, &wiring).unwrap());
            wiring.follow(operation, 48_000);
        }
        let (again, same) = made(told);
        assert_eq!(same, operations);
        assert!(*again == *first && first.committed().count() == 6);
    }

    #[test]
    fn a_patch_is_told_so_that_it_can_be_made_again() {
        let (first, _) = made(words());
        let clear = [message("/patch/clear", &[])];
        let (again, _) = made(clear.into_iter().chain(patch_messages(&first)));
        let told = |wiring: &Wiring| patch_messages(wiring).collect::<Vec<_>>();
        assert_eq!(told(&again), told(&first));
        assert_eq!(told(&first).len(), 5 + 5);
    }
}
