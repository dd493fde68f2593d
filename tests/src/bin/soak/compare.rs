//! What was recorded against what the kept scores give, block by block, and which differences late blocks explain.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use chronus_tests::build::{Build, chronus};

use crate::performance::Life;
use crate::watch::Late;

/// Bytes before the samples of the engine's WAV files, and bytes of a block: 256 frames of two 32-bit samples.
const HEADER: u64 = 58;
const BLOCK: usize = 256 * 8;

/// Blocks that one late block makes differ: the ramp to silence and the ramp back.
const DIFFERING_PER_LATE: u64 = 2;

/// Blocks by which the count of blocks in a status may be off from that of the late block in it, and the ramp back: the
/// counters are read one after the other while the engine plays on.
const SLACK: u64 = 4;

/// Blocks that may be lost on their way into the file when an engine is killed: 1024 in its recorder's queue, which a
/// busy disk may fill, and 32 that the writer keeps back to write them at once.
const UNWRITTEN: u64 = 1056;

/// The blocks of the performance that are in the recording of an engine that was killed, of which the next one went on
/// with block `next`.
///
/// # Errors
/// In words, if it has blocks that the next engine played as well (but for one, which may have been handed over and not
/// counted), or if more are missing than were on their way.
pub fn recorded(life: &Life, next: u64) -> Result<Range<u64>, String> {
    let file = life.played.display();
    let bytes = std::fs::metadata(&life.played).map_err(|error| format!("{file}: {error}"))?.len();
    let end = life.began + bytes.saturating_sub(HEADER) / BLOCK as u64;
    if end > next + 1 || end + UNWRITTEN < next {
        return Err(format!("{file} has blocks {} to {end}, and the next engine began with {next}", life.began));
    }
    Ok(life.began..end)
}

/// Renders so many blocks of a kept score with the build that played it.
///
/// # Errors
/// In words, if the score cannot be rendered.
pub fn render(kept: &Path, reference: &Path, blocks: u64) -> Result<(), String> {
    let mut render = Command::new(chronus(Build::Faults));
    // Ctrl-C ends the soak early; it must not end the comparison.
    render.process_group(0).arg("render").args([kept, reference]).args(["--blocks", &blocks.to_string()]);
    let status = render.stdout(Stdio::null()).status().map_err(|error| format!("chronus render: {error}"))?;
    if !status.success() {
        return Err(format!("chronus render of the kept score: {status}"));
    }
    Ok(())
}

/// The numbers of those of these blocks in which a recording, which begins with the first of them, differs from the
/// whole performance. Neither file is held in memory: each may have half a gigabyte.
///
/// # Errors
/// In words, if a file is short.
pub fn differing(played: &Path, reference: &Path, blocks: Range<u64>) -> Result<Vec<u64>, String> {
    let open = |path: &Path, first: u64| {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(HEADER + first * BLOCK as u64))?;
        Ok::<_, std::io::Error>(BufReader::with_capacity(1 << 20, file))
    };
    let mut both = [open(played, 0), open(reference, blocks.start)];
    let mut differing = Vec::new();
    for number in blocks.clone() {
        let mut samples = [[0; BLOCK]; 2];
        for (file, samples) in both.iter_mut().zip(&mut samples) {
            let read = file.as_mut().map_err(|error| error.to_string())?.read_exact(samples);
            read.map_err(|error| format!("block {number} of {blocks:?} is missing: {error}"))?;
        }
        if samples[0] != samples[1] {
            differing.push(number);
        }
    }
    Ok(differing)
}

/// The differing blocks, in their order, that no late block explains: each late one explains two of those played
/// between the two looks at which it was counted.
pub fn unexplained(differing: &[u64], late: &[Late]) -> Vec<u64> {
    let mut room: Vec<_> = late.iter().map(|late| (late.blocks, late.count * DIFFERING_PER_LATE)).collect();
    let mut left = differing.to_vec();
    left.retain(|block| {
        let mut rooms = room.iter_mut();
        let covers = |(first, last): (u64, u64)| (first.saturating_sub(SLACK)..=last + SLACK).contains(block);
        let found = rooms.find(|(blocks, free)| *free > 0 && covers(*blocks));
        found.map(|(_, free)| *free -= 1).is_none()
    });
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Cause;

    #[test]
    fn a_recording_may_miss_what_was_on_its_way_and_no_more() {
        let folder = chronus_tests::engine::Folder::new("soak-recorded");
        let played = folder.file("played.wav");
        // 100 blocks and a part of one, by an engine that began with block 50.
        std::fs::write(&played, vec![0; HEADER as usize + 100 * BLOCK + 9]).expect("a file");
        let (status, last) = (serde_json::Value::Null, crate::watch::Look::before_all());
        let life = Life { began: 50, played: played.clone(), kept: played, last, status };
        for next in [149, 150, 182, 150 + UNWRITTEN] {
            assert_eq!(recorded(&life, next), Ok(50..150));
        }
        for next in [0, 148, 151 + UNWRITTEN] {
            assert!(recorded(&life, next).is_err(), "{next}");
        }
    }

    #[test]
    fn a_late_block_explains_two_and_only_where_it_was() {
        let late = |first, last, count| Late {
            blocks: (first, last),
            count,
            cause: Cause::Scheduler,
            circumstances: String::new(),
        };
        let all = [late(100, 110, 1), late(300, 310, 2)];
        assert_eq!(unexplained(&[104, 105, 301, 302, 303, 304], &all), [0; 0]);
        assert_eq!(unexplained(&[104, 105, 106], &all), [106], "one late block, three that differ");
        assert_eq!(unexplained(&[200], &all), [200], "none was late there");
        assert_eq!(unexplained(&[7], &[]), [7]);
    }
}
