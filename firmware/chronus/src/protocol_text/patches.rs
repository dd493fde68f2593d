//! The page's parts on modules, gates, notes and patches, from the tables of the types.

use abi::Maximum;
use dsp::instrument::{KINDS, Kind, KindRow, MOST_CONNECTIONS, MOST_GROUPS, MOST_MODULES, POOL, VOICE_OUTPUTS};
use dsp::kernel::Parameter;

use crate::input::rows;
use crate::stamp::COMMIT_FRAMES;

/// The page's part on the types of modules: with what can be set and connected.
pub fn modules() -> String {
    let mut text = MODULES.to_string();
    for kind in &KINDS {
        text += &format!("\n### `{}`\n\n{}\n", kind.name, kind.description);
        if kind.kind != Kind::Out {
            text += &inputs(kind);
        }
        if kind.parameters.is_empty() {
            continue;
        }
        text += "\n| parameter | range | default | ramp | what it does |\n|---|---|---|---|---|\n";
        for parameter in kind.parameters {
            let ramp = if parameter.ramp_ms > 0.0 { format!("{} ms", parameter.ramp_ms) } else { "-".to_string() };
            let row = [
                format!("`{}`", parameter.name),
                range(parameter),
                with_unit(&parameter.default.to_string(), parameter.unit),
                ramp,
                parameter.description.to_string(),
            ];
            text += &format!("| {} |\n", row.join(" | "));
        }
    }
    text
}

/// What a module takes and gives, in a sentence.
fn inputs(kind: &KindRow) -> String {
    let named = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut words = Vec::new();
    if kind.kind == Kind::Voice {
        words.push(format!("Gives notes, and for modulation {}.", named(&VOICE_OUTPUTS)));
    } else if !kind.inputs.is_empty() {
        words.push(format!("Sound comes in at {}.", named(kind.inputs)));
    }
    if kind.takes_notes {
        words.push("Takes the notes of a `voice`.".to_owned());
    }
    if kind.sums {
        words.push("Voices are summed here.".to_owned());
    }
    if words.is_empty() { String::new() } else { format!("{}\n", words.join(" ")) }
}

const MODULES: &str = "\
## Modules

The sound is made by modules that are connected (see Patches). At power-on there are three, named as their types: `sine`,
`adsr`, `filter`, in this order. `/mod/NAME/PARAMETER` sets a parameter of the module of this name, of those that are heard
and of those that are being made. Each takes one number. A change is spread over its ramp, frame by frame, so that it does
not click; `-` is a value that is read when it is needed. A parameter that chooses takes the number or the name.
`rate` is the sample rate in Hz.
";

/// The page's part on gates and notes.
pub fn gates() -> String {
    GATES.replace("{notes}", &rows(|address| address.starts_with("/note/")))
}

const GATES: &str = "\
## Gates and notes

| address | arguments | what it does |
|---|---|---|
| `/gate/NAME` | on or off | opens or closes the gate of the module NAME, of the type `adsr`, of all its voices |
{notes}
A gate takes one argument. On: true, any number above 0, the string `on`. Off: every other number, false, nil, every other
string, so `off` and `0` too. Open starts the attack from the current level, close starts the release from it.

A note is 0 to 127 as in MIDI, 69 is A4. A velocity is above 0 to 1; 2 to 127 is taken as in MIDI; none is 1, and 0 ends the
note.
";

const PATCHES: &str = "\
## Patches

| address | arguments | what it does |
|---|---|---|
{words}
Edits gather, change nothing that is heard, and take effect together with the commit: at its frame, and without a click. What
both patches have plays on, notes too; new connections are faded in within 10 ms and old ones out. Where that cannot be (a
module gets voices or loses them, say) all is faded out and in within 8 ms. An edit is taken when it arrives; a commit in a
bundle waits for its time tag. What has waited for its time and cannot be done then, because the patch is another one by
that time, is answered with `/error` and not done. Between two commits are at least {frames} frames; the second is refused with `full`;
a preset is a commit too.

A source is a module, or `NAME.velocity` and `NAME.pitch` of a `voice`. A destination is a module, whose first input is meant;
`NAME.INPUT`; or `NAME.PARAMETER`, which is then moved by the signal: by the amount for a signal of 1, in the unit of the
parameter, or in octaves if it is a frequency or a quality. Of sound the amount is a level, from -4 to 4. Without an amount it
is 1. From a `voice` to a module that takes notes, the connection is for notes, and whatever is behind that module is there once
for each voice. A parameter that chooses cannot be moved, nor those of a `voice`, nor `beats` of an `lfo`.

A patch has at most {modules} modules, with `out`, and {connections} connections; each module takes one group for every
eight of its voices, of {groups} groups, and room for their states, of {room} places: of that the error at a commit tells. A name has 1 to 16 small letters, digits, `-`
and `_`, a letter first. No module may hear itself: that is refused, and the module named; but for what
goes through the input `return` of a `delay` (`/patch/connect dull echo.return 0.4`): keep its feedback, and the amount by which
it comes back, together below 1, or it grows until it is cut at the output; `/panic` ends it. A patch has tape for {delays} modules
of type `delay` and {reverbs} of type `reverb`.

`/patch/list` is answered with bundles of the messages that would make the patch, and then `/patch/list.reply` with the number of
modules (i), of connections (i), and whether nothing was edited since the last commit (T or F).

Presets lie as TOML beside the file of `--patch` (on the box on DATA); a name has 1 to 32 small letters, digits, `-` and `_`. The
answers are `/patch/save.reply NAME`, `/patch/load.reply NAME` and then what of the file was left out and why, and
`/patch/presets.reply NAME...`; what cannot be done is an `/error` with the code `failed`. One wish is done at a time.
With the program come {presets}, all played by `/note/on keys`. A preset of yours
takes the place of one of the program's with the same name until its file is removed, which no message does. Nothing but a preset
is overwritten. A preset without tracks leaves tracks and clock as they are; the tempo too if it has none, such as `init`: in
what is saved here there always is one.

An oscillator sounds all the time, behind a `voice` eight times at once; what makes it silent between notes is a `vca` whose `level`
an `adsr` moves, as here.

A bass, played by `chronus send` (arguments as in a terminal):

```
chronus send /patch/clear
chronus send /patch/create keys voice
chronus send /patch/create saw osc
chronus send /patch/create low svf
chronus send /patch/create env adsr
chronus send /patch/create amp vca
chronus send /patch/connect keys saw
chronus send /patch/connect keys env
chronus send /patch/connect saw low
chronus send /patch/connect low amp
chronus send /patch/connect env amp.level
chronus send /patch/connect env low.cutoff 3
chronus send /patch/connect amp out 0.5
chronus send /patch/commit
chronus send /note/on keys 33 0.8
```
";

/// The page's part on patches.
pub fn patches() -> String {
    PATCHES
        .replace("{words}", &rows(|address| address.starts_with("/patch/")))
        .replace("{modules}", &MOST_MODULES.to_string())
        .replace("{connections}", &MOST_CONNECTIONS.to_string())
        .replace("{delays}", &abi::tape::DELAYS.to_string())
        .replace("{reverbs}", &abi::tape::REVERBS.to_string())
        .replace("{presets}", &crate::patch::factory_names().map(|name| format!("`{name}`")).join(", "))
        .replace("{groups}", &MOST_GROUPS.to_string())
        .replace("{room}", &POOL.to_string())
        .replace("{frames}", &COMMIT_FRAMES.to_string())
}

fn range(parameter: &Parameter) -> String {
    if !parameter.choices.is_empty() {
        let choices = parameter.choices.iter().enumerate();
        return choices.map(|(number, name)| format!("{number} `{name}`")).collect::<Vec<_>>().join(", ");
    }
    let maximum = match parameter.maximum {
        Maximum::Value(value) => value.to_string(),
        Maximum::BelowNyquist => "rate/2 - 10".to_string(),
    };
    with_unit(&format!("{} to {maximum}", parameter.minimum), parameter.unit)
}

fn with_unit(value: &str, unit: &str) -> String {
    if unit.is_empty() { value.to_string() } else { format!("{value} {unit}") }
}
