//! The kept scores of a performance's engines, joined to one.
//!
//! An engine that was killed may have written its last commands and not have noted it; then the next writes them again.
//! It may also have been killed in the middle of a write. A score with its last bundles twice is still a score: all
//! values are set to what they are. But a gate that is opened and closed in one frame would sound once more, so what is
//! there twice is left out.

/// Bytes of the count before each bundle, and to the end of its time tag: "#bundle" with a zero, and eight bytes.
const COUNT: usize = 4;
const HEAD: usize = COUNT + 16;

/// The whole bundles of a score, each with the count before it.
fn bundles(mut score: &[u8]) -> Vec<&[u8]> {
    let mut bundles = Vec::new();
    while let Some(count) = score.first_chunk().map(|count| u32::from_be_bytes(*count) as usize) {
        let Some((bundle, rest)) = score.split_at_checked(COUNT + count) else { break };
        bundles.push(bundle);
        score = rest;
    }
    bundles
}

/// The time tag of a bundle; time tags of a score never go back.
fn tag(bundle: &[u8]) -> &[u8] {
    bundle.get(COUNT + 8..HEAD).unwrap_or_default()
}

/// One score of several, each of which goes on where the one before it was cut off.
pub fn join(scores: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::<&[u8]>::new();
    for score in scores {
        let next = bundles(score);
        let first = next.first().map_or(&[][..], |bundle| tag(bundle));
        let same = joined.partition_point(|bundle| tag(bundle) < first);
        // This one too may have been cut off before it got beyond what it repeats.
        let repeats = |start: &usize| joined[*start..].iter().zip(&next).all(|(old, new)| old == new);
        // At the end of what there is nothing is repeated.
        let start = (same..=joined.len()).find(repeats).unwrap_or(joined.len());
        let repeated = joined.len() - start;
        joined.extend(next.into_iter().skip(repeated));
    }
    joined.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bundle of one message that a score might have, at this time.
    fn bundle(time: u64, word: &[u8; 4]) -> Vec<u8> {
        let content = [&b"#bundle\0"[..], &time.to_be_bytes(), &4_u32.to_be_bytes(), word].concat();
        [&(content.len() as u32).to_be_bytes()[..], &content].concat()
    }

    #[test]
    fn what_was_written_twice_is_joined_once_and_what_was_cut_off_not_at_all() {
        let (a, b, c, d) = (bundle(1, b"gate"), bundle(7, b"gate"), bundle(7, b"stop"), bundle(9, b"gate"));
        let all = [&a[..], &b, &c, &d].concat();
        for (first, second) in [
            (vec![&a[..], &b], vec![&c[..], &d]),
            (vec![&a[..], &b, &c], vec![&b[..], &c, &d]),
            (vec![&a[..], &b, &c], vec![&c[..], &d]),
            (vec![&a[..], &b, &c[..9]], vec![&b[..], &c, &d]),
            (vec![&a[..], &b, &c[..3]], vec![&c[..], &d]),
            (vec![], vec![&a[..], &b, &c, &d]),
            (vec![&a[..], &b, &c, &d], vec![]),
            (vec![&a[..], &b, &c, &d], vec![&a[..], &b, &c, &d]),
        ] {
            assert_eq!(join(&[first.concat(), second.concat()]), all, "{} and {}", first.len(), second.len());
        }
        let thrice = [[&a[..], &b, &c].concat(), b.clone(), [&b[..], &c, &d].concat()];
        assert_eq!(join(&thrice), all);
        // The same words at another time are another command.
        let apart = [bundle(1, b"gate"), bundle(2, b"gate")];
        assert_eq!(join(&apart), apart.concat());
        assert_eq!(join(&[vec![], vec![]]), [0; 0]);
    }
}
