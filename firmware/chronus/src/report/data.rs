//! What became of the DATA partition at the start of the box, as `usr/lib/chronus/data` says it.

use std::path::Path;

/// Its words. With the last two nothing is kept over power cuts.
const WORDS: [&str; 5] = ["ok", "repaired", "anew", "absent", "failed"];

/// The word in this file; `None` where it was not yet written, or says something else.
pub fn data_word(file: &Path) -> Option<&'static str> {
    let text = std::fs::read_to_string(file).ok()?;
    WORDS.into_iter().find(|word| *word == text.trim_end())
}

/// Whether a box with this word keeps nothing.
pub fn keeps_nothing(word: &str) -> bool {
    matches!(word, "absent" | "failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_script_and_no_others() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../board/overlay/usr/lib/chronus/data");
        let script = std::fs::read_to_string(script).unwrap();
        let finished: std::collections::BTreeSet<_> =
            script.split("finish ").skip(1).filter_map(|rest| rest.split([';', '\n', ' ']).next()).collect();
        assert_eq!(finished, WORDS.into_iter().collect());
        let file = std::env::temp_dir().join(format!("chronus-data-{}", std::process::id()));
        for (text, word) in [("failed\n", Some("failed")), ("ok", Some("ok")), ("\u{1b}[2J", None), ("", None)] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(data_word(&file), word);
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(data_word(&file), None);
        assert_eq!(WORDS.map(keeps_nothing), [false, false, false, true, true]);
    }
}
