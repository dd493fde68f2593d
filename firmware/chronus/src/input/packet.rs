//! Takes an OSC packet apart into its messages. rosc decodes the messages; the bundles around them are read
//! here, because rosc's decoder
//! - calls itself for each nested bundle: 32 KiB nest 1638 deep, more than a thread's stack may hold;
//! - builds nested arrays of any depth, which then overflow the stack when they are dropped;
//! - drops the rest of a bundle without a word from the first bad element on, and bytes behind a message;
//! - takes a type tag string without its comma, and arrays that are never closed.
//!
//! A packet is good as a whole or refused as a whole: after one broken element there is no telling what
//! the sender meant with the others.

use std::borrow::Cow;

use rosc::{OscMessage, OscPacket};

use super::refusal::Code;

/// Bundles in bundles, and arrays in arrays, at most. Real senders nest one or two; 16 leaves room and
/// keeps recursion over what was read harmless on the smallest stack.
pub const MAX_DEPTH: usize = 16;
/// What a bundle begins with.
pub const BUNDLE_MARK: &[u8; 8] = b"#bundle\0";
/// The mark and the time tag.
const BUNDLE_HEADER: usize = 16;
/// Type tags of OSC 1.0, arrays aside. rosc decodes all of them but `S`, a string that is called a symbol.
const TYPE_TAGS: &[u8] = b"ifsSbhtdcrmTFNI";

/// A message and the raw time tag (seconds << 32 | fraction) of the bundle it came in.
pub struct TimedMessage {
    /// `None` for a message outside any bundle.
    pub tag: Option<u64>,
    /// The message.
    pub message: OscMessage,
}

/// A packet taken apart.
#[derive(Default)]
pub struct Packet {
    /// Its messages in order.
    pub messages: Vec<TimedMessage>,
    /// The highest time tag of its bundles, empty bundles counted.
    pub last_tag: u64,
}

/// What is wrong with a packet.
#[derive(Debug, PartialEq)]
pub struct PacketError {
    /// Where, in bytes from the packet's beginning.
    pub offset: usize,
    /// [`Code::Malformed`] or [`Code::TooDeep`].
    pub code: Code,
    /// The address of the message at fault, if it could be read.
    pub address: Option<String>,
    /// What, for a person.
    pub text: String,
}

impl PacketError {
    fn malformed(offset: usize, text: impl Into<String>) -> Self {
        Self { offset, code: Code::Malformed, address: None, text: text.into() }
    }
}

/// Whether these bytes claim to be a bundle.
pub fn is_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(BUNDLE_MARK)
}

/// Takes a packet apart. Never panics, and needs little stack, whatever the bytes.
pub fn read_packet(bytes: &[u8]) -> Result<Packet, PacketError> {
    let mut packet = Packet::default();
    if !is_bundle(bytes) {
        let message = read_message(bytes, 0)?;
        packet.messages.push(TimedMessage { tag: None, message });
        return Ok(packet);
    }
    // Bundles being read, outermost first: where each ends, and its tag.
    let mut open = vec![(bytes.len(), read_header(bytes, 0, bytes.len())?)];
    packet.last_tag = open[0].1;
    let mut at = BUNDLE_HEADER;
    while let Some(&(end, tag)) = open.last() {
        if at == end {
            open.pop();
            continue;
        }
        let element_end = read_element_size(bytes, at, end)?;
        at += 4;
        let element = &bytes[at..element_end];
        if !is_bundle(element) {
            packet.messages.push(TimedMessage { tag: Some(tag), message: read_message(element, at)? });
            at = element_end;
            continue;
        }
        if open.len() == MAX_DEPTH {
            let text = format!("bundles are nested more than {MAX_DEPTH} deep; send them flat");
            return Err(PacketError { offset: at, code: Code::TooDeep, address: None, text });
        }
        // OSC 1.0: the tag of an inner bundle is not before that of the outer one.
        let inner = read_header(bytes, at, element_end)?.max(tag);
        packet.last_tag = packet.last_tag.max(inner);
        open.push((element_end, inner));
        at += BUNDLE_HEADER;
    }
    Ok(packet)
}

/// The time tag of the bundle in `bytes[at..end]`.
fn read_header(bytes: &[u8], at: usize, end: usize) -> Result<u64, PacketError> {
    match bytes[at..end].get(8..BUNDLE_HEADER).map(<[u8; 8]>::try_from) {
        Some(Ok(tag)) => Ok(u64::from_be_bytes(tag)),
        _ => Err(PacketError::malformed(at, "a bundle ends inside its header")),
    }
}

/// Where the element ends whose size stands at `at`, in a bundle that ends at `end`.
fn read_element_size(bytes: &[u8], at: usize, end: usize) -> Result<usize, PacketError> {
    let Some(Ok(size)) = bytes[at..end].get(..4).map(<[u8; 4]>::try_from) else {
        return Err(PacketError::malformed(at, "a bundle ends inside the size of an element"));
    };
    // A negative size is a huge one here, and refused with them.
    let size = u32::from_be_bytes(size) as usize;
    if size > end - at - 4 {
        let text = format!("a bundle element says it has {size} bytes where {} are left", end - at - 4);
        return Err(PacketError::malformed(at, text));
    }
    Ok(at + 4 + size)
}

/// The message that is exactly `bytes`; `offset` is where they stand in the packet.
fn read_message(bytes: &[u8], offset: usize) -> Result<OscMessage, PacketError> {
    let fault = |text: &str| PacketError::malformed(offset, text);
    if bytes.first() != Some(&b'/') {
        return Err(fault("not OSC: neither a message (\"/...\") nor a bundle (\"#bundle\")"));
    }
    let (address, rest) = split_string(bytes).ok_or_else(|| fault("an address without its closing zero bytes"))?;
    let address = std::str::from_utf8(address).map_err(|_| fault("an address that is not UTF-8"))?;
    // OSC 1.0 asks to be robust against old senders that leave out the type tag string.
    if rest.is_empty() {
        return Ok(OscMessage { addr: address.to_string(), args: Vec::new() });
    }
    let named = |error: PacketError| PacketError { address: Some(address.to_string()), ..error };
    let tags = check_type_tags(rest, offset).map_err(named)?;
    let bytes = without_symbols(bytes, bytes.len() - rest.len() + 1, tags);
    match rosc::decoder::decode_udp(&bytes) {
        Ok((rest, OscPacket::Message(_))) if !rest.is_empty() => {
            Err(named(fault(&format!("{} bytes are left over behind the last argument", rest.len()))))
        }
        Ok((_, OscPacket::Message(message))) => Ok(message),
        Ok((_, OscPacket::Bundle(_))) => Err(named(fault("not a message"))),
        Err(_) => Err(named(fault("the arguments end early or are not what the type tags say"))),
    }
}

/// The message with its symbols as strings, which are the same but for the type tag. The `tags` begin at byte `at`.
fn without_symbols<'a>(message: &'a [u8], at: usize, tags: &[u8]) -> Cow<'a, [u8]> {
    if !tags.contains(&b'S') {
        return Cow::Borrowed(message);
    }
    let mut bytes = message.to_vec();
    bytes[at..at + tags.len()].iter_mut().filter(|tag| **tag == b'S').for_each(|tag| *tag = b's');
    Cow::Owned(bytes)
}

/// The string at the beginning of `bytes`, without its one to four zero bytes, and what follows them.
fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = bytes.iter().position(|&byte| byte == 0)?;
    let padded = (length + 4) & !3;
    Some((&bytes[..length], bytes.get(padded..)?))
}

/// The type tags at the beginning of `rest`, without their comma.
fn check_type_tags(rest: &[u8], offset: usize) -> Result<&[u8], PacketError> {
    let fault = |text: &str| Err(PacketError::malformed(offset, text));
    let Some(([b',', tags @ ..], _)) = split_string(rest) else {
        return fault("no type tag string (\",...\") behind the address");
    };
    let mut depth = 0usize;
    for &tag in tags {
        match tag {
            b'[' if depth == MAX_DEPTH => {
                let text = format!("arrays are nested more than {MAX_DEPTH} deep");
                return Err(PacketError { offset, code: Code::TooDeep, address: None, text });
            }
            b'[' => depth += 1,
            b']' if depth == 0 => return fault("an array is closed that was never opened"),
            b']' => depth -= 1,
            tag if TYPE_TAGS.contains(&tag) => {}
            tag => {
                return fault(&format!("type tag '{}' is not one of {}", tag.escape_ascii(), TYPE_TAGS.escape_ascii()));
            }
        }
    }
    if depth > 0 { fault("an array is opened and never closed") } else { Ok(tags) }
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
