//! From one datagram to requests, each checked, or refused with the reason.

use abi::Operation;
use rosc::{OscMessage, OscTime};

use super::address::{TEST_TONE, Target, explain_unknown, find};
use super::packet::{PacketError, read_packet};
use super::question::Asked;
use super::refusal::{Code, Refusal};
use super::value;

/// Largest datagram that is read: the default maximum message size of liblo, the field's C library, and
/// half of what UDP can carry at all. It bounds the work and memory that one datagram can ask for.
pub const MAX_DATAGRAM_BYTES: usize = 32_768;
/// The time tag that means "at once".
const IMMEDIATELY: u64 = 1;

/// When an operation is to take effect, as its sender asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// As soon as it may: nanoseconds of `CLOCK_MONOTONIC` at which the datagram arrived.
    Arrival(u64),
    /// At this wall-clock time.
    TimeTag(OscTime),
}

/// A checked wish: the target exists, the value is finite and in range.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// What to do.
    pub operation: Operation,
    /// When to do it.
    pub when: When,
    /// The address or pattern as it was sent, for error replies.
    pub address: String,
}

/// What a message asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Change the sound.
    Apply(Intent),
    /// Reply with the counters.
    Status,
    /// Reply with name and version.
    Version,
    /// Reply with what the light says.
    Led,
    /// Let the light say which box this is.
    Identify,
    /// Tell the sender of every change of a value from now on, or no longer.
    Notify(bool),
    /// Reply with the controls.
    Controls,
    /// Bind the next control that is moved to this address; `None` not to any more.
    Learn(Option<String>),
    /// Reply with what is asked for, now or when it is so far.
    Ask(Asked),
}

/// Everything a datagram asks for, in its order. A datagram that is not sound OSC as a whole asks for
/// nothing and is one refusal; otherwise each message stands for itself.
pub fn interpret(datagram: &[u8], arrival_ns: u64, rate: u32) -> Vec<Result<Request, Refusal>> {
    if datagram.len() > MAX_DATAGRAM_BYTES {
        let text = format!("a datagram of more than {MAX_DATAGRAM_BYTES} bytes; send it in parts");
        return vec![Err(Refusal::new("-", Code::Oversized, text))];
    }
    let packet = match read_packet(datagram) {
        Ok(packet) => packet,
        Err(error) => return vec![Err(refusal_of(error))],
    };
    let mut requests = Vec::with_capacity(packet.messages.len());
    for timed in packet.messages {
        let when = match timed.tag {
            None | Some(IMMEDIATELY) => When::Arrival(arrival_ns),
            Some(tag) => When::TimeTag(OscTime { seconds: (tag >> 32) as u32, fractional: tag as u32 }),
        };
        interpret_message(&timed.message, when, rate, &mut requests);
    }
    requests
}

/// Adds what one message asks for. A pattern that means several addresses is for all that accept its
/// arguments; it is refused, once, if none does.
pub fn interpret_message(message: &OscMessage, when: When, rate: u32, out: &mut Vec<Result<Request, Refusal>>) {
    let address = &message.addr;
    let targets = find(address);
    if targets.is_empty() {
        return out.push(Err(Refusal::new(address, Code::UnknownAddress, explain_unknown(address))));
    }
    let apply = |operation| Request::Apply(Intent { operation, when, address: address.clone() });
    let accepted_before = out.len();
    let mut fault = None;
    for target in targets {
        let request = match target {
            Target::Parameter(parameter) => value::set(parameter, &message.args, rate).map(&apply),
            Target::Gate(gate) => value::switch(gate, &message.args).map(&apply),
            Target::Test => {
                out.extend(TEST_TONE.map(|operation| Ok(apply(operation))));
                continue;
            }
            #[cfg(feature = "faults")]
            Target::Poison => value::poison(&message.args).map(&apply),
            Target::Panic => Ok(apply(Operation::Silence)),
            Target::Status => Ok(Request::Status),
            Target::Version => Ok(Request::Version),
            Target::Led => Ok(Request::Led),
            Target::Identify => Ok(Request::Identify),
            Target::Controls => Ok(Request::Controls),
            Target::Notify => value::is_on(&message.args).map(Request::Notify),
            Target::Learn => value::address(&message.args).map(Request::Learn),
            Target::Ask(question) => question.with(&message.args).map(Request::Ask),
        };
        match request {
            Ok(request) => out.push(Ok(request)),
            Err(refused) => fault = fault.or(Some(refused)),
        }
    }
    if let (Some((code, text)), true) = (fault, out.len() == accepted_before) {
        out.push(Err(Refusal::new(address, code, text)));
    }
}

fn refusal_of(error: PacketError) -> Refusal {
    let text = format!("{}, at byte {}; nothing of the datagram was applied", error.text, error.offset);
    Refusal::new(error.address.unwrap_or_else(|| "-".to_string()), error.code, text)
}

#[cfg(test)]
mod tests {
    use abi::{GateId, ParameterId};
    use rosc::{OscBundle, OscPacket, OscType, encoder};

    use super::*;

    const ARRIVAL: When = When::Arrival(77);

    fn message(address: &str, arguments: Vec<OscType>) -> OscPacket {
        OscPacket::Message(OscMessage { addr: address.to_string(), args: arguments })
    }

    fn interpret_packet(packet: &OscPacket) -> Vec<Result<Request, Refusal>> {
        interpret(&encoder::encode(packet).unwrap(), 77, 48_000)
    }

    fn ask(address: &str, arguments: Vec<OscType>) -> Vec<Result<Request, Refusal>> {
        interpret_packet(&message(address, arguments))
    }

    fn apply(address: &str, operation: Operation, when: When) -> Result<Request, Refusal> {
        Ok(Request::Apply(Intent { operation, when, address: address.to_string() }))
    }

    fn the_refusal(results: Vec<Result<Request, Refusal>>) -> Refusal {
        match <[_; 1]>::try_from(results) {
            Ok([Err(refusal)]) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plain_addresses_aliases_and_gates() {
        for address in ["/mod/sine/freq", "/engine/freq"] {
            let expected = apply(address, Operation::Set(ParameterId::SineFreq, 220.0), ARRIVAL);
            assert_eq!(ask(address, vec![OscType::Int(220)]), [expected]);
        }
        let expected = apply("/gate/adsr", Operation::Gate(GateId::Adsr, true), ARRIVAL);
        assert_eq!(ask("/gate/adsr", vec![OscType::from("on")]), [expected]);
        assert_eq!(ask("/status", vec![]), [Ok(Request::Status)]);
        assert_eq!(ask("/version", vec![]), [Ok(Request::Version)]);
        assert_eq!(ask("/led", vec![]), [Ok(Request::Led)]);
        assert_eq!(ask("/identify", vec![]), [Ok(Request::Identify)]);
    }

    #[test]
    fn the_test_tone_needs_no_argument_and_takes_any() {
        for arguments in [vec![], vec![OscType::Float(f32::NAN)]] {
            assert_eq!(ask("/test", arguments), TEST_TONE.map(|operation| apply("/test", operation, ARRIVAL)));
        }
    }

    #[test]
    fn a_pattern_applies_to_all_that_accept_the_value() {
        let pattern = "/mod/{sine,filter}/[gm]*";
        let gain = apply(pattern, Operation::Set(ParameterId::SineGain, 1.0), ARRIVAL);
        let mode = apply(pattern, Operation::Set(ParameterId::FilterMode, 1.0), ARRIVAL);
        assert_eq!(ask(pattern, vec![OscType::Int(1)]), [gain, mode]);
        let mode = apply(pattern, Operation::Set(ParameterId::FilterMode, 2.0), ARRIVAL);
        assert_eq!(ask(pattern, vec![OscType::from("bandpass")]), [mode]);
        assert_eq!(the_refusal(ask(pattern, vec![OscType::Float(f32::NAN)])).code, Code::NotFinite);
        assert_eq!(the_refusal(ask("/mod/*/x", vec![OscType::Int(1)])).code, Code::UnknownAddress);
    }

    #[test]
    fn bad_messages_are_refused_by_name_and_the_others_of_the_bundle_are_not() {
        let timetag = OscTime { seconds: 9, fractional: 8 };
        let good = || message("/mod/sine/gain", vec![OscType::Float(0.25)]);
        let bad = message("/mod/sine/gian", vec![OscType::Float(0.25)]);
        let inner = OscBundle { timetag: OscTime { seconds: 10, fractional: 0 }, content: vec![good()] };
        let content = vec![good(), bad, message("/gate/adsr", vec![]), OscPacket::Bundle(inner)];
        let results = interpret_packet(&OscPacket::Bundle(OscBundle { timetag, content }));
        let gain = Operation::Set(ParameterId::SineGain, 0.25);
        assert_eq!(results[0], apply("/mod/sine/gain", gain, When::TimeTag(timetag)));
        let refusal = results[1].clone().unwrap_err();
        assert_eq!((refusal.address.as_str(), refusal.code), ("/mod/sine/gian", Code::UnknownAddress));
        assert_eq!(results[2].clone().unwrap_err().code, Code::NoArgument);
        let later = When::TimeTag(OscTime { seconds: 10, fractional: 0 });
        assert_eq!(results[3], apply("/mod/sine/gain", gain, later));
        assert_eq!(results.len(), 4);
    }

    #[test]
    fn the_immediate_tag_means_arrival() {
        let timetag = OscTime { seconds: 0, fractional: 1 };
        let content = vec![message("/gate/adsr", vec![OscType::Bool(false)])];
        let results = interpret_packet(&OscPacket::Bundle(OscBundle { timetag, content }));
        assert_eq!(results, [apply("/gate/adsr", Operation::Gate(GateId::Adsr, false), ARRIVAL)]);
    }

    #[test]
    fn bad_datagrams_are_one_refusal() {
        let refusal = the_refusal(interpret(b"junk", 0, 48_000));
        assert_eq!((refusal.address.as_str(), refusal.code), ("-", Code::Malformed));
        assert_eq!(the_refusal(interpret(&[], 0, 48_000)).code, Code::Malformed);
        let fits = encoder::encode(&message("/test", vec![OscType::Blob(vec![0; MAX_DATAGRAM_BYTES - 16])])).unwrap();
        assert_eq!(fits.len(), MAX_DATAGRAM_BYTES);
        assert_eq!(interpret(&fits, 0, 48_000).len(), 3);
        assert_eq!(the_refusal(interpret(&[fits, vec![0; 4]].concat(), 0, 48_000)).code, Code::Oversized);
    }
}
