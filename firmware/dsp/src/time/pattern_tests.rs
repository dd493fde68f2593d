//! Patterns and their text.
extern crate std;
use std::string::{String, ToString};

use super::{Pattern, PatternError, STEPS, Step};

fn steps(text: &str) -> std::vec::Vec<Step> {
    let pattern: Pattern = text.parse().expect("a pattern");
    (0..pattern.len() as u64).map(|step| pattern.at(step)).collect()
}

#[test]
fn a_text_is_read_step_by_step() {
    use Step::{Accent, Normal, Rest};
    assert_eq!(steps("X...x..."), [Accent, Rest, Rest, Rest, Normal, Rest, Rest, Rest]);
    assert_eq!(steps(" X.|.x | "), [Accent, Rest, Rest, Normal]);
    let whole = "X..x.xX.".repeat(8);
    assert_eq!(whole.parse::<Pattern>().expect("64 steps").to_string(), whole);
}

#[test]
fn a_pattern_repeats() {
    let pattern: Pattern = "Xx.".parse().expect("a pattern");
    assert_eq!(pattern.at(3), Step::Accent);
    assert_eq!(pattern.at(3_000_000_000_001), Step::Normal);
    assert_eq!(pattern.at(u64::MAX - 1), pattern.at((u64::MAX - 1) % 3));
    assert_eq!(Pattern::default().at(5), Step::Rest);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let wrong = |text: &str| text.parse::<Pattern>().expect_err(text);
    assert_eq!(wrong("X..o"), PatternError::Unknown { character: 'o', place: 4 });
    // Places are of characters, not of bytes.
    assert_eq!(wrong("X | ö"), PatternError::Unknown { character: 'ö', place: 5 });
    assert_eq!(wrong("X.\u{85C0}y"), PatternError::Unknown { character: '\u{85C0}', place: 3 });
    assert!(wrong("x,").to_string().starts_with("character 2 is ','"), "{}", wrong("x,"));
    for empty in ["", "   ", "| |"] {
        assert_eq!(wrong(empty), PatternError::Empty);
    }
    let most: String = "x".repeat(STEPS);
    assert_eq!(most.parse::<Pattern>().expect("64 steps").len(), STEPS);
    assert_eq!(wrong(&(most.clone() + " .")), PatternError::TooLong { place: STEPS + 2 });
    assert_eq!(wrong(&(most + " y")), PatternError::Unknown { character: 'y', place: STEPS + 2 });
}
