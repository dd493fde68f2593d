use super::*;
use crate::input::catalogue::power_on;

const RATE: u32 = 48_000;

#[test]
fn everything_that_is_taken_is_in_the_tree_and_nothing_else() {
    let tree = Tree::of(power_on(), RATE);
    let (mut known, mut told) = (crate::input::known_addresses(power_on()), Vec::new());
    known.retain(|address| address != "/poison");
    told.extend(tree.methods().iter().map(|method| method.path.clone()));
    known.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, known);
}

#[test]
fn there_is_an_argument_for_each_type_and_something_is_said_of_each() {
    let tree = Tree::of(power_on(), RATE);
    for method in tree.methods() {
        assert_eq!(method.arguments.len(), method.types.len(), "{}", method.path);
        assert!(!method.description.is_empty() && !method.description.contains('`'), "{}", method.path);
        assert_eq!(tree.method(&method.path), Some(method));
    }
    for container in ["/", "/mod", "/mod/sine", "/gate", "/note", "/patch", "/record", "/clock", "/seq", "/engine"] {
        assert!(!tree.describe_container(container).is_empty(), "{container}");
    }
}

#[test]
fn what_is_told_as_the_arguments_of_an_address_is_taken_there() {
    use crate::input::{Request, When, interpret_message};
    let mut wiring = *power_on();
    let name = |text: &str| OscType::from(text);
    for (address, arguments) in
        [("/patch/create", vec![name("keys"), name("voice")]), ("/seq/create", vec![name("line")])]
    {
        let message = OscMessage { addr: address.to_owned(), args: arguments };
        for request in interpret_message(&message, When::Arrival(0), RATE, &wiring) {
            let Ok(Request::Apply(intent)) = request else { panic!("{request:?}") };
            wiring.follow(&intent.operation, RATE);
        }
    }
    let tree = Tree::of(&wiring, RATE);
    for method in tree.methods() {
        // What these name is not known from their types; a part of a lane is as long as what stands before it says.
        let named = ["/patch/connect", "/patch/disconnect", "/controls/learn", "/seq/lane_part"]
            .contains(&method.path.as_str());
        let arguments =
            method.types.chars().zip(&method.arguments).map(|(kind, argument)| match (kind, &argument.range) {
                ('s', Range::OneOf(names)) => name(&names[names.len() - 1]),
                ('s', _) if method.path == "/get" => name("/mod/filter/q"),
                ('s', _) => name("x"),
                ('f', Range::Between(_, high)) => OscType::Float(*high as f32),
                ('f', _) => OscType::Float(1.0),
                ('i', Range::BetweenWhole(_, high)) => OscType::Int(*high as i32),
                ('i', _) => OscType::Int(1),
                ('t', _) => OscType::Time(rosc::OscTime { seconds: 1, fractional: 0 }),
                ('T', _) => OscType::Bool(true),
                ('I', _) => OscType::Inf,
                other => panic!("{other:?}"),
            });
        let message = OscMessage { addr: method.path.clone(), args: arguments.collect() };
        let taken = interpret_message(&message, When::Arrival(0), RATE, &wiring);
        assert!(named || taken.iter().all(Result::is_ok), "{message:?}: {taken:?}");
        // As it comes from outside, too.
        let bytes = rosc::encoder::encode(&rosc::OscPacket::Message(message)).unwrap();
        assert!(crate::input::read_packet(&bytes).is_ok());
    }
}

#[test]
fn what_a_choice_is_set_to_has_its_name() {
    let tree = Tree::of(power_on(), RATE);
    let mode = tree.method("/mod/filter/mode").unwrap();
    assert_eq!((mode.value.clone(), mode.number), (Some(OscType::from("lowpass")), Some(0.0)));
    assert_eq!(mode.message().unwrap().args, [OscType::from("lowpass")]);
    let cutoff = tree.method("/mod/filter/cutoff").unwrap();
    assert_eq!(cutoff.arguments[0].range, Range::Between(10.0, 23_990.0));
    assert_eq!((cutoff.arguments[0].unit, cutoff.message().unwrap().args), ("time.hz", vec![OscType::Float(1000.0)]));
}

#[test]
fn the_tempo_is_told_as_it_was_set() {
    let mut wiring = *power_on();
    let tempo = |wiring: &Wiring| Tree::of(wiring, RATE).method("/clock/tempo").unwrap().value.clone();
    assert_eq!(tempo(&wiring), Some(OscType::Double(120.0)));
    wiring.follow(&abi::Operation::Transport(abi::Transport::Tempo(174.0)), RATE);
    assert_eq!(tempo(&wiring), Some(OscType::Double(174.0)));
}

/// The patch with the most to tell of: as many modules as there may be, of the type with the most parameters.
fn largest() -> Wiring {
    use crate::input::{Request, When, interpret_message};
    let mut wiring = *power_on();
    let mut words = vec![OscMessage { addr: "/patch/clear".to_owned(), args: vec![] }];
    let most = dsp::instrument::MOST_MODULES - 1;
    words.extend((0..most).map(|number| OscMessage {
        addr: "/patch/create".to_owned(),
        args: [format!("module-name-{number:04}"), "mixer".to_owned()].map(OscType::String).to_vec(),
    }));
    words.push(OscMessage { addr: "/patch/commit".to_owned(), args: vec![] });
    for message in words {
        for request in interpret_message(&message, When::Arrival(0), RATE, &wiring) {
            let Ok(Request::Apply(intent)) = request else { panic!("{message:?}: {request:?}") };
            wiring.follow(&intent.operation, RATE);
        }
    }
    wiring
}

#[test]
fn the_largest_tree_is_one_answer_that_is_kept_for_who_reads_slowly() {
    let tree = Tree::of(&largest(), RATE);
    let bytes = serde_json::to_vec(&super::super::node::Node::at(&tree, "/").unwrap()).unwrap().len();
    println!("{} methods, {bytes} bytes", tree.methods().len());
    assert!(tree.methods().len() > 500 && bytes < crate::input::MOST_KEPT / 2, "{bytes} bytes");
}
