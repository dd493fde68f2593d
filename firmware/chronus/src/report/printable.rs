//! Text of others, fit for a terminal: names of files, words of a settings file, what comes from the network.
//!
//! Such text may hold characters that are not seen and change what is seen: they move the cursor, begin a line that looks
//! like one of ours, or have the rest of a line shown from right to left, so that one name is read as another. They are
//! shown as what they are: `\u{202e}`.

/// The same text with every character that steers a terminal escaped, as Rust writes it; ends of lines too.
pub fn one_line(text: &str) -> String {
    escaped(text, steers)
}

/// The same, but ends of lines are left.
pub fn lines(text: &str) -> String {
    escaped(text, |character| character != '\n' && steers(character))
}

fn escaped(text: &str, wrong: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if wrong(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether it is a control character, or one of Unicode's that have no look of their own: marks, embeddings, overrides and
/// isolates of direction, what joins or parts letters without being seen, separators of lines, tags.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown_as_what_it_is() {
        for (text, shown) in [
            ("name\u{202e}lmot.exe", r"name\u{202e}lmot.exe"),
            ("\u{2066}a\u{2069}\u{200f}\u{61c}", r"\u{2066}a\u{2069}\u{200f}\u{61c}"),
            ("a\u{200b}b\u{feff}\u{e0041}", r"a\u{200b}b\u{feff}\u{e0041}"),
            ("\u{1b}[2J\u{9b}1m\u{7f}\r", r"\u{1b}[2J\u{9b}1m\u{7f}\r"),
            ("a\nerror: b", r"a\nerror: b"),
            ("\u{2028}", r"\u{2028}"),
        ] {
            assert_eq!(one_line(text), shown);
        }
        assert_eq!(lines("a\nb\u{202e}\r\n"), "a\nb\\u{202e}\\r\n");
    }

    #[test]
    fn what_is_only_foreign_is_left() {
        // German, Arabic, Hebrew, Devanagari with its vowel signs, a letter with its accent apart, a face.
        let text = "Bühne \\ 'x' \"y\" مرحبا שלום हिन्दी e\u{301} 😀";
        assert_eq!((one_line(text), lines(text)), (text.to_owned(), text.to_owned()));
        // Twice is no more than once.
        assert_eq!(one_line(&one_line("\u{202e}")), r"\u{202e}");
    }
}
