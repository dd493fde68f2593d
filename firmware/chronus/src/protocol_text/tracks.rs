//! The page's part on time in the music: the clock and the tracks of the sequencer.

use dsp::time::{BPM_MAXIMUM, BPM_MINIMUM, LANES, STEPS, STEPS_PER_BEAT, TRACKS};

use crate::input::{GATE_LENGTH, PROBABILITY, SWING};

const TRACK_TEXT: &str = r#"## Tempo and tracks

| address | arguments | what it does |
|---|---|---|
| `/clock/tempo` | beats a minute | the tempo, {slowest} to {fastest}, kept to three decimals; steps go on from where they are |
| `/clock/start` | none needed | the clock runs from the beginning, and each started track from its first step |
| `/clock/stop` | none needed | it stops where it is, and all gates that tracks have opened close |
| `/clock/continue` | none needed | it goes on from there |
| `/seq/create` | TRACK | makes a track: stopped, without a pattern |
| `/seq/delete` | TRACK | takes it away |
| `/seq/pattern` | TRACK, text | its pattern, of 1 to {steps} steps: `X` accent, `x` note, `.` rest; spaces and `\|` may stand between |
| `/seq/assign` | TRACK, `gate`, NAME | its notes open the gate of an `adsr`, or play a `voice` |
| `/seq/assign` | TRACK, `param`, LANE, NAME, PARAMETER | the values of the lane set this parameter; `note` of a `voice` is the note played next |
| `/seq/param_lane` | TRACK, LANE, values | the values of a lane, 1 to {steps}, one for each step: numbers, or one string with commas in between |
| `/seq/lane` | TRACK, LANE | makes a lane, as the two above do where there is none of this name |
| `/seq/lane_part` | TRACK, LANE, place, of, values | four values of a lane from this place on, of so many: as kept scores write it; heard when all are there |
| `/seq/gate_len` | TRACK, part | how long gates are, {gates} of a step; 1 ties a note to the next |
| `/seq/config` | TRACK, key, value, ... | sets what the keys name, see below |
| `/seq/config` | TRACK, tempo, steps, division | sets these three |
| `/seq/start` | TRACK | it plays while the clock runs, from its first step, beginning at the next line of its grid |
| `/seq/stop` | TRACK | it is silent from this frame on |
| `/seq/reset` | TRACK | its next step is its first |
| `/seq/reset_all` | none needed | clock and tracks are at their beginning, running or not |
| `/seq/bpm` | TRACK, beats a minute | the same as `/clock/tempo`; TRACK may be left out |
| `/seq/list` | none needed | tempo and tracks as they are, see below |

There are at most {tracks} tracks, each with {lanes} lanes. Tracks and lanes have names as modules have. There is one clock, and
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
there are; a preset without any, such as those of the program, leaves them, assigned to nothing.

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
