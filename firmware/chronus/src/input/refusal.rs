//! Why an input was refused, in the form that is sent back: `/error <address> <code> <text>`.

use rosc::{OscMessage, OscPacket, OscType, encoder};

/// Longest address sent back, in bytes. The longest real address has 18, so any address worth reading is
/// whole; and a reply stays far below one Ethernet frame, however long the address that came in.
const MAX_ECHOED_ADDRESS: usize = 128;

/// The kinds of refusal. [`Code::name`] is what goes over the wire; PROTOCOL.md explains each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// No address of that name, or a pattern that matches none.
    UnknownAddress,
    /// An argument of a type the address does not take, or too many arguments.
    WrongType,
    /// NaN or infinity.
    NotFinite,
    /// A value is needed and none was sent.
    NoArgument,
    /// The bytes are not OSC.
    Malformed,
    /// The datagram is larger than [`super::MAX_DATAGRAM_BYTES`].
    Oversized,
    /// Bundles or arrays are nested too deep.
    TooDeep,
    /// The time tag lies further ahead than the engine plans.
    TooFar,
    /// The patch cannot be edited so, or has no such voice.
    BadEdit,
    /// The engine's table of waiting commands is full, or the sender's share of it.
    Full,
    /// A worker died of it, and it is left out.
    Quarantined,
    /// The sender sends more than the engine takes from one.
    Flood,
    /// It could not be done; the text says why.
    Failed,
    /// A web page of others may not set anything.
    Forbidden,
}

impl Code {
    /// All codes, in the order PROTOCOL.md lists them.
    #[cfg(test)]
    pub const ALL: [Self; 14] = [
        Self::UnknownAddress,
        Self::WrongType,
        Self::NotFinite,
        Self::NoArgument,
        Self::Malformed,
        Self::Oversized,
        Self::TooDeep,
        Self::TooFar,
        Self::BadEdit,
        Self::Full,
        Self::Quarantined,
        Self::Flood,
        Self::Failed,
        Self::Forbidden,
    ];

    /// The word sent in error replies; part of the protocol, so it never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownAddress => "unknown_address",
            Self::WrongType => "wrong_type",
            Self::NotFinite => "not_finite",
            Self::NoArgument => "no_argument",
            Self::Malformed => "malformed",
            Self::Oversized => "oversized",
            Self::TooDeep => "too_deep",
            Self::TooFar => "too_far",
            Self::BadEdit => "bad_edit",
            Self::Full => "full",
            Self::Quarantined => "quarantined",
            Self::Flood => "flood",
            Self::Failed => "failed",
            Self::Forbidden => "forbidden",
        }
    }
}

/// One refused message or datagram. Nothing of it was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The address as it was sent; "-" where none could be read.
    pub address: String,
    /// The kind of refusal.
    pub code: Code,
    /// What was wrong and what to do, for a person.
    pub text: String,
}

impl Refusal {
    /// A refusal of the message sent to `address`.
    pub fn new(address: impl Into<String>, code: Code, text: impl Into<String>) -> Self {
        Self { address: address.into(), code, text: text.into() }
    }

    /// The reply for the sender.
    pub fn to_message(&self) -> OscMessage {
        let mut address = self.address.clone();
        if address.len() > MAX_ECHOED_ADDRESS {
            let end = (0..=MAX_ECHOED_ADDRESS).rev().find(|&end| address.is_char_boundary(end)).unwrap_or(0);
            address.truncate(end);
            address.push_str("...");
        }
        let arguments = [address, self.code.name().to_string(), self.text.clone()];
        OscMessage { addr: "/error".to_string(), args: arguments.map(OscType::String).to_vec() }
    }

    /// The reply as it is sent; `None` if it cannot be encoded.
    pub fn to_packet(&self) -> Option<Vec<u8>> {
        encoder::encode(&OscPacket::Message(self.to_message())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_carries_address_code_and_text() {
        let message = Refusal::new("/mod/x/y", Code::WrongType, "no").to_message();
        assert_eq!(message.addr, "/error");
        assert_eq!(message.args, ["/mod/x/y", "wrong_type", "no"].map(OscType::from));
    }

    #[test]
    fn a_long_address_is_cut_at_a_character() {
        let message = Refusal::new(format!("/{}", "ä".repeat(9000)), Code::Malformed, "").to_message();
        let OscType::String(echoed) = &message.args[0] else { panic!("not a string") };
        assert!(echoed.len() <= MAX_ECHOED_ADDRESS + 3 && echoed.ends_with("ä..."), "{echoed}");
    }

    #[test]
    fn every_code_has_its_own_name() {
        let names: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
