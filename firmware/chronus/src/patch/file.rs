//! The file itself: read with bounds, replaced as a whole, set aside when it is damaged.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::read::{self, Contents, Damage};
use crate::settings::{create_anew, open_regular};

/// Longest file that is read, in bytes: several times the largest patch, of 64 modules and 256 connections.
pub const LONGEST: u64 = 256 * 1024;

/// What was found in the place of the file.
pub enum Found {
    /// A sound file.
    Contents(Contents),
    /// Nothing, so far.
    Nothing,
    /// Something that is no such file, and that was set aside if that could be done; why, as the rest of a sentence.
    Damaged(String),
    /// Something that cannot be read, perhaps only now.
    Unreadable(Error),
}

/// Looks for the file and reads it, for a sample rate in Hz. One that is damaged is set aside.
pub fn read(path: &Path, rate: u32) -> Found {
    let mut bytes = Vec::new();
    let read = open_regular(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Unreadable(error),
        Ok(_) => {}
    }
    let contents = if bytes.len() as u64 > LONGEST {
        Err(Damage { line: 1, why: format!("more than {LONGEST} bytes, which the engine never writes") })
    } else {
        read::read(&bytes, rate)
    };
    match contents {
        Ok(contents) => Found::Contents(contents),
        Err(Damage { line, why }) => {
            let aside = match set_aside(path) {
                Ok(aside) => format!("it is set aside as {}", aside.display()),
                Err(error) => format!("it cannot be set aside ({error})"),
            };
            Found::Damaged(format!(", line {line}: {why}; {aside}"))
        }
    }
}

/// Files that are set aside at most: the first of them is the one with somebody's patch in it, most likely, and a card
/// that damages a file at each start must not be filled with them.
const ASIDE: usize = 9;

/// Renames a file, so that it can be looked at and the next one does not overwrite it; gives its new name.
///
/// # Errors
/// What the kernel says.
pub fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let more = (2..=ASIDE).map(|number| with_ending(path, &format!(".damaged.{number}")));
    let mut names = std::iter::once(with_ending(path, ".damaged")).chain(more);
    // Also a link that leads nowhere has the name, and what a failing card does not tell about.
    let is_free = |name: &PathBuf| name.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let free = names.find(is_free);
    let aside = free.unwrap_or_else(|| with_ending(path, &format!(".damaged.{ASIDE}")));
    std::fs::rename(path, &aside).map(|()| aside)
}

/// Puts `text` in the place of the file. Whatever happens meanwhile, there is the old file or the new one.
///
/// # Errors
/// If anything of it fails. Before the new file has its name the old one is untouched.
pub fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let new = with_ending(path, ".new");
    let written = create_anew(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        // Before it has its name: a name without its contents is what a power cut would leave.
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&new, path)) {
        let _ = std::fs::remove_file(&new);
        return Err(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A file beside this one.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("chronus-patch-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_damaged_file_is_set_aside_with_its_line() {
        let folder = Folder::new("damaged");
        let path = folder.0.join("last.toml");
        assert!(matches!(read(&path, 48_000), Found::Nothing));
        for (content, line) in [
            (&b"schema = 1\n[sine\nfreq = 1.0\n"[..], "line 2"),
            (b"# nothing\nschema = 4\n", "line 2"),
            (b"", "line 1"),
            (b"schema = 1\n\n# \xff\n", "line 3"),
            (&[b'#'; 300_000], "line 1: more than"),
        ] {
            std::fs::write(&path, content).unwrap();
            let Found::Damaged(why) = read(&path, 48_000) else { panic!("{content:?} is taken") };
            assert!(why.contains(line) && why.contains("last.toml.damaged"), "{why}");
            assert_eq!(std::fs::read(folder.0.join("last.toml.damaged")).unwrap(), content);
            assert!(!path.exists());
            std::fs::remove_file(folder.0.join("last.toml.damaged")).unwrap();
        }
    }

    #[test]
    fn what_was_set_aside_first_stays_and_what_comes_after_nine_takes_the_place_of_the_last() {
        let folder = Folder::new("aside");
        let path = folder.0.join("last.toml");
        for number in 1..=11 {
            std::fs::write(&path, number.to_string()).unwrap();
            set_aside(&path).unwrap();
        }
        let there = |ending: &str| std::fs::read_to_string(with_ending(&path, ending)).unwrap();
        assert_eq!([".damaged", ".damaged.2", ".damaged.8", ".damaged.9"].map(there), ["1", "2", "8", "11"]);
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 9);
    }

    #[test]
    fn what_cannot_be_read_is_left_where_it_is() {
        let folder = Folder::new("unreadable");
        assert!(matches!(read(&folder.0, 48_000), Found::Unreadable(_)) && folder.0.exists());
        // Nor is it waited for.
        let pipe = folder.0.join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        let Found::Unreadable(error) = read(&pipe, 48_000) else { panic!("a pipe is no patch") };
        assert!(error.to_string().contains("it is a pipe") && pipe.exists(), "{error}");
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_is_not_written() {
        let folder = Folder::new("links");
        let (path, other) = (folder.0.join("last.toml"), folder.0.join("other"));
        std::fs::write(&other, "other").unwrap();
        for name in ["last.toml", "last.toml.new"] {
            std::os::unix::fs::symlink(&other, folder.0.join(name)).unwrap();
        }
        replace(&path, "text").unwrap();
        assert!(!path.is_symlink() && std::fs::read_to_string(&path).unwrap() == "text");
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "other");
        // What is no patch behind a link: the link is set aside, not what it leads to.
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(matches!(read(&path, 48_000), Found::Damaged(_)));
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "other");
        assert!(folder.0.join("last.toml.damaged").is_symlink() && !path.is_symlink());
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = Folder::new("replaced");
        let path = folder.0.join("last.toml");
        replace(&path, "old").unwrap();
        // What a power cut has left is no hindrance.
        std::fs::write(folder.0.join("last.toml.new"), "half of somethi").unwrap();
        replace(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 1, "nothing is left behind");
        assert!(replace(&folder.0.join("absent/last.toml"), "x").is_err());
        // In the place of the file is what no file can take the place of.
        std::fs::create_dir(folder.0.join("folder")).unwrap();
        assert!(replace(&folder.0.join("folder"), "x").is_err());
        assert!(!folder.0.join("folder.new").exists());
    }
}
