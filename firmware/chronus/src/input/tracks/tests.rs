//! The words and what they make.

use rosc::{OscArray, OscMessage};

use super::*;
use crate::input::catalogue::{message_of, power_on};
use crate::input::{Request, When, interpret_message};

fn message(addr: &str, args: Vec<OscType>) -> OscMessage {
    OscMessage { addr: addr.to_owned(), args }
}

fn words(addr: &str, words: &[&str]) -> OscMessage {
    message(addr, words.iter().map(|word| OscType::from(*word)).collect())
}

fn with(addr: &str, words: &[&str], more: &[OscType]) -> OscMessage {
    message(addr, words.iter().map(|word| OscType::from(*word)).chain(more.iter().cloned()).collect())
}

/// What a message does; the refusal if it does nothing.
fn try_to_do(wiring: &mut Wiring, message: &OscMessage) -> Result<Vec<Operation>, (Code, String)> {
    let mut all = Vec::new();
    for request in interpret_message(message, When::Arrival(0), 48_000, wiring) {
        match request {
            Ok(Request::Apply(intent)) => all.push(intent.operation),
            Ok(other) => panic!("{message:?}: {other:?}"),
            Err(refusal) => return Err((refusal.code, refusal.text)),
        }
    }
    all.iter().for_each(|operation| wiring.follow(operation, 48_000));
    Ok(all)
}

fn done(messages: &[OscMessage]) -> (Box<Wiring>, Vec<Operation>) {
    let mut wiring = Box::new(*power_on());
    let all = messages.iter().flat_map(|message| try_to_do(&mut wiring, message).expect("it can be done")).collect();
    (wiring, all)
}

/// A performance in which every word is used.
fn everything() -> Vec<OscMessage> {
    use OscType::{Double, Float, Int, Long};
    vec![
        words("/patch/create", &["keys", "voice"]),
        message("/clock/tempo", vec![Double(174.000_1)]),
        words("/seq/create", &["kick"]),
        words("/seq/create", &["bass"]),
        with("/seq/config", &["kick"], &[Int(140), Int(12), Int(3)]),
        with(
            "/seq/config",
            &["kick", "swing"],
            &[Float(0.61), "seed".into(), Long(-5), "probability".into(), Float(0.3)],
        ),
        with("/seq/config", &["bass", "division"], &[Int(2), "steps".into(), Int(7)]),
        words("/seq/pattern", &["kick", "X..x ..x. | Xx"]),
        words("/seq/pattern", &["bass", &"xX.".repeat(21)]),
        words("/seq/assign", &["kick", "gate", "adsr"]),
        words("/seq/assign", &["kick", "param", "cutoff", "filter", "cutoff"]),
        words("/seq/param_lane", &["kick", "cutoff", "400, 800.5 ,1.2e3"]),
        words("/seq/assign", &["bass", "gate", "keys"]),
        words("/seq/assign", &["bass", "param", "pitch", "keys", "note"]),
        with("/seq/param_lane", &["bass", "pitch"], &[Int(33), Double(45.0), Long(36), Float(0.1), Int(33)]),
        words("/seq/lane", &["bass", "spare"]),
        with("/seq/lane_part", &["bass", "pitch"], &[Int(0), Int(2), Int(40), Float(41.5)]),
        with("/seq/gate_len", &["kick"], &[Float(0.3)]),
        words("/seq/start", &["kick"]),
        words("/seq/start", &["bass"]),
        message("/clock/start", vec![]),
        with("/seq/bpm", &["kick"], &[Float(99.9)]),
        message("/seq/bpm", vec![Int(98)]),
        words("/seq/assign", &["bass", "param", "pitch", ""]),
        words("/seq/assign", &["bass", "gate", ""]),
        words("/seq/stop", &["bass"]),
        words("/seq/reset", &["kick"]),
        message("/seq/reset_all", vec![]),
        message("/clock/stop", vec![]),
        message("/clock/continue", vec![]),
        words("/seq/delete", &["bass"]),
        words("/seq/create", &["again"]),
    ]
}

#[test]
fn every_word_is_told_so_that_it_can_be_done_again() {
    let (first, operations) = done(&everything());
    let (mut wiring, mut told) = (Box::new(*power_on()), Vec::new());
    for operation in &operations {
        told.push(message_of(*operation, &wiring).expect("a message"));
        wiring.follow(operation, 48_000);
    }
    let (again, same) = done(&told);
    assert_eq!(same, operations);
    assert!(*again == *first);
    for (address, word) in TRACK_WORDS.into_iter().filter(|(_, word)| *word != TrackWord::List) {
        assert!(everything().iter().any(|message| message.addr == address), "{address} {word:?}");
    }
}

#[test]
fn tracks_are_told_so_that_they_can_be_made_again() {
    let messages = everything();
    let until = messages.iter().position(|message| message.addr == "/clock/start").expect("it is in there");
    let (first, _) = done(&messages[..until]);
    let told = made_of(&first);
    let made: Vec<_> = [words("/patch/create", &["keys", "voice"])].into_iter().chain(told.clone()).collect();
    let (again, _) = done(&made);
    assert_eq!(made_of(&again), told);
    assert!(told.len() > 20, "{told:?}");
    for ((_, one), (_, other)) in first.sequencer().tracks().zip(again.sequencer().tracks()) {
        assert_eq!(one, other);
    }
}

#[test]
fn the_originals_configuration_is_tempo_steps_and_division() {
    let (wiring, operations) = done(&[
        words("/seq/create", &["kick"]),
        words("/seq/pattern", &["kick", "x..X"]),
        with("/seq/config", &["kick"], &[OscType::Int(120), OscType::Int(6), OscType::Int(4)]),
    ]);
    let expected = [
        Operation::Transport(Transport::Tempo(120.0)),
        Operation::Track(0, TrackEdit::Length(6)),
        Operation::Track(0, TrackEdit::Division(4)),
    ];
    assert_eq!(operations[2..], expected);
    assert_eq!(wiring.sequencer().tracks().next().expect("a track").1.pattern().to_string(), "x..X..");
}

#[test]
fn what_is_out_of_range_is_brought_into_it() {
    let (mut wiring, _) = done(&[words("/seq/create", &["kick"])]);
    let tempo = |bpm| vec![Operation::Transport(Transport::Tempo(bpm))];
    for (asked, is) in [(0.0, 1.0), (-1e300, 1.0), (1e9, 999.0), (174.0, 174.0)] {
        assert_eq!(try_to_do(&mut wiring, &message("/clock/tempo", vec![OscType::Double(asked)])), Ok(tempo(is)));
    }
    let track = |edit| Ok(vec![Operation::Track(0, edit)]);
    let mut set =
        |key: &str, value: f64| try_to_do(&mut wiring, &with("/seq/config", &["kick", key], &[OscType::Double(value)]));
    assert_eq!(set("division", 1e9), track(TrackEdit::Division(16)));
    assert_eq!(set("steps", -3.0), track(TrackEdit::Length(1)));
    assert_eq!(set("swing", 0.1), track(TrackEdit::Swing(0.5)));
    assert_eq!(set("probability", 7.0), track(TrackEdit::Probability(1.0)));
}

#[test]
fn what_cannot_be_is_refused_with_what_could_be_and_changes_nothing() {
    use OscType::{Bool, Double, Float, Inf, Int, Nil};
    let (mut wiring, _) = done(&[words("/seq/create", &["kick"]), words("/seq/lane", &["kick", "a"])]);
    let before = wiring.clone();
    let array = OscType::Array(OscArray { content: vec![Int(1)] });
    let cases = [
        (message("/clock/tempo", vec![]), Code::NoArgument, "beats a minute"),
        (message("/clock/tempo", vec![Double(f64::NAN)]), Code::NotFinite, "nothing changed"),
        (message("/clock/tempo", vec![Inf]), Code::NotFinite, "nothing changed"),
        (message("/clock/tempo", vec!["fast".into()]), Code::WrongType, "a number"),
        (message("/clock/tempo", vec![Int(1), Int(2)]), Code::WrongType, "the name of a track"),
        (words("/seq/create", &[]), Code::NoArgument, "a name for the track"),
        (words("/seq/create", &["kick"]), Code::BadEdit, "already"),
        (words("/seq/create", &["Kick"]), Code::BadEdit, "small letters"),
        (message("/seq/create", vec![Int(1)]), Code::WrongType, "a string"),
        (words("/seq/start", &["kik"]), Code::BadEdit, "did you mean kick?"),
        (words("/seq/start", &["saxophone"]), Code::BadEdit, "there are kick"),
        (words("/seq/start", &[]), Code::NoArgument, "the name of the track"),
        (message("/seq/start", vec![Nil]), Code::WrongType, "the name of a track"),
        (words("/seq/pattern", &["kick", ""]), Code::BadEdit, "there is no step in it"),
        (words("/seq/pattern", &["kick", "x..o"]), Code::BadEdit, "character 4 is 'o'"),
        (words("/seq/pattern", &["kick", &"x".repeat(65)]), Code::BadEdit, "at most 64"),
        (with("/seq/pattern", &["kick"], &[Int(5)]), Code::WrongType, "a pattern, such as"),
        (words("/seq/pattern", &["kick"]), Code::NoArgument, "a pattern, such as"),
        (with("/seq/config", &["kick", "swnig"], &[Float(0.6)]), Code::WrongType, "did you mean swing?"),
        (with("/seq/config", &["kick", "swing"], &[Float(f32::NAN)]), Code::NotFinite, "nothing changed"),
        (with("/seq/config", &["kick"], &[Int(120), Int(16)]), Code::WrongType, "three numbers"),
        (with("/seq/config", &["kick", "swing"], &[array]), Code::WrongType, "an array"),
        (with("/seq/gate_len", &["kick"], &[Bool(true)]), Code::WrongType, "a number"),
        (with("/seq/param_lane", &["kick", "a"], &[Float(f32::INFINITY)]), Code::NotFinite, "nothing changed"),
        (with("/seq/param_lane", &["kick", "a"], &[Double(1e300)]), Code::NotFinite, "nothing changed"),
        (words("/seq/param_lane", &["kick", "a", "1,two"]), Code::WrongType, "\"two\" is no number"),
        (words("/seq/param_lane", &["kick", "a", ""]), Code::WrongType, "is no number"),
        (with("/seq/param_lane", &["kick", "a"], &vec![Int(1); 65]), Code::BadEdit, "65 values"),
        (words("/seq/param_lane", &["kick", "a"]), Code::WrongType, "its values"),
        (with("/seq/lane_part", &["kick", "a"], &[Int(2), Int(8), Int(1)]), Code::BadEdit, "come by 4"),
        (with("/seq/lane_part", &["kick", "b"], &[Int(0), Int(1), Int(1)]), Code::BadEdit, "no such lane"),
        (words("/seq/assign", &["kick", "gate", "sine"]), Code::BadEdit, "adsr"),
        (words("/seq/assign", &["kick", "gait", "adsr"]), Code::WrongType, "\"gate\""),
        (
            words("/seq/assign", &["kick", "param", "a", "filter", "cutof"]),
            Code::BadEdit,
            "did you mean /mod/filter/cutoff?",
        ),
        (words("/seq/assign", &["kick", "param", "a", "adsr", "note"]), Code::BadEdit, "no such address"),
        (words("/seq/assign", &["kick", "param", "a"]), Code::WrongType, "the name of a module"),
    ];
    for (message, code, text) in cases {
        let (found, said) = try_to_do(&mut wiring, &message).expect_err(&format!("{message:?}"));
        assert_eq!(found, code, "{message:?}: {said}");
        assert!(said.contains(text) && said.len() < 400, "{message:?}: {said}");
        assert!(*wiring == *before, "{message:?}");
    }
    for lane in ["b", "c", "d"] {
        try_to_do(&mut wiring, &words("/seq/lane", &["kick", lane])).expect("a lane");
    }
    assert_eq!(try_to_do(&mut wiring, &words("/seq/lane", &["kick", "e"])).unwrap_err().0, Code::Full);
    for track in 1..8 {
        try_to_do(&mut wiring, &words("/seq/create", &[&format!("t{track}")])).expect("a track");
    }
    assert_eq!(try_to_do(&mut wiring, &words("/seq/create", &["t9"])).unwrap_err().0, Code::Full);
    assert!(matches!(interpret_message(&words("/seq/*", &["kick"]), When::Arrival(0), 48_000, &wiring)[..], [Err(_)]));
}

#[test]
fn what_is_made_is_made_at_once_and_what_is_heard_waits_for_its_time() {
    let when = When::TimeTag(rosc::OscTime { seconds: 9, fractional: 8 }, 77);
    let mut wiring = Box::new(*power_on());
    let mut whens = Vec::new();
    for message in
        [words("/seq/create", &["kick"]), words("/seq/param_lane", &["kick", "a", "1"]), words("/seq/start", &["kick"])]
    {
        for request in interpret_message(&message, when, 48_000, &wiring) {
            let Ok(Request::Apply(intent)) = request else { panic!("{request:?}") };
            wiring.follow(&intent.operation, 48_000);
            whens.push(intent.when);
        }
    }
    assert_eq!(whens, [When::Arrival(77), When::Arrival(77), when, when]);
}
