//! Names in the local network (multicast DNS, RFC 6762), asked and read as RFC 1035 writes them.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

/// Where all listen who tell names to each other, and their port.
pub const NAMES: (Ipv4Addr, u16) = (Ipv4Addr::new(224, 0, 0, 251), 5353);

/// The type of a record: an address.
pub const A: u16 = 1;
/// A name that belongs to another.
pub const PTR: u16 = 12;
/// Where a service is: its port, and the name of its host.
pub const SRV: u16 = 33;

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name it is about.
    pub owner: String,
    /// Its type.
    pub kind: u16,
    /// What it says; of a [`PTR`] and of a [`SRV`] the name in it is `name`.
    pub bytes: Vec<u8>,
    /// The name in it, if it is one of these.
    pub name: Option<String>,
}

/// The question after the records of a type that a name has.
pub fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut packet = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        packet.push(label.len() as u8);
        packet.extend(label.as_bytes());
    }
    // The end of the name; the type; class IN.
    packet.push(0);
    packet.extend(kind.to_be_bytes());
    packet.extend([0, 1]);
    packet
}

/// The name that begins there, its labels with dots between them, and where it ends. The rest of one may stand elsewhere
/// (RFC 1035, 4.1.4), which is read a few times at most.
fn name_at(packet: &[u8], mut at: usize) -> Option<(String, usize)> {
    let (mut labels, mut end) = (Vec::new(), None);
    for _ in 0..16 {
        match usize::from(*packet.get(at)?) {
            0 => return Some((labels.join("."), end.unwrap_or(at + 1))),
            high @ 192.. => {
                end = end.or(Some(at + 2));
                at = (high & 63) << 8 | usize::from(*packet.get(at + 1)?);
            }
            length => {
                labels.push(String::from_utf8_lossy(packet.get(at + 1..=at + length)?).into_owned());
                at += length + 1;
            }
        }
    }
    None
}

/// All records of an answer, additional ones too; none of what is no answer, or is cut off.
pub fn records(packet: &[u8]) -> Vec<Record> {
    let mut found = Vec::new();
    // What was read before the packet turned out to be cut off is not for anybody.
    if read_records(packet, &mut found).is_none() {
        found.clear();
    }
    found
}

fn read_records(packet: &[u8], found: &mut Vec<Record>) -> Option<()> {
    let number = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    // The first bit of the second word says that it is an answer; questions may be repeated in it.
    if number(2)? & 0x8000 == 0 {
        return None;
    }
    let mut at = 12;
    for _ in 0..number(4)? {
        at = name_at(packet, at)?.1 + 4;
    }
    for _ in 0..number(6)? + number(8)? + number(10)? {
        let (owner, end) = name_at(packet, at)?;
        let (kind, length, body) = (number(end)?, usize::from(number(end + 8)?), end + 10);
        let name = match kind {
            PTR => name_at(packet, body),
            // Behind priority, weight and port.
            SRV => name_at(packet, body + 6),
            _ => None,
        };
        let bytes = packet.get(body..body + length)?.to_vec();
        found.push(Record { owner, kind, bytes, name: name.map(|(name, _)| name) });
        at = body + length;
    }
    Some(())
}

/// Asks all at the cable of this address of ours for a name's records of a type, a second apart, until one comes.
pub fn ask(own: Ipv4Addr, name: &str, kind: u16, times: u32) -> Option<Record> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, NAMES.1)).expect("nobody else is there");
    socket.join_multicast_v4(&NAMES.0, &own).expect("the cable carries it");
    socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a time limit");
    let mut packet = [0; 1500];
    for _ in 0..times {
        // Before the cable is plugged in nothing can be sent.
        let _ = socket.send_to(&question(name, kind), NAMES);
        while let Ok(length) = socket.recv(&mut packet) {
            let answer = records(&packet[..length]).into_iter().find(|one| one.kind == kind && one.owner == name);
            if answer.is_some() {
                return answer;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_a_question_is_none() {
        let mut packet = question("chronus-test.local", A);
        assert_eq!(records(&packet), []);
        // An answer to it: the name where the question has it, type A, class IN, a minute, four bytes.
        (packet[2], packet[7]) = (0x84, 1);
        packet.extend([192, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 169, 254, 1, 2]);
        let owner = "chronus-test.local".to_owned();
        assert_eq!(records(&packet), [Record { owner, kind: A, bytes: vec![169, 254, 1, 2], name: None }]);
        assert_eq!(records(&packet[..packet.len() - 1]), []);
    }
}
