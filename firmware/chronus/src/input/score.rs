//! Reads a score: the file that scsynth renders from, a sequence of big-endian int32 byte count and OSC
//! bundle, with time tags counted from 0.

use std::fmt;
use std::ops::Range;

use abi::{Command, Stamp};
use rosc::OscMessage;

use super::catalogue::power_on;
use super::interpret::{Request, When, interpret_message};
use super::packet::{BUNDLE_MARK, is_bundle, read_packet};
use super::refusal::{Code, Refusal};

/// Most commands in a score on a small board: there they all lie in memory beside the command log, where each takes a
/// record of 64 bytes, and 256 MiB is a quarter of the smallest board's memory.
pub const MAX_COMMANDS: usize = 4_194_304;
/// Largest score file on a small board: 64 bytes for each of the most commands, where one bundle for each takes 60. A
/// larger file is no score but a slip, such as a recording, and is not read into memory to find out.
pub const MAX_FILE_BYTES: u64 = 256 << 20;
/// Bytes of a command in memory, as read and again as shared.
const COMMAND_BYTES: u64 = 64;
/// Refused messages that are kept to be told; of the others only the number. A score made for another synthesizer
/// has one in every bundle.
const MAX_REFUSALS: usize = 5;
/// Latest time tag, in seconds: a year. A later one is not a long piece but a wall-clock time, the usual
/// mistake of a program that writes scores, and would play silence for a century first.
pub const MAX_SECONDS: u64 = 366 * 24 * 60 * 60;
/// The time tag that means "at once": here, the beginning.
const IMMEDIATELY: u64 = 1;

/// How long a score may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRoom {
    /// Commands.
    pub commands: usize,
    /// Bytes of its file.
    pub bytes: u64,
}

impl ScoreRoom {
    /// On a machine with `memory` bytes: a quarter of it for the file, one for the commands as read, one for the
    /// commands as the workers see them. What was kept of a long performance can so be longer at a desk than on the
    /// board that played it.
    pub fn of_memory(memory: u64) -> Self {
        let quarter = memory / 4;
        let commands = usize::try_from(quarter / COMMAND_BYTES).unwrap_or(usize::MAX);
        Self { commands: commands.max(MAX_COMMANDS), bytes: quarter.max(MAX_FILE_BYTES) }
    }
}

/// A score, ready to be played.
#[derive(Debug, Default, PartialEq)]
pub struct Score {
    /// Sorted by stamp; commands of the same frame in the order of the file.
    pub commands: Vec<Command>,
    /// Frame of the last time tag. scsynth's scores end with an empty bundle that says how long to play.
    pub end_frame: u64,
    /// The first messages that were refused, with the number of their bundle from 0. The rest plays.
    pub refusals: Vec<(usize, Refusal)>,
    /// How many messages were refused.
    pub refused: usize,
    /// The byte at which the last bundle begins, if the file ends inside it: its writer was killed, or the power
    /// failed. The rest plays.
    pub cut_off: Option<usize>,
}

impl Score {
    /// Makes commands of messages, which are in the order of their stamps.
    fn interpret(&mut self, bytes: &[u8], written: &[Written], rate: u32, most: usize) -> Result<(), ScoreError> {
        let mut wiring = Box::new(*power_on());
        let mut open: Option<(usize, Vec<OscMessage>)> = None;
        for Written { stamp, bundle, number, message } in written {
            if open.as_ref().is_none_or(|(opened, _)| opened != number) {
                // It was sound when it was looked at first.
                let packet = read_packet(&bytes[bundle.clone()]).map(|packet| packet.messages).unwrap_or_default();
                open = Some((*number, packet.into_iter().map(|timed| timed.message).collect()));
            }
            let Some(message) = open.as_ref().and_then(|(_, messages)| messages.get(*message)) else { continue };
            // The stamp is known here; what `when` says is not looked at.
            for request in interpret_message(message, When::Arrival(0), rate, &wiring) {
                match request {
                    Ok(Request::Apply(intent)) => {
                        wiring.follow(&intent.operation, rate);
                        self.commands.push(Command { stamp: *stamp, operation: intent.operation });
                    }
                    Ok(_) => {
                        let text = match message.addr.starts_with("/patch/") {
                            true => {
                                "a score has no presets; what a preset makes is in the score that an engine keeps \
                                     (--keep-score) while it is loaded"
                            }
                            false => "a score has nobody to reply to",
                        };
                        self.refuse(*number, Refusal::new(&message.addr, Code::UnknownAddress, text));
                    }
                    Err(refusal) => self.refuse(*number, refusal),
                }
            }
            if self.commands.len() > most {
                return Err(too_many(bundle.start, most));
            }
        }
        Ok(())
    }

    fn refuse(&mut self, bundle: usize, refusal: Refusal) {
        self.refused += 1;
        if self.refusals.len() < MAX_REFUSALS {
            self.refusals.push((bundle, refusal));
        }
    }
}

/// Why a file is not a score.
#[derive(Debug, PartialEq)]
pub struct ScoreError {
    /// Where, in bytes from the beginning of the file.
    pub offset: usize,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for ScoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "not a score: at byte {}: {}", self.offset, self.text)
    }
}

impl std::error::Error for ScoreError {}

/// A message of the file: when it takes effect, and where it stands.
struct Written {
    stamp: Stamp,
    /// Where its bundle begins and ends, in bytes, and which bundle that is.
    bundle: Range<usize>,
    number: usize,
    /// Which message of the bundle it is.
    message: usize,
}

/// Reads a whole score file of at most `most` commands for a sample rate in Hz. Its messages are interpreted in the order
/// in which they take effect: what one makes, a later one may set, wherever in the file they stand.
///
/// # Errors
/// Where and why it is no score, or that it has more commands.
pub fn read_score(bytes: &[u8], rate: u32, most: usize) -> Result<Score, ScoreError> {
    let (mut score, mut written) = (Score::default(), Vec::new());
    let mut at = 0;
    let mut number = 0;
    while at < bytes.len() {
        if number > 0 && is_cut_off(&bytes[at..]) {
            score.cut_off = Some(at);
            break;
        }
        let end = read_count(bytes, at)?;
        if !is_bundle(&bytes[at + 4..end]) {
            let text = "a bundle (\"#bundle\" and a time tag) is needed here; put each message into one";
            return Err(ScoreError { offset: at + 4, text: text.to_string() });
        }
        read_bundle(bytes, at + 4..end, number, rate, &mut score, &mut written)?;
        if written.len() > most {
            return Err(too_many(at + 4, most));
        }
        at = end;
        number += 1;
    }
    written.sort_by_key(|written| written.stamp);
    score.interpret(bytes, &written, rate, most)?;
    Ok(score)
}

fn too_many(offset: usize, most: usize) -> ScoreError {
    let text = format!("more than the {most} commands that this machine has memory for; split the score");
    ScoreError { offset, text }
}

/// Whether these last bytes of a file are the beginning of a byte count and its bundle, and nothing else.
fn is_cut_off(rest: &[u8]) -> bool {
    let Some((count, bundle)) = rest.split_first_chunk() else { return true };
    let mark = &BUNDLE_MARK[..bundle.len().min(BUNDLE_MARK.len())];
    usize::try_from(i32::from_be_bytes(*count)).is_ok_and(|count| count > bundle.len()) && bundle.starts_with(mark)
}

/// Where the bundle ends whose byte count stands at `at`.
fn read_count(bytes: &[u8], at: usize) -> Result<usize, ScoreError> {
    let fault = |text: String| Err(ScoreError { offset: at, text });
    let Some(Ok(count)) = bytes.get(at..at + 4).map(<[u8; 4]>::try_from) else {
        return fault("the file ends inside a byte count; was it cut off? write it again".to_string());
    };
    let count = i32::from_be_bytes(count);
    let left = bytes.len() - at - 4;
    match usize::try_from(count) {
        Ok(count) if count <= left => Ok(at + 4 + count),
        Ok(count) => fault(format!(
            "a bundle of {count} bytes is announced and {left} are left; was the file cut off, or is it not a score?"
        )),
        Err(_) => fault(format!("the byte count is {count}; is this really a score?")),
    }
}

/// Finds the messages of a bundle.
fn read_bundle(
    bytes: &[u8],
    bundle: Range<usize>,
    number: usize,
    rate: u32,
    score: &mut Score,
    written: &mut Vec<Written>,
) -> Result<(), ScoreError> {
    let offset = bundle.start;
    let packet = read_packet(&bytes[bundle.clone()]).map_err(|error| ScoreError {
        offset: offset + error.offset,
        text: format!("{}; write it again", error.text),
    })?;
    if packet.last_tag >> 32 > MAX_SECONDS {
        let text = "a time tag of more than a year; time tags of a score count from 0, not from 1900";
        return Err(ScoreError { offset, text: text.to_string() });
    }
    score.end_frame = score.end_frame.max(frame_of(packet.last_tag, rate));
    let stamp = |tag: Option<u64>| Stamp::from_frame(frame_of(tag.unwrap_or(IMMEDIATELY), rate));
    let found = packet.messages.iter().enumerate().map(|(message, timed)| Written {
        stamp: stamp(timed.tag),
        bundle: bundle.clone(),
        number,
        message,
    });
    written.extend(found);
    Ok(())
}

/// The frame nearest to a time tag: seconds << 32 | fraction, from 0. Integers only, so that every machine
/// finds the same frame.
fn frame_of(tag: u64, rate: u32) -> u64 {
    let tag = if tag == IMMEDIATELY { 0 } else { tag };
    ((u128::from(tag) * u128::from(rate) + (1 << 31)) >> 32) as u64
}

#[cfg(test)]
#[path = "score_tests.rs"]
mod tests;
