use rosc::{OscArray, OscBundle, OscTime, OscType, encoder};

use super::*;

fn message(address: &str, arguments: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_string(), args: arguments })
}

fn bundle(tag: u64, content: Vec<OscPacket>) -> OscPacket {
    let timetag = OscTime { seconds: (tag >> 32) as u32, fractional: tag as u32 };
    OscPacket::Bundle(OscBundle { timetag, content })
}

fn refused(bytes: &[u8]) -> PacketError {
    match read_packet(bytes) {
        Err(error) => error,
        Ok(packet) => panic!("{} messages were read", packet.messages.len()),
    }
}

fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for outside in 0..depth {
        bytes.extend_from_slice(BUNDLE_MARK);
        bytes.extend_from_slice(&1u64.to_be_bytes());
        if outside + 1 < depth {
            bytes.extend_from_slice(&(((depth - outside - 1) * 20 - 4) as u32).to_be_bytes());
        }
    }
    bytes
}

fn with_tags(tags: &str) -> Vec<u8> {
    let mut bytes = b"/a\0\0".to_vec();
    bytes.extend_from_slice(tags.as_bytes());
    bytes.resize((bytes.len() + 4) & !3, 0);
    bytes
}

#[test]
fn messages_come_in_order_with_the_tag_of_their_bundle() {
    let inner_early = bundle(5, vec![message("/c", vec![])]);
    let inner_late = bundle(30, vec![message("/d", vec![]), bundle(40, vec![])]);
    let packet = bundle(20, vec![message("/b", vec![OscType::Int(1)]), inner_early, inner_late, message("/e", vec![])]);
    let packet = read_packet(&encoder::encode(&packet).unwrap()).unwrap();
    let read: Vec<_> = packet.messages.iter().map(|timed| (timed.message.addr.as_str(), timed.tag)).collect();
    assert_eq!(read, [("/b", Some(20)), ("/c", Some(20)), ("/d", Some(30)), ("/e", Some(20))]);
    assert_eq!(packet.messages[0].message.args, [OscType::Int(1)]);
    assert_eq!(packet.last_tag, 40);
    let plain = read_packet(&encoder::encode(&message("/x", vec![])).unwrap()).unwrap();
    assert_eq!((plain.messages.len(), plain.messages[0].tag), (1, None));
}

#[test]
fn a_missing_type_tag_string_means_no_arguments() {
    assert_eq!(read_packet(b"/status\0").unwrap().messages[0].message.args, []);
    assert_eq!(refused(b"/status\0abc\0").text, "no type tag string (\",...\") behind the address");
}

#[test]
fn bytes_that_are_not_osc_are_malformed() {
    for bytes in [
        &b""[..],
        b"\0",
        b"hello",
        b"/noend",
        b"/a\0",
        b"/\xff\xff\0,\0\0\0",
        b"#bundle\0",
        b"#bundle\0\0\0\0\0\0\0\0",
        b"#bundl\0\0\0\0\0\0\0\0\0\x01",
        b"/a\0\0,i\0\0",
        b"/a\0\0,i\0\0\0\0",
        b"/a\0\0,b\0\0\xff\xff\xff\xff",
        b"/a\0\0,b\0\0\x7f\xff\xff\xff\0\0\0\0",
        b"/a\0\0,s\0\0abcd",
        b"/a\0\0,c\0\0\xff\xff\xff\xff",
        b"/a\0\0,X\0\0a\0\0\0",
        b"/a\0\0,i\0\0\0\0\0\x01more",
    ] {
        assert_eq!(refused(bytes).code, Code::Malformed, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_bad_element_refuses_the_whole_bundle_and_says_where() {
    let good = encoder::encode(&bundle(1, vec![message("/a", vec![OscType::Int(1)])])).unwrap();
    for (size, element) in [
        (u32::MAX, &b"/b\0\0,\0\0\0"[..]),
        (0x7fff_ffff, b"/b\0\0,\0\0\0"),
        (12, b"/b\0\0,\0\0\0"),
        (0, b""),
        (4, b"junk"),
        (8, b"/b\0\0,i\0\0"),
        (16, b"#bundle\0\0\0\0\0\0\0\0"),
    ] {
        let mut bytes = good.clone();
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(element);
        let error = refused(&bytes);
        assert_eq!(error.code, Code::Malformed);
        assert!(error.offset >= good.len(), "{error:?}");
    }
    // An element that ends behind its own bundle, but not behind the outer one.
    let mut bytes =
        encoder::encode(&bundle(1, vec![bundle(1, vec![message("/a", vec![])]), bundle(1, vec![])])).unwrap();
    let size_of_a = BUNDLE_HEADER + 4 + BUNDLE_HEADER;
    bytes[size_of_a + 3] += 8;
    assert_eq!(refused(&bytes).offset, size_of_a);
    let mut bytes = good.clone();
    bytes.extend_from_slice(b"\0\0");
    assert_eq!(refused(&bytes).offset, good.len());
}

#[test]
fn the_address_of_a_malformed_message_is_named_where_it_can_be_read() {
    assert_eq!(refused(b"/a\0\0,i\0\0").address.as_deref(), Some("/a"));
    assert_eq!(refused(b"junk").address, None);
}

#[test]
fn bundles_nest_to_the_limit_and_no_further() {
    assert!(read_packet(&nested(MAX_DEPTH)).is_ok());
    for depth in [MAX_DEPTH + 1, 1600, 100_000] {
        assert_eq!(refused(&nested(depth)).code, Code::TooDeep, "{depth}");
    }
}

#[test]
fn arrays_nest_to_the_limit_and_must_be_closed() {
    let deep = |depth: usize| with_tags(&format!(",{}{}", "[".repeat(depth), "]".repeat(depth)));
    let packet = read_packet(&deep(MAX_DEPTH)).unwrap();
    assert!(matches!(&packet.messages[0].message.args[0], OscType::Array(OscArray { content }) if content.len() == 1));
    for depth in [MAX_DEPTH + 1, 16_000, 1_000_000] {
        assert_eq!(refused(&deep(depth)).code, Code::TooDeep, "{depth}");
    }
    for tags in [",[", ",]", ",[N", ",N]", ",][", ",[[]"] {
        assert_eq!(refused(&with_tags(tags)).code, Code::Malformed, "{tags}");
    }
}

#[test]
fn a_symbol_is_a_string() {
    let bytes = b"/mod/S\0\0,SsSi\0\0\0one\0S\0\0\0two\0\0\0\0\x05";
    let arguments = &read_packet(bytes).unwrap().messages[0].message.args;
    assert_eq!(arguments[..], [OscType::from("one"), OscType::from("S"), OscType::from("two"), OscType::Int(5)]);
    assert_eq!(read_packet(b"/a\0\0,[S]\0\0\0\0x\0\0\0").unwrap().messages.len(), 1);
    assert_eq!(refused(b"/a\0\0,S\0\0abc").code, Code::Malformed);
}
