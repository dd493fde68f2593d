//! The addresses that are there in every patch, as PROTOCOL.md and the OSCQuery tree tell of them: arguments and meaning.

/// An address that is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The address.
    pub address: &'static str,
    /// The OSC types of its arguments, all of them; `I` where none is needed, which is what the field sends for "now".
    pub types: &'static str,
    /// Its arguments in words.
    pub arguments: &'static str,
    /// What it does. Addresses and names in it stand in back quotes.
    pub description: &'static str,
}

const fn word(address: &'static str, types: &'static str, arguments: &'static str, description: &'static str) -> Word {
    Word { address, types, arguments, description }
}

/// All of them, in the order in which they are told.
pub const WORDS: [Word; 51] = [
    word("/note/on", "sif", "NAME, note, velocity", "begins a note of the module NAME, of the type `voice`"),
    word("/note/off", "si", "NAME, note", "ends it"),
    word("/patch/create", "ss", "NAME, type", "makes a module: one of the types above"),
    word("/patch/delete", "s", "NAME", "takes it away, with its connections"),
    word(
        "/patch/connect",
        "ssf",
        "source, destination, amount",
        "connects; what is connected already gets the new amount",
    ),
    word("/patch/disconnect", "ss", "source, destination", "the opposite"),
    word("/patch/clear", "I", "none needed", "takes all away but `out`"),
    word("/patch/abort", "I", "none needed", "forgets what was edited since the last commit"),
    word("/patch/commit", "I", "none needed", "what was edited is heard from now on"),
    word("/patch/list", "I", "none needed", "the patch as it is being edited, see below"),
    word("/patch/save", "s", "NAME", "keeps the patch that was committed last, with all its values, tempo and tracks"),
    word("/patch/load", "s", "NAME", "makes it again and commits it, whatever was being edited"),
    word(
        "/patch/presets",
        "I",
        "none needed",
        "the names of all that were kept, and of those that come with the program",
    ),
    word("/clock/tempo", "f", "beats a minute", "the tempo, kept to three decimals; steps go on from where they are"),
    word(
        "/clock/start",
        "I",
        "none needed",
        "the clock runs from the beginning, and each started track from its first step",
    ),
    word("/clock/stop", "I", "none needed", "it stops where it is, and all gates that tracks have opened close"),
    word("/clock/continue", "I", "none needed", "it goes on from there"),
    word("/seq/create", "s", "TRACK", "makes a track: stopped, without a pattern"),
    word("/seq/delete", "s", "TRACK", "takes it away"),
    word(
        "/seq/pattern",
        "ss",
        "TRACK, text",
        "its pattern: `X` accent, `x` note, `.` rest; spaces and bars may stand between",
    ),
    word(
        "/seq/assign",
        "sss",
        "TRACK, `gate`, NAME; or TRACK, `param`, LANE, NAME, PARAMETER",
        "its notes open the gate of an `adsr`, or play a `voice`; or the values of the lane set this parameter (`note` of a `voice`: the note that is played next)",
    ),
    word(
        "/seq/param_lane",
        "ssf",
        "TRACK, LANE, values",
        "the values of a lane, one for each step: numbers, or one string with commas in between",
    ),
    word(
        "/seq/lane",
        "ss",
        "TRACK, LANE",
        "makes a lane, as `/seq/assign` and `/seq/param_lane` do where there is none of this name",
    ),
    word(
        "/seq/lane_part",
        "ssiif",
        "TRACK, LANE, place, of, values",
        "four values of a lane from this place on, of so many: as kept scores write it; heard when all are there",
    ),
    word("/seq/gate_len", "sf", "TRACK, part", "how long gates are, as a part of a step; 1 ties a note to the next"),
    word(
        "/seq/config",
        "ssf",
        "TRACK, key, value, ...; or TRACK, tempo, steps, division",
        "sets what the keys name, see below; or these three",
    ),
    word(
        "/seq/start",
        "s",
        "TRACK",
        "it plays while the clock runs, from its first step, beginning at the next line of its grid",
    ),
    word("/seq/stop", "s", "TRACK", "it is silent from this frame on"),
    word("/seq/reset", "s", "TRACK", "its next step is its first"),
    word("/seq/reset_all", "I", "none needed", "clock and tracks are at their beginning, running or not"),
    word("/seq/bpm", "sf", "TRACK, beats a minute", "the same as `/clock/tempo`; TRACK may be left out"),
    word("/seq/list", "I", "none needed", "tempo and tracks as they are, see below"),
    word("/test", "I", "none needed", "a test tone: `sine.freq` 440, `sine.gain` 0.3, gate `adsr` on"),
    word("/status", "I", "none needed", "one reply `/status.reply`, shaped as that of scsynth, see below"),
    word("/health", "I", "none needed", "one reply `/health.reply` with all counters, see below"),
    word("/version", "I", "none needed", "one reply `/version.reply` with two strings: name and version"),
    word(
        "/led",
        "I",
        "none needed",
        "one reply `/led.reply`: what the light says (string), its code (int), the light (string); see `led` below",
    ),
    word(
        "/identify",
        "I",
        "none needed",
        "the light blinks evenly, twice a second, for 5 seconds: this is the box; not again for the next 5",
    ),
    word(
        "/panic",
        "I",
        "none needed",
        "all gates are closed and nothing rings on: within 5 ms of its taking effect, without a click, all is silent that has an envelope; an oscillator that reaches `out` without one sounds on",
    ),
    word("/notify", "T", "on or off, as a gate", "tells the sender of every change of a value, see below"),
    word("/controls", "I", "none needed", "one reply `/controls.reply` with the knobs and buttons, see below"),
    word(
        "/controls/learn",
        "s",
        "an address, a string",
        "binds the next control that is moved to it, see below; an empty string ends that",
    ),
    word("/clock/ping", "t", "your time", "one reply `/clock/pong` with it, the engine's time and a frame, see below"),
    word("/sync", "i", "a number", "one reply `/synced` when all is applied that you sent before, see below"),
    word("/get", "s", "an address, a string", "the message that would set what is set there, see below"),
    word("/notify/levels", "T", "on or off, as a gate", "tells the sender of levels, too, see below"),
    word("/dumpOSC", "T", "on or off, as a gate", "prints what arrives into the engine's log, see below"),
    word(
        "/record/start",
        "s",
        "a name, a string, if you like",
        "records from now on; answered with `/record/start.reply` when the first block is in: the file (s) and the number of \
         that block (h)",
    ),
    word(
        "/record/stop",
        "I",
        "none needed",
        "ends it; answered with `/record/stop.reply` when the file is whole: the file (s), its frames (h), and how many of \
         them are silence because the disk was too slow (h)",
    ),
    word(
        "/record/status",
        "I",
        "none needed",
        "one reply `/record/status.reply` with the pairs of `/health` that begin with `record.`",
    ),
    word(
        "/record/keep",
        "f",
        "minutes, a number, and a name if you like",
        "what was played in the last minutes, as far back as `record.past_s` of the status says; answered with \
         `/record/keep.reply` twice: `keeping`, and when the file is whole `kept` (s), each with the file (s), its seconds \
         (f) and its first block (h)",
    ),
];

/// The rows of a table in PROTOCOL.md for the addresses that `wanted` says.
#[cfg(test)]
pub fn rows(wanted: impl Fn(&str) -> bool) -> String {
    let wanted = WORDS.iter().filter(|word| wanted(word.address));
    wanted.map(|word| format!("| `{}` | {} | {} |\n", word.address, word.arguments, word.description)).collect()
}
