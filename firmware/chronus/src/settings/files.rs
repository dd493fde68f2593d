//! What is made of chronus.toml for those who start after it.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Readable by all: none of it is secret, and the engine's user reads one of them.
const MODE: u32 = 0o644;

/// Writes a file so that under its name there is always all of the old one or all of the new one. Two processes may
/// write it at the same time: each has a new one of its own.
///
/// # Errors
/// In words, with the file's name.
pub fn write_whole(folder: &Path, name: &str, content: &str) -> Result<(), String> {
    let (path, new) = (folder.join(name), folder.join(format!(".{name}.{}.new", std::process::id())));
    let write = || {
        let mut file = File::create(&new)?;
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
