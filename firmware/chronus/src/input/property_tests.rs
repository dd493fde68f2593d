//! Any bytes at all: no panic, no unbounded work, and nothing that is out of range comes out.

use abi::{Operation, Transport};
use dsp::time::{BPM_MAXIMUM, BPM_MINIMUM};
use proptest::prelude::*;
use rosc::{OscArray, OscBundle, OscColor, OscMessage, OscMidiMessage, OscPacket, OscTime, OscType, encoder};

use super::interpret::interpret;
use super::{Code, MAX_DATAGRAM_BYTES, MAX_DEPTH, Refusal, Request, When, catalogue};

const RATE: u32 = 44_100;

/// Interprets, and checks what must hold of every result.
fn check(bytes: &[u8]) -> Vec<Result<Request, Refusal>> {
    let results = interpret(bytes, 5, RATE);
    assert!(!results.is_empty() || bytes.starts_with(b"#bundle\0"));
    for result in &results {
        match result {
            Ok(Request::Apply(intent)) => {
                match intent.operation {
                    Operation::Set(place, value) => {
                        // What it makes itself is in no patch here.
                        let known = catalogue::at(catalogue::power_on(), place);
                        let clamped = known.map_or(value, |(_, parameter)| parameter.clamp(value, RATE));
                        assert!(clamped == value && value.is_finite(), "{intent:?}");
                    }
                    Operation::Note(_, note, velocity) => {
                        assert!(note < 128 && (0.0..=1.0).contains(&velocity), "{intent:?}");
                    }
                    Operation::Transport(Transport::Tempo(bpm)) => {
                        assert!((BPM_MINIMUM..=BPM_MAXIMUM).contains(&bpm), "{intent:?}");
                    }
                    _ => {}
                }
                assert!(intent.when == When::Arrival(5) || bytes.starts_with(b"#bundle\0"));
            }
            Ok(
                Request::Status
                | Request::Health
                | Request::Version
                | Request::Led
                | Request::Identify
                | Request::Notify(_)
                | Request::Controls
                | Request::Patch
                | Request::Tracks
                | Request::Preset(_)
                | Request::Learn(_)
                | Request::Ask(_),
            ) => {}
            Err(refusal) => {
                assert!(!refusal.text.is_empty());
                let reply = encoder::encode(&OscPacket::Message(refusal.to_message())).unwrap();
                assert!(reply.len() < 1024, "{} bytes of reply", reply.len());
            }
        }
    }
    // What is malformed is refused as a whole.
    let whole = |code| matches!(code, Code::Malformed | Code::TooDeep | Code::Oversized);
    assert!(results.len() == 1 || !results.iter().any(|result| matches!(result, Err(r) if whole(r.code))));
    results
}

fn argument() -> impl Strategy<Value = OscType> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(OscType::Int),
        any::<i64>().prop_map(OscType::Long),
        prop::num::f32::ANY.prop_map(OscType::Float),
        prop::num::f64::ANY.prop_map(OscType::Double),
        "[ -~]{0,9}|on|off|lowpass".prop_map(OscType::String),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(OscType::Blob),
        any::<(u32, u32)>().prop_map(|time| OscType::Time(OscTime::from(time))),
        any::<char>().prop_map(OscType::Char),
        any::<bool>().prop_map(OscType::Bool),
        any::<[u8; 4]>().prop_map(|[red, green, blue, alpha]| OscType::Color(OscColor { red, green, blue, alpha })),
        any::<[u8; 4]>().prop_map(|[port, status, data1, data2]| OscType::Midi(OscMidiMessage {
            port,
            status,
            data1,
            data2
        })),
        Just(OscType::Nil),
        Just(OscType::Inf),
    ];
    leaf.prop_recursive(20, 64, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(|content| OscType::Array(OscArray { content }))
    })
}

fn likely_byte() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0u8), any::<u8>(), prop::sample::select(b",[]ifsb/".to_vec())]
}

fn address() -> impl Strategy<Value = String> {
    let known: Vec<String> = catalogue::values(catalogue::power_on()).into_keys().collect();
    let words = super::PATCH_WORDS.map(|(word, _)| word.to_owned());
    let times = super::TRACK_WORDS.map(|(word, _)| word.to_owned());
    prop_oneof![
        4 => prop::sample::select(known),
        2 => prop::sample::select(times.to_vec()),
        2 => prop::sample::select(words.to_vec()),
        2 => prop::sample::select(vec!["/gate/adsr", "/test", "/engine/freq", "/engine/gain", "/status", "/version", "/led"])
            .prop_map(str::to_string),
        2 => "/(mod|\\*|\\{mod,gate\\})/(sine|\\*|[a-z]{4}|\\[a-s\\]*\\*)/(gain|\\*|\\?{1,4}|\\[!f\\]\\*)",
        1 => "/[ -~]{0,30}",
        1 => "/.{0,30}".prop_map(|any| any.replace('\0', "")),
    ]
}

fn packet() -> impl Strategy<Value = OscPacket> {
    let message = (address(), prop::collection::vec(argument(), 0..4))
        .prop_map(|(addr, args)| OscPacket::Message(OscMessage { addr, args }));
    message.prop_recursive(18, 40, 4, |inner| {
        (any::<(u32, u32)>(), prop::collection::vec(inner, 0..5))
            .prop_map(|(tag, content)| OscPacket::Bundle(OscBundle { timetag: tag.into(), content }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes);
    }

    #[test]
    fn arbitrary_bytes_behind_a_good_beginning(
        beginning in prop::sample::select(vec![&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], b"/gate/adsr\0\0,"]),
        bytes in prop::collection::vec(likely_byte(), 0..99),
    ) {
        check(&[beginning, &bytes].concat());
    }

    #[test]
    fn every_kind_of_argument_on_every_address(packet in packet()) {
        check(&encoder::encode(&packet).unwrap());
    }

    #[test]
    fn mutated_packets(
        packet in packet(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        cut_it in any::<bool>(),
    ) {
        let mut bytes = encoder::encode(&packet).unwrap();
        for (place, byte) in changes {
            *place.get_mut(&mut bytes) = byte;
        }
        if cut_it {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(&bytes);
    }
}

#[test]
fn the_deepest_nesting_that_fits_a_datagram_needs_no_stack() {
    let mut bundles = Vec::new();
    while bundles.len() + 20 <= MAX_DATAGRAM_BYTES {
        bundles.extend_from_slice(b"#bundle\0\0\0\0\0\0\0\0\x01");
        let left = MAX_DATAGRAM_BYTES - bundles.len() - 4;
        bundles.extend_from_slice(&(left as u32).to_be_bytes());
    }
    bundles.resize(MAX_DATAGRAM_BYTES, 0);
    let half = MAX_DATAGRAM_BYTES / 2 - 8;
    let arrays = format!("/gate/adsr\0\0,{}{}", "[".repeat(half), "]".repeat(half));
    let mut arrays = arrays.into_bytes();
    arrays.resize(MAX_DATAGRAM_BYTES, 0);
    // 64 KiB: far less than any thread of the engine has, and not enough for either recursion.
    let thread = std::thread::Builder::new().stack_size(64 * 1024).spawn(move || {
        for bytes in [bundles, arrays] {
            let results = interpret(&bytes, 0, RATE);
            assert!(matches!(&results[..], [Err(refusal)] if refusal.code == Code::TooDeep), "{results:?}");
        }
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn nesting_up_to_the_limit_is_applied() {
    let message = OscMessage { addr: "/mod/sine/gain".to_string(), args: vec![OscType::Float(0.5)] };
    let mut packet = OscPacket::Message(message);
    for depth in 0..=MAX_DEPTH {
        let results = check(&encoder::encode(&packet).unwrap());
        assert!(matches!(&results[..], [Ok(Request::Apply(_))]), "{depth}: {results:?}");
        packet = OscPacket::Bundle(OscBundle { timetag: (0, 1).into(), content: vec![packet] });
    }
}
