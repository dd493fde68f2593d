//! The page's part on recordings.

use crate::input::rows;
use crate::record::MOST_MINUTES;

/// In Markdown.
pub fn recordings() -> String {
    let words = rows(|address| address.starts_with("/record/"));
    RECORDINGS.replace("{words}", &words).replace("{minutes}", &MOST_MINUTES.to_string())
}

const RECORDINGS: &str = "\
## Recordings

Recordings are WAV files in the folder that `--recordings` names (on a box `/data/recordings`), of 24-bit integers, or with
`--recording-format float` of the very samples that were played. `chronus record` does the same at a terminal.

| address | argument | what it does |
|---|---|---|
{words}
- A name has 1 to 64 letters (a to z), digits, spaces and `-` `_` `.`, begins with a letter or a digit, and is no path;
  `.wav` is added. What is there is never overwritten. Without a name it is the day's next number, `2026-05-01-001.wav`, or
  `take-001.wav` while the clock was never set.
- One recording at a time, and one of the past beside it. What cannot be done gets the error `failed` with the reason.
- A file is made to outlive a power cut every second, its sound before its header: it is whole at any moment, but for its
  last two seconds. Beyond 4 GiB it becomes a RF64 (EBU Tech 3306), for which there is room in its header from the start.
- If the disk is too slow, 20 seconds (10 at 96 kHz) wait in memory. What comes on top of that is replaced by as much silence,
  so that the file stays in time, counted in `record.missing` and told. If the disk is full but for 16 MiB, which are
  for presets, the recording ends, whole, subscribers are told, and the music goes on.
- If the engine is killed and goes on (see `restarts`), the file is mended and the recording goes on in `NAME.2.wav`.
  What was played between is in neither. After a power cut the file is mended and nothing goes on.
- **The past** was never recorded: the engine keeps the commands of the last {minutes} minutes and its own state once a minute,
  and renders it again, late blocks and all: bit for bit what was played. That takes a while, with what time others leave.
  `record.past_s` says how far back it reaches: less than {minutes} minutes after the start, after an engine that was killed
  (its past is lost), after more than 262144 commands, or once the sound began anew by itself.
";
