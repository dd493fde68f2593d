//! All addresses Chronus answers to, and how a sent address finds them.

use std::sync::LazyLock;

use abi::parameter::Gate;
use abi::{GATES, GateId, Operation, PARAMETERS, Parameter, ParameterId};

use super::pattern::{is_pattern, pattern_matches};
use super::question::{QUESTIONS, Question};

/// What an address stands for.
#[derive(Clone, Copy)]
pub enum Target {
    /// `/mod/<module>/<parameter>` and the aliases under `/engine`.
    Parameter(&'static Parameter),
    /// `/gate/<module>`.
    Gate(&'static Gate),
    /// `/test`: [`TEST_TONE`].
    Test,
    /// `/status`.
    Status,
    /// `/version`.
    Version,
    /// `/led`.
    Led,
    /// `/identify`.
    Identify,
    /// `/panic`.
    Panic,
    /// `/notify`.
    Notify,
    /// `/controls`.
    Controls,
    /// `/controls/learn`.
    Learn,
    /// One of [`QUESTIONS`].
    Ask(Question),
    /// Test builds: `/poison WORD`.
    #[cfg(feature = "faults")]
    Poison,
}

/// What `/test` does, as the original's: concert pitch at a level that hurts nobody, and sounding.
pub const TEST_TONE: [Operation; 3] = [
    Operation::Set(ParameterId::SineFreq, 440.0),
    Operation::Set(ParameterId::SineGain, 0.3),
    Operation::Gate(GateId::Adsr, true),
];

/// The original's names for two parameters; its users' controllers still send them.
pub const ALIASES: [(&str, ParameterId); 2] =
    [("/engine/freq", ParameterId::SineFreq), ("/engine/gain", ParameterId::SineGain)];

static ADDRESSES: LazyLock<Vec<(String, Target)>> = LazyLock::new(|| {
    let parameters = PARAMETERS
        .iter()
        .map(|parameter| (format!("/mod/{}/{}", parameter.module, parameter.name), Target::Parameter(parameter)));
    let gates = GATES.iter().map(|gate| (format!("/gate/{}", gate.module), Target::Gate(gate)));
    let aliases = ALIASES.iter().map(|&(alias, id)| (alias.to_string(), Target::Parameter(&PARAMETERS[id as usize])));
    let plain = [
        ("/test", Target::Test),
        ("/status", Target::Status),
        ("/version", Target::Version),
        ("/led", Target::Led),
        ("/identify", Target::Identify),
        ("/panic", Target::Panic),
        ("/notify", Target::Notify),
        ("/controls", Target::Controls),
        ("/controls/learn", Target::Learn),
    ]
    .map(|(address, target)| (address.to_string(), target));
    let questions = QUESTIONS.map(|(address, question)| (address.to_string(), Target::Ask(question)));
    let known = parameters.chain(gates).chain(aliases).chain(plain).chain(questions);
    #[cfg(feature = "faults")]
    let known = known.chain([("/poison".to_owned(), Target::Poison)]);
    known.collect()
});

/// The targets an address or a pattern means; none if it is unknown. A pattern means no [`QUESTIONS`]: who sets a value
/// for everything does not want to have all that arrives printed.
pub fn find(address: &str) -> Vec<Target> {
    let meant = |(known, target): &&(String, Target)| match is_pattern(address) {
        true => !matches!(target, Target::Ask(_)) && pattern_matches(address, known),
        false => known == address,
    };
    ADDRESSES.iter().filter(meant).map(|&(_, target)| target).collect()
}

/// What to tell the sender of an address that [`find`] does not find.
pub fn explain_unknown(address: &str) -> String {
    if is_pattern(address) {
        return "this pattern matches no address; PROTOCOL.md lists them all".to_string();
    }
    match nearest(address) {
        Some(known) => format!("no such address; did you mean {known}? PROTOCOL.md lists them all"),
        None => "no such address; PROTOCOL.md lists them all".to_string(),
    }
}

/// The known address that takes the fewest typing errors to become `address`. An address more than half of
/// whose characters are wrong is no typing error, and a guess would only mislead.
fn nearest(address: &str) -> Option<&'static str> {
    let limit = |known: &str| known.len() / 2;
    ADDRESSES
        .iter()
        .map(|(known, _)| known.as_str())
        .filter(|known| known.len().abs_diff(address.len()) <= limit(known))
        .map(|known| (edit_distance(address.as_bytes(), known.as_bytes()), known))
        .filter(|&(distance, known)| distance <= limit(known))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

/// Levenshtein distance, one row at a time.
fn edit_distance(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, &byte) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (place, &other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(byte != other);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::pattern::MAX_MATCHED_ADDRESS;

    #[test]
    fn every_address_can_be_matched_and_is_there_once() {
        for (known, _) in ADDRESSES.iter() {
            assert!(known.len() <= MAX_MATCHED_ADDRESS && known.is_ascii() && !is_pattern(known), "{known}");
            assert_eq!(find(known).len(), 1, "{known}");
        }
    }

    #[test]
    fn patterns_find_all_they_mean() {
        for (pattern, count) in
            [("/mod/*/*", 9), ("/mod/{sine,filter}/*", 5), ("/mod/*/gain", 1), ("/*", 8), ("/engine/?*", 2), ("/x*", 0)]
        {
            assert_eq!(find(pattern).len(), count, "{pattern}");
        }
    }

    #[test]
    fn a_typing_error_is_answered_with_the_nearest_address() {
        for (typed, meant) in [
            ("/mod/filter/cutof", "/mod/filter/cutoff"),
            ("/filter/cutoff", "/mod/filter/cutoff"),
            ("/gate/asdr", "/gate/adsr"),
            ("/mod/sine/frequency", "/mod/sine/freq"),
            ("/Status", "/status"),
        ] {
            let text = explain_unknown(typed);
            assert!(text.contains(&format!("did you mean {meant}?")) && text.contains("PROTOCOL.md"), "{text}");
        }
        assert!(!explain_unknown("/something/else/altogether").contains("did you mean"));
        assert_eq!(edit_distance(b"kitten", b"sitting"), 3);
    }

    #[test]
    fn the_test_tone_is_in_range() {
        for operation in TEST_TONE {
            if let Operation::Set(id, value) = operation {
                assert_eq!(PARAMETERS[id as usize].clamp(value, 44_100), value);
            }
        }
    }
}
