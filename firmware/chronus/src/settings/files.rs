//! Files that are read without waiting for anybody, and written so that there is always a whole one.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::libc::O_NONBLOCK;
use nix::sys::stat::makedev;

/// Readable by all: none of it is secret, and the engine's user reads one of them.
const MODE: u32 = 0o644;

/// The null device, by its numbers: an empty file for whoever has none (`configure` of the box).
const NULL_DEVICE: (u64, u64) = (1, 3);

/// Opens a regular file, or the null device, to read it. All else is refused, and never waited for: a pipe that nobody
/// writes to, a terminal at which nobody sits.
///
/// # Errors
/// What the kernel says, or what it is instead of a regular file.
pub fn open_regular(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)?;
    match other_than_regular(&file.metadata()?) {
        None => Ok(file),
        Some(what) => Err(Error::other(format!("it is {what}, not a regular file"))),
    }
}

/// What it is, where it is neither a regular file nor the null device.
fn other_than_regular(of: &Metadata) -> Option<&'static str> {
    let kind = of.file_type();
    if kind.is_file() || (kind.is_char_device() && of.rdev() == makedev(NULL_DEVICE.0, NULL_DEVICE.1)) {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else {
        Some("a device")
    }
}

/// Makes a new file, in the place of whatever has its name: of a link, too, and not of what that leads to.
///
/// # Errors
/// What the kernel says: that there is a folder, above all.
pub fn create_anew(path: &Path) -> Result<File, Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create_new(path)
}

/// Writes a file so that under its name there is always all of the old one or all of the new one. Two processes may
/// write it at the same time: each has a new one of its own.
///
/// # Errors
/// In words, with the file's name.
pub fn write_whole(folder: &Path, name: &str, content: &str) -> Result<(), String> {
    let (path, new) = (folder.join(name), folder.join(format!(".{name}.{}.new", std::process::id())));
    let write = || {
        let mut file = create_anew(&new)?;
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&new);
        format!("{} cannot be written: {error}", path.display())
    })
}

/// Takes a file away; one that is not there is none to take.
///
/// # Errors
/// In words, with the file's name.
pub fn remove(folder: &Path, name: &str) -> Result<(), String> {
    let path = folder.join(name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::MadeUp;

    #[test]
    fn only_a_regular_file_is_opened_and_nothing_is_waited_for() {
        let made_up = MadeUp::new("regular");
        let path = |name: &str| made_up.machine().path(name);
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        std::os::unix::fs::symlink(path("pipe"), path("link")).unwrap();
        for (of, what) in [
            (path("pipe"), "it is a pipe, not a regular file"),
            (path("link"), "it is a pipe, not a regular file"),
            (path("."), "it is a folder, not a regular file"),
            ("/dev/zero".into(), "it is a device, not a regular file"),
        ] {
            assert_eq!(open_regular(&of).unwrap_err().to_string(), what, "{of:?}");
        }
        assert_eq!(open_regular(&path("absent")).unwrap_err().kind(), ErrorKind::NotFound);
        // A file is one through a link, too; and no file at all is written as this device.
        std::fs::write(path("file"), "text").unwrap();
        std::os::unix::fs::symlink(path("file"), path("to-file")).unwrap();
        for of in [path("file"), path("to-file"), "/dev/null".into()] {
            open_regular(&of).unwrap();
        }
    }

    #[test]
    fn what_a_link_leads_to_is_not_written() {
        let made_up = MadeUp::new("links");
        let path = |name: &str| made_up.machine().path(name);
        for name in ["elsewhere", "other"] {
            std::fs::write(path(name), name).unwrap();
        }
        // Where the new text is written first, and where it goes.
        let new = format!(".name.{}.new", std::process::id());
        std::os::unix::fs::symlink(path("elsewhere"), path(&new)).unwrap();
        std::os::unix::fs::symlink(path("other"), path("name")).unwrap();
        write_whole(&path("."), "name", "text").unwrap();
        assert_eq!(std::fs::read_to_string(path("name")).unwrap(), "text");
        assert!(!path("name").is_symlink() && !path(&new).exists());
        for name in ["elsewhere", "other"] {
            assert_eq!(std::fs::read_to_string(path(name)).unwrap(), name);
        }
        std::fs::create_dir(path("folder")).unwrap();
        create_anew(&path("folder")).unwrap_err();
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = std::env::temp_dir().join(format!("chronus-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for content in ["long before", "new"] {
            write_whole(&folder, "name", content).unwrap();
            assert_eq!(std::fs::read_to_string(folder.join("name")).unwrap(), content);
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        // Another process is in the middle of it, under the name that was once everybody's: none of its bytes get in.
        std::fs::create_dir(folder.join(".name.new")).unwrap();
        write_whole(&folder, "name", "whole").unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("name")).unwrap(), "whole");
        // What cannot be put in its place is not left lying about.
        write_whole(&folder, ".name.new", "").unwrap_err();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
        for _ in 0..2 {
            remove(&folder, "name").unwrap();
            assert!(!folder.join("name").exists());
        }
        assert!(write_whole(&folder.join("absent"), "name", "").unwrap_err().contains("absent/name"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
