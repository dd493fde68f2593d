//! Address patterns of OSC 1.0: `?`, `*`, `[a-z]`, `[!a-z]`, `{one,two}`. None of them crosses a `/`.
//!
//! rosc 0.11 has a matcher, which is not used: its `*` does not match nothing (`/mod/sine/freq*` misses
//! `/mod/sine/freq`), its `[fg]` swallows any number of characters, its negated class crosses `/`, and it
//! never tries a second way (`{q,qq}x`, `*a*a`). Here all ways are followed at once, as a set of places
//! in the address, so the cost is pattern length times address length and there is nothing to go back to.

/// Longest address that can be matched: places in it are the bits of a `u64`, and the place behind its
/// last character is one of them. Longer addresses do not exist (`address.rs` has a test).
pub const MAX_MATCHED_ADDRESS: usize = 63;

/// Whether `address` holds a character that makes it a pattern.
pub fn is_pattern(address: &str) -> bool {
    address.bytes().any(|byte| matches!(byte, b'?' | b'*' | b'[' | b']' | b'{' | b'}'))
}

/// Whether the plain address is one that `pattern` means. A pattern with an open bracket matches nothing.
pub fn pattern_matches(pattern: &str, address: &str) -> bool {
    let address = address.as_bytes();
    if address.len() > MAX_MATCHED_ADDRESS {
        return false;
    }
    let mut places = Places { bits: 1, address };
    let mut rest = pattern.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let after = match first {
            b'*' => {
                places.advance_over_part();
                Some(tail)
            }
            b'[' => split_at_close(tail, b']').map(|(class, tail)| {
                places.advance_if(|byte| byte != b'/' && class_holds(class, byte));
                tail
            }),
            b'{' => split_at_close(tail, b'}').map(|(choices, tail)| {
                places.advance_over_any(choices);
                tail
            }),
            b'?' => {
                places.advance_if(|byte| byte != b'/');
                Some(tail)
            }
            literal => {
                places.advance_if(|byte| byte == literal);
                Some(tail)
            }
        };
        match after {
            Some(tail) if places.bits != 0 => rest = tail,
            _ => return false,
        }
    }
    places.bits >> address.len() & 1 == 1
}

/// The places in `address` up to which the pattern so far may have matched: bit n is before byte n.
struct Places<'a> {
    bits: u64,
    address: &'a [u8],
}

impl Places<'_> {
    fn advance_if(&mut self, accepts: impl Fn(u8) -> bool) {
        let accepted = self.address.iter().enumerate().filter(|&(_, &byte)| accepts(byte));
        let mask = accepted.fold(0, |mask, (place, _)| mask | 1u64 << place);
        self.bits = (self.bits & mask) << 1;
    }

    /// `*`: from each place on to every later one, up to the next `/`.
    fn advance_over_part(&mut self) {
        for (place, &byte) in self.address.iter().enumerate() {
            if byte != b'/' {
                self.bits |= (self.bits >> place & 1) << (place + 1);
            }
        }
    }

    fn advance_over_any(&mut self, choices: &[u8]) {
        let before = self.bits;
        let mut after = 0;
        for choice in choices.split(|&byte| byte == b',') {
            self.bits = before;
            // A choice longer than the address cannot match; stopping there bounds the work.
            for &byte in choice.iter().take(MAX_MATCHED_ADDRESS + 1) {
                self.advance_if(|other| other == byte && other != b'/');
            }
            after |= self.bits;
        }
        self.bits = after;
    }
}

fn split_at_close(rest: &[u8], close: u8) -> Option<(&[u8], &[u8])> {
    let end = rest.iter().position(|&byte| byte == close)?;
    Some((&rest[..end], &rest[end + 1..]))
}

/// Whether `[class]` holds `byte`. A `!` in front turns it round; a `-` at either end is itself.
fn class_holds(class: &[u8], byte: u8) -> bool {
    let (negated, mut rest) = match class {
        [b'!', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut held = false;
    while let [first, tail @ ..] = rest {
        rest = match tail {
            [b'-', last, tail @ ..] => {
                held |= (*first..=*last).contains(&byte);
                tail
            }
            _ => {
                held |= *first == byte;
                tail
            }
        };
    }
    held != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_osc_1_0_match_what_they_mean() {
        let (freq, gain, cutoff) = ("/mod/sine/freq", "/mod/sine/gain", "/mod/filter/cutoff");
        for (pattern, address, expected) in [
            ("/mod/*/gain", gain, true),
            ("/mod/*/gain", freq, false),
            ("/*/gain", gain, false),
            ("/mod/*", gain, false),
            ("/*/*/*", gain, true),
            ("/mod/{sine,filter}/*", freq, true),
            ("/mod/{sine,filter}/*", cutoff, true),
            ("/mod/{adsr,filter}/*", freq, false),
            ("/mod/{sin,sine}/gain", gain, true),
            ("/mod/{,sine}/gain", gain, true),
            ("/{mod/sine,x}/gain", gain, false),
            ("/mod/sine/[fg]*", freq, true),
            ("/mod/sine/[fg]*", gain, true),
            ("/mod/filter/[fg]*", cutoff, false),
            ("/mod/sine/[fre]q", freq, false),
            ("/mod/sine/[a-z][a-z][a-z][a-z]", freq, true),
            ("/mod/sine/[a-z]", freq, false),
            ("/mod/sine/[!f]*", gain, true),
            ("/mod/sine/[!f]*", freq, false),
            ("/mod[!x]sine/gain", gain, false),
            ("/mod?sine/gain", gain, false),
            ("/mod/sine/freq*", freq, true),
            ("/mod/s*e/*r*q", freq, true),
            ("/mod/*f*t*f*", "/mod/cutoff/x", false),
            ("/mod/filter/*f*f*", cutoff, true),
            ("/mod/sine/????", freq, true),
            ("/mod/sine/???", freq, false),
            ("/mod/sine/*?", freq, true),
            ("/mod/sine/[q-f]req", freq, false),
            ("/mod/sine/[-f]req", freq, true),
            ("/mod/sine/[freq", freq, false),
            ("/mod/sine/{freq", freq, false),
            ("/mod/sine/freq]", freq, false),
            ("", freq, false),
            (freq, freq, true),
        ] {
            assert_eq!(pattern_matches(pattern, address), expected, "{pattern} on {address}");
        }
    }

    #[test]
    fn the_longest_address_is_matched_and_a_longer_one_is_not() {
        assert!(pattern_matches("*", &"a".repeat(MAX_MATCHED_ADDRESS)));
        assert!(!pattern_matches("*", &"a".repeat(MAX_MATCHED_ADDRESS + 1)));
    }
}
