//! What is wrong with chronus.toml, as it is told to whoever wrote it.

use std::fmt::{Display, Formatter};

use crate::report::printable::one_line;

/// Longest piece of the file that is quoted, in characters: enough to find it again.
const MOST_QUOTED: usize = 60;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something is left out, the rest of its section holds.
    Warning,
    /// A section, or all of the file, has its defaults.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Line in the file, counted from 1; none if it is about the file as a whole.
    pub line: Option<usize>,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, what it means, and what would be right.
    pub text: String,
    /// The section that has its defaults for it; none if it is about the file as a whole.
    pub section: Option<&'static str>,
}

impl Finding {
    /// A warning.
    pub fn warning(line: Option<usize>, text: String) -> Self {
        Self { line, severity: Severity::Warning, text, section: None }
    }

    /// An error.
    pub fn error(line: Option<usize>, text: String) -> Self {
        Self { line, severity: Severity::Error, text, section: None }
    }

    /// The same about a section.
    pub fn of(self, section: &'static str) -> Self {
        Self { section: Some(section), ..self }
    }
}

impl Display for Finding {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(formatter, "{word}: {}", one_line(&self.text))
    }
}

/// A piece of the file, fit to be shown in one line of a terminal: cut, and with what steers a terminal escaped.
pub fn quoted(piece: &str) -> String {
    let shown = one_line(&piece.chars().take(MOST_QUOTED).collect::<String>());
    if piece.chars().count() > MOST_QUOTED { shown + "..." } else { shown }
}

/// The name of `known` that was most likely meant by `name`; none if none is near.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let near = known.map(|known| (strsim::damerau_levenshtein(&lower, known), known));
    // A third of the letters wrong is a slip, more is another word.
    near.filter(|(distance, known)| *distance <= known.chars().count().div_ceil(3)).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["sink", "rate", "lead", "real_time", "workers"];
        for (typed, meant) in [
            ("Sink", Some("sink")),
            ("laed", Some("lead")),
            ("realtime", Some("real_time")),
            ("worker", Some("workers")),
            ("volume", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known.into_iter()), meant, "{typed}");
        }
    }

    #[test]
    fn what_is_quoted_is_short_and_one_line() {
        assert_eq!(quoted("a\n\u{1b}[2Jb\u{202e}"), r"a\n\u{1b}[2Jb\u{202e}");
        assert_eq!(quoted(&"x".repeat(5000)).len(), MOST_QUOTED + 3);
        let finding = Finding::error(Some(7), "no".to_owned());
        assert_eq!(finding.to_string(), "line 7: error: no");
        assert_eq!(
            Finding::warning(None, "no\u{202e}\nline 1: error".to_owned()).to_string(),
            r"warning: no\u{202e}\nline 1: error"
        );
    }
}
