//! How messages follow each other in a stream of bytes: each with its size before it (OSC 1.0), or between END bytes
//! (OSC 1.1: SLIP of RFC 1055, with an END at both sides). The first byte tells: no size that is taken begins with END.

use crate::input::interpret::MAX_DATAGRAM_BYTES;
use crate::input::refusal::{Code, Refusal};

const END: u8 = 0xC0;
const ESCAPE: u8 = 0xDB;
/// What stands behind [`ESCAPE`] for an END, and for an ESCAPE, that are part of the message.
const ESCAPED_END: u8 = 0xDC;
const ESCAPED_ESCAPE: u8 = 0xDD;
/// The first byte of a WebSocket's frame that is a whole binary message, and what stands for a length that follows in two or
/// in eight bytes (RFC 6455, 5.2).
const WHOLE_BINARY: u8 = 0x82;
const LENGTH_IN_TWO: u8 = 126;
const LENGTH_IN_EIGHT: u8 = 127;
/// Bytes of a size.
const SIZE_BYTES: usize = 4;

/// One of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A big-endian int32 with the size of the message before each.
    Size,
    /// END, the message, END.
    Slip,
    /// A frame of a WebSocket as a server sends it (RFC 6455): no stream is taken apart so here.
    WebSocket,
}

impl Framing {
    /// A packet as it goes into the stream.
    pub fn wrap(self, packet: &[u8]) -> Vec<u8> {
        match self {
            Self::Size => [&(packet.len() as u32).to_be_bytes(), packet].concat(),
            Self::WebSocket => [&web_socket_head(packet.len()), packet].concat(),
            Self::Slip => {
                let mut bytes = Vec::with_capacity(packet.len() + packet.len() / 8 + 2);
                bytes.push(END);
                for &byte in packet {
                    match byte {
                        END => bytes.extend([ESCAPE, ESCAPED_END]),
                        ESCAPE => bytes.extend([ESCAPE, ESCAPED_ESCAPE]),
                        byte => bytes.push(byte),
                    }
                }
                bytes.push(END);
                bytes
            }
        }
    }
}

/// What stands before a whole binary message of so many bytes: a server masks nothing.
fn web_socket_head(length: usize) -> Vec<u8> {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < LENGTH_IN_TWO => vec![WHOLE_BINARY, short],
        (_, Ok(medium)) => [&[WHOLE_BINARY, LENGTH_IN_TWO], &medium.to_be_bytes()[..]].concat(),
        _ => [&[WHOLE_BINARY, LENGTH_IN_EIGHT], &(length as u64).to_be_bytes()[..]].concat(),
    }
}

/// Takes a stream apart. Holds less than one packet of the largest size and what it was last given.
#[derive(Default)]
pub struct Deframer {
    framing: Option<Framing>,
    /// Of the packet that has begun: its size and what is there of it, or what is there without what is escaped.
    begun: Vec<u8>,
    escaped: bool,
}

impl Deframer {
    /// How the messages of this stream follow each other; `None` before its first byte.
    pub fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Takes the next bytes of the stream and gives the packets that are whole by them.
    ///
    /// # Errors
    /// Where the stream cannot be followed any further, after the packets before that.
    pub fn take(&mut self, bytes: &[u8], mut out: impl FnMut(Vec<u8>)) -> Result<(), Refusal> {
        let Some(first) = bytes.first() else { return Ok(()) };
        let kind = if *first == END { Framing::Slip } else { Framing::Size };
        match self.framing.get_or_insert(kind) {
            Framing::Size => self.take_sized(bytes, &mut out),
            // Nothing begins so: it is never found out from a first byte.
            Framing::WebSocket => Ok(()),
            Framing::Slip => bytes.iter().try_for_each(|byte| self.take_slip(*byte, &mut out)),
        }
    }

    fn take_sized(&mut self, bytes: &[u8], out: &mut impl FnMut(Vec<u8>)) -> Result<(), Refusal> {
        self.begun.extend_from_slice(bytes);
        let mut at = 0;
        while let Some((size, rest)) = self.begun[at..].split_first_chunk::<SIZE_BYTES>() {
            // A negative size is a huge one here, and refused with them.
            let size = u32::from_be_bytes(*size) as usize;
            if size > MAX_DATAGRAM_BYTES {
                return Err(too_large(&format!("a message of {size} bytes")));
            }
            let Some(packet) = rest.get(..size) else { break };
            out(packet.to_vec());
            at += SIZE_BYTES + size;
        }
        self.begun.drain(..at);
        Ok(())
    }

    fn take_slip(&mut self, byte: u8, out: &mut impl FnMut(Vec<u8>)) -> Result<(), Refusal> {
        let byte = match (std::mem::take(&mut self.escaped), byte) {
            (true, ESCAPED_END) => END,
            (true, ESCAPED_ESCAPE) => ESCAPE,
            (true, other) => {
                let text = format!("SLIP has no byte {other} behind ESC; the connection is closed, open a new one");
                return Err(Refusal::new("-", Code::Malformed, text));
            }
            (false, ESCAPE) => {
                self.escaped = true;
                return Ok(());
            }
            (false, END) => {
                // Between two packets there are two of them, with nothing between.
                if !self.begun.is_empty() {
                    out(std::mem::take(&mut self.begun));
                }
                return Ok(());
            }
            (false, byte) => byte,
        };
        if self.begun.len() == MAX_DATAGRAM_BYTES {
            return Err(too_large("a longer message"));
        }
        self.begun.push(byte);
        Ok(())
    }
}

fn too_large(what: &str) -> Refusal {
    let text = format!(
        "{what}, and {MAX_DATAGRAM_BYTES} are the most: send it in parts. If that is no size you meant, your client sends \
         neither sizes (OSC 1.0) nor SLIP (OSC 1.1). The connection is closed, open a new one"
    );
    Refusal::new("-", Code::Oversized, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets() -> Vec<Vec<u8>> {
        let nasty = vec![END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE, END, END, 0];
        vec![b"/a\0\0,\0\0\0".to_vec(), nasty, (0..=255).collect(), vec![b'x'; MAX_DATAGRAM_BYTES]]
    }

    #[test]
    fn packets_come_back_in_pieces_of_any_size() {
        for framing in [Framing::Size, Framing::Slip] {
            let stream: Vec<u8> = packets().iter().flat_map(|packet| framing.wrap(packet)).collect();
            for piece in [1, 2, 3, 7, 1000, stream.len()] {
                let (mut deframer, mut found) = (Deframer::default(), Vec::new());
                for bytes in stream.chunks(piece) {
                    deframer.take(bytes, |packet| found.push(packet)).unwrap();
                    assert!(deframer.begun.len() <= MAX_DATAGRAM_BYTES + SIZE_BYTES);
                }
                assert!(found == packets(), "{framing:?} in pieces of {piece}");
                assert!(deframer.framing() == Some(framing) && deframer.begun.is_empty());
            }
        }
    }

    #[test]
    fn what_is_no_framing_is_an_error_and_what_was_whole_before_it_counts() {
        let whole = Framing::Size.wrap(b"/a\0\0");
        let mut sizes = vec![(MAX_DATAGRAM_BYTES as u32 + 1).to_be_bytes(), *b"GET ", (-1i32).to_be_bytes()];
        // It would be SLIP as the first of a stream.
        sizes.push([END, 0, 0, 0]);
        for size in sizes {
            let (mut deframer, mut found) = (Deframer::default(), 0);
            let refusal = deframer.take(&[&whole[..], &size].concat(), |_| found += 1).unwrap_err();
            assert_eq!((refusal.code, found), (Code::Oversized, 1));
        }
        let mut deframer = Deframer::default();
        let long = vec![b'x'; MAX_DATAGRAM_BYTES + 1];
        assert_eq!(deframer.take(&Framing::Slip.wrap(&long), |_| ()).unwrap_err().code, Code::Oversized);
        assert_eq!(Deframer::default().take(&[END, ESCAPE, 7], |_| ()).unwrap_err().code, Code::Malformed);
    }
}
