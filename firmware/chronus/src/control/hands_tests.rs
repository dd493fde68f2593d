use super::*;
use crate::gpio::Pull;
use crate::input::catalogue::power_on;
use crate::surface::{Curve, Deed, Resolution, Tally, Travel};
use abi::Place;

const RATE: u32 = 48_000;

fn control(kind: Kind) -> Control {
    Control { pins: vec![5], pull: Pull::Up, active_low: true, bouncing: 0, kind }
}

fn encoder(address: &str, minimum: f64, maximum: f64, steps: u32) -> Control {
    let travel = Travel { minimum, maximum, curve: Curve::Linear, steps };
    let address = address.to_owned();
    control(Kind::Encoder(Encoder { resolution: Resolution::Full, acceleration: 1.0, address, travel }))
}

fn hands(controls: Vec<Control>) -> Hands {
    let board = Arc::new(controls.iter().map(|_| Tally::default()).collect());
    Hands::new(controls, board, RATE)
}

fn turn(control: usize, steps: f64) -> Moved {
    Moved { control, gesture: Gesture::Turn(steps), time_ns: 7 }
}

/// The patch at power-on in which this is set.
fn set(place: Place, value: f64) -> Box<Wiring> {
    let mut wiring = Box::new(*power_on());
    wiring.follow(&Operation::Set(place, value), RATE);
    wiring
}

fn sends(address: &str, argument: OscType) -> Meaning {
    Meaning::Message(OscMessage { addr: address.to_owned(), args: vec![argument] })
}

fn sender() -> SocketAddr {
    ([127, 0, 0, 1], 9).into()
}

#[test]
fn a_knob_goes_on_from_what_is_set_whoever_set_it() {
    let mut hands = hands(vec![encoder("/engine/gain", 0.0, 1.0, 10)]);
    for (from, steps, sent) in [(0.5, 1.0, 0.6), (0.1, 1.0, 0.2), (0.25, -1.0, 0.15)] {
        match hands.meaning(turn(0, steps), &set(Place { row: 1, parameter: 1 }, from)) {
            Meaning::Message(OscMessage { addr, args }) => {
                let OscType::Double(value) = args[0] else { panic!("{args:?}") };
                assert!(addr == "/engine/gain" && (value - sent).abs() < 1e-12, "{addr} {value}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(hands.meaning(turn(0, 1.0), &set(Place { row: 1, parameter: 1 }, 1.0)), Meaning::Nothing);
    assert_eq!(hands.meaning(turn(3, 1.0), power_on()), Meaning::Nothing, "there is no such control");
}

#[test]
fn where_nothing_can_be_asked_a_knob_goes_on_from_what_it_sent() {
    let mut hands = hands(vec![encoder("/gate/adsr", 0.0, 1.0, 1)]);
    let meanings = [1.0, 1.0, -1.0, -1.0].map(|steps| hands.meaning(turn(0, steps), power_on()));
    let gate = |value| sends("/gate/adsr", OscType::Double(value));
    assert_eq!(meanings, [gate(1.0), Meaning::Nothing, gate(0.0), Meaning::Nothing]);
}

#[test]
fn what_is_moved_next_is_bound_and_does_nothing_else() {
    let press = |address: &str| Some(OscMessage { addr: address.to_owned(), args: vec![OscType::Int(1)] });
    let button = control(Kind::Button([press("/gate/adsr"), None, None, None]));
    let mut hands = hands(vec![encoder("/mod/sine/gain", 0.0, 1.0, 10), button]);
    assert!(
        hands
            .learn(Some("/mod/filter/qq".to_owned()), sender(), 0, power_on())
            .unwrap_err()
            .text
            .contains("did you mean")
    );
    assert!(hands.learn(Some("/version".to_owned()), sender(), 0, power_on()).is_err());
    hands.learn(Some("/mod/filter/cutoff".to_owned()), sender(), 0, power_on()).unwrap();
    let Meaning::Learned(learned) = hands.meaning(turn(0, -1.0), power_on()) else { panic!("it is learned") };
    assert_eq!((learned.place, learned.sender, learned.control.words().as_str()), (0, sender(), "/mod/filter/cutoff"));
    // Over all of the parameter's own range from now on.
    let Meaning::Message(message) = hands.meaning(turn(0, 1e9), &set(Place { row: 3, parameter: 1 }, 500.0)) else {
        panic!("it is turned")
    };
    assert_eq!(message.args, [OscType::Double(23_990.0)]);
    // Ended before anything was moved.
    hands.learn(Some("/mod/filter/q".to_owned()), sender(), 0, power_on()).unwrap();
    hands.learn(None, sender(), 0, power_on()).unwrap();
    let pressed = Moved { control: 1, gesture: Gesture::Deed(Deed::Press), time_ns: 7 };
    assert_eq!(hands.meaning(pressed, power_on()), sends("/gate/adsr", OscType::Int(1)));
    // An encoder sends values; a test tone takes none.
    hands.learn(Some("/panic".to_owned()), sender(), 0, power_on()).unwrap();
    assert!(matches!(hands.meaning(pressed, power_on()), Meaning::Learned(_)));
    assert_eq!(
        hands.meaning(pressed, power_on()),
        Meaning::Message(OscMessage { addr: "/panic".to_owned(), args: vec![] })
    );
    assert!(super::tests::hands(vec![]).learn(Some("/panic".to_owned()), sender(), 0, power_on()).is_err());
}

#[test]
fn the_list_names_each_control_with_value_and_counts() {
    let mut hands = hands(vec![encoder("/mod/sine/gain", 0.0, 1.0, 10), control(Kind::Switch([None, None]))]);
    hands.board[0].turned(3);
    hands.board[0].turned(-1);
    hands.board[1].done(Deed::Press, true);
    hands.learn(Some("/panic".to_owned()), sender(), 0, power_on()).unwrap();
    let pairs = hands.pairs(&set(Place { row: 1, parameter: 1 }, 0.25), 0);
    let of = |key: &str| {
        let found = pairs.chunks_exact(2).find(|pair| pair[0] == OscType::String(key.to_owned()));
        found.unwrap_or_else(|| panic!("{key}: {pairs:?}"))[1].clone()
    };
    assert_eq!(
        (of("controls.0.value"), of("controls.0.right"), of("controls.0.left")),
        (OscType::Float(0.25), OscType::Long(3), OscType::Long(1))
    );
    assert_eq!((of("controls.1.value"), of("controls.1.kind")), ("closed".into(), "switch".into()));
    assert_eq!((of("controls.1.lost"), of("learning")), (OscType::Long(0), "/panic".into()));
}

#[test]
fn a_request_to_learn_is_one_plain_address_of_one_sender_for_a_while() {
    let mut hands = hands(vec![encoder("/mod/sine/gain", 0.0, 1.0, 10)]);
    let long = format!("/gate/{{adsr,{}}}", "x".repeat(30_000));
    for address in ["/mod/*/gain", "/gate/{x y,adsr}", &long] {
        let refusal = hands.learn(Some(address.to_owned()), sender(), 0, power_on()).unwrap_err();
        assert!(refusal.text.contains("no pattern"), "{refusal:?}");
    }
    hands.learn(Some("/mod/filter/q".to_owned()), sender(), 0, power_on()).unwrap();
    let other = ([10, 0, 0, 99], 1).into();
    assert_eq!(hands.learn(None, other, LEARNING - 1, power_on()).unwrap_err().code, Code::Full);
    assert_eq!(hands.learn(Some("/panic".to_owned()), other, LEARNING - 1, power_on()).unwrap_err().code, Code::Full);
    // Too late: the turn is a turn.
    let late = Moved { time_ns: LEARNING, ..turn(0, 1.0) };
    assert!(matches!(hands.meaning(late, &set(Place { row: 1, parameter: 1 }, 0.5)), Meaning::Message(_)));
    hands.learn(None, other, LEARNING, power_on()).unwrap();
}
