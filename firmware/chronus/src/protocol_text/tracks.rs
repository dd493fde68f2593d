//! The page's part on time in the music: the clock and the tracks of the sequencer.

use dsp::time::{BPM_MAXIMUM, BPM_MINIMUM, LANES, STEPS, STEPS_PER_BEAT, TRACKS};

use crate::input::{GATE_LENGTH, PROBABILITY, SWING, TRACK_WORDS, rows};

const TRACK_TEXT: &str = r#"## Tempo and tracks

| address | arguments | what it does |
|---|---|---|
{words}
The tempo is {slowest} to {fastest} beats a minute, a pattern or a lane has 1 to {steps} steps (bars, `|`, are passed over),
gates are {gates} of a step. There are at most {tracks} tracks, each with {lanes} lanes. Tracks and lanes have names as modules have. There is one clock, and
it stands still at the start: also where a patch was kept, nothing plays until somebody says `/clock/start`. `/panic` stops it.

| key of `/seq/config` | value | default | what it does |
|---|---|---|---|
| `steps` | 1 to {steps} | as the pattern has | the length of the pattern: what is too much is cut off, what is missing is rests |
| `division` | 1 to {division} | 4 | steps to a beat |
| `swing` | {swing} | 0.5 | the part of two steps that the first of them has: above 0.5 every second step comes later |
| `probability` | {probability} | 1 | how probable it is that a note is played |
| `seed` | any whole number | 0 | what chance comes of: the same seed plays the same notes after each reset |

Steps fall on the exact frame: 174 beats a minute are 174.000, for as long as the clock runs. A track that starts is in time with the
others. Of what falls on one frame gates close first, then lanes set their parameters, then notes begin, each as
`/gate/NAME`, `/mod/NAME/PARAMETER` and `/note/on` would do it. An accent has the velocity 1, another note {velocity}; a lane gives
its next value at each step, rests too. A track without a lane for `note` plays the note 60.

What is assigned to a module that is taken away (by `/patch/delete`, `/patch/clear` or a preset, at the commit) is assigned to
nothing from then on, also when there is a module of this name again. An empty string in the place of NAME does the same.

In a bundle with a time tag all these words wait for it, but `/seq/create` and `/seq/lane`, which nobody hears.

Tempo and tracks are kept with the patch (`--patch`) and in presets. `/patch/load` puts the tracks of a preset in the place of those that
there are; a preset without any, such as those of the program but `acid`, leaves them, assigned to nothing.

`/seq/list` is answered with bundles of the messages that would make the tempo and the tracks, and then `/seq/list.reply` with the
number of tracks (i) and whether the clock runs (T or F). `/get /clock/tempo` is answered with the tempo.

The patch at power-on as a drum, by `chronus send`:

```
chronus send /clock/tempo 174
chronus send /seq/create kick
chronus send /seq/pattern kick 'X..x..x. X..x.xx.'
chronus send /seq/assign kick gate adsr
chronus send /seq/assign kick param pitch sine freq
chronus send /seq/param_lane kick pitch 55 55 55 110 55 55 82.5 55
chronus send /seq/gate_len kick 0.3
chronus send /seq/start kick
chronus send /clock/start
```
"#;

/// The page's part on tempo and tracks.
pub fn tracks() -> String {
    let range = |[low, high]: [f64; 2]| format!("{low} to {high}");
    TRACK_TEXT
        .replace("{words}", &rows(is_of_time))
        .replace("{slowest}", &BPM_MINIMUM.to_string())
        .replace("{fastest}", &BPM_MAXIMUM.to_string())
        .replace("{steps}", &STEPS.to_string())
        .replace("{division}", &STEPS_PER_BEAT.to_string())
        .replace("{tracks}", &TRACKS.to_string())
        .replace("{lanes}", &LANES.to_string())
        .replace("{swing}", &range(SWING))
        .replace("{probability}", &range(PROBABILITY))
        .replace("{gates}", &range(GATE_LENGTH))
        .replace("{velocity}", &dsp::time::VELOCITY_NORMAL.to_string())
}

/// Whether an address is one of the clock or the tracks.
pub fn is_of_time(address: &str) -> bool {
    TRACK_WORDS.iter().any(|(word, _)| *word == address)
}
