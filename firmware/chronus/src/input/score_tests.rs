use abi::{Operation, Place};
use proptest::prelude::*;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

use super::*;
use crate::input::catalogue;

const RATE: u32 = 48_000;

fn message(address: &str, argument: OscType) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_string(), args: vec![argument] })
}

fn bundle(tag: u64, content: Vec<OscPacket>) -> OscPacket {
    let timetag = OscTime { seconds: (tag >> 32) as u32, fractional: tag as u32 };
    OscPacket::Bundle(OscBundle { timetag, content })
}

fn file(packets: &[OscPacket]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for packet in packets {
        let packet = encoder::encode(packet).unwrap();
        bytes.extend_from_slice(&(packet.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&packet);
    }
    bytes
}

/// The lowest tag that rounds to `frame`, as a sender with a rounding clock would write it.
fn tag_of(frame: u64, rate: u32) -> u64 {
    (((u128::from(frame) << 32) + u128::from(rate) / 2) / u128::from(rate)) as u64
}

fn gain(value: f64) -> Operation {
    Operation::Set(Place { row: 1, parameter: 1 }, value)
}

#[test]
fn commands_land_on_their_frame_sorted_and_stable() {
    let bytes = file(&[
        bundle(tag_of(700, RATE), vec![message("/gate/adsr", OscType::Int(1))]),
        bundle(tag_of(5, RATE), vec![message("/mod/sine/gain", OscType::Float(0.25))]),
        bundle(tag_of(700, RATE), vec![message("/gate/adsr", OscType::Int(0))]),
        bundle(1, vec![message("/mod/sine/gain", OscType::Float(0.5))]),
        bundle(1 << 32, vec![]),
    ]);
    let score = read_score(&bytes, RATE, MAX_COMMANDS).unwrap();
    let read: Vec<_> = score.commands.iter().map(|command| (command.stamp.to_frame(), command.operation)).collect();
    let gate = |on| Operation::Gate(2, on);
    assert_eq!(read, [(0, gain(0.5)), (5, gain(0.25)), (700, gate(true)), (700, gate(false))]);
    assert_eq!((score.end_frame, score.refusals, score.cut_off), (48_000, vec![], None));
    assert_eq!(read_score(&[], RATE, MAX_COMMANDS), Ok(Score::default()));
}

#[test]
fn what_is_made_at_a_time_is_set_later_wherever_it_stands_in_the_file() {
    let words = |address: &str, words: &[&str]| {
        let args = words.iter().map(|word| OscType::from(*word)).collect();
        OscPacket::Message(OscMessage { addr: address.to_string(), args })
    };
    let early = bundle(tag_of(5, RATE), vec![message("/mod/low/cutoff", OscType::Int(500))]);
    let late = bundle(tag_of(700, RATE), vec![message("/mod/low/cutoff", OscType::Int(600))]);
    let made = [
        words("/patch/create", &["low", "svf"]),
        words("/patch/connect", &["low", "out"]),
        words("/patch/commit", &[]),
    ];
    let bytes = file(&[late, early, bundle(tag_of(9, RATE), made.to_vec())]);
    let score = read_score(&bytes, RATE, MAX_COMMANDS).unwrap();
    assert_eq!(score.commands.len(), 4);
    assert!(matches!(score.commands[3].operation, Operation::Set(Place { parameter: 1, .. }, 600.0)));
    assert_eq!(score.refusals.iter().map(|(bundle, _)| *bundle).collect::<Vec<_>>(), [1]);
}

#[test]
fn tags_are_rounded_to_the_nearest_frame_in_integers() {
    let half_a_frame = (1u64 << 32).div_ceil(2 * u64::from(RATE));
    assert_eq!((frame_of(half_a_frame, RATE), frame_of(half_a_frame - 1, RATE)), (1, 0));
    assert_eq!(frame_of(u64::MAX, 96_000), (1u64 << 32) * 96_000);
    assert_eq!((frame_of(0, RATE), frame_of(1, RATE), frame_of(7 << 32, 44_100)), (0, 0, 308_700));
}

#[test]
fn an_inner_bundle_is_never_before_its_outer_one() {
    let content = || vec![message("/mod/sine/gain", OscType::Float(0.5))];
    let bytes = file(&[bundle(2 << 32, vec![bundle(1, content()), bundle(3 << 32, content())])]);
    let frames: Vec<_> =
        read_score(&bytes, RATE, MAX_COMMANDS).unwrap().commands.iter().map(|c| c.stamp.to_frame()).collect();
    assert_eq!(frames, [96_000, 144_000]);
}

#[test]
fn refused_messages_are_listed_and_the_rest_plays() {
    let content = vec![
        message("/mod/sine/nothing", OscType::Int(1)),
        message("/mod/sine/gain", OscType::Float(f32::NAN)),
        message("/status", OscType::Nil),
        message("/mod/sine/gain", OscType::Float(0.5)),
    ];
    let score = read_score(&file(&[bundle(0, vec![]), bundle(0, content)]), RATE, MAX_COMMANDS).unwrap();
    let refused: Vec<_> = score.refusals.iter().map(|(number, refusal)| (*number, refusal.code)).collect();
    assert_eq!(refused, [(1, Code::UnknownAddress), (1, Code::NotFinite), (1, Code::UnknownAddress)]);
    assert_eq!(score.commands.len(), 1);
}

#[test]
fn broken_files_are_errors_that_say_where_and_what() {
    let good = file(&[bundle(0, vec![message("/mod/sine/gain", OscType::Float(0.5))])]);
    let after = |tail: &[u8]| [&good, tail].concat();
    let wall_clock = file(&[bundle(3_900_000_000 << 32, vec![])]);
    for (bytes, offset, what) in [
        (b"\0\0".to_vec(), 0, "inside a byte count"),
        (file(&[bundle(0, vec![])])[..10].to_vec(), 0, "was the file cut off"),
        (after(b"\x7f\xff\xff\xffRIFF"), good.len(), "is it not a score?"),
        (after(b"\xff\xff\xff\xfcRIFF"), good.len(), "the byte count is -4"),
        (after(b"\0\0\0\0"), good.len() + 4, "a bundle"),
        (file(&[message("/test", OscType::Nil)]), 4, "put each message into one"),
        (b"\0\0\0\x14#bundle\0\0\0\0\0\0\0\0\0\0\0\0\x09".to_vec(), 20, "where 0 are left"),
        (after(&wall_clock), good.len() + 4, "count from 0"),
    ] {
        let error = read_score(&bytes, RATE, MAX_COMMANDS).unwrap_err();
        assert!(error.offset == offset && error.text.contains(what), "{error} (expected {what} at {offset})");
        assert!(error.to_string().contains(&format!("at byte {offset}: ")));
    }
}

#[test]
fn a_last_bundle_that_is_cut_off_is_told_and_the_rest_plays() {
    let bundles = [5, 9, 700].map(|frame| bundle(tag_of(frame, RATE), vec![message("/gate/adsr", OscType::Int(1))]));
    let whole = file(&bundles);
    let last = whole.len() - file(&bundles[2..]).len();
    for end in last + 1..whole.len() {
        let score = read_score(&whole[..end], RATE, MAX_COMMANDS).unwrap();
        assert_eq!((score.commands.len(), score.end_frame, score.cut_off), (2, 9, Some(last)), "{end}");
    }
}

#[test]
fn of_many_refusals_a_few_are_kept_and_all_are_counted() {
    let score =
        read_score(&file(&[bundle(0, vec![message("/nothing", OscType::Int(1)); 1000])]), RATE, MAX_COMMANDS).unwrap();
    assert_eq!((score.refusals.len(), score.refused), (MAX_REFUSALS, 1000));
}

#[test]
fn a_score_of_too_many_commands_is_an_error() {
    // One pattern is eleven commands, so the file stays small.
    let all = bundle(0, vec![message("/mod/*/*", OscType::Int(1)); 1000]);
    let bundles = MAX_COMMANDS / 11_000 + 1;
    let bytes = file(&[all]).repeat(bundles);
    assert!(read_score(&bytes, RATE, MAX_COMMANDS).unwrap_err().text.contains("split the score"));
    let fitting = read_score(&bytes[..bytes.len() / bundles * (bundles - 1)], RATE, MAX_COMMANDS).unwrap();
    assert_eq!(fitting.commands.len(), (bundles - 1) * 11_000);
}

#[test]
fn a_larger_machine_has_room_for_a_longer_score_and_a_small_one_for_what_is_promised() {
    let promised = ScoreRoom { commands: MAX_COMMANDS, bytes: MAX_FILE_BYTES };
    assert_eq!([0, 512 << 20, 1 << 30].map(ScoreRoom::of_memory), [promised; 3]);
    assert_eq!(ScoreRoom::of_memory(16 << 30), ScoreRoom { commands: 16 * MAX_COMMANDS, bytes: 4 << 30 });
}

proptest! {
    #[test]
    fn every_frame_survives_the_way_through_a_file(
        events in prop::collection::vec((0..100_000_000u64, 0..11usize, 0.0..1.0f64), 0..40),
        rate in prop::sample::select(abi::RATES.to_vec()),
    ) {
        let parameters: Vec<_> = catalogue::parameters(power_on()).collect();
        let packets: Vec<_> = events.iter().map(|&(frame, place, value)| {
            let (module, _, parameter) = parameters[place];
            let address = catalogue::address(module, parameter);
            bundle(tag_of(frame, rate), vec![message(&address, OscType::Double(value))])
        }).collect();
        let mut expected: Vec<_> = events.iter().map(|&(frame, place, value)| {
            let (_, place, parameter) = parameters[place];
            let operation = Operation::Set(place, parameter.clamp(value, rate));
            Command { stamp: Stamp::from_frame(frame), operation }
        }).collect();
        expected.sort_by_key(|command| command.stamp);
        let score = read_score(&file(&packets), rate, MAX_COMMANDS).unwrap();
        prop_assert_eq!(score.end_frame, events.iter().map(|event| event.0).max().unwrap_or(0));
        prop_assert_eq!(score.commands, expected);
        prop_assert!(score.refusals.is_empty());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..400usize) {
        let _ = read_score(&bytes, RATE, MAX_COMMANDS);
        let mut good = file(&[bundle(9, vec![message("/mod/*/gain", OscType::Int(1)), bundle(1, vec![])])]);
        bytes.truncate(bytes.len() / 8);
        let at = cut % good.len();
        good.splice(at..(at + bytes.len() / 2).min(good.len()), bytes);
        let _ = read_score(&good, RATE, MAX_COMMANDS);
    }
}
