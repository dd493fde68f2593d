//! Messages that ask or tell something about the engine and take an argument: their addresses, and what they ask for.

use rosc::OscType;

use super::address::{ALIASES, explain_unknown, find};
use super::pattern::{is_pattern, pattern_matches};
use super::refusal::Code;
use super::value::{Fault, is_on};

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
}

/// Their addresses.
pub const QUESTIONS: [(&str, Question); 4] =
    [("/clock/ping", Question::Ping), ("/sync", Question::Sync), ("/get", Question::Get), ("/dumpOSC", Question::Dump)];

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
            Self::Dump => "0 or 1",
        }
    }
}

/// Whether a value that is set at `known` is meant by an address that somebody asks for: an address, an alias of one, or
/// a pattern.
pub fn asks_for(asked: &str, known: &str) -> bool {
    if is_pattern(asked) {
        return pattern_matches(asked, known);
    }
    let aliased = |&&(alias, id): &&(&str, abi::ParameterId)| {
        let parameter = &abi::PARAMETERS[id as usize];
        alias == asked && known == format!("/mod/{}/{}", parameter.module, parameter.name)
    };
    asked == known || ALIASES.iter().find(aliased).is_some()
}

/// What to tell who asks for the value of an address that has none.
pub fn explain_no_value(address: &str) -> String {
    let shown: String = address.chars().take(MOST_SHOWN).collect();
    if find(address).is_empty() {
        return format!("{shown}: {}", explain_unknown(address));
    }
    format!("{shown} has no value that could be asked for; parameters have one, such as /mod/filter/cutoff")
}

#[cfg(test)]
mod tests {
    use super::*;
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
        for (_, question) in QUESTIONS {
            assert_eq!(question.with(&[]).unwrap_err().0, Code::NoArgument);
            assert_eq!(question.with(&[OscType::Blob(vec![])]).unwrap_err().0, Code::WrongType);
            assert_eq!(question.with(&[OscType::Int(1), OscType::Int(1)]).unwrap_err().0, Code::WrongType);
        }
    }

    #[test]
    fn a_value_is_found_by_its_address_its_alias_and_a_pattern() {
        for asked in ["/mod/sine/freq", "/engine/freq", "/mod/s*/freq"] {
            assert!(asks_for(asked, "/mod/sine/freq"), "{asked}");
            assert!(!asks_for(asked, "/mod/sine/gain"), "{asked}");
        }
        assert!(explain_no_value("/gate/adsr").contains("no value"));
        assert!(explain_no_value("/mod/sine/frec").contains("did you mean /mod/sine/freq"));
        assert!(explain_no_value(&"/x".repeat(16_000)).len() < 512);
    }
}
