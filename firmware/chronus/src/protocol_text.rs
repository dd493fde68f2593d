//! PROTOCOL.md, written from the same tables that check the input, so that it cannot be out of date.

mod clients;
mod layout;
mod patches;
mod query;
mod recordings;
mod status;
mod streams;
mod tracks;

use crate::control::{HOST_EFFORT, LEASE_SECONDS, MOST_DATAGRAMS, MOST_SUBSCRIBERS, NOTIFY_INTERVAL, REPLY_LIMITS};
use crate::input::{
    ADMISSION_LIMITS, Code, MAX_COMMANDS, MAX_DATAGRAM_BYTES, MAX_DEPTH, MAX_FILE_BYTES, MAX_SECONDS, rows,
};
use crate::stamp::COMMAND_LIMIT;
use clients::clients;
use patches::{gates, modules, patches};
use query::query;
use recordings::recordings;
use status::STATUS;
use streams::streams;
use tracks::tracks;

/// The whole text of PROTOCOL.md.
pub fn protocol_markdown() -> String {
    let parts = [
        INTRODUCTION.replace("{bytes}", &MAX_DATAGRAM_BYTES.to_string()).replace("{depth}", &MAX_DEPTH.to_string()),
        modules(),
        gates(),
        patches(),
        tracks(),
        OTHER_ADDRESSES.replace("{words}", &rows(is_other)),
        subscriptions(),
        CONTROLS.to_string(),
        TIME.to_string(),
        clients(),
        recordings(),
        streams(),
        query(),
        errors(),
        limits(),
        STATUS.to_string(),
        SCORE
            .replace("{commands}", &MAX_COMMANDS.to_string())
            .replace("{bytes}", &MAX_FILE_BYTES.to_string())
            .replace("{days}", &(MAX_SECONDS / (24 * 60 * 60)).to_string()),
        EXAMPLES.to_string(),
    ];
    parts.join("\n")
}

const INTRODUCTION: &str = "\
# The protocol of Chronus

<!-- Generated from the parameter table: CHRONUS_WRITE_PROTOCOL=1 cargo test -p chronus protocol -->

Chronus is played with OSC 1.0 over UDP, at port 5005 of all interfaces unless `--osc ADDR:PORT` says otherwise, and
over TCP at the same port (see TCP). Replies go to the address and port a datagram came from, or by the connection. A good
command is answered by nothing. A box is found in the network as `NAME.local`, and by programs that look for OSC
(DNS-SD, `_osc._udp`, and `_oscjson._tcp`: see OSCQuery); a computer with Avahi announces its own with `avahi-publish -s NAME _osc._udp 5005`.

- Numbers: any of the types `i` (int32), `f` (float), `h` (int64), `d` (double) is taken for any number.
  A number out of range is brought to the nearest end of the range. NaN and infinity are refused.
- Addresses may be patterns: `?`, `*`, `[a-z]`, `[!a-z]`, `{one,two}`, none of which crosses a `/`. A pattern
  applies to every address it matches that accepts the arguments; it is refused if none does.
- A datagram has at most {bytes} bytes, bundles and arrays nest at most {depth} deep. A datagram that is not
  sound OSC from its first to its last byte is refused as a whole and changes nothing.
- Commands of one datagram take effect in its order. Send a burst as bundles rather than as single datagrams
  where you can: a datagram arrives whole or not at all.
- One datagram is answered by at most one `/status.reply`, one `/version.reply` (and one reply of each other kind) and 16 `/error`. A message to
  `/error`, or to an address that ends in `.reply`, is refused and never answered.
";

const LIMITS: &str = "\
## Limits

What one client sends must not keep the engine from serving the others. A sender is an address and port, a host an
address (with IPv6 a network of 64 bits). Datagrams are charged by the unit of 128 bytes, a begun one counts as whole.

| what | limit |
|---|---|
| units of one sender | {sender_burst} at once, {sender_rate} a second |
| units of all senders of a host | {host_burst} at once, {host_rate} a second |
| units of all senders | {all_burst} at once, {all_rate} a second |
| commands that wait for their time tag | {waiting}; a quarter for one sender, three quarters for one host |
| commands of one sender, patterns counted as all they match | {commands_burst} at once, {commands_rate} a second |
| time tags | an hour ahead |
| processor time for what one host sends | {effort_burst} ms at once, {effort_rate} ms a second |
| `/error` to one sender | {errors_burst} at once, {errors_rate} a second |
| answers to one sender | {answers_burst} at once, {answers_rate} a second |
| replies to one host | {replies_burst} at once, {replies_rate} a second |
| bytes of all replies to one sender | {sent_burst} MiB at once, {sent_rate} MiB a second |
| bytes of all replies to one host | {sent_to_host_burst} MiB at once, {sent_to_host_rate} MiB a second |

A sender beyond its limit floods. It is told once, with the code `flood`, and what it sends is dropped for a second;
then it may send again, and if it still floods, the same happens without a word. Ten seconds without a datagram too
many end a flood; the next one is told again.

Most messages take the engine a microsecond. Patterns, unknown addresses, connections and commits in a large patch may take a
thousand: what is beyond the time of its host is left out, with all behind it in the same datagram, and answered with the code
`full`. Who was seen more than a second ago and sends but notes and faders is heard all the same, and so are `/panic`, `/status`,
`/health` and `/version` of anybody.

When a host or all together are beyond their limit, senders that were seen more than a second ago still get {player_rate}
units at once and {player_rate} a second each. Who sends more owes it, so who does so all the time gets nothing of that. For
them is also the last eighth of the queue, which holds {queue} datagrams or 8 MiB of them: what finds no place there was
more than this machine works off, and is counted in `network.dropped_by_queue`. A burst of 5,000 messages at full speed is
within all limits. Replies beyond them are not sent and counted in `network.replies_withheld`.
";

fn limits() -> String {
    let ([sender, host, all, player], [errors, answers, replies, sent, sent_to_host]) =
        (ADMISSION_LIMITS, REPLY_LIMITS);
    [
        ("{sender_burst}", sender.burst),
        ("{sender_rate}", sender.per_second),
        ("{host_burst}", host.burst),
        ("{host_rate}", host.per_second),
        ("{all_burst}", all.burst),
        ("{all_rate}", all.per_second),
        ("{player_rate}", player.per_second),
        ("{queue}", MOST_DATAGRAMS as u64),
        ("{errors_burst}", errors.burst),
        ("{errors_rate}", errors.per_second),
        ("{answers_burst}", answers.burst),
        ("{answers_rate}", answers.per_second),
        ("{replies_burst}", replies.burst),
        ("{replies_rate}", replies.per_second),
        ("{sent_burst}", sent.burst >> 20),
        ("{sent_rate}", sent.per_second >> 20),
        ("{sent_to_host_burst}", sent_to_host.burst >> 20),
        ("{sent_to_host_rate}", sent_to_host.per_second >> 20),
        ("{commands_burst}", COMMAND_LIMIT.burst),
        ("{commands_rate}", COMMAND_LIMIT.per_second),
        ("{effort_burst}", HOST_EFFORT.burst / 1000),
        ("{effort_rate}", HOST_EFFORT.per_second / 1000),
        ("{waiting}", shm::LOG_RECORDS as u64),
    ]
    .into_iter()
    .fold(LIMITS.to_string(), |text, (place, number)| text.replace(place, &number.to_string()))
}

/// Whether an address has its row among the others: those of notes, patches and recordings stand with them.
fn is_other(address: &str) -> bool {
    !tracks::is_of_time(address) && !["/note/", "/patch/", "/record/"].iter().any(|with| address.starts_with(with))
}

const OTHER_ADDRESSES: &str = "\
## Other addresses

| address | argument | what it does |
|---|---|---|
| `/engine/freq` | number | the same as `/mod/sine/freq` |
| `/engine/gain` | number | the same as `/mod/sine/gain` |
{words}| `/record/start`, `/record/stop`, `/record/status`, `/record/keep` | | records, see Recordings |
";

const SUBSCRIPTIONS: &str = "\
## Subscriptions

`/notify 1` is answered with `/notify.reply` and the seconds it lasts, <lease> (i). For so long the sender is told what the
parameters and the tempo are set to, whoever sets them: a knob, OSC, a score, a kept patch. It is told all of them at first, then each
that has changed. The messages are those that would set the value, with a float (`/mod/filter/cutoff 440.0`), in one
bundle with the tag 1. There are at most <rate> bundles a second; what changes more often is told as it is then. They count
as answers (see Limits). To be told for longer, send it again, every ten seconds say; `/notify 0` ends it. <most> may be told
at a time, 4 of one machine; the next one gets the error `full`. Each renewal tells all values again. Do not subscribe one engine to another both ways: they would set each other.

Subscribers are told what happens, too, in the same bundles. Several things of a kind between two bundles are one message.

| message | arguments | what has happened |
|---|---|---|
| `/slot/down` | slot (i), deaths in all (h) | a worker has ended; the other one plays |
| `/slot/up` | slot (i), workers it has had (h) | there are two again |
| `/late/blocks` | how many since the last message, and in all (h) | no worker had a block ready in time: a short gap was heard (`/late` is another thing: your bundle came too late) |
| `/xrun` | in all (h) | the sound card ran dry |
| `/quarantine` | in all (h), the command (s) | a worker died of a command, which is left out from now on |
| `/record/state` | `recording`, `off` or `failed`, the file, and why it failed (s) | a recording has begun or ended, or one of the past |

`/notify/levels 1` subscribes to levels besides: `/levels` with the peaks of left and right and then their root mean squares
(f, 1 is full scale), of all that was played since the last one, 20 times a second. It is answered with
`/notify/levels.reply` and the seconds of the lease; `/notify/levels 0` ends levels and leaves the rest, and a renewal with
`/notify` leaves levels as they are.
";

const CONTROLS: &str = "\
## Controls

What is done at a knob, a button or a switch is a message like any other, which arrived when the pin moved: checked,
stamped, logged and told to subscribers as one from the network. The last writer wins, and a knob goes on from the value
that is set (of a gate, which cannot be asked, from what it sent last). `/controls.reply` holds pairs, as the status does; `chronus controls` prints them, live.

| key | type | meaning |
|---|---|---|
| `controls.N.kind` | s | encoder, button or switch |
| `controls.N.pins` | s | BCM numbers |
| `controls.N.does` | s | the address it turns, or what it sends |
| `controls.N.value` | f or s | what is set there; of a button or a switch `open` or `closed` |
| `controls.N.right`, `controls.N.left` | h | detents turned, of an encoder |
| `controls.N.illegal` | h | times that both contacts of an encoder changed at once: counted as going on as it went |
| `controls.N.closed`, `controls.N.opened` | h | times that the contact of a button or a switch did so |
| `controls.N.long`, `controls.N.double` | h | long and double presses of a button |
| `controls.N.edges` | h | edges of its pins, with all bounces |
| `controls.N.lost` | h | edges that the kernel had and nobody was told of |
| `controls.N.floods` | h | times that a pin of it changed faster than it could be read: a loose wire, or one that picks something up |
| `controls.N.learned` | s | what became of a binding that was learned since the engine's start: `kept in` FILE, `not kept:` and why, or `being written` |
| `learning` | s | the address that the next control moved will be for; only while one is waited for |

`/controls/learn` is answered with `/controls/learn.reply waiting` (or `ended`), and, when a control has been moved, with
three strings: `bound`, what is bound to what, and `kept in` the configuration file or `not kept` and why, with the lines to
write by hand; the third takes as long as a card needs to be written, 25 seconds at most. A move is waited for 20 seconds, and meanwhile for nobody else's. The move that shows which one is meant does
nothing else; if that was a press, letting go does what was learned. An encoder gets the whole range of the parameter;
a button or a switch sends 1 and 0, or where no value is needed the address alone.
";

/// The page's part on subscriptions.
fn subscriptions() -> String {
    [
        ("<lease>", LEASE_SECONDS),
        ("<rate>", rt::clock::NANOSECONDS / NOTIFY_INTERVAL),
        ("<most>", MOST_SUBSCRIBERS as u64),
    ]
    .into_iter()
    .fold(SUBSCRIPTIONS.to_string(), |text, (place, number)| text.replace(place, &number.to_string()))
}

const TIME: &str = "\
## Time

A message takes effect a constant time after its arrival, so that the distances between messages are kept.
A bundle takes effect at its time tag, on the exact frame: seconds since 1900 in the upper, their fraction in the
lower 32 bits, by the clock of the machine Chronus runs on. The tag 1 (\"immediately\") is the time of arrival.
A bundle inside a bundle has its own tag; one before that of the outer bundle counts as the outer one.

The constant time is `commands.latency_frames` of the status. A bundle whose tag is nearer than that may come too
late: it then takes effect at the first frame that is not yet on its way to the loudspeaker, counts as late, and is
answered with `/late` (see below).
Commands are kept in the order of their frames. A message without a tag whose frame lies before that of a tagged one
that is already in line gets that one's frame: it can be moved back so by up to 128 frames.
";

const SCORE: &str = "\
## Scores

`chronus run --score FILE` and `chronus render FILE OUT.wav` read the file that `scsynth -N` reads: a sequence of
big-endian int32 byte count and OSC bundle. Time tags count from 0 (seconds << 32 | fraction), are rounded to the
nearest frame, and need not be sorted; commands of the same frame are applied in the order of the file. The last
tag, of an empty bundle too, says how long the score is. A message that is refused is reported and the rest plays, and so is
one that asks for something, of presets and recordings too;
a damaged file is an error that names the byte. A file that ends inside its last bundle, as after a power cut, is
reported and plays without it. A score has at most {days} days. Its file may take a
quarter of the machine's memory and its commands, 64 bytes each, another; but {bytes} bytes and {commands}
commands are read everywhere.

`chronus run --keep-score FILE` writes such a file of what is played live: each command with the frame it took effect
at, and at the end an empty bundle, so that `chronus render FILE OUT.wav` is as long. It is brought up to date once a
second. The file does not say the sample rate: what was not played at 48000 Hz is rendered with the same `--rate`.
";

const EXAMPLES: &str = r#"## Examples

With Chronus itself (arguments are typed by their look; `s: i: f: h: d:` in front gives another type):

```
chronus send /mod/sine/freq 220
chronus send /gate/adsr on
chronus send /mod/filter/mode bandpass
chronus send '/mod/{sine,filter}/[fc]*' 880
chronus send 192.168.1.20:5005 /version
chronus status --json
```

With oscsend of liblo:

```
oscsend localhost 5005 /mod/sine/freq f 220
oscsend localhost 5005 /gate/adsr T
```

With python-osc, the second one half a second from now, to the frame:

```python
import time
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

client = SimpleUDPClient("127.0.0.1", 5005)
client.send_message("/gate/adsr", 1)
message = OscMessageBuilder("/mod/sine/freq")
message.add_arg(330.0)
bundle = OscBundleBuilder(time.time() + 0.5)
bundle.add_content(message.build())
client.send(bundle.build())
```
"#;

fn errors() -> String {
    let mut text = "## Errors\n\nWhat is refused changes nothing, is counted, and is answered with \
        `/error <address> <code> <text>`, three strings.\nThe address is the one that was sent, cut after 128 bytes, \
        or `-` if none could be read.\n\n| code | meaning | what to do |\n|---|---|---|\n"
        .to_string();
    for code in Code::ALL {
        let (meaning, advice) = explain(code);
        text += &format!("| `{}` | {meaning} | {advice} |\n", code.name());
    }
    text
}

fn explain(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::UnknownAddress => ("no such address, or a pattern that matches none", "compare with this page"),
        Code::WrongType => ("an argument of a type the address does not take, or more than one", "see the text"),
        Code::NotFinite => ("NaN or infinity", "look for a division by zero in the sender"),
        Code::NoArgument => ("a value is needed and none was sent", "send one argument"),
        Code::Malformed => ("the datagram is not sound OSC", "see the text, which names the byte"),
        Code::Oversized => ("the datagram is too large", "send it in parts"),
        Code::TooDeep => ("bundles or arrays are nested too deep", "send them flat"),
        Code::TooFar => ("the time tag is too far ahead", "send it later; check both machines' clocks"),
        Code::BadEdit => {
            ("the patch or a track cannot be edited so, or there is no such voice or track", "see the text")
        }
        Code::Full => {
            ("too many commands at once, or too many that wait for their time, in all or of yours", "send them later")
        }
        Code::Quarantined => ("a worker died of the command; it is left out and the music goes on", "report it: a bug"),
        Code::Flood => ("you send more than the engine takes from one sender", "see Limits"),
        Code::Failed => ("it could not be done: a disk that is full, say", "see the text"),
        Code::Forbidden => ("a web page that was not loaded from this box may not set anything", "see OSCQuery"),
    }
}

#[cfg(test)]
#[path = "protocol_text_tests.rs"]
mod tests;
