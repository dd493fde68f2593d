//! All addresses Chronus answers to, and how a sent address finds them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use abi::{Operation, Place};
use dsp::instrument::{Kind, Wiring};
use dsp::kernel::Parameter;

use super::catalogue;
use super::edits::{PATCH_WORDS, PatchWord};
use super::pattern::{is_pattern, pattern_matches};
use super::question::{QUESTIONS, Question};
use super::tracks::{TRACK_WORDS, TrackWord};

/// What an address stands for.
#[derive(Clone, Copy)]
pub enum Target {
    /// `/mod/<module>/<parameter>` and the aliases under `/engine`.
    Parameter(Place, &'static Parameter),
    /// `/gate/<module>`: its row.
    Gate(u8),
    /// `/note/on` and `/note/off`.
    Note(bool),
    /// One of [`PATCH_WORDS`].
    Patch(PatchWord),
    /// One of [`TRACK_WORDS`].
    Time(TrackWord),
    /// `/test`: [`test_tone`].
    Test,
    /// `/status`.
    Status,
    /// `/health`.
    Health,
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

/// What `/test` does, as the original's: concert pitch at a level that hurts nobody, and sounding. `None` in a patch that
/// is made of something else than the one at power-on.
pub fn test_tone(wiring: &Wiring) -> Option<[Operation; 3]> {
    let (freq, _) = catalogue::parameter(wiring, "sine", "freq")?;
    let (gain, _) = catalogue::parameter(wiring, "sine", "gain")?;
    let (envelope, _) = catalogue::gates(wiring).find(|(_, name)| *name == "adsr")?;
    Some([Operation::Set(freq, 440.0), Operation::Set(gain, 0.3), Operation::Gate(envelope, true)])
}

/// The original's names for two parameters; its users' controllers still send them.
pub const ALIASES: [(&str, [&str; 2]); 2] = [("/engine/freq", ["sine", "freq"]), ("/engine/gain", ["sine", "gain"])];

/// The addresses that are always there.
static FIXED: LazyLock<Vec<(&str, Target)>> = LazyLock::new(|| {
    let plain = [
        ("/note/on", Target::Note(true)),
        ("/note/off", Target::Note(false)),
        ("/test", Target::Test),
        ("/status", Target::Status),
        ("/health", Target::Health),
        ("/version", Target::Version),
        ("/led", Target::Led),
        ("/identify", Target::Identify),
        ("/panic", Target::Panic),
        ("/notify", Target::Notify),
        ("/controls", Target::Controls),
        ("/controls/learn", Target::Learn),
    ];
    let questions = QUESTIONS.map(|(address, question)| (address, Target::Ask(question)));
    let words = PATCH_WORDS.map(|(address, word)| (address, Target::Patch(word)));
    let times = TRACK_WORDS.map(|(address, word)| (address, Target::Time(word)));
    let known = plain.into_iter().chain(questions).chain(words).chain(times);
    #[cfg(feature = "faults")]
    let known = known.chain([("/poison", Target::Poison)]);
    known.collect()
});

/// All addresses in a patch.
fn addresses(wiring: &Wiring) -> impl Iterator<Item = (String, Target)> {
    let parameters = catalogue::parameters(wiring)
        .map(|(module, place, parameter)| (catalogue::address(module, parameter), Target::Parameter(place, parameter)));
    let gates = catalogue::gates(wiring).map(|(row, name)| (format!("/gate/{name}"), Target::Gate(row)));
    let aliases = ALIASES.iter().filter_map(|&(alias, [module, name])| {
        let (place, parameter) = catalogue::parameter(wiring, module, name)?;
        Some((alias.to_owned(), Target::Parameter(place, parameter)))
    });
    let fixed = FIXED.iter().map(|(address, target)| ((*address).to_owned(), *target));
    parameters.chain(gates).chain(aliases).chain(fixed)
}

/// All addresses in a patch, in words.
#[cfg(test)]
pub fn known_addresses(wiring: &Wiring) -> Vec<String> {
    addresses(wiring).map(|(address, _)| address).collect()
}

/// What an address means that is written out: found without a look at all others.
fn exactly(address: &str, wiring: &Wiring) -> Option<Target> {
    if let Some((_, target)) = FIXED.iter().find(|(known, _)| *known == address) {
        return Some(*target);
    }
    if let Some((module, name)) = address.strip_prefix("/mod/").and_then(|rest| rest.split_once('/')) {
        return catalogue::parameter(wiring, module, name)
            .map(|(place, parameter)| Target::Parameter(place, parameter));
    }
    if let Some(module) = address.strip_prefix("/gate/") {
        let found = catalogue::module(wiring, module).filter(|(_, row)| row.kind() == Some(Kind::Adsr));
        return found.map(|(row, _)| Target::Gate(row));
    }
    let (_, [module, name]) = ALIASES.iter().find(|(alias, _)| *alias == address)?;
    catalogue::parameter(wiring, module, name).map(|(place, parameter)| Target::Parameter(place, parameter))
}

/// The targets an address or a pattern means; none if it is unknown. A pattern means no question and no word of the
/// patch or of tracks: who sets a value for everything wants neither to have all that arrives printed nor to clear the patch.
pub fn find(address: &str, wiring: &Wiring) -> Vec<Target> {
    if !is_pattern(address) {
        return exactly(address, wiring).into_iter().collect();
    }
    let meant = |(known, target): &(String, Target)| {
        !matches!(target, Target::Ask(_) | Target::Patch(_) | Target::Time(_)) && pattern_matches(address, known)
    };
    addresses(wiring).filter(meant).map(|(_, target)| target).collect()
}

/// What to tell the sender of an address that [`find`] does not find.
pub fn explain_unknown(address: &str, wiring: &Wiring) -> String {
    if is_pattern(address) {
        return "this pattern matches no address; PROTOCOL.md lists them all".to_string();
    }
    if let Some(below) = below(address, wiring) {
        return format!("no such address; below it there are {below}; PROTOCOL.md lists them all");
    }
    match nearest(address, wiring) {
        Some(known) => format!("no such address; did you mean {known}? PROTOCOL.md lists them all"),
        None => "no such address; PROTOCOL.md lists them all".to_string(),
    }
}

/// Names shown of those below an address: a line's worth.
const SHOWN_BELOW: usize = 12;

/// The next words of the addresses that begin with this one, if there are any.
fn below(address: &str, wiring: &Wiring) -> Option<String> {
    let address = address.trim_end_matches('/');
    let known: Vec<_> = addresses(wiring).map(|(known, _)| known).collect();
    let rest = known.iter().filter_map(|known| known.strip_prefix(address)?.strip_prefix('/'));
    let words: BTreeSet<_> = rest.filter_map(|rest| rest.split('/').next()).collect();
    let shown: Vec<_> = words.iter().take(SHOWN_BELOW).copied().collect();
    let more = if words.len() > SHOWN_BELOW { " and others" } else { "" };
    (!words.is_empty()).then(|| shown.join(", ") + more)
}

/// The known address that takes the fewest typing errors to become `address`. An address more than half of
/// whose characters are wrong is no typing error, and a guess would only mislead.
fn nearest(address: &str, wiring: &Wiring) -> Option<String> {
    nearest_of(address, addresses(wiring).map(|(known, _)| known))
}

/// The same among other words.
pub(super) fn nearest_of(word: &str, known: impl IntoIterator<Item = String>) -> Option<String> {
    let limit = |known: &str| known.len() / 2;
    known
        .into_iter()
        .filter(|known| known.len().abs_diff(word.len()) <= limit(known))
        .map(|known| (edit_distance(word.as_bytes(), known.as_bytes()), known))
        .filter(|(distance, known)| *distance <= limit(known))
        .min_by_key(|(distance, _)| *distance)
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
    use crate::input::catalogue::power_on;
    use crate::input::pattern::MAX_MATCHED_ADDRESS;

    #[test]
    fn every_address_can_be_matched_and_is_there_once() {
        for (known, _) in addresses(power_on()) {
            assert!(known.len() <= MAX_MATCHED_ADDRESS && known.is_ascii() && !is_pattern(&known), "{known}");
            assert_eq!(find(&known, power_on()).len(), 1, "{known}");
        }
    }

    #[test]
    fn patterns_find_all_they_mean() {
        for (pattern, count) in [
            ("/mod/*/*", 11),
            ("/mod/{sine,filter}/*", 6),
            ("/mod/*/gain", 2),
            ("/*", 9),
            ("/engine/?*", 2),
            ("/x*", 0),
        ] {
            assert_eq!(find(pattern, power_on()).len(), count, "{pattern}");
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
            let text = explain_unknown(typed, power_on());
            assert!(text.contains(&format!("did you mean {meant}?")) && text.contains("PROTOCOL.md"), "{text}");
        }
        assert!(!explain_unknown("/something/else/altogether", power_on()).contains("did you mean"));
        for (branch, below) in [("/mod", "adsr, filter, sine;"), ("/mod/sine/", "freq, gain;"), ("/patch", "abort, ")] {
            let text = explain_unknown(branch, power_on());
            assert!(text.contains(&format!("below it there are {below}")), "{text}");
        }
        assert_eq!(edit_distance(b"kitten", b"sitting"), 3);
    }

    #[test]
    fn the_test_tone_is_in_range() {
        for operation in test_tone(power_on()).unwrap() {
            if let Operation::Set(place, value) = operation {
                let (_, parameter) = catalogue::at(power_on(), place).unwrap();
                assert_eq!(parameter.clamp(value, 44_100), value);
            }
        }
    }
}
