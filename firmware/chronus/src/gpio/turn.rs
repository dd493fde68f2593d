//! One turn of reading edges: all there are, but of no pin so many that it would not end.

use std::time::Duration;

use super::Edge;

/// Edges of one pin at which a turn ends: as many as the kernel keeps of each (rppal asks for so many). A pin that has had
/// so many has changed while it was read; and as the pins are read one edge of each in turn, of all others everything is
/// there that the kernel had when the turn began.
pub const MOST_OF_A_PIN: usize = 1024;

/// Pins there may be: those of a header and more.
const PINS: usize = 64;

/// Takes edges of `next`, which waits so long or without end for one, until there are no more or one pin has had its share.
///
/// # Errors
/// What `next` says.
pub fn take_turn(
    mut limit: Option<Duration>,
    edges: &mut Vec<Edge>,
    mut next: impl FnMut(Option<Duration>) -> Result<Option<Edge>, String>,
) -> Result<(), String> {
    let mut counts = [0; PINS];
    while let Some(edge) = next(limit)? {
        edges.push(edge);
        let count = &mut counts[usize::from(edge.pin) % PINS];
        *count += 1;
        if *count == MOST_OF_A_PIN {
            return Ok(());
        }
        // One edge was worth waiting for; the others are there or not.
        limit = Some(Duration::ZERO);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    fn edge(pin: u8, sequence: u32) -> Edge {
        Edge { pin, high: sequence % 2 == 1, time_ns: u64::from(sequence) * 1000, sequence }
    }

    /// A source as rppal is: one edge of each pin in turn. Pin 5 always has another one; pin 6 has these, from then on.
    struct Source {
        flood: u32,
        rest: VecDeque<Edge>,
        flooders_turn: bool,
    }

    impl Source {
        fn next(&mut self) -> Option<Edge> {
            self.flooders_turn = !self.flooders_turn;
            let other = if self.flooders_turn { None } else { self.rest.pop_front() };
            other.or_else(|| {
                self.flood += 1;
                Some(edge(5, self.flood))
            })
        }
    }

    #[test]
    fn a_pin_that_never_rests_does_not_keep_the_others_waiting() {
        // As many as the kernel can have of another pin.
        let mut rest: VecDeque<_> = (1..=MOST_OF_A_PIN as u32).map(|number| edge(6, number)).collect();
        let mut source = Source { flood: 0, rest: rest.clone(), flooders_turn: false };
        let mut edges = Vec::new();
        take_turn(None, &mut edges, |_| Ok(source.next())).unwrap();
        let of = |pin| -> Vec<Edge> { edges.iter().filter(|edge| edge.pin == pin).copied().collect() };
        assert_eq!(of(5).len(), MOST_OF_A_PIN, "the turn has an end");
        // But for the one that would have been next all that was there.
        assert!(of(6) == rest.make_contiguous()[..MOST_OF_A_PIN - 1], "{}", of(6).len());
        // The next turn goes on where this one ended: none is lost, none comes twice.
        take_turn(None, &mut edges, |_| Ok(source.next())).unwrap();
        let of = |pin| -> Vec<Edge> { edges.iter().filter(|edge| edge.pin == pin).copied().collect() };
        assert!(of(6) == *rest.make_contiguous());
        assert!((1..).zip(of(5)).all(|(number, edge)| edge.sequence == number));
    }

    #[test]
    fn the_first_edge_is_waited_for_and_the_others_are_there_or_not() {
        let (mut waits, mut edges) = (Vec::new(), Vec::new());
        let mut there = VecDeque::from([edge(5, 1), edge(6, 1)]);
        let second = Duration::from_secs(1);
        let next = |limit| {
            waits.push(limit);
            Ok(there.pop_front())
        };
        take_turn(Some(second), &mut edges, next).unwrap();
        assert_eq!((edges.len(), waits), (2, vec![Some(second), Some(Duration::ZERO), Some(Duration::ZERO)]));
        assert_eq!(take_turn(None, &mut edges, |_| Err("gone".to_owned())), Err("gone".to_owned()));
    }
}
