//! From one datagram to requests, each checked, or refused with the reason.

use abi::{Operation, TrackEdit};
use dsp::instrument::Wiring;
use rosc::{OscMessage, OscTime};

use super::address::{Target, explain_unknown, find, test_tone};
use super::edits::{PatchWord, PresetAsked, edit, note, preset};
use super::packet::{PacketError, read_packet};
use super::question::Asked;
use super::refusal::{Code, Refusal};
use super::tracks::{TrackWord, told};
use super::value::{self, Fault};

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
    /// At this wall-clock time; and when it arrived.
    TimeTag(OscTime, u64),
}

impl When {
    /// As soon as it may: of a time tag that is so at any time.
    fn at_once(self) -> Self {
        match self {
            Self::Arrival(_) => self,
            Self::TimeTag(_, arrival) => Self::Arrival(arrival),
        }
    }
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
    /// Reply with how large the patch is and what it costs.
    Status,
    /// Reply with all counters.
    Health,
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
    /// Reply with the patch.
    Patch,
    /// Reply with the tempo and the tracks.
    Tracks,
    /// Keep or make a patch by its name.
    Preset(PresetAsked),
    /// Reply with what is asked for, now or when it is so far.
    Ask(Asked),
}

/// The messages of a datagram, in its order, and when each is to take effect. Each is interpreted when those before it are
/// done: a module may be made and set by one datagram.
///
/// # Errors
/// A datagram that is not sound OSC as a whole asks for nothing and is one refusal.
pub fn messages(datagram: &[u8], arrival_ns: u64) -> Result<impl Iterator<Item = (OscMessage, When)>, Refusal> {
    if datagram.len() > MAX_DATAGRAM_BYTES {
        let text = format!("a datagram of more than {MAX_DATAGRAM_BYTES} bytes; send it in parts");
        return Err(Refusal::new("-", Code::Oversized, text));
    }
    let packet = read_packet(datagram).map_err(refusal_of)?;
    Ok(packet.messages.into_iter().map(move |timed| {
        let when = match timed.tag {
            None | Some(IMMEDIATELY) => When::Arrival(arrival_ns),
            Some(tag) => When::TimeTag(OscTime { seconds: (tag >> 32) as u32, fractional: tag as u32 }, arrival_ns),
        };
        (timed.message, when)
    }))
}

/// What one message asks for in a patch. A pattern that means several addresses is for all that accept its
/// arguments; it is refused, once, if none does.
pub fn interpret_message(
    message: &OscMessage,
    when: When,
    rate: u32,
    wiring: &Wiring,
) -> Vec<Result<Request, Refusal>> {
    let address = &message.addr;
    let (mut out, mut fault) = (Vec::new(), None);
    let targets = find(address, wiring);
    if targets.is_empty() {
        return vec![Err(Refusal::new(address, Code::UnknownAddress, explain_unknown(address, wiring)))];
    }
    for target in targets {
        match requests_of(target, message, when, rate, wiring) {
            Ok(requests) => out.extend(requests.into_iter().map(Ok)),
            Err(refused) => fault = fault.or(Some(refused)),
        }
    }
    if let (Some((code, text)), true) = (fault, out.is_empty()) {
        out.push(Err(Refusal::new(address, code, text)));
    }
    out
}

/// What a message asks of one of the addresses it means.
fn requests_of(
    target: Target,
    message: &OscMessage,
    when: When,
    rate: u32,
    wiring: &Wiring,
) -> Result<Vec<Request>, Fault> {
    let arguments = &message.args;
    let at = |when, operation| Request::Apply(Intent { operation, when, address: message.addr.clone() });
    let apply = |operation| at(when, operation);
    let request = match target {
        Target::Parameter(place, parameter) => apply(value::set(place, parameter, arguments, rate)?),
        Target::Gate(row) => apply(value::switch(row, arguments)?),
        Target::Note(begins) => apply(note(begins, arguments, wiring)?),
        Target::Patch(PatchWord::List) => Request::Patch,
        Target::Patch(word) => {
            if let Some(asked) = preset(word, arguments)? {
                return Ok(vec![Request::Preset(asked)]);
            }
            // An edit is heard when it is committed, so only a commit waits for its time.
            let when = if word == PatchWord::Commit { when } else { when.at_once() };
            return Ok(edit(word, arguments, wiring)?.into_iter().map(|operation| at(when, operation)).collect());
        }
        Target::Time(TrackWord::List) => Request::Tracks,
        Target::Time(word) => {
            // What is made can be told something by the same bundle, which may have to wait; it plays nothing yet.
            let is_made = |edit| matches!(edit, Operation::Track(_, TrackEdit::Create(_) | TrackEdit::Lane(..)));
            let when = |operation| if is_made(operation) { when.at_once() } else { when };
            let operations = told(word, arguments, wiring)?.into_iter();
            return Ok(operations.map(|operation| at(when(operation), operation)).collect());
        }
        Target::Test => {
            let text = "the test tone needs `sine` and `adsr` of the patch at power-on, which `/patch/load init` makes; nothing changed";
            let tone = test_tone(wiring).ok_or((Code::BadEdit, text.to_owned()))?;
            return Ok(tone.map(apply).into());
        }
        #[cfg(feature = "faults")]
        Target::Poison => apply(value::poison(arguments)?),
        Target::Panic => apply(Operation::Silence),
        Target::Status => Request::Status,
        Target::Health => Request::Health,
        Target::Version => Request::Version,
        Target::Led => Request::Led,
        Target::Identify => Request::Identify,
        Target::Controls => Request::Controls,
        Target::Notify => Request::Notify(value::is_on(arguments)?),
        Target::Learn => Request::Learn(value::address(arguments)?),
        Target::Ask(question) => Request::Ask(question.with(arguments)?),
    };
    Ok(vec![request])
}

/// Everything a datagram asks for in the patch at power-on, each message after what those before it do.
#[cfg(test)]
pub fn interpret(datagram: &[u8], arrival_ns: u64, rate: u32) -> Vec<Result<Request, Refusal>> {
    let messages = match messages(datagram, arrival_ns) {
        Ok(messages) => messages,
        Err(refusal) => return vec![Err(refusal)],
    };
    let (mut wiring, mut all) = (Box::new(*super::catalogue::power_on()), Vec::new());
    for (message, when) in messages {
        let requests = interpret_message(&message, when, rate, &wiring);
        for request in requests.iter().flatten() {
            if let Request::Apply(intent) = request {
                wiring.follow(&intent.operation, rate);
            }
        }
        all.extend(requests);
    }
    all
}

fn refusal_of(error: PacketError) -> Refusal {
    let text = format!("{}, at byte {}; nothing of the datagram was applied", error.text, error.offset);
    Refusal::new(error.address.unwrap_or_else(|| "-".to_string()), error.code, text)
}

#[cfg(test)]
mod tests {
    use abi::Place;
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
            let expected = apply(address, Operation::Set(Place { row: 1, parameter: 0 }, 220.0), ARRIVAL);
            assert_eq!(ask(address, vec![OscType::Int(220)]), [expected]);
        }
        let expected = apply("/gate/adsr", Operation::Gate(2, true), ARRIVAL);
        assert_eq!(ask("/gate/adsr", vec![OscType::from("on")]), [expected]);
        assert_eq!(ask("/status", vec![]), [Ok(Request::Status)]);
        assert_eq!(ask("/health", vec![]), [Ok(Request::Health)]);
        assert_eq!(ask("/version", vec![]), [Ok(Request::Version)]);
        assert_eq!(ask("/led", vec![]), [Ok(Request::Led)]);
        assert_eq!(ask("/identify", vec![]), [Ok(Request::Identify)]);
    }

    #[test]
    fn the_test_tone_needs_no_argument_and_takes_any() {
        for arguments in [vec![], vec![OscType::Float(f32::NAN)]] {
            let tone = test_tone(crate::input::catalogue::power_on()).unwrap();
            assert_eq!(ask("/test", arguments), tone.map(|operation| apply("/test", operation, ARRIVAL)));
        }
    }

    #[test]
    fn a_pattern_applies_to_all_that_accept_the_value() {
        let pattern = "/mod/{sine,filter}/[gm]*";
        let gain = apply(pattern, Operation::Set(Place { row: 1, parameter: 1 }, 1.0), ARRIVAL);
        let mode = apply(pattern, Operation::Set(Place { row: 3, parameter: 0 }, 1.0), ARRIVAL);
        let boost = apply(pattern, Operation::Set(Place { row: 3, parameter: 3 }, 1.0), ARRIVAL);
        assert_eq!(ask(pattern, vec![OscType::Int(1)]), [gain, mode, boost]);
        let mode = apply(pattern, Operation::Set(Place { row: 3, parameter: 0 }, 2.0), ARRIVAL);
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
        let gain = Operation::Set(Place { row: 1, parameter: 1 }, 0.25);
        assert_eq!(results[0], apply("/mod/sine/gain", gain, When::TimeTag(timetag, 77)));
        let refusal = results[1].clone().unwrap_err();
        assert_eq!((refusal.address.as_str(), refusal.code), ("/mod/sine/gian", Code::UnknownAddress));
        assert_eq!(results[2].clone().unwrap_err().code, Code::NoArgument);
        let later = When::TimeTag(OscTime { seconds: 10, fractional: 0 }, 77);
        assert_eq!(results[3], apply("/mod/sine/gain", gain, later));
        assert_eq!(results.len(), 4);
    }

    #[test]
    fn what_one_message_makes_the_next_one_sets_and_only_the_commit_waits_for_its_time() {
        let words = |words: &[&str]| words.iter().map(|word| OscType::from(*word)).collect();
        let timetag = OscTime { seconds: 9, fractional: 8 };
        let content = vec![
            message("/patch/create", words(&["low", "svf"])),
            message("/patch/connect", words(&["sine", "low"])),
            message("/mod/low/cutoff", vec![OscType::Int(500)]),
            message("/patch/commit", vec![]),
            message("/patch/list", vec![]),
            message("/patch/delete", words(&["high"])),
        ];
        let results = interpret_packet(&OscPacket::Bundle(OscBundle { timetag, content }));
        let whens = results[..4].iter().map(|result| match result {
            Ok(Request::Apply(intent)) => intent.when,
            other => panic!("{other:?}"),
        });
        let later = When::TimeTag(timetag, 77);
        assert_eq!(whens.collect::<Vec<_>>(), [ARRIVAL, ARRIVAL, later, later]);
        assert_eq!((results[4].clone(), results[5].clone().unwrap_err().code), (Ok(Request::Patch), Code::BadEdit));
        assert!(ask("/patch/*", vec![])[0].is_err(), "no pattern means a word of the patch");
    }

    #[test]
    fn the_immediate_tag_means_arrival() {
        let timetag = OscTime { seconds: 0, fractional: 1 };
        let content = vec![message("/gate/adsr", vec![OscType::Bool(false)])];
        let results = interpret_packet(&OscPacket::Bundle(OscBundle { timetag, content }));
        assert_eq!(results, [apply("/gate/adsr", Operation::Gate(2, false), ARRIVAL)]);
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
