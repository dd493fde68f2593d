//! The words that edit a patch and play its voices, checked against the patch as it is being edited.

use abi::{Edit, Operation};
use dsp::instrument::{Kind, MOST_CONNECTIONS, MOST_GROUPS, MOST_MODULES, Mistake, POOL, Refusal, Wiring};
use rosc::OscType;

use super::catalogue;
use super::refusal::Code;
use super::value::{Fault, check_finite, number, wrong_type};

/// Which word an address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchWord {
    /// `/patch/create ID TYPE`.
    Create,
    /// `/patch/delete ID`.
    Delete,
    /// `/patch/connect SOURCE DESTINATION [AMOUNT]`.
    Connect,
    /// `/patch/disconnect SOURCE DESTINATION`.
    Disconnect,
    /// `/patch/clear`.
    Clear,
    /// `/patch/abort`.
    Abort,
    /// `/patch/commit`.
    Commit,
    /// `/patch/list`.
    List,
    /// `/patch/save NAME`.
    Save,
    /// `/patch/load NAME`.
    Load,
    /// `/patch/presets`.
    Presets,
}

/// What is wished of presets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetAsked {
    /// Keep the patch under this name.
    Save(String),
    /// Make the patch of this name.
    Load(String),
    /// Tell all names.
    List,
}

impl PresetAsked {
    /// Where it was asked.
    pub const fn address(&self) -> &'static str {
        match self {
            Self::Save(_) => "/patch/save",
            Self::Load(_) => "/patch/load",
            Self::List => "/patch/presets",
        }
    }
}

/// What a word asks of presets; `None` if it is no such word.
///
/// # Errors
/// If the name is missing, or no string.
pub fn preset(word: PatchWord, arguments: &[OscType]) -> Result<Option<PresetAsked>, Fault> {
    let expected = || format!("expected {}", expected(word));
    match (word, arguments) {
        (PatchWord::Presets, _) => Ok(Some(PresetAsked::List)),
        (PatchWord::Save, [OscType::String(name)]) => Ok(Some(PresetAsked::Save(name.clone()))),
        (PatchWord::Load, [OscType::String(name)]) => Ok(Some(PresetAsked::Load(name.clone()))),
        (PatchWord::Save | PatchWord::Load, []) => Err((Code::NoArgument, expected())),
        (PatchWord::Save | PatchWord::Load, _) => Err((Code::WrongType, expected())),
        _ => Ok(None),
    }
}

/// Their addresses.
pub const PATCH_WORDS: [(&str, PatchWord); 11] = [
    ("/patch/create", PatchWord::Create),
    ("/patch/delete", PatchWord::Delete),
    ("/patch/connect", PatchWord::Connect),
    ("/patch/disconnect", PatchWord::Disconnect),
    ("/patch/clear", PatchWord::Clear),
    ("/patch/abort", PatchWord::Abort),
    ("/patch/commit", PatchWord::Commit),
    ("/patch/list", PatchWord::List),
    ("/patch/save", PatchWord::Save),
    ("/patch/load", PatchWord::Load),
    ("/patch/presets", PatchWord::Presets),
];

/// Highest number of a note, as in MIDI.
const HIGHEST_NOTE: f64 = 127.0;

/// What an edit does; nothing for what only asks.
///
/// # Errors
/// Why it cannot be done; nothing has changed then.
pub fn edit(word: PatchWord, arguments: &[OscType], wiring: &Wiring) -> Result<Vec<Operation>, Fault> {
    let edits = match (word, arguments) {
        (PatchWord::List | PatchWord::Save | PatchWord::Load | PatchWord::Presets, _) => Vec::new(),
        (PatchWord::Clear, _) => vec![Edit::Clear],
        (PatchWord::Abort, _) => vec![Edit::Abort],
        (PatchWord::Commit, _) => {
            wiring.check().map_err(|refusal| refused(refusal, wiring))?;
            vec![Edit::Commit]
        }
        (PatchWord::Create, [OscType::String(name), OscType::String(kind)]) => {
            vec![wiring.create(name, kind).map_err(|mistake| explain(mistake, &[name, kind]))?]
        }
        (PatchWord::Delete, [OscType::String(name)]) => {
            vec![wiring.delete(name).map_err(|mistake| explain(mistake, &[name]))?]
        }
        (PatchWord::Connect, [OscType::String(source), OscType::String(destination), amount @ ..])
            if amount.len() < 2 =>
        {
            vec![connect(source, destination, amount.first(), wiring)?]
        }
        (PatchWord::Disconnect, [OscType::String(source), OscType::String(destination)]) => {
            let edit = wiring.disconnect_named(source, destination);
            vec![edit.map_err(|mistake| explain(mistake, &[source, destination]))?]
        }
        (_, []) => return Err((Code::NoArgument, format!("expected {}", expected(word)))),
        _ => return Err((Code::WrongType, format!("expected {}", expected(word)))),
    };
    Ok(edits.into_iter().map(Operation::Edit).collect())
}

fn connect(source: &str, destination: &str, amount: Option<&OscType>, wiring: &Wiring) -> Result<Edit, Fault> {
    let amount = match amount {
        None => 1.0,
        Some(argument) => {
            let amount = number(argument).ok_or_else(|| wrong_type(argument, "a number as the amount"))?;
            check_finite(amount)?;
            amount as f32
        }
    };
    let edit = wiring.connect(source, destination, amount);
    let edit = edit.map_err(|mistake| explain(mistake, &[source, destination]))?;
    // What can never be heard is refused where it is done; that there is no room for all of it may be mended by what
    // comes next.
    let mut tried = Box::new(*wiring);
    tried.edit(&edit);
    match tried.check() {
        Err(refusal @ (Refusal::Cycle(_) | Refusal::TwoVoices(..))) => Err(refused(refusal, &tried)),
        _ => Ok(edit),
    }
}

fn expected(word: PatchWord) -> &'static str {
    match word {
        PatchWord::Create => "two strings: a name for the module, and its type",
        PatchWord::Delete => "a string: the name of the module",
        PatchWord::Connect => {
            "two strings: a module, and a module, module.input or module.parameter; and then, if wanted, an amount"
        }
        PatchWord::Disconnect => "the two strings with which it was connected",
        PatchWord::Save | PatchWord::Load => "a string: the name of the preset",
        PatchWord::Clear | PatchWord::Abort | PatchWord::Commit | PatchWord::List | PatchWord::Presets => "nothing",
    }
}

/// The operation that begins a note of a voice, or ends it.
///
/// # Errors
/// If there is no such voice, or it is no note.
pub fn note(begins: bool, arguments: &[OscType], wiring: &Wiring) -> Result<Operation, Fault> {
    const EXPECTED: &str = "the name of a module of the type voice, a note from 0 to 127, and to begin one a velocity \
                            above 0 to 1 (or 2 to 127 as in MIDI)";
    let (name, note, velocity) = match arguments {
        [OscType::String(name), note] => (name, note, None),
        [OscType::String(name), note, velocity] => (name, note, Some(velocity)),
        [] => return Err((Code::NoArgument, format!("expected {EXPECTED}"))),
        _ => return Err((Code::WrongType, format!("expected {EXPECTED}"))),
    };
    let voice = catalogue::module(wiring, name).filter(|(_, row)| row.kind() == Some(Kind::Voice));
    let Some((row, _)) = voice else {
        return Err((Code::BadEdit, format!("{} is no module of the type voice", shown(name))));
    };
    let in_range = |argument: &OscType| {
        let value = number(argument).ok_or_else(|| wrong_type(argument, EXPECTED))?;
        check_finite(value).map(|()| value.clamp(0.0, HIGHEST_NOTE))
    };
    let note = in_range(note)?.round() as u8;
    let velocity = velocity.map_or(Ok(1.0), in_range)?;
    let velocity = if velocity > 1.0 { velocity / HIGHEST_NOTE } else { velocity };
    Ok(Operation::Note(row, note, if begins { velocity as f32 } else { 0.0 }))
}

/// A word of the sender's in a reply: not too long, and nothing in it that a terminal obeys.
pub(super) fn shown(word: &str) -> String {
    let word: String = word.chars().take(64).collect();
    format!("\"{}\"", word.escape_debug())
}

/// Why an edit is refused, of a mistake in these words.
fn explain(mistake: Mistake, words: &[&str]) -> Fault {
    let said: Vec<_> = words.iter().map(|word| shown(word)).collect();
    let said = said.join(", ");
    let types = || Kind::names().collect::<Vec<_>>().join(", ");
    let text = match mistake {
        Mistake::Name => "a name has 1 to 16 small letters, digits, - and _, a letter first".to_owned(),
        Mistake::Taken => "there is a module of this name already; /patch/delete takes it away".to_owned(),
        Mistake::Type => format!("there is no such type; there are {}", types()),
        Mistake::NoModule => {
            "there is no such module in the patch that is being edited; /patch/list tells them".to_owned()
        }
        Mistake::Out => "`out` is always there, gives nothing, and can be neither made nor taken away".to_owned(),
        Mistake::NoInput => {
            "the module has no such input or parameter; PROTOCOL.md lists those of each type".to_owned()
        }
        Mistake::NoOutput => "only a voice has outputs with names: velocity and pitch".to_owned(),
        Mistake::TakesNothing => {
            "the module takes neither sound nor notes; name the parameter that is meant".to_owned()
        }
        Mistake::Summed => "voices are summed there, so that of one of them nothing can be told".to_owned(),
        Mistake::NotMoved => "this parameter chooses, or is one for all voices; a signal cannot move it".to_owned(),
        Mistake::Amount(most) => format!("the amount is from -{most} to {most} there"),
        Mistake::Modules => format!("there are {MOST_MODULES} modules already, the most there may be"),
        Mistake::Connections => format!("there are {MOST_CONNECTIONS} connections already, the most there may be"),
        Mistake::NotConnected => "they are not connected".to_owned(),
    };
    let code = match mistake {
        Mistake::Modules | Mistake::Connections => Code::Full,
        _ => Code::BadEdit,
    };
    (code, format!("{said}: {text}; nothing changed"))
}

/// Why the edited patch cannot be heard.
fn refused(refusal: Refusal, wiring: &Wiring) -> Fault {
    let name = |row: u8| shown(wiring.row(row).map_or("", |row| row.name()));
    match refusal {
        Refusal::Modules => (Code::Full, format!("more than {MOST_MODULES} modules; nothing changed")),
        Refusal::Connections => (Code::Full, format!("more than {MOST_CONNECTIONS} connections; nothing changed")),
        Refusal::Cycle(row) => (
            Code::BadEdit,
            format!(
                "{} would hear itself: a cycle, which may go through the input `return` of a delay only; nothing changed",
                name(row)
            ),
        ),
        Refusal::TwoVoices(row, [one, other]) => (
            Code::BadEdit,
            format!(
                "{} would play the notes of both {} and {}; put a pan in between, or make it twice; nothing changed",
                name(row),
                name(one),
                name(other)
            ),
        ),
        Refusal::Tape { kind, most } => (
            Code::Full,
            format!("there is tape for {most} modules of type {}, no more; nothing changed", kind.row().name),
        ),
        Refusal::Groups { needed } => (
            Code::BadEdit,
            format!(
                "modules times voices are {needed} groups of eight, and {MOST_GROUPS} are rendered; use fewer voices; \
                 what is heard stays as it is"
            ),
        ),
        Refusal::Room { needed } => (
            Code::BadEdit,
            format!("the voices need {needed} places, and there are {POOL}; use fewer; what is heard stays as it is"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::catalogue::power_on;

    fn words(words: &[&str]) -> Vec<OscType> {
        words.iter().map(|word| OscType::from(*word)).collect()
    }

    /// The patch at power-on with these edits.
    fn edited(steps: &[(PatchWord, &[&str])]) -> Box<Wiring> {
        let mut wiring = Box::new(*power_on());
        for (word, arguments) in steps {
            for operation in edit(*word, &words(arguments), &wiring).unwrap() {
                let Operation::Edit(edit) = operation else { panic!("{operation:?}") };
                wiring.edit(&edit);
            }
        }
        wiring
    }

    fn refusal(word: PatchWord, arguments: &[&str], wiring: &Wiring) -> (Code, String) {
        edit(word, &words(arguments), wiring).unwrap_err()
    }

    #[test]
    fn a_module_is_made_connected_and_found() {
        let steps: [(PatchWord, &[&str]); 3] = [
            (PatchWord::Create, &["wobble", "lfo"]),
            (PatchWord::Connect, &["wobble", "filter.cutoff"]),
            (PatchWord::Disconnect, &["sine", "adsr"]),
        ];
        let wiring = edited(&steps);
        assert!(catalogue::parameter(&wiring, "wobble", "freq").is_some(), "before it is committed");
        assert_eq!(wiring.edited_connections().count(), 3);
        assert_eq!(edit(PatchWord::Commit, &[], &wiring), Ok(vec![Operation::Edit(Edit::Commit)]));
        let amount = [words(&["wobble", "filter.cutoff"]), vec![OscType::Float(2.0)]].concat();
        let again = edit(PatchWord::Connect, &amount, &wiring).unwrap();
        assert!(matches!(again[..], [Operation::Edit(Edit::Connect(_, _, 2.0))]));
    }

    #[test]
    fn what_cannot_be_is_refused_and_the_module_is_named() {
        let wiring = power_on();
        for (word, arguments, part) in [
            (PatchWord::Create, &["Loud", "osc"][..], "small letters"),
            (PatchWord::Create, &["sine", "osc"], "already"),
            (PatchWord::Create, &["x", "theremin"], "there are sine, osc"),
            (PatchWord::Delete, &["nobody"], "no such module"),
            (PatchWord::Delete, &["out"], "always there"),
            (PatchWord::Connect, &["sine", "filter.mode"], "cannot move it"),
            (PatchWord::Connect, &["sine", "filter.cutof"], "no such input or parameter"),
            (PatchWord::Connect, &["filter", "sine"], "would hear itself"),
            (PatchWord::Disconnect, &["sine", "out"], "not connected"),
        ] {
            let (code, text) = refusal(word, arguments, wiring);
            assert!(code == Code::BadEdit && text.contains(part) && text.contains("nothing changed"), "{text}");
        }
        assert_eq!(refusal(PatchWord::Create, &[], wiring).0, Code::NoArgument);
        assert_eq!(refusal(PatchWord::Create, &["one"], wiring).0, Code::WrongType);
        let amount = |amount: OscType| {
            edit(PatchWord::Connect, &[words(&["sine", "out"]), vec![amount]].concat(), wiring).unwrap_err().0
        };
        assert_eq!(amount(OscType::Float(f32::NAN)), Code::NotFinite);
        assert_eq!((amount(OscType::Float(9.0)), amount(OscType::from("loud"))), (Code::BadEdit, Code::WrongType));
    }

    #[test]
    fn notes_are_those_of_a_voice() {
        let wiring = edited(&[(PatchWord::Create, &["keys", "voice"])]);
        let row = catalogue::module(&wiring, "keys").unwrap().0;
        let play = |begins, more: &[OscType]| note(begins, &[&words(&["keys"]), more].concat(), &wiring);
        let velocity = |velocity| play(true, &[OscType::Int(60), velocity]);
        assert_eq!(velocity(OscType::Float(0.5)), Ok(Operation::Note(row, 60, 0.5)));
        assert_eq!(velocity(OscType::Int(127)), Ok(Operation::Note(row, 60, 1.0)));
        assert_eq!(play(true, &[OscType::Float(61.4)]), Ok(Operation::Note(row, 61, 1.0)));
        assert_eq!(play(false, &[OscType::Int(200), OscType::Float(0.3)]), Ok(Operation::Note(row, 127, 0.0)));
        assert_eq!(velocity(OscType::Float(f32::NAN)).unwrap_err().0, Code::NotFinite);
        assert_eq!(play(true, &[OscType::from("c4")]).unwrap_err().0, Code::WrongType);
        assert_eq!(note(true, &[OscType::from("sine"), OscType::Int(60)], &wiring).unwrap_err().0, Code::BadEdit);
    }
}
