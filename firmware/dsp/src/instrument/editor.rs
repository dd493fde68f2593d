//! From the words of a person to an [`Edit`]: names become rows, and what cannot be is refused before anything is changed.

use abi::{Edit, Link, NAME_BYTES, Name};

use crate::kernel::Parameter;

use super::kind::{Kind, KindRow};
use super::wiring::{Connection, MOST_CONNECTIONS, MOST_MODULES, NOTES, OUT, PARAMETER, Row, VOICE_OUTPUTS, Wiring};

/// Why an edit is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Not a name: 1 to [`NAME_BYTES`] small letters, digits, `-` and `_`, a letter first.
    Name,
    /// There is a module of this name.
    Taken,
    /// There is no such type.
    Type,
    /// There is no such module in the patch that is being edited.
    NoModule,
    /// `out` is always there, gives nothing, and is not to be created or deleted.
    Out,
    /// The module has no such input or parameter.
    NoInput,
    /// The module gives nothing of this name.
    NoOutput,
    /// The module takes no sound and no notes: what of it is meant is to be named.
    TakesNothing,
    /// Voices are summed there: of one of them alone nothing can be told.
    Summed,
    /// A parameter that chooses, or is the same for all voices.
    NotMoved,
    /// The amount is not within these, on either side of 0.
    Amount(u32),
    /// There are as many modules as there may be.
    Modules,
    /// There are as many connections as there may be.
    Connections,
    /// There is no such connection.
    NotConnected,
}

/// Loudest connection for sound: 12 dB.
const LOUDEST: f32 = 4.0;

/// Farthest that a frequency is moved, in octaves: further than there is anything to be heard.
const OCTAVES: f32 = 16.0;

/// The name as it stands in a row.
///
/// # Errors
/// If it is none.
pub fn name_of(text: &str) -> Result<Name, Mistake> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let bytes = text.as_bytes();
    if bytes.len() > NAME_BYTES
        || !bytes.first().is_some_and(u8::is_ascii_lowercase)
        || !bytes.iter().all(|byte| fits(*byte))
    {
        return Err(Mistake::Name);
    }
    let mut name = [0; NAME_BYTES];
    name.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Ok(name)
}

/// A name as text; "" if it was damaged.
pub fn text_of(name: &Name) -> &str {
    let length = name.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES);
    name.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
}

impl Row {
    /// Its name as text; "" if it was damaged.
    pub fn name(&self) -> &str {
        text_of(&self.name)
    }

    /// The place of a parameter in its type's table.
    pub fn parameter(&self, name: &str) -> Option<(usize, &'static Parameter)> {
        let parameters = self.kind()?.row().parameters;
        parameters.iter().enumerate().find(|(_, parameter)| parameter.name == name)
    }
}

/// What `name` and `name.part` say.
fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('.').map_or((text, None), |(name, part)| (name, Some(part)))
}

impl Wiring {
    /// The row of this name in the patch that is being edited.
    pub fn find_edited(&self, name: &str) -> Option<(u8, &Row)> {
        self.edited().find(|(_, row)| row.name() == name)
    }

    /// The row of this name in the patch that was committed last.
    pub fn find(&self, name: &str) -> Option<(u8, &Row)> {
        self.committed().find(|(_, row)| row.name() == name)
    }

    /// A new module.
    ///
    /// # Errors
    /// Why there can be none.
    pub fn create(&self, name: &str, kind: &str) -> Result<Edit, Mistake> {
        let bytes = name_of(name)?;
        let kind = Kind::from_name(kind).ok_or(Mistake::Type)?;
        if kind == Kind::Out {
            return Err(Mistake::Out);
        }
        if self.find_edited(name).is_some() {
            return Err(Mistake::Taken);
        }
        let room = self.edited().count() < MOST_MODULES;
        let row = self.free_row().filter(|_| room).ok_or(Mistake::Modules)?;
        Ok(Edit::Create(row, kind as u8, bytes))
    }

    /// A module less.
    ///
    /// # Errors
    /// If there is none.
    pub fn delete(&self, name: &str) -> Result<Edit, Mistake> {
        match self.find_edited(name).ok_or(Mistake::NoModule)? {
            (OUT, _) => Err(Mistake::Out),
            (row, _) => Ok(Edit::Delete(row)),
        }
    }

    /// From `source`, a module or `voice.output`, to `destination`, a module, `module.input` or `module.parameter`. What is
    /// connected already gets the new amount.
    ///
    /// # Errors
    /// Why they cannot be connected.
    pub fn connect(&self, source: &str, destination: &str, amount: f32) -> Result<Edit, Mistake> {
        let (link, most) = self.link(source, destination)?;
        // Not a number is within nothing.
        if !(-most..=most).contains(&amount) {
            return Err(Mistake::Amount(most as u32));
        }
        let again = self.connection(link).is_some();
        let room = again || self.edited_connections().count() < MOST_CONNECTIONS;
        let place = self.free_place().filter(|_| room).ok_or(Mistake::Connections)?;
        Ok(Edit::Connect(place, link, amount))
    }

    /// A connection less.
    ///
    /// # Errors
    /// If there is none.
    pub fn disconnect_named(&self, source: &str, destination: &str) -> Result<Edit, Mistake> {
        let (link, _) = self.link(source, destination)?;
        self.connection(link).map(|(place, _)| Edit::Disconnect(place)).ok_or(Mistake::NotConnected)
    }

    fn connection(&self, link: Link) -> Option<(u16, &Connection)> {
        self.edited_connections().find(|(_, connection)| connection.link == link)
    }

    /// What is meant, and the most of it.
    fn link(&self, source: &str, destination: &str) -> Result<(Link, f32), Mistake> {
        let ((source, output), (destination, part)) = (split(source), split(destination));
        let (source, from) = self.find_edited(source).ok_or(Mistake::NoModule)?;
        let (destination, to) = self.find_edited(destination).ok_or(Mistake::NoModule)?;
        let (from, to) = (from.kind().ok_or(Mistake::Type)?, to.kind().ok_or(Mistake::Type)?);
        let number = output_of(from, output)?;
        if from == Kind::Voice && output.is_none() && part.is_none() {
            let input = if to.row().takes_notes { Ok(NOTES) } else { Err(Mistake::TakesNothing) };
            return input.map(|input| (Link { source, output: 0, destination, input }, LOUDEST));
        }
        if from == Kind::Voice && to.row().sums {
            return Err(Mistake::Summed);
        }
        let (input, most) = input_of(to.row(), part)?;
        Ok((Link { source, output: number, destination, input }, most))
    }
}

fn output_of(kind: Kind, name: Option<&str>) -> Result<u8, Mistake> {
    match (kind, name) {
        (Kind::Out, _) => Err(Mistake::Out),
        (_, None) => Ok(0),
        (Kind::Voice, Some(name)) => {
            let place = VOICE_OUTPUTS.iter().position(|output| *output == name);
            place.map(|place| place as u8).ok_or(Mistake::NoOutput)
        }
        _ => Err(Mistake::NoOutput),
    }
}

fn input_of(row: &KindRow, name: Option<&str>) -> Result<(u8, f32), Mistake> {
    let Some(name) = name else {
        return if row.inputs.is_empty() { Err(Mistake::TakesNothing) } else { Ok((0, LOUDEST)) };
    };
    if let Some(input) = row.inputs.iter().position(|input| *input == name) {
        return Ok((input as u8, LOUDEST));
    }
    let found = row.parameters.iter().enumerate().find(|(_, parameter)| parameter.name == name);
    let (place, parameter) = found.ok_or(Mistake::NoInput)?;
    let is_beats = row.kind == Kind::Lfo && place == crate::kernel::lfo::BEATS;
    if !parameter.choices.is_empty() || row.kind == Kind::Voice || is_beats {
        return Err(Mistake::NotMoved);
    }
    // At least 1, which is meant where no amount is named.
    let span = (parameter.maximum.at(abi::RATES[0]) - parameter.minimum).max(1.0);
    Ok((PARAMETER + place as u8, if parameter.by_ratio { OCTAVES } else { span as f32 }))
}
