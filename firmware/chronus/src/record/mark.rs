//! Which recordings are being written: an empty, hidden file beside each, held by its writer. So the next engine finds what
//! was cut off, and two engines that share a folder leave each other's alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg, OFlag};

use super::name::{ENDING, file_of};
use crate::audio::{WavFile, WavForm};

/// The mark of a recording that is being written.
pub struct Mark {
    path: PathBuf,
    _held: Flock<File>,
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// What is being played.
    Live,
    /// What was played.
    Past,
}

impl Marked {
    const ALL: [Self; 2] = [Self::Live, Self::Past];

    fn ending(self) -> &'static str {
        match self {
            Self::Live => ".open",
            Self::Past => ".past",
        }
    }
}

fn hold(path: &Path) -> io::Result<Flock<File>> {
    let no_follow = OFlag::O_NOFOLLOW.bits();
    let file = File::options().write(true).create(true).truncate(false).custom_flags(no_follow).open(path)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error.into())
}

impl Mark {
    /// Marks a file of this folder.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set(folder: &Path, file: &str, what: Marked) -> io::Result<Self> {
        let path = folder.join(format!(".{file}{}", what.ending()));
        Ok(Self { _held: hold(&path)?, path })
    }

    /// Takes the mark away: the file is whole.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A recording that was cut off, and is mended.
#[derive(Debug, PartialEq)]
pub struct CutOff {
    /// Its file.
    pub file: String,
    /// What it was to be.
    pub what: Marked,
    /// What it is made of, and its blocks; or why it could not be mended.
    pub mended: Result<(WavForm, u64), String>,
}

/// Mends the recordings of a folder that were cut off, and takes away their marks.
///
/// # Errors
/// If the folder is not there or cannot be read.
pub fn mend_all(folder: &Path) -> io::Result<Vec<CutOff>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_prefix('.')) else { continue };
        let marked = |what: Marked| Some((name.strip_suffix(what.ending())?, what));
        let Some((file, what)) = Marked::ALL.into_iter().find_map(marked) else { continue };
        // What was never the name of a recording is not for us.
        if !file.ends_with(ENDING) || file_of(file).as_deref() != Ok(file) {
            continue;
        }
        let Ok(held) = hold(&entry.path()) else { continue };
        let mended = mend(&folder.join(file));
        found.push(CutOff { file: file.to_owned(), what, mended: mended.map_err(|error| error.to_string()) });
        Mark { path: entry.path(), _held: held }.remove();
    }
    Ok(found)
}

fn mend(path: &Path) -> io::Result<(WavForm, u64)> {
    let mut file = File::options().read(true).write(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)?;
    WavFile::mend(&mut file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::SampleFormat;
    use abi::Block;

    #[test]
    fn what_was_cut_off_is_found_and_what_is_being_written_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("chronus-marks-{}", std::process::id()));
        assert!(mend_all(&folder).is_err(), "there is no folder");
        std::fs::create_dir_all(&folder).unwrap();
        let form = WavForm { rate: 48_000, samples: SampleFormat::Packed24, large: true };
        let mut wav = WavFile::create_new(&folder.join("a.wav"), form).unwrap();
        (0..100).for_each(|_| wav.write(&Block::SILENCE).unwrap());
        let mark = Mark::set(&folder, "a.wav", Marked::Live).unwrap();
        assert_eq!(mend_all(&folder).unwrap(), []);
        // As its writer's death does.
        drop((mark, wav));
        std::fs::write(folder.join("b.wav"), "no recording").unwrap();
        for name in [".b.wav.open", ".c.wav.past", ".notes.open", ".-x.wav.open"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let mut found = mend_all(&folder).unwrap();
        found.sort_by(|a, b| a.file.cmp(&b.file));
        // 64 KiB are written at a time, which here are 43 blocks.
        assert_eq!(found[0], CutOff { file: "a.wav".to_owned(), what: Marked::Live, mended: Ok((form, 86)) });
        assert!(found[1].mended.as_ref().is_err_and(|why| why.contains("no recording")), "{found:?}");
        assert!(found[2].mended.is_err() && found[2].what == Marked::Past && found.len() == 3, "{found:?}");
        assert_eq!(std::fs::read(folder.join("b.wav")).unwrap(), b"no recording");
        assert_eq!(mend_all(&folder).unwrap(), []);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
