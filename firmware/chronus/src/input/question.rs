//! Messages that ask or tell something about the engine and take an argument: their addresses, and what they ask for.

use dsp::instrument::Wiring;
use rosc::OscType;

use super::address::{ALIASES, explain_unknown, find};
use super::pattern::{is_pattern, pattern_matches};
use super::refusal::Code;
use super::value::{Fault, check_finite, is_on, number};

/// Characters of an address that are sent back: longer than any there is.
const MOST_SHOWN: usize = 128;

/// Which question an address stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// `/clock/ping`.
    Ping,
    /// `/sync`.
    Sync,
    /// `/get`.
    Get,
    /// `/dumpOSC`.
    Dump,
    /// `/notify/levels`.
    Levels,
    /// `/record/start`.
    Record,
    /// `/record/stop`.
    StopRecording,
    /// `/record/status`.
    RecordingStatus,
    /// `/record/keep`.
    KeepPast,
}

/// Their addresses.
pub const QUESTIONS: [(&str, Question); 9] = [
    ("/clock/ping", Question::Ping),
    ("/sync", Question::Sync),
    ("/get", Question::Get),
    ("/dumpOSC", Question::Dump),
    ("/notify/levels", Question::Levels),
    ("/record/start", Question::Record),
    ("/record/stop", Question::StopRecording),
    ("/record/status", Question::RecordingStatus),
    ("/record/keep", Question::KeepPast),
];

/// A question with its argument, which is checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// What time it is; sent back with the client's own time, as it came.
    Ping(OscType),
    /// A word when all that the sender sent before is applied; sent back with this number, as it came.
    Sync(OscType),
    /// The value that is set at this address or pattern.
    Get(String),
    /// Whether what arrives is to be printed.
    Dump(bool),
    /// Whether the sender is to be told of levels.
    Levels(bool),
    /// Something about recordings.
    Record(RecordAsked),
}

/// What is asked about recordings. Names are as they were sent.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordAsked {
    /// A recording from now on, with a name or without.
    Start(Option<String>),
    /// The end of it.
    Stop,
    /// How it is with it.
    Status,
    /// A recording of so many minutes that were played, with a name or without.
    Keep(f64, Option<String>),
}

impl Question {
    /// What is asked with these arguments.
    ///
    /// # Errors
    /// If they are not what the question takes.
    pub fn with(self, arguments: &[OscType]) -> Result<Asked, Fault> {
        use OscType::{Double, Float, Int, Long, String as Text, Time};
        match (self, arguments) {
            (Self::Dump, _) => is_on(arguments).map(Asked::Dump),
            (Self::Levels, _) => is_on(arguments).map(Asked::Levels),
            (Self::Record, []) => Ok(Asked::Record(RecordAsked::Start(None))),
            (Self::Record, [Text(name)]) => Ok(Asked::Record(RecordAsked::Start(given(name)))),
            (Self::StopRecording, _) => Ok(Asked::Record(RecordAsked::Stop)),
            (Self::RecordingStatus, _) => Ok(Asked::Record(RecordAsked::Status)),
            (Self::KeepPast, [minutes]) if number(minutes).is_some() => keep(minutes, None),
            (Self::KeepPast, [minutes, Text(name)]) if number(minutes).is_some() => keep(minutes, given(name)),
            (Self::Ping, [time @ (Time(_) | Double(_) | Long(_) | Float(_) | Int(_))]) => Ok(Asked::Ping(time.clone())),
            (Self::Sync, [id @ (Int(_) | Long(_) | Float(_) | Double(_))]) => Ok(Asked::Sync(id.clone())),
            (Self::Get, [Text(address)]) => Ok(Asked::Get(address.clone())),
            (_, []) => Err((Code::NoArgument, format!("a value is missing; expected {}", self.expected()))),
            (_, [_]) => Err((Code::WrongType, format!("expected {}", self.expected()))),
            (_, more) => Err((Code::WrongType, format!("{} arguments; expected one: {}", more.len(), self.expected()))),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Ping => "your own time, which comes back as it is (type t, d, h, f or i)",
            Self::Sync => "a number, which comes back as it is (type i, h, f or d)",
            Self::Get => "the address of a parameter as a string, such as \"/mod/filter/q\", or a pattern",
            Self::Dump | Self::Levels => "0 or 1",
            Self::Record => "a name as a string, or nothing",
            Self::StopRecording | Self::RecordingStatus => "nothing",
            Self::KeepPast => "how many minutes (a number), and a name as a string if you like",
        }
    }
}

/// An empty name is none: some clients always send one.
fn given(name: &str) -> Option<String> {
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

fn keep(minutes: &OscType, name: Option<String>) -> Result<Asked, Fault> {
    let minutes = number(minutes).unwrap_or_default();
    check_finite(minutes)?;
    Ok(Asked::Record(RecordAsked::Keep(minutes, name)))
}

/// Whether a value that is set at `known` is meant by an address that somebody asks for: an address, an alias of one, or
/// a pattern.
pub fn asks_for(asked: &str, known: &str) -> bool {
    if is_pattern(asked) {
        return pattern_matches(asked, known);
    }
    let aliased = |&(alias, [module, name]): &(&str, [&str; 2])| {
        alias == asked && known.strip_prefix("/mod/").and_then(|rest| rest.split_once('/')) == Some((module, name))
    };
    asked == known || ALIASES.iter().any(aliased)
}

/// What to tell who asks for the value of an address that has none.
pub fn explain_no_value(address: &str, wiring: &Wiring) -> String {
    let shown: String = address.chars().take(MOST_SHOWN).collect();
    if find(address, wiring).is_empty() {
        return format!("{shown}: {}", explain_unknown(address, wiring));
    }
    format!("{shown} has no value that could be asked for; parameters have one, such as /mod/filter/cutoff")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::catalogue::power_on;
    use rosc::OscTime;

    #[test]
    fn numbers_come_back_as_they_were_sent() {
        let time = OscType::Time(OscTime { seconds: 7, fractional: 9 });
        let numbers = [OscType::Double(0.1), OscType::Long(1 << 60), OscType::Float(0.5), OscType::Int(-3)];
        assert_eq!(Question::Ping.with(std::slice::from_ref(&time)), Ok(Asked::Ping(time.clone())));
        for number in numbers {
            assert_eq!(Question::Ping.with(std::slice::from_ref(&number)), Ok(Asked::Ping(number.clone())));
            assert_eq!(Question::Sync.with(std::slice::from_ref(&number)), Ok(Asked::Sync(number)));
        }
        assert_eq!(Question::Sync.with(&[time]).unwrap_err().0, Code::WrongType);
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        let needs_nothing = |question| matches!(question, Question::StopRecording | Question::RecordingStatus);
        for (_, question) in QUESTIONS.into_iter().filter(|(_, question)| !needs_nothing(*question)) {
            if question != Question::Record {
                assert_eq!(question.with(&[]).unwrap_err().0, Code::NoArgument);
            }
            assert_eq!(question.with(&[OscType::Blob(vec![])]).unwrap_err().0, Code::WrongType);
            assert_eq!(question.with(&[OscType::Int(1), OscType::Int(1)]).unwrap_err().0, Code::WrongType);
        }
    }

    #[test]
    fn recordings_have_names_or_not() {
        let start = |name: Option<&str>| Ok(Asked::Record(RecordAsked::Start(name.map(str::to_owned))));
        assert_eq!(Question::Record.with(&[]), start(None));
        assert_eq!(Question::Record.with(&[OscType::from("")]), start(None));
        assert_eq!(Question::Record.with(&[OscType::from("a")]), start(Some("a")));
        let keep = |name: Option<&str>| Ok(Asked::Record(RecordAsked::Keep(2.5, name.map(str::to_owned))));
        assert_eq!(Question::KeepPast.with(&[OscType::Float(2.5)]), keep(None));
        assert_eq!(Question::KeepPast.with(&[OscType::Double(2.5), OscType::from("b")]), keep(Some("b")));
        assert_eq!(Question::KeepPast.with(&[OscType::Float(f32::NAN)]).unwrap_err().0, Code::NotFinite);
        assert_eq!(Question::KeepPast.with(&[OscType::from("b")]).unwrap_err().0, Code::WrongType);
    }

    #[test]
    fn a_value_is_found_by_its_address_its_alias_and_a_pattern() {
        for asked in ["/mod/sine/freq", "/engine/freq", "/mod/s*/freq"] {
            assert!(asks_for(asked, "/mod/sine/freq"), "{asked}");
            assert!(!asks_for(asked, "/mod/sine/gain"), "{asked}");
        }
        assert!(explain_no_value("/gate/adsr", power_on()).contains("no value"));
        assert!(explain_no_value("/mod/sine/frec", power_on()).contains("did you mean /mod/sine/freq"));
        assert!(explain_no_value(&"/x".repeat(16_000), power_on()).len() < 512);
    }
}
