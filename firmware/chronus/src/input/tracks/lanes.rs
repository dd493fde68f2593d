//! The words for lanes: values for a parameter, one for each step.

use abi::{NOTE, Operation, PART, Part, Place, TrackEdit};
use dsp::instrument::{Kind, Wiring, name_of};
use dsp::time::{LANES, STEPS, Track};
use rosc::OscType;

use super::{no_name, whole};
use crate::input::catalogue;
use crate::input::edits::shown;
use crate::input::refusal::Code;
use crate::input::value::{Fault, check_finite, number, wrong_type};

/// The parameter, as it is called, that is the note of a voice.
pub const NOTE_NAME: &str = "note";

/// The lane of a track that has this name; or what makes one, if there is room for it.
pub fn lane(number: u8, track: &Track, name: &str) -> Result<(Option<Operation>, u8), Fault> {
    let bytes = name_of(name).map_err(|_| no_name(name))?;
    let place = |wanted| (0u8..).zip(track.lanes()).find(|(_, lane)| lane.name() == wanted).map(|(place, _)| place);
    if let Some(lane) = place(bytes) {
        return Ok((None, lane));
    }
    let full = || (Code::Full, format!("the track has {LANES} lanes already, the most there may be; nothing changed"));
    let lane = place(Default::default()).ok_or_else(full)?;
    Ok((Some(Operation::Track(number, TrackEdit::Lane(lane, bytes))), lane))
}

/// What gives a lane these values.
pub fn values(number: u8, track: &Track, name: &str, arguments: &[OscType]) -> Result<Vec<Operation>, Fault> {
    let values = match arguments {
        [OscType::String(text)] => text.split(',').map(|word| value(&written(word.trim())?)).collect(),
        numbers => numbers.iter().map(value).collect::<Result<Vec<_>, Fault>>(),
    }?;
    if values.len() > STEPS {
        return Err((Code::BadEdit, format!("{} values; a lane has 1 to {STEPS}; nothing changed", values.len())));
    }
    let (made, lane) = lane(number, track, name)?;
    let part = |(place, some): (usize, &[f32])| {
        let edit = TrackEdit::Values(lane, part_of((place * PART) as u8, values.len() as u8, some));
        Operation::Track(number, edit)
    };
    Ok(made.into_iter().chain(values.chunks(PART).enumerate().map(part)).collect())
}

fn written(word: &str) -> Result<OscType, Fault> {
    let wrong = || (Code::WrongType, format!("{} is no number; nothing changed", shown(word)));
    word.parse().map(OscType::Double).map_err(|_| wrong())
}

fn value(argument: &OscType) -> Result<f32, Fault> {
    let value = number(argument).ok_or_else(|| wrong_type(argument, "a number (type i, f, h or d)"))? as f32;
    check_finite(f64::from(value)).map(|()| value)
}

fn part_of(place: u8, of: u8, some: &[f32]) -> Part {
    let mut part = Part { place, of, values: [0.0; PART] };
    part.values.iter_mut().zip(some).for_each(|(to, from)| *to = *from);
    part
}

/// One part of the values of a lane, as they are in commands.
pub fn part(
    number: u8,
    track: &Track,
    name: &str,
    [place, of]: [&OscType; 2],
    arguments: &[OscType],
) -> Result<Operation, Fault> {
    let (place, of) = (whole(place, 0, STEPS - PART)?, whole(of, 1, STEPS)?);
    let wanted = usize::from(of.saturating_sub(place)).min(PART);
    if !usize::from(place).is_multiple_of(PART) || wanted == 0 || arguments.len() != wanted {
        let text = format!(
            "values come by {PART}, from the places 0, {PART}, {} and so on, fewer only at the end; nothing changed",
            2 * PART
        );
        return Err((Code::BadEdit, text));
    }
    let some = arguments.iter().map(value).collect::<Result<Vec<_>, Fault>>()?;
    match lane(number, track, name)? {
        (None, lane) => Ok(Operation::Track(number, TrackEdit::Values(lane, part_of(place, of, &some)))),
        _ => Err((Code::BadEdit, format!("{}: the track has no such lane; /seq/lane makes one", shown(name)))),
    }
}

/// What assigns a lane to a parameter, or to nothing; `None` if nothing is said that could be meant.
pub fn assign(
    number: u8,
    track: &Track,
    name: &str,
    target: &[OscType],
    wiring: &Wiring,
) -> Result<Option<Vec<Operation>>, Fault> {
    let place = match target {
        [OscType::String(module)] if module.is_empty() => None,
        [OscType::String(module), OscType::String(parameter)] => Some(place(module, parameter, wiring)?),
        _ => return Ok(None),
    };
    let (made, lane) = lane(number, track, name)?;
    let assign = Operation::Track(number, TrackEdit::AssignLane(lane, place));
    Ok(Some(made.into_iter().chain([assign]).collect()))
}

fn place(module: &str, parameter: &str, wiring: &Wiring) -> Result<Place, Fault> {
    let found = catalogue::module(wiring, module);
    if let Some((row, _)) = found.filter(|(_, row)| row.kind() == Some(Kind::Voice) && parameter == NOTE_NAME) {
        return Ok(Place { row, parameter: NOTE });
    }
    if found.is_some_and(|(_, row)| row.kind() == Some(Kind::Voice)) && parameter == "voices" {
        let text = "how many voices there are is no matter of a lane: it changes with a commit; nothing changed";
        return Err((Code::BadEdit, text.to_owned()));
    }
    catalogue::parameter(wiring, module, parameter).map(|(place, _)| place).ok_or_else(|| {
        let address = format!("/mod/{module}/{parameter}");
        let why = crate::input::address::explain_unknown(&address, wiring);
        (Code::BadEdit, format!("{}: {why}; nothing changed", shown(&address)))
    })
}
